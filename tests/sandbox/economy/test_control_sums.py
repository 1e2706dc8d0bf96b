"""The books of a made-up company hold together, judged from the wire objects alone."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runway_sandbox.economy import EconomyCompany, build_company

AS_OF = date(2026, 3, 2)
NIL = Decimal("0.00")
Wire = dict[str, Any]


def _line_total(line: Wire) -> tuple[str, Decimal]:
    detail = line[line["DetailType"]]
    account = detail.get("AccountRef") or detail["ItemAccountRef"]
    return account["value"], line["Amount"]


def movements(kind: str, row: Wire) -> list[tuple[str, Decimal]]:
    """What a wire object books, by account id; control and tax accounts by name. Debit is positive."""
    if kind in {"Bill", "VendorCredit"}:
        sign = 1 if kind == "Bill" else -1
        lines = [(account, sign * amount) for account, amount in map(_line_total, row["Line"])]
        return [(row["APAccountRef"]["value"], -sign * row["TotalAmt"]), *lines]
    if kind == "BillPayment":
        source = (
            row["CreditCardPayment"]["CCAccountRef"]
            if row["PayType"] == "CreditCard"
            else row["CheckPayment"]["BankAccountRef"]
        )
        return [("payable", row["TotalAmt"]), (source["value"], -row["TotalAmt"])]
    if kind in {"Invoice", "CreditMemo"}:
        sign = 1 if kind == "Invoice" else -1
        sold = [line for line in row["Line"] if line["DetailType"] == "SalesItemLineDetail"]
        lines = [(account, -sign * amount) for account, amount in map(_line_total, sold)]
        tax = [("tax", -sign * row["TxnTaxDetail"]["TotalTax"])]
        return [("receivable", sign * row["TotalAmt"]), *lines, *tax]
    if kind == "Payment":
        target = row.get("DepositToAccountRef", {"value": "nowhere"})["value"]
        return [(target, row["TotalAmt"]), ("receivable", -row["TotalAmt"])]
    if kind == "Deposit":
        lines = [
            ("undeposited", -line["Amount"]) if "LinkedTxn" in line else (_line_total(line)[0], -line["Amount"])
            for line in row["Line"]
        ]
        return [(row["DepositToAccountRef"]["value"], row["TotalAmt"]), *lines]
    if kind == "Purchase":
        sign = -1 if row.get("Credit") else 1
        lines = [(account, sign * amount) for account, amount in map(_line_total, row["Line"])]
        return [(row["AccountRef"]["value"], -sign * row["TotalAmt"]), *lines]
    if kind == "Transfer":
        return [(row["FromAccountRef"]["value"], -row["Amount"]), (row["ToAccountRef"]["value"], row["Amount"])]
    sides = {"Debit": 1, "Credit": -1}
    return [
        (account, amount * sides[line["JournalEntryLineDetail"]["PostingType"]])
        for line, (account, amount) in zip(row["Line"], map(_line_total, row["Line"]), strict=True)
    ]


KINDS = (
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
SUBTYPES = {
    "AccountsPayable": "payable",
    "AccountsReceivable": "receivable",
    "UndepositedFunds": "undeposited",
    "SalesTaxPayable": "tax",
}


def balances(company: EconomyCompany) -> dict[str, Decimal]:
    """Balances by account id, from nothing but the transactions."""
    aliases = {
        SUBTYPES[a["AccountSubType"]]: a["Id"] for a in company.records["Account"] if a["AccountSubType"] in SUBTYPES
    }
    foreign = {a["Id"] for a in company.records["Account"] if a["CurrencyRef"]["value"] != company.home_currency}
    totals: dict[str, Decimal] = defaultdict(lambda: NIL)
    for kind in KINDS:
        for row in company.records[kind]:
            moved = movements(kind, row)
            assert sum(amount for _, amount in moved) == 0, (kind, row)
            for account, amount in moved:
                account_id = aliases.get(account, account)
                totals[account_id] += amount if account_id in foreign else amount * row.get("ExchangeRate", 1)
    return totals


def open_rests(company: EconomyCompany) -> tuple[Decimal, Decimal]:
    """What is owed to vendors and by customers, from document balances and unused credits."""
    owed = sum((row["Balance"] for row in company.records["Bill"]), NIL)
    owed -= sum((row["TotalAmt"] for row in company.records["VendorCredit"]), NIL)
    for row in company.records["BillPayment"]:
        used = {"Bill": NIL, "VendorCredit": NIL}
        for line in row["Line"]:
            used[line["LinkedTxn"][0]["TxnType"]] += line["Amount"]
        owed += used["VendorCredit"]
        owed -= row["TotalAmt"] + used["VendorCredit"] - used["Bill"]
    due = sum((row["Balance"] for row in company.records["Invoice"]), NIL)
    due -= sum((row["Balance"] for row in company.records["CreditMemo"]), NIL)
    due -= sum((row["UnappliedAmt"] for row in company.records["Payment"]), NIL)
    return owed, due


def is_spoiled(company: EconomyCompany, check: str, subtype: str) -> bool:
    """Whether a defect of this check was planted on the account."""
    ids = {row["Id"] for row in company.records["Account"] if row["AccountSubType"] == subtype}
    return any(
        truth["check"] == check and record["kind"] == "Account" and record["id"] in ids
        for truth in company.truth
        for record in truth["records"]
    )


def assert_adds_up(company: EconomyCompany) -> None:
    totals = balances(company)
    for account in company.records["Account"]:
        if account["Classification"] in {"Asset", "Liability", "Equity"}:
            assert account["CurrentBalance"] == totals[account["Id"]], account["Name"]
        else:
            assert account["CurrentBalance"] == 0
    by_subtype = {account["AccountSubType"]: account["CurrentBalance"] for account in company.records["Account"]}
    owed, due = open_rests(company)
    vendors = sum((row["Balance"] for row in company.records["Vendor"]), NIL)
    customers = sum((row["Balance"] for row in company.records["Customer"]), NIL)

    assert owed == vendors
    assert due == customers
    assert (owed == -by_subtype["AccountsPayable"]) is not is_spoiled(company, "GL01", "AccountsPayable")
    assert (due == by_subtype["AccountsReceivable"]) is not is_spoiled(company, "GL01", "AccountsReceivable")
    assert (by_subtype["CreditCard"] <= 0) is not is_spoiled(company, "BK06", "CreditCard")
    assert (by_subtype["UndepositedFunds"] >= 0) is not is_spoiled(company, "BK06", "UndepositedFunds")
    assert by_subtype["Checking"] > 0


@settings(max_examples=40, deadline=None)
@given(index=st.integers(0, 20_000), seed=st.integers(0, 1_000_000), bills=st.integers(1, 90))
def test_accounts_parties_and_documents_agree(index: int, seed: int, bills: int) -> None:
    assert_adds_up(build_company(index=index, seed=seed, bills=bills, as_of=AS_OF))


@pytest.mark.parametrize("index", range(12))
def test_a_usual_company_adds_up_and_has_the_bills_asked_for(index: int) -> None:
    company = build_company(index=index, seed=11, bills=150, as_of=AS_OF)

    assert_adds_up(company)
    assert len(company.records["Bill"]) == 150


@pytest.mark.parametrize("index", range(10))
def test_every_payment_and_what_it_settles_name_each_other(index: int) -> None:
    records = build_company(index=index, seed=3, bills=120, as_of=AS_OF).records
    rows = {kind: {row["Id"]: row for row in records[kind]} for kind in KINDS}
    applied: dict[tuple[str, str], Decimal] = defaultdict(lambda: NIL)
    for kind, link in (("BillPayment", "BillPaymentCheck"), ("Payment", "Payment"), ("Deposit", "Deposit")):
        for row in records[kind]:
            for line in row["Line"]:
                for one in line.get("LinkedTxn", []):
                    target = rows[one["TxnType"]][one["TxnId"]]
                    assert {"TxnId": row["Id"], "TxnType": link} in target["LinkedTxn"]
                    applied[one["TxnType"], one["TxnId"]] += line["Amount"]

    for kind in ("Bill", "Invoice", "CreditMemo"):
        for row in records[kind]:
            assert row["Balance"] == row["TotalAmt"] - applied[kind, row["Id"]]


def test_cash_stays_above_nil_on_almost_every_day() -> None:
    dips = 0
    days = 0
    for index in range(24):
        company = build_company(index=index, seed=5, bills=100, as_of=AS_OF)
        checking = next(row["Id"] for row in company.records["Account"] if row["AccountSubType"] == "Checking")
        moved: dict[str, Decimal] = defaultdict(lambda: NIL)
        for kind in KINDS:
            for row in company.records[kind]:
                for account, amount in movements(kind, row):
                    if account == checking:
                        moved[row["TxnDate"]] += amount
        running = NIL
        for day in sorted(moved):
            running += moved[day]
            days += 1
            dips += running < 0

    assert dips <= days // 200


def test_jobs_add_to_their_customer_only_in_the_balance_with_jobs() -> None:
    found = 0
    for index in range(8):
        customers = build_company(index=index, seed=1, bills=200, as_of=AS_OF).records["Customer"]
        for customer in customers:
            jobs = [row for row in customers if row.get("ParentRef") == {"value": customer["Id"]}]
            found += len(jobs)
            assert all(row["Job"] and row["Level"] == 1 for row in jobs)
            assert customer["BalanceWithJobs"] == customer["Balance"] + sum(row["Balance"] for row in jobs)
    assert found > 3
