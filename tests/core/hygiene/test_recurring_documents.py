"""AP21 and AR13: what comes round is missed when it does not come."""

from datetime import timedelta
from typing import Any

import pytest
from runway_core.calculators.calendar import add_months
from runway_core.calculators.hygiene.checks.recurring_bill_absent import RecurringBillAbsent
from runway_core.calculators.hygiene.checks.recurring_invoice_absent import RecurringInvoiceAbsent
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.bank import BankTransaction
from runway_core.domain.bills import Bill, BillPayment, PaymentMethod
from runway_core.domain.company import CompanySettings, EnteredSeries, Rhythm, SeriesKind
from runway_core.domain.documents import DocumentLink
from runway_core.domain.findings import Finding
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.invoices import CustomerPayment, Invoice
from runway_core.domain.ledger import Purchase
from runway_testkit.books_making import amount, bill, day, invoice, make_books

SERIES = RecordKey(RecordKind.SERIES, "bill:vendor:V1:monthly:USD")
VENDOR = RecordKey(RecordKind.VENDOR, "V1")
CUSTOMER = RecordKey(RecordKind.CUSTOMER, "C1")


def rent(late: int, *, rounds: int = 5, total: int = 900, **more: Any) -> tuple[Bill, ...]:
    """Monthly bills, paid; the next was expected `late` days ago."""
    days = [add_months(day(-late), -back) for back in range(1, rounds + 1)]
    values: dict[str, Any] = {"total": total, "due_date": None, "open_balance": amount(0)}
    return tuple(bill(f"R{on}", document_date=on, **(values | more)) for on in days)


def find_bills(*bills: Bill, **more: Any) -> list[Finding]:
    return list(RecurringBillAbsent().find(make_books(bills=bills, **more)))


@pytest.mark.parametrize(("late", "is_found"), [(7, False), (8, True), (30, True), (31, False)])
def test_a_monthly_bill_is_missed_after_seven_days_until_the_series_is_over(late: int, is_found: bool) -> None:
    assert bool(find_bills(*rent(late))) is is_found


@pytest.mark.parametrize(("rounds", "is_found"), [(3, False), (4, True)])
def test_three_alike_may_be_chance(rounds: int, is_found: bool) -> None:
    assert bool(find_bills(*rent(12, rounds=rounds))) is is_found


@pytest.mark.parametrize(("rounds", "is_found"), [(9, False), (10, True)])
def test_a_weekly_bill_must_have_come_for_two_months(rounds: int, is_found: bool) -> None:
    bills = [bill(f"W{n}", 80, document_date=day(-15 - 7 * n), open_balance=amount(0)) for n in range(rounds)]

    assert bool(find_bills(*bills)) is is_found


def test_it_shows_what_was_expected_and_the_last_six() -> None:
    (finding,) = find_bills(*rent(12, rounds=9))
    shown = [(evidence.name, evidence.value) for evidence in finding.evidence]

    assert finding.subjects == (SERIES, VENDOR)
    assert shown[:3] == [("expected_on", "2026-02-18"), ("expected_amount", "900.00"), ("rhythm", "monthly")]
    assert next(value for name, value in shown if name == "came") == "2025-08-18: 900.00"
    assert len(shown) == 9


def test_entering_it_makes_its_money_leave_when_bills_of_the_vendor_usually_fall_due() -> None:
    bills = tuple(
        each.model_copy(update={"due_date": each.document_date.replace(day=28)}) for each in rent(12, rounds=5)
    )
    (finding,) = find_bills(*bills)

    assert finding.fixes[0].amendments == (
        Amendment(action=AmendmentAction.ADD, on=day(0), amount=amount(-900), label="Vendor 1 Ltd"),
    )


@pytest.mark.parametrize(("term", "is_expected"), [(2, True), (1, False)])
def test_a_bill_that_the_outlook_waits_for_is_expected_already(term: int, is_expected: bool) -> None:
    """Twelve days late: its money is ten days late where it is due in two."""
    bills = rent(12)
    bills = tuple(each.model_copy(update={"due_date": each.document_date + timedelta(days=term)}) for each in bills)
    paid = tuple(
        BillPayment(
            external_id=f"P{each.external_id}",
            vendor_id="V1",
            document_date=each.document_date.replace(day=25),
            currency="USD",
            total=each.total,
            method=PaymentMethod.TRANSFER,
            account_id="bank",
            applied=(DocumentLink(kind=RecordKind.BILL, external_id=each.external_id, amount=each.total),),
        )
        for each in bills
    )

    (finding,) = find_bills(*bills, bill_payments=paid)

    assert (finding.fixes[0].amendments == ()) is is_expected


def test_a_standing_order_is_expected_already() -> None:
    paid = tuple(
        BillPayment(
            external_id=f"P{each.external_id}",
            vendor_id="V1",
            document_date=each.document_date.replace(day=25),
            currency="USD",
            total=each.total,
            method=PaymentMethod.TRANSFER,
            account_id="bank",
        )
        for each in rent(12)
    )

    (finding,) = find_bills(*rent(12), bill_payments=paid)

    assert finding.fixes[0].amendments == ()


@pytest.mark.parametrize(
    ("on", "total", "stands"),
    [(-12, 900, True), (-2, 900, True), (-1, 900, False), (-12, 1080, True), (-12, 1081, False), (-22, 720, True)],
)
def test_a_bill_within_ten_days_and_a_fifth_stands_for_it(on: int, total: int, stands: bool) -> None:
    other = bill("X", total, document_date=day(on), due_date=None)

    assert bool(find_bills(*rent(12), other)) is not stands


def test_what_was_found_goes_by_the_days_of_documents_and_not_of_payment() -> None:
    early = bill("X", 900, document_date=day(-40), due_date=day(-12), number="77")

    assert find_bills(*rent(12), early)


def expense(**more: Any) -> Purchase:
    values: dict[str, Any] = {"payee_kind": RecordKind.VENDOR, "payee_id": "V1", "total": amount(900)}
    return Purchase(
        external_id="E", document_date=day(-10), currency="USD", method=PaymentMethod.CARD, **(values | more)
    )


def test_money_to_the_vendor_stands_for_it_and_money_to_others_does_not() -> None:
    line = BankTransaction(
        external_id="N",
        account_id="bank",
        booked_on=day(-9),
        currency="USD",
        amount=amount(-900),
        text="ACH DEBIT VENDOR 1 LTD",
    )
    advance = BillPayment(
        external_id="P",
        vendor_id="V1",
        document_date=day(-9),
        currency="USD",
        total=amount(900),
        method=PaymentMethod.TRANSFER,
    )
    link = DocumentLink(kind=RecordKind.BILL, external_id="R", amount=amount(900))

    assert not find_bills(*rent(12), purchases=(expense(),))
    assert find_bills(*rent(12), purchases=(expense(is_refund=True),))
    assert find_bills(*rent(12), purchases=(expense(payee_id="V2"),))
    assert not find_bills(*rent(12), bank_transactions=(line,))
    assert find_bills(*rent(12), bank_transactions=(line.model_copy(update={"text": "ACH DEBIT VENDOR 2 LTD"}),))
    assert not find_bills(*rent(12), bill_payments=(advance,))
    assert find_bills(*rent(12), bill_payments=(advance.model_copy(update={"applied": (link,)}),))


def test_a_vendor_who_bills_at_random_has_no_rounds_to_miss() -> None:
    """Four bills over about one amount lie a month apart by chance; most of the vendor's bills are others."""
    steady = rent(12, rounds=4)
    varied = [each.model_copy(update={"total": each.total + n}) for n, each in enumerate(steady)]
    others = [bill(f"O{n}", 300 + 97 * n, document_date=day(-20 * n - 3)) for n in range(5)]

    assert find_bills(*varied)
    assert not find_bills(*varied, *others)
    assert find_bills(*steady, *others)


def test_an_inactive_vendor_owes_no_bill() -> None:
    books = make_books()
    retired = books.vendors[0].model_copy(update={"is_active": False})

    assert not find_bills(*rent(12), vendors=(retired, *books.vendors[1:]))


def entered(first: int, **more: Any) -> CompanySettings:
    values: dict[str, Any] = {
        "series_id": "S",
        "name": "Rent",
        "series_kind": SeriesKind.RENT,
        "rhythm": Rhythm.MONTHLY,
        "first_day": day(first),
        "amount": amount(900),
        "currency": "USD",
        "vendor_id": "V1",
    }
    return CompanySettings(series=(EnteredSeries(**(values | more)),))


@pytest.mark.parametrize(("first", "is_found"), [(-7, False), (-8, True), (-30, True), (3, False)])
def test_an_entered_series_of_a_vendor_counts_as_well(first: int, is_found: bool) -> None:
    assert bool(find_bills(settings=entered(first))) is is_found


def test_its_round_may_be_a_bill_that_is_due_then_and_is_due_now_if_there_is_none() -> None:
    due = bill("X", 950, document_date=day(-35), due_date=day(-9))
    (finding,) = find_bills(settings=entered(-12))

    assert not find_bills(due, settings=entered(-12))
    assert finding.subjects == (RecordKey(RecordKind.SERIES, "S"), VENDOR)
    assert [(one.on, one.amount) for one in finding.fixes[0].amendments] == [(day(0), amount(-900))]


def test_an_entered_series_wins_and_one_without_a_vendor_is_no_bill() -> None:
    assert [finding.subjects[0].external_id for finding in find_bills(*rent(12), settings=entered(-12))] == ["S"]
    assert not find_bills(settings=entered(-12, vendor_id=None))
    assert not find_bills(settings=entered(-12, is_inflow=True))


def retainers(late: int, *, rounds: int = 5) -> tuple[Invoice, ...]:
    days = [add_months(day(-late), -back) for back in range(1, rounds + 1)]
    return tuple(invoice(f"R{on}", 900, document_date=on, due_date=None) for on in days)


def find_invoices(*invoices: Invoice, **more: Any) -> list[Finding]:
    return list(RecurringInvoiceAbsent().find(make_books(invoices=invoices, **more)))


@pytest.mark.parametrize(("late", "is_found"), [(7, False), (8, True), (30, True), (31, False)])
def test_a_monthly_invoice_is_missed_alike(late: int, is_found: bool) -> None:
    findings = find_invoices(*retainers(late))

    assert [finding.subjects[0] for finding in findings] == ([CUSTOMER] if is_found else [])


def test_issuing_it_brings_its_money_by_the_usual_terms_from_today() -> None:
    (finding,) = find_invoices(*retainers(12))

    assert [(one.on, one.amount) for one in finding.fixes[0].amendments] == [(day(30), amount(900))]


def test_an_invoice_near_the_day_stands_for_it_unless_it_is_void() -> None:
    late_one = invoice("X", 800, document_date=day(-3), due_date=None)

    assert not find_invoices(*retainers(12), late_one)
    assert find_invoices(*retainers(12), late_one.model_copy(update={"is_void": True}))
    assert find_invoices(*retainers(12), late_one.model_copy(update={"customer_id": "C2"}))


def test_an_entered_inflow_is_missed_until_any_money_like_it_is_there() -> None:
    coming = entered(-12, is_inflow=True, vendor_id=None, series_kind=SeriesKind.OTHER)
    came = CustomerPayment(
        external_id="CP", document_date=day(-6), currency="USD", total=amount(880), unapplied=amount(880)
    )

    billed = invoice("X", 880, document_date=day(-6))

    (finding,) = find_invoices(settings=coming)

    assert finding.subjects == (RecordKey(RecordKind.SERIES, "S"),)
    assert not find_invoices(billed, settings=coming)
    assert find_invoices(billed.model_copy(update={"is_void": True}), settings=coming)
    assert not find_invoices(settings=coming, customer_payments=(came,))
    assert find_invoices(settings=coming, customer_payments=(came.model_copy(update={"is_void": True}),))
