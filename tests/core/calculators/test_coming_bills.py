from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from runway_core.calculators.coming_bills import find_coming_bills
from runway_core.calculators.outlook import compute_outlook
from runway_core.domain.bills import Bill, BillPayment, PaymentMethod
from runway_core.domain.books import Books
from runway_core.domain.company import CompanySettings, EnteredSeries, Rhythm, SeriesKind
from runway_core.domain.documents import DocumentLink
from runway_core.domain.identity import RecordKind
from runway_testkit.books_making import AS_OF, amount, bill, make_books

LAST = AS_OF + timedelta(days=90)
MONTHS = [date(2025, month, 21) for month in (9, 10, 11, 12)] + [date(2026, 1, 21)]


def rent(on: date, total: int = 800, *, open_balance: int = 0, **more: Any) -> Bill:
    values = {"document_date": on, "due_date": on + timedelta(days=15), "open_balance": amount(open_balance)}
    return bill(f"R{on}", total, **values | more)


def paid(bills: Iterable[Bill], on: date, **more: Any) -> BillPayment:
    bills = list(bills)
    values: dict[str, Any] = {
        "external_id": f"P{on}",
        "vendor_id": "V1",
        "document_date": on,
        "currency": "USD",
        "total": sum((one.total for one in bills), Decimal(0)),
        "method": PaymentMethod.CHECK,
        "account_id": "bank",
        "applied": tuple(
            DocumentLink(kind=RecordKind.BILL, external_id=one.external_id, amount=one.total) for one in bills
        ),
    }
    return BillPayment(**values | more)


def rent_books(account_id: str = "bank", **more: Any) -> Books:
    """800 a month, dated the 21st, due in fifteen days, paid when a run comes round; February's is open."""
    bills = [rent(on) for on in MONTHS]
    delays = (2, 8, 0, 9, 1)
    values: dict[str, Any] = {
        "bills": (*bills, rent(date(2026, 2, 21), open_balance=800)),
        "bill_payments": tuple(
            paid([one], one.document_date + timedelta(days=15 + late), account_id=account_id)
            for one, late in zip(bills, delays, strict=True)
        ),
    }
    return make_books(**values | more)


def coming(given: Books) -> list[tuple[date, date, int]]:
    return [(one.written_on, one.on, int(one.home)) for one in find_coming_bills(given, LAST).bills]


def test_what_was_billed_every_month_will_be_and_leaves_when_due() -> None:
    """Payments eight days late now and then make no month of equal gaps; the bills keep theirs."""
    assert coming(rent_books()) == [
        (date(2026, 3, 21), date(2026, 4, 6), 800),  # due on the 5th, a Sunday
        (date(2026, 4, 21), date(2026, 5, 6), 800),
    ]


def test_they_come_round_once_beside_the_open_one() -> None:
    """All that was ever paid is the rent, so that nothing but rent is expected."""
    outlook = compute_outlook(rent_books())

    assert [(e.on, e.amount) for e in outlook.events] == [
        (on, Decimal(-800)) for on in (date(2026, 3, 9), date(2026, 4, 6), date(2026, 5, 6))
    ]


def test_of_a_payment_of_several_bills_only_the_others_are_usual() -> None:
    """1,200 were paid in one sum: 800 of them come round as rent, and 400 in three months are usual."""
    bills = [rent(on) for on in MONTHS]
    repair = bill("Once", 400, document_date=date(2026, 1, 5), due_date=date(2026, 2, 5), open_balance=amount(0))
    payments = [paid([one], one.document_date + timedelta(days=16)) for one in bills[:-1]]
    payments.append(paid([bills[-1], repair], date(2026, 2, 6)))
    given = rent_books(bills=(*bills, rent(date(2026, 2, 21), open_balance=800), repair), bill_payments=tuple(payments))

    usual = [e for e in compute_outlook(given).events if e.label == "Bills not yet entered"]

    # December to February have ninety days; a repair known a month ahead is expected from the sixth week on.
    assert {e.amount for e in usual} == {Decimal("-31.1111")}


@pytest.mark.parametrize(("day", "is_waited_for"), [(5, True), (4, False)])
def test_one_that_has_not_come_is_waited_for_until_its_money_is_ten_days_late(day: int, is_waited_for: bool) -> None:
    """Due fifteen days after 5 February: its money is ten days late on 2 March."""
    months = [date(2025, month, day) for month in (9, 10, 11, 12)] + [date(2026, 1, day)]
    bills = [rent(on) for on in months]
    given = rent_books(
        bills=tuple(bills), bill_payments=tuple(paid([one], one.document_date + timedelta(days=15)) for one in bills)
    )

    assert (AS_OF in [on for _, on, _ in coming(given)]) is is_waited_for


def test_bills_that_go_on_a_card_leave_with_the_card() -> None:
    assert coming(rent_books(account_id="card")) == []


def test_one_never_paid_yet_is_not_known_to_leave_the_bank() -> None:
    assert coming(rent_books(bill_payments=())) == []


def test_amounts_without_a_rate_are_left_out() -> None:
    given = rent_books()

    assert coming(rent_books(bills=tuple(one.model_copy(update={"currency": "EUR"}) for one in given.bills))) == []


@pytest.mark.parametrize("vendor_id", ["V1", None])
def test_an_entered_series_stands_for_its_bills(vendor_id: str | None) -> None:
    """By its vendor; without one by rhythm, amount and the day they are due."""
    entered = EnteredSeries(
        series_id="rent",
        name="Rent",
        series_kind=SeriesKind.RENT,
        rhythm=Rhythm.MONTHLY,
        first_day=date(2026, 3, 5),
        amount=amount(810),
        currency="USD",
        vendor_id=vendor_id,
    )

    assert coming(rent_books(settings=CompanySettings(series=(entered,)))) == []
    other = entered.model_copy(update={"vendor_id": "V2"})
    assert len(coming(rent_books(settings=CompanySettings(series=(other,))))) == 2
