from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runway_sandbox.economy import EconomyCompany, build_company
from runway_sandbox.economy.calendar import is_business_day, pacific_text

AS_OF = date(2026, 3, 2)
TRANSACTIONS = (
    "Bill",
    "VendorCredit",
    "BillPayment",
    "Invoice",
    "CreditMemo",
    "Payment",
    "Deposit",
    "Purchase",
    "Transfer",
    "JournalEntry",
)
_DIGEST = """
import datetime, hashlib, json
from runway_sandbox.economy import build_company
c = build_company(index=6, seed=13, bills=60, as_of=datetime.date(2026, 3, 2))
print(hashlib.sha256(json.dumps([c.name, c.records, c.truth], default=str).encode()).hexdigest())
"""


def fingerprint(company: EconomyCompany) -> str:
    text = json.dumps([company.name, company.records, company.truth], default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def test_same_arguments_same_bytes_in_any_process() -> None:
    here = fingerprint(build_company(index=6, seed=13, bills=60, as_of=AS_OF))
    for hash_seed in ("1", "2"):
        there = subprocess.run(
            [sys.executable, "-c", _DIGEST],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        )
        assert there.stdout.strip() == here
    assert fingerprint(build_company(index=6, seed=14, bills=60, as_of=AS_OF)) != here
    assert fingerprint(build_company(index=16, seed=13, bills=60, as_of=AS_OF)) != here


@settings(max_examples=25, deadline=None)
@given(
    index=st.integers(0, 5_000),
    seed=st.integers(0, 99_999),
    bills=st.integers(1, 60),
    as_of=st.dates(date(2024, 1, 1), date(2030, 12, 31)),
)
def test_ids_are_unique_and_nothing_was_entered_after_the_day_began(
    index: int, seed: int, bills: int, as_of: date
) -> None:
    records = build_company(index=index, seed=seed, bills=bills, as_of=as_of).records
    transactions = [row["Id"] for kind in TRANSACTIONS for row in records[kind]]
    names = [row["Id"] for kind in ("Vendor", "Customer") for row in records[kind]]
    displayed = [row["DisplayName"] for kind in ("Vendor", "Customer") for row in records[kind]]
    now = datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC)

    assert len(records["Bill"]) == bills
    for ids in (transactions, names, displayed, [row["Id"] for row in records["Account"]]):
        assert len(ids) == len(set(ids))
    for kind in (*TRANSACTIONS, "Vendor", "Customer", "Attachable"):
        for row in records[kind]:
            created = datetime.fromisoformat(row["MetaData"]["CreateTime"])
            updated = datetime.fromisoformat(row["MetaData"]["LastUpdatedTime"])
            assert created <= updated < now
            if kind in TRANSACTIONS and row["TxnDate"] < as_of.isoformat():
                assert created.date().isoformat() >= row["TxnDate"]


def test_some_account_claims_a_change_in_the_future() -> None:
    records = build_company(index=0, seed=1, bills=40, as_of=AS_OF).records
    ahead = [row for row in records["Account"] if row["MetaData"]["LastUpdatedTime"] > AS_OF.isoformat()]

    assert 1 <= len(ahead) <= 2


def test_a_usual_company_is_a_whole_small_business() -> None:
    company = build_company(index=1, seed=1, bills=150, as_of=AS_OF)
    counts = {kind: len(rows) for kind, rows in company.records.items()}

    assert counts["Bill"] == 150
    assert 0.5 <= counts["Invoice"] / 150 <= 0.85
    rare = {"VendorCredit", "CreditMemo"}  # not every company has credits
    usual = (*(kind for kind in TRANSACTIONS if kind not in rare), "Term", "Item", "Attachable")
    assert all(counts[kind] for kind in (*usual, "CompanyInfo", "Preferences"))
    assert 4 <= sum(counts.values()) / 150 <= 6
    assert any(not row["Active"] and row["DisplayName"].endswith(" (deleted)") for row in company.records["Vendor"])
    assert any(not row["Active"] and row["DisplayName"].endswith(" (deleted)") for row in company.records["Customer"])


def test_credits_turn_up_in_some_company() -> None:
    made = [build_company(index=index, seed=1, bills=150, as_of=AS_OF).records for index in range(8)]

    assert all(any(records.get(kind) for records in made) for kind in TRANSACTIONS)


def test_entries_are_made_some_days_late_and_most_bills_carry_a_number() -> None:
    delays: Counter[int] = Counter()
    numbered = total = 0
    for index in range(20):
        for row in build_company(index=index, seed=2, bills=100, as_of=AS_OF).records["Bill"]:
            created = date.fromisoformat(row["MetaData"]["CreateTime"][:10])
            delays[(created - date.fromisoformat(row["TxnDate"])).days] += 1
            numbered += "DocNumber" in row
            total += 1

    assert 0.5 <= numbered / total <= 0.78
    assert len([delay for delay in range(11) if delays[delay]]) == 11
    assert sum(count for delay, count in delays.items() if 0 <= delay <= 14) >= total * 0.98


def amounts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        own = [v for k, v in value.items() if k in {"Amount", "TotalAmt", "Balance", "CurrentBalance", "UnappliedAmt"}]
        return own + [one for v in value.values() for one in amounts(v)]
    return [one for v in value for one in amounts(v)] if isinstance(value, list) else []


def test_money_is_decimal_with_two_places_and_never_a_float() -> None:
    found = amounts(list(build_company(index=2, seed=6, bills=80, as_of=AS_OF).records.values()))

    assert len(found) > 500
    assert all(isinstance(one, Decimal) and one.as_tuple().exponent == -2 for one in found)


def spent_in_ninety_days(records: dict[str, list[dict[str, Any]]]) -> Decimal:
    recent = {kind: [row for row in rows if row.get("TxnDate", "") >= "2025-12-02"] for kind, rows in records.items()}
    paid = [row["TotalAmt"] for row in recent["Purchase"] if row["PaymentType"] != "CreditCard"]
    paid += [row["TotalAmt"] for row in recent["BillPayment"] if row["PayType"] == "Check"]
    paid += [row["Amount"] for row in recent["Transfer"] if row["ToAccountRef"]["name"] == "Business Visa"]
    paid += [row["Line"][2]["Amount"] for row in recent["JournalEntry"] if row["PrivateNote"] == "Payroll"]
    return sum(paid, Decimal(0))


def test_portfolios_mix_healthy_and_tight_companies() -> None:
    days = []
    for index in range(60):
        records = build_company(index=index, seed=1, bills=80, as_of=AS_OF).records
        cash = sum(row["CurrentBalance"] for row in records["Account"] if row["AccountType"] == "Bank")
        days.append(cash / (spent_in_ninety_days(records) / 90))
    short = sum(one < 15 for one in days)
    middle = sum(15 <= one < 35 for one in days)

    assert 5 <= short <= 20
    assert 8 <= middle <= 30
    assert sum(one >= 35 for one in days) >= 20
    assert len({int(one) for one in days}) > 20


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 7, 3), True),  # the Friday before a Saturday holiday is a business day
        (date(2027, 7, 5), False),  # 4 July 2027 is a Sunday: Monday is off
        (date(2026, 11, 26), False),
        (date(2026, 1, 19), False),
        (date(2026, 5, 25), False),
        (date(2026, 3, 1), False),
        (date(2026, 3, 2), True),
    ],
)
def test_business_days_follow_the_federal_reserve(day: date, *, expected: bool) -> None:
    assert is_business_day(day.toordinal()) is expected


def test_pacific_offsets_change_with_summer() -> None:
    noon = 12 * 3600

    assert pacific_text(date(2026, 3, 7).toordinal() * 86_400 + noon) == "2026-03-07T12:00:00-08:00"
    assert pacific_text(date(2026, 3, 8).toordinal() * 86_400 + noon) == "2026-03-08T12:00:00-07:00"
    assert pacific_text(date(2026, 11, 1).toordinal() * 86_400 + noon) == "2026-11-01T12:00:00-08:00"
