"""AR13: an invoice that goes out round by round has not gone out."""

from collections.abc import Iterable, Iterator

from runway_core.calculators.calendar import add_days
from runway_core.calculators.detected_series import find_invoice_series
from runway_core.calculators.hygiene.absent_rounds import (
    LateRound,
    Seen,
    expect_cash,
    find_entered_late,
    find_late_rounds,
    first_of_each,
    is_seen,
    show_round,
    subjects_of,
)
from runway_core.calculators.hygiene.check import build_finding, say_amount
from runway_core.calculators.terms import DEFAULT_TERM_DAYS, UsualTerms, date_invoices
from runway_core.domain.amendments import Amendment
from runway_core.domain.books import Books
from runway_core.domain.findings import Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.invoices import Invoice


class RecurringInvoiceAbsent:
    """An invoice of a series that is over seven days late.

    Series of invoices are found by themselves where they have at least four rounds and are the better part of the
    customer's invoices, or of late over one amount. A series of inflows that a person entered names no customer: any
    invoice, receipt or deposit stands for its round. What stands for it lies within ten days and a fifth of the
    amount.
    """

    id = "AR13"
    name = "recurring_invoice_absent"
    floor = Severity.MEDIUM
    effect = RunwayEffect.LENGTHENS
    reads = frozenset({"customer_payments", "customer_list", "customer_names", "deposits", "invoices"})

    def find(self, books: Books) -> Iterable[Finding]:
        """One finding a series, with its oldest round that is late."""
        by_customer = _group(books)
        for late in first_of_each(_find_late(books, by_customer)):
            if late.party is None:
                seen: Iterable[Seen] = _read_inflows(books)
            else:
                seen = map(_see, by_customer.get(late.party.external_id, ()))
            if not is_seen(late, seen):
                yield self._report(books, late, by_customer=by_customer)

    def _report(self, books: Books, late: LateRound, *, by_customer: dict[str, list[Invoice]]) -> Finding:
        days = (books.as_of - late.expected).days
        what = "money" if late.party is None else "invoice"
        return build_finding(
            self,
            books,
            subjects=subjects_of(late),
            amount=late.amount,
            currency=late.currency,
            summary=f"The {late.rhythm} {what} of {late.name}, about {say_amount(late.amount, late.currency)}, was "
            f"expected on {late.expected} and is {days} days late",
            evidence=show_round(late),
            fixes=(
                SuggestedFix(
                    label="Issue the invoice",
                    record=late.party or late.series,
                    amendments=_await(books, late, by_customer),
                ),
                SuggestedFix(label="End the series: nothing is delivered any more", record=late.series),
            ),
        )


def _group(books: Books) -> dict[str, list[Invoice]]:
    groups: dict[str, list[Invoice]] = {}
    for invoice in books.invoices:
        if invoice.customer_id is not None and not invoice.is_void:
            groups.setdefault(invoice.customer_id, []).append(invoice)
    return groups


def _find_late(books: Books, by_customer: dict[str, list[Invoice]]) -> Iterator[LateRound]:
    for series in books.company.settings.series:
        if series.is_inflow:
            yield from find_entered_late(series, books.as_of)
    active = {customer.external_id for customer in books.customer_list if customer.is_active}
    days = {customer_id: [invoice.document_date for invoice in held] for customer_id, held in by_customer.items()}
    for late in find_late_rounds(books.derive(find_invoice_series), books.as_of, days_by_party=days):
        if late.party is not None and late.party.external_id in active:
            yield late


def _see(invoice: Invoice) -> Seen:
    return Seen(invoice.key, invoice.document_date, invoice.total, invoice.currency, due=invoice.due_date)


def _read_inflows(books: Books) -> Iterator[Seen]:
    for invoice in books.invoices:
        if not invoice.is_void:
            yield _see(invoice)
    for received in books.customer_payments:
        if not received.is_void:
            yield Seen(received.key, received.document_date, received.total, received.currency)
    for deposit in books.deposits:
        yield Seen(deposit.key, deposit.document_date, deposit.total, deposit.currency)


def _await(books: Books, late: LateRound, by_customer: dict[str, list[Invoice]]) -> tuple[Amendment, ...]:
    """The invoice's money arriving by the customer's usual terms, counted from today; an entered round is due now."""
    if late.party is None:
        return expect_cash(books, late, books.as_of, sign=1)
    customer_id = late.party.external_id
    usual = UsualTerms(date_invoices(by_customer.get(customer_id, ())), {customer_id}).median_of(customer_id)
    days = DEFAULT_TERM_DAYS if usual is None else usual
    return expect_cash(books, late, add_days(books.as_of, days), sign=1)
