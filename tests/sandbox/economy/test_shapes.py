"""Wire objects carry the keys that recorded answers carry. The recordings are no part of the repository."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from runway_sandbox.economy import build_company

SAMPLES = Path("/work/shared/samples/qbo")
AS_OF = date(2026, 3, 2)
FILES = {
    "Bill": "query_Bill.json",
    "BillPayment": "query_BillPayment.json",
    "Purchase": "query_Purchase.json",
    "Deposit": "query_Deposit.json",
    "Item": "query_Item.json",
    "Payment": "query_Payment_via_POST.json",
    "Vendor": "query_Vendor.json",
    "Customer": "query_Customer.json",
    "Account": "query_Account.json",
    "Invoice": "query_Invoice.json",
}
# Keys the recordings lack but the documents describe (facts/qbo.md, sections 8.2, 8.3 and 8.10).
DOCUMENTED = {
    "Bill": {"DocNumber", "GlobalTaxCalculation"},
    "Vendor": {"TermRef"},
    "BillPayment": {"PrivateNote"},
    "DepositLineDetail.": {"Entity"},
}
# Planted: the one defect that takes away a key which is always there.
TAKEN_AWAY = {"Bill": {"DueDate"}, "Invoice": {"DueDate"}, "BillPayment": {"DocNumber"}}

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="recorded samples are not on this machine")


def recorded(kind: str) -> list[dict[str, Any]]:
    body = json.loads((SAMPLES / FILES[kind]).read_text())
    rows: list[dict[str, Any]] = body.get("response", body)["QueryResponse"][kind]
    return rows


def made(kind: str) -> list[dict[str, Any]]:
    return [
        row for index in range(4) for row in build_company(index=index, seed=1, bills=120, as_of=AS_OF).records[kind]
    ]


@pytest.mark.parametrize("kind", FILES)
def test_keys_that_are_always_recorded_are_always_made_and_no_others_are_invented(kind: str) -> None:
    samples, rows = recorded(kind), made(kind)
    seen = Counter(key for row in samples for key in row)
    always = {key for key, count in seen.items() if count == len(samples)} - TAKEN_AWAY.get(kind, set())

    assert all(always <= row.keys() for row in rows)
    assert {key for row in rows for key in row} <= seen.keys() | DOCUMENTED.get(kind, set())


@pytest.mark.parametrize("kind", ["Bill", "Invoice", "Purchase", "Deposit", "Payment", "BillPayment"])
def test_lines_have_the_recorded_keys(kind: str) -> None:
    known: dict[str, set[str]] = {}
    for row in recorded(kind):
        for line in row["Line"]:
            detail = line.get("DetailType", "none")
            known.setdefault(detail, set()).update(line)
            if detail in line:
                known.setdefault(f"{detail}.", set()).update(line[detail])
    for row in made(kind):
        for line in row["Line"]:
            detail = line.get("DetailType", "none")
            assert set(line) <= known[detail] | {"Description"}
            if detail in line:
                assert set(line[detail]) <= known[f"{detail}."] | DOCUMENTED.get(f"{detail}.", set())


def test_accounts_use_recorded_types() -> None:
    kinds = {(row["AccountType"], row["Classification"]) for row in recorded("Account")}

    assert {(row["AccountType"], row["Classification"]) for row in made("Account")} <= kinds
