from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from runway_core.calculators.coming_invoices import find_coming_invoices
from runway_core.calculators.outlook import compute_outlook
from runway_core.calculators.receivables import compute_payment_habits
from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLink
from runway_core.domain.identity import RecordKind
from runway_core.domain.invoices import CustomerPayment, Invoice
from runway_core.domain.outlook import OutlookKind
from runway_testkit.books_making import AS_OF, amount, invoice, make_books

LAST = AS_OF + timedelta(days=90)
MONTHS = [date(2025, 10, 4), date(2025, 11, 4), date(2025, 12, 4), date(2026, 1, 4)]


def retainer(on: date, total: int = 800, *, open_balance: int = 0, **more: Any) -> Invoice:
    return invoice(
        f"I{on}",
        total,
        document_date=on,
        due_date=on + timedelta(days=15),
        open_balance=amount(open_balance),
        **more,
    )


def paid(one: Invoice, *, late: int) -> CustomerPayment:
    assert one.due_date is not None
    return CustomerPayment(
        external_id=f"P-{one.external_id}",
        customer_id="C1",
        document_date=one.due_date + timedelta(days=late),
        currency="USD",
        total=one.total,
        unapplied=amount(0),
        account_id="bank",
        applied=(DocumentLink(kind=RecordKind.INVOICE, external_id=one.external_id, amount=one.total),),
    )


def retainer_books(*, late: int = 6, **more: Any) -> Books:
    """800 a month, written on the 4th, due in fifteen days, paid six days late; February's is open."""
    written = [retainer(on) for on in MONTHS]
    values: dict[str, Any] = {
        "invoices": (*written, retainer(date(2026, 2, 4), open_balance=800)),
        "customer_payments": tuple(paid(one, late=late) for one in written),
    }
    return make_books(**values | more)


def coming(given: Books) -> list[tuple[date, date, int]]:
    found = find_coming_invoices(given, compute_payment_habits(given), LAST)
    return [(one.written_on, one.on, int(one.home)) for one in found.invoices]


def test_what_was_invoiced_every_month_will_be_and_is_paid_as_usual() -> None:
    """4 March, due on the 19th, six days late: 25 March."""
    assert coming(retainer_books()) == [
        (date(2026, 3, 4), date(2026, 3, 25), 800),
        (date(2026, 4, 4), date(2026, 4, 27), 800),  # the 25th is a Saturday
        (date(2026, 5, 4), date(2026, 5, 26), 800),  # the 25th is a holiday
    ]


def test_one_off_invoices_say_nothing_of_the_future() -> None:
    assert coming(make_books(invoices=(retainer(date(2026, 1, 4)), retainer(date(2026, 2, 4))))) == []


def test_amounts_without_a_rate_are_left_out() -> None:
    foreign = tuple(retainer(on, currency="EUR") for on in (*MONTHS, date(2026, 2, 4)))

    assert coming(make_books(invoices=foreign)) == []


def test_they_are_new_sales_and_no_curve_counts_them_again() -> None:
    """All that was ever received is the retainer, so that nothing but retainers is expected beyond the books."""
    outlook = compute_outlook(retainer_books())
    beyond = [e for e in outlook.events if e.kind is OutlookKind.NOT_YET_ENTERED]

    assert [(e.on, e.amount) for e in beyond] == [
        (on, Decimal(800)) for on in (date(2026, 3, 25), date(2026, 4, 27), date(2026, 5, 26))
    ]
