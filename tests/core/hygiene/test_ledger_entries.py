"""BK08, BK09, BK13 and BK14: entries that nobody sorted, that name nobody, or that stand on the wrong account."""

from typing import Any

import pytest
from runway_core.calculators.hygiene.checks.card_payment_as_expense import CardPaymentAsExpense
from runway_core.calculators.hygiene.checks.financing_as_income import FinancingAsIncome
from runway_core.calculators.hygiene.checks.payee_missing import PayeeMissing
from runway_core.calculators.hygiene.checks.uncategorised import Uncategorised
from runway_core.domain.bills import VendorCredit
from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLine, LineKind
from runway_core.domain.findings import Finding
from runway_core.domain.identity import RecordKind
from runway_core.domain.invoices import CustomerPayment
from runway_core.domain.ledger import AccountKind, Deposit, JournalEntry, Purchase
from runway_core.domain.parties import Vendor
from runway_testkit.books_making import amount, day, invoice, line, make_books

from tests.core.hygiene.bank_making import account, bank_line, purchase

ACCOUNTS = (
    account("bank"),
    account("visa", name="Business Visa", account_kind=AccountKind.CREDIT_CARD),
    account("rent", account_kind=AccountKind.EXPENSE),
    account("fees", name="Bank Charges", account_kind=AccountKind.EXPENSE),
    account("ask", name="Ask My Accountant", account_kind=AccountKind.OTHER_EXPENSE),
    account("unsorted", name="Uncategorized Income", account_kind=AccountKind.INCOME),
    account("suspense", name="Suspense", account_kind=AccountKind.OTHER_CURRENT_ASSET),
    account("sales", account_kind=AccountKind.INCOME),
    account("loan", account_kind=AccountKind.LONG_TERM_LIABILITY),
    account("draw", account_kind=AccountKind.EQUITY),
)


def books(**more: Any) -> Books:
    return make_books(**({"accounts": ACCOUNTS} | more))


def spent(where: str | None, *, text: str = "Paper", **more: Any) -> Purchase:
    return purchase("E", -9, 80, lines=(line(80, where, text),)).model_copy(update=more)


def evidence(found: Finding) -> dict[str, str]:
    return {one.name: one.value for one in found.evidence}


@pytest.mark.parametrize(
    ("one", "is_found"),
    [
        (spent("ask"), True),
        (spent("suspense"), True),
        (spent(None), True),
        (spent("rent", lines=()), True),
        (spent("rent"), False),
        (spent("ask", is_void=True), False),
        (spent(None, lines=(DocumentLine(line_kind=LineKind.ITEM, amount=amount(80), item_id="1"),)), False),
    ],
    ids=["ask", "suspense", "no account", "no lines", "sorted", "void", "an item has its own account"],
)
def test_a_purchase_that_nobody_sorted_is_found(one: Purchase, is_found: bool) -> None:
    assert bool(list(Uncategorised().find(books(purchases=(one,))))) is is_found


def test_deposits_and_vendor_credits_want_sorting_too() -> None:
    deposit = Deposit(
        external_id="D", document_date=day(-9), currency="EUR", total=amount(80), lines=(line(80, "unsorted"),)
    )
    credit = VendorCredit(
        external_id="C", document_date=day(-9), currency="USD", total=amount(80), lines=(line(80, "ask"),)
    )

    found = list(Uncategorised().find(books(deposits=(deposit,), vendor_credits=(credit,))))

    assert {str(finding.subjects[0]) for finding in found} == {"deposit:D", "vendor_credit:C"}
    assert {str(finding.amount) for finding in found} == {"80.00 EUR", "80.00 USD"}


@pytest.mark.parametrize(
    ("account_id", "side", "is_found"),
    [
        ("ask", LineKind.DEBIT, True),
        ("ask", LineKind.CREDIT, False),
        ("unsorted", LineKind.CREDIT, True),
        ("unsorted", LineKind.DEBIT, False),
        ("suspense", LineKind.DEBIT, False),
    ],
)
def test_a_journal_entry_is_found_where_it_adds_to_what_is_unsorted(
    account_id: str, side: LineKind, is_found: bool
) -> None:
    other = LineKind.CREDIT if side is LineKind.DEBIT else LineKind.DEBIT
    lines = (
        DocumentLine(line_kind=side, amount=amount(80), account_id=account_id),
        DocumentLine(line_kind=other, amount=amount(80), account_id="rent"),
    )
    entry = JournalEntry(external_id="J", document_date=day(-9), currency="USD", total=amount(80), lines=lines)

    assert bool(list(Uncategorised().find(books(journal_entries=(entry,))))) is is_found


@pytest.mark.parametrize(("usual", "says"), [(4, "rent, 4 of the last 12 at most"), (3, "no usual account")])
def test_the_payees_usual_account_is_suggested_from_four_of_five_on(usual: int, says: str) -> None:
    payee = {"payee_kind": RecordKind.VENDOR, "payee_id": "V1"}
    past = [spent("rent" if n < usual else "fees", external_id=f"P{n}", **payee) for n in range(5)]

    (found,) = Uncategorised().find(books(purchases=(*past, spent("ask", **payee))))

    assert evidence(found)["payee_history"].casefold() == says
    assert found.fixes[0].label.casefold() == ("book it to rent" if usual == 4 else "choose an account")


@pytest.mark.parametrize(
    ("payee", "is_found"),
    [
        ({}, True),
        ({"payee_name": "Unknown"}, True),
        ({"payee_name": "Ada Ltd"}, False),
        ({"payee_kind": RecordKind.VENDOR, "payee_id": "V1"}, False),
        ({"is_void": True}, False),
        ({"total": amount(0)}, False),
    ],
    ids=["nobody", "a placeholder", "a name", "a vendor", "void", "nil"],
)
def test_money_spent_on_nobody_is_found(payee: dict[str, Any], is_found: bool) -> None:
    assert bool(list(PayeeMissing().find(books(purchases=(spent("rent", **payee),))))) is is_found


def test_the_payee_is_suggested_by_what_the_bank_wrote() -> None:
    vendors = (Vendor(external_id="V7", name="Nimbus Cloud Inc", currency="USD", balance=amount(0)),)
    at_bank = bank_line("N1", -8, -80, "SQ *NIMBUS CLOUD 206-555-0100 SEATTLE WA")

    (found,) = PayeeMissing().find(books(purchases=(spent("rent"),), vendors=vendors, bank_transactions=(at_bank,)))

    assert found.fixes[0].label == "Choose Nimbus Cloud Inc as payee"
    assert found.evidence[-1].record == at_bank.key


@pytest.mark.parametrize(
    ("payee", "where", "text", "is_found"),
    [
        ("American Express", "rent", "Paper", True),
        ("Chase Card Services", "rent", "Paper", True),
        ("Business Visa 8831", "rent", "Paper", True),
        ("Harbor Bank", "rent", "Credit card payment", True),
        ("American Express", "fees", "Paper", False),
        ("American Express", "rent", "Annual membership", False),
        ("American Express", "visa", "Paper", False),
        ("Harbor Bank", "rent", "Paper", False),
        ("Greeting Card Factory", "rent", "Paper", False),
    ],
)
def test_paying_a_card_is_no_expense(payee: str, where: str, text: str, is_found: bool) -> None:
    one = spent(where, text=text, payee_name=payee)

    assert bool(list(CardPaymentAsExpense().find(books(purchases=(one,))))) is is_found


@pytest.mark.parametrize("more", [{"account_id": "visa"}, {"is_void": True}, {"is_refund": True}])
def test_only_money_from_a_deposit_account_pays_a_card(more: dict[str, Any]) -> None:
    one = spent("rent", payee_name="American Express", **more)

    assert list(CardPaymentAsExpense().find(books(purchases=(one,)))) == []


def test_without_a_card_account_the_charges_are_nowhere_else() -> None:
    one = spent("rent", payee_name="American Express")
    without = tuple(account for account in ACCOUNTS if account.external_id != "visa")

    assert list(CardPaymentAsExpense().find(books(purchases=(one,), accounts=without))) == []


RECEIPTS = tuple(
    CustomerPayment(
        external_id=f"CP{n}", document_date=day(-30), currency="USD", total=amount(1000), unapplied=amount(0)
    )
    for n in range(5)
)


def banked(total: int | str, text: str | None = None, *, where: str = "sales", **more: Any) -> Books:
    row = DocumentLine(
        line_kind=LineKind.DEPOSIT, amount=amount(total), account_id=where, description=text,
        party_kind=more.pop("party_kind", None), party_id=more.pop("party_id", None),
    )  # fmt: skip
    deposit = Deposit(external_id="D", document_date=day(-9), currency="USD", total=amount(total), lines=(row,))
    return books(**({"deposits": (deposit,), "customer_payments": RECEIPTS} | more))


@pytest.mark.parametrize(
    ("made", "is_found"),
    [
        (banked("3000.01", "Owner contribution"), True),
        (banked("3000", "Owner contribution"), False),
        (banked("3000.01", "SBA loan proceeds"), True),
        (banked("3000.01", "Owner's capital"), True),
        (banked("3000.01", "Member dues"), False),
        (banked("3000.01", "Week of sales"), False),
        (banked(5000), True),
        (banked(4000), False),
        (banked(5500), False),
        (banked(5000, party_kind=RecordKind.CUSTOMER, party_id="C1"), False),
        (banked(5000, invoices=(invoice(total=5000),)), False),
        (banked(9000, "Owner contribution", where="draw"), False),
    ],
    ids=[
        "owner",
        "three times the median",
        "lender",
        "capital",
        "dues of members are sales",
        "sales",
        "round",
        "round and small",
        "not round",
        "a customer's",
        "an invoice asks for it",
        "booked to equity",
    ],
)
def test_financing_on_an_income_account_is_found(made: Books, is_found: bool) -> None:
    assert bool(list(FinancingAsIncome().find(made))) is is_found


def test_whom_the_books_repay_on_a_loan_account_is_a_lender() -> None:
    lender = {"party_kind": RecordKind.VENDOR, "party_id": "V3"}
    repaid = purchase("E", -60, 90, payee_kind=RecordKind.VENDOR, payee_id="V3", lines=(line(90, "loan"),))

    (found,) = FinancingAsIncome().find(banked("7777.77", purchases=(repaid,), **lender))

    assert "from a lender" in found.summary
    assert list(FinancingAsIncome().find(banked("7777.77", **lender))) == []


def test_too_few_receipts_have_no_median() -> None:
    assert list(FinancingAsIncome().find(banked(9000, customer_payments=()))) == []
