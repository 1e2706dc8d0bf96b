"""An independent reading of the rules on the ledger itself (domain.md, section 7), from the wire objects alone."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from runway_sandbox.economy import EconomyCompany

Wire = dict[str, Any]
Key = tuple[str, frozenset[tuple[str, str]]]

_ISSUERS = {"American Express", "Chase Card Services", "Capital One Credit Card", "Cardmember Service", "Business Visa"}
_FINANCING = ("owner", "shareholder", "partner", "loan", "line of credit")


def find_ledger_defects(company: EconomyCompany, *, as_of: date) -> set[Key]:
    """BK06, BK08, BK09, BK13, BK14, GL01 and GL02."""
    accounts = {row["Id"]: row for row in company.records["Account"]}
    found = {
        *_wrong_side(accounts),
        *_unsorted(company, accounts),
        *_cards_paid(company, accounts),
        *_financing(company, accounts),
        *_apart(company, accounts),
        *_parked(company, accounts, as_of=as_of),
    }
    return {(check, frozenset({(kind, external_id)})) for check, kind, external_id in found}


def _wrong_side(accounts: dict[str, Wire]) -> Iterator[tuple[str, str, str]]:
    for row in accounts.values():
        is_below = row["AccountType"] == "Bank" or row["AccountSubType"] == "UndepositedFunds"
        is_above = row["AccountType"] == "Credit Card"
        if (is_below and row["CurrentBalance"] < 0) or (is_above and row["CurrentBalance"] > 0):
            yield "BK06", "Account", row["Id"]


def _account_of(line: Wire) -> str:
    account: str = line.get(line.get("DetailType", ""), {}).get("AccountRef", {}).get("value", "")
    return account


def _unsorted(company: EconomyCompany, accounts: dict[str, Wire]) -> Iterator[tuple[str, str, str]]:
    unclear = {key for key, row in accounts.items() if row["Name"].startswith(("Ask", "Uncategorized"))}
    for kind in ("Purchase", "Deposit"):
        for row in company.records[kind]:
            if any(_account_of(line) in unclear for line in row["Line"]):
                yield "BK08", kind, row["Id"]
    for row in company.records["Purchase"]:
        if "EntityRef" not in row:
            yield "BK09", "Purchase", row["Id"]


def _cards_paid(company: EconomyCompany, accounts: dict[str, Wire]) -> Iterator[tuple[str, str, str]]:
    for row in company.records["Purchase"]:
        is_paid_by_bank = accounts[row["AccountRef"]["value"]]["AccountType"] == "Bank"
        names = {accounts[key]["Name"] for line in row["Line"] if (key := _account_of(line)) in accounts}
        if is_paid_by_bank and row.get("EntityRef", {}).get("name") in _ISSUERS and names != {"Bank Charges"}:
            yield "BK13", "Purchase", row["Id"]


def _financing(company: EconomyCompany, accounts: dict[str, Wire]) -> Iterator[tuple[str, str, str]]:
    income = {key for key, row in accounts.items() if row["AccountType"] in {"Income", "Other Income"}}
    sizes = [row["TotalAmt"] for row in company.records["Payment"] if row["TotalAmt"]]
    sizes += [
        line["Amount"] for row in company.records["Deposit"] for line in row["Line"] if _account_of(line) in income
    ]
    usual = statistics.median_high(sizes) if sizes else Decimal(0)
    for row in company.records["Deposit"]:
        for line in row["Line"]:
            if _account_of(line) not in income or line["Amount"] <= 3 * usual:
                continue
            text = line.get("Description", "").lower()
            is_round = line["Amount"] >= 5000 and line["Amount"] % 1000 == 0
            if is_round or any(word in text for word in _FINANCING):
                yield "BK14", "Deposit", row["Id"]


def _apart(company: EconomyCompany, accounts: dict[str, Wire]) -> Iterator[tuple[str, str, str]]:
    for subtype, sign, parties in (("AccountsPayable", -1, "Vendor"), ("AccountsReceivable", 1, "Customer")):
        control = next(row for row in accounts.values() if row["AccountSubType"] == subtype)
        if sign * control["CurrentBalance"] != sum(row["Balance"] for row in company.records[parties]):
            yield "GL01", "Account", control["Id"]


def _parked(company: EconomyCompany, accounts: dict[str, Wire], *, as_of: date) -> Iterator[tuple[str, str, str]]:
    for key, row in accounts.items():
        if not any(word in row["Name"].lower() for word in ("suspense", "clearing")):
            continue
        old = sum(
            line["Amount"] * (1 if line["JournalEntryLineDetail"]["PostingType"] == "Debit" else -1)
            for entry in company.records["JournalEntry"]
            if (as_of - date.fromisoformat(entry["TxnDate"])).days > 30
            for line in entry["Line"]
            if _account_of(line) == key
        )
        if old:
            yield "GL02", "Account", key
