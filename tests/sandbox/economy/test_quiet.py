"""Rules of which nothing is planted find nothing (domain.md, section 7)."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from functools import cache
from typing import Any

import pytest
from runway_sandbox.economy import EconomyCompany, build_company

AS_OF = date(2026, 3, 2)
Wire = dict[str, Any]

companies = pytest.mark.parametrize("index", range(12))


@cache
def company_of(index: int) -> EconomyCompany:
    return build_company(index=index, seed=index + 50, bills=130, as_of=AS_OF)


def day(row: Wire, key: str = "TxnDate") -> date:
    return date.fromisoformat(row[key])


@companies
def test_no_takings_look_like_an_invoice_or_a_receipt(index: int) -> None:
    """AR04 and AR09."""
    records = company_of(index).records
    takings = {
        amount
        for row in records["Deposit"]
        for amount in (row["TotalAmt"], *(line["Amount"] for line in row["Line"]))
        if row["Line"][0].get("Description") == "Card terminal, week"
    }

    assert not takings & {row["Balance"] for row in records["Invoice"] if row["Balance"]}
    assert not takings & {row["TotalAmt"] for row in records["Payment"] if row["TotalAmt"]}


@companies
def test_expenses_name_a_payee_and_a_proper_account_but_where_told(index: int) -> None:
    """BK08 and BK09."""
    company = company_of(index)
    told = {(truth["check"], record["id"]) for truth in company.truth for record in truth["records"]}
    unclear = {row["Id"] for row in company.records["Account"] if row["Name"].startswith(("Ask", "Uncategorized"))}
    for row in company.records["Purchase"]:
        booked = {line["AccountBasedExpenseLineDetail"]["AccountRef"]["value"] for line in row["Line"]}

        assert ("EntityRef" not in row) is (("BK09", row["Id"]) in told)
        assert bool(booked & unclear) is (("BK08", row["Id"]) in told)


@companies
def test_monthly_bills_have_come_when_they_should(index: int) -> None:
    """AP21: nobody who billed monthly all the year has been silent for over a month and a week, but those planted."""
    company = company_of(index)
    planted = {row["id"] for one in company.truth if one["check"] == "AP21" for row in one["records"]}
    dates: dict[str, list[date]] = defaultdict(list)
    for bill in company.records["Bill"]:
        if "monthly" in (text := bill["Line"][0].get("Description", "")).lower() or text.startswith(("Rent", "Lease")):
            dates[bill["VendorRef"]["value"]].append(day(bill))
    for spent in company.records["Purchase"]:
        if (payee := spent.get("EntityRef", {}).get("value")) in dates:
            dates[payee].append(day(spent))
    for vendor, found in dates.items():
        if len(found) > 10 and vendor not in planted:
            assert (AS_OF - max(found)).days <= 31 + 7
