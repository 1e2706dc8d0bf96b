"""AP10 and AP11: bills without a proper account, and without a document."""

import json
from decimal import Decimal
from typing import Any

import pytest
from runway_core.calculators.hygiene.categories import find_usual_account
from runway_core.calculators.hygiene.checks.bill_document_missing import BillDocumentMissing
from runway_core.calculators.hygiene.checks.bill_uncategorised import BillUncategorised
from runway_core.domain.bills import Bill
from runway_core.domain.company import CompanySettings
from runway_core.domain.documents import DocumentLine, DocumentLink, LineKind
from runway_core.domain.findings import Finding
from runway_core.domain.identity import RecordKind
from runway_core.domain.ledger import Account, AccountKind, Attachment
from runway_testkit.books_making import amount, bill, day, line, make_books

PAID: dict[str, Any] = {"open_balance": amount(0)}


def account(external_id: str, name: str) -> Account:
    return Account(
        external_id=external_id,
        name=name.rsplit(":", maxsplit=1)[-1],
        full_name=name,
        account_kind=AccountKind.EXPENSE,
        account_type="Expense",
        currency="USD",
        balance=amount(0),
    )


def uncategorised(*bills: Bill, name: str = "Ask My Accountant") -> list[Finding]:
    accounts = (account("odd", name), account("rent", "Rent"), account("tools", "Tools"))
    return list(BillUncategorised().find(make_books(bills=bills, accounts=accounts)))


@pytest.mark.parametrize(
    ("name", "is_found"),
    [
        ("Uncategorized Expense", True),
        ("Uncategorised", True),
        ("Ask My Accountant", True),
        ("Ask your client", True),
        ("Suspense", True),
        ("Suspense:Old items", True),
        ("Rent", False),
        ("Accountant's fees", False),
        ("Suspenseful Events", False),
    ],
)
def test_accounts_that_put_a_decision_off_are_told_by_name(name: str, is_found: bool) -> None:
    assert bool(uncategorised(bill(lines=(line(100, "odd"),)), name=name)) is is_found


@pytest.mark.parametrize(
    ("one", "is_found"),
    [
        (line(100, None), True),
        (line(0, None), False),
        (DocumentLine(line_kind=LineKind.ITEM, amount=amount(100), item_id="7"), False),
        (DocumentLine(line_kind=LineKind.TEXT, amount=amount(0), description="Thank you"), False),
        (line(100, "gone"), False),
        (line(100, "rent"), False),
    ],
    ids=["no account", "no account, no amount", "an item's", "text", "an account that is not there", "a proper one"],
)
def test_a_line_booked_to_no_account_counts_and_an_items_does_not(one: DocumentLine, is_found: bool) -> None:
    assert bool(uncategorised(bill(lines=(one,)))) is is_found


def test_only_the_lines_that_are_unclear_count_in_paid_bills_too() -> None:
    (finding,) = uncategorised(bill(total=100, lines=(line(70, "rent"), line(30, "odd")), **PAID))

    assert finding.amount is not None
    assert finding.amount.amount == 30
    assert "Ask My Accountant" in finding.summary


def test_the_vendors_usual_account_is_a_write_of_the_line() -> None:
    unclear = DocumentLine(line_kind=LineKind.ACCOUNT, amount=amount(100), account_id="odd", line_id="1")
    history = [bill(f"H{n}", lines=(line(90, "rent"), line(10, "tools")), **PAID) for n in range(4)]

    (finding,) = uncategorised(*history, bill(lines=(unclear,)))

    assert [json.loads(fix.fields["line_account"]) for fix in finding.fixes] == [{"1": "rent"}]
    assert finding.fixes[0].label == "Book it to Rent, as 4 of the last bills"


@pytest.mark.parametrize(
    ("accounts", "usual"),
    [
        (["rent"] * 2, None),
        (["rent"] * 3, ("rent", 3)),
        (["rent"] * 4 + ["tools"], ("rent", 4)),
        (["rent"] * 3 + ["tools"], None),
        (["tools"] * 9 + ["rent"] * 12, ("rent", 12)),
        (["rent"] * 3 + ["odd"] * 9, ("rent", 3)),
    ],
    ids=["too few", "enough", "four in five", "three in four", "the last twelve", "unclear ones do not count"],
)
def test_what_is_usual_shows_in_four_of_five_of_the_last_twelve(
    accounts: list[str], usual: tuple[str, int] | None
) -> None:
    assert find_usual_account([(line(10, name),) for name in accounts], {"odd"}) == usual


def scan(*bill_ids: str) -> Attachment:
    links = tuple(DocumentLink(kind=RecordKind.BILL, external_id=bill_id) for bill_id in bill_ids)
    return Attachment(external_id=f"scan of {bill_ids}", links=links)


def undocumented(*bills: Bill, rate: str | None = None, scans: tuple[Attachment, ...] = (scan("else"),)) -> list[str]:
    settings = CompanySettings(exchange_rates={"EUR": Decimal(rate)} if rate else {})
    made = make_books(bills=bills, attachments=scans, settings=settings)
    return [finding.subjects[0].external_id for finding in BillDocumentMissing().find(made)]


def test_a_bill_from_a_thousand_on_needs_a_document_paid_or_not() -> None:
    bills = (bill("large", 1000), bill("paid", 1000, **PAID), bill("small", "999.99"), bill("shown", 5000))

    assert undocumented(*bills, scans=(scan("shown"),)) == ["large", "paid"]


@pytest.mark.parametrize(("rate", "is_found"), [("1.25", True), ("1.2499", False), (None, False)])
def test_a_thousand_is_meant_in_home_currency(rate: str | None, is_found: bool) -> None:
    assert bool(undocumented(bill("euro", 800, currency="EUR"), rate=rate)) is is_found


def test_a_foreign_bill_without_a_rate_is_judged_as_it_stands() -> None:
    assert undocumented(bill("euro", 1000, currency="EUR", document_date=day(-300))) == ["euro"]


def test_books_without_a_single_file_say_nothing() -> None:
    assert undocumented(bill("large", 9000), scans=()) == []
