"""AR03: the same invoice twice, so that money is expected twice."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import pairwise

from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.calculators.numbers import normal_number
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.books import Books
from runway_core.domain.documents import LineKind
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.invoices import Invoice

NEAR_DAYS = 5
_SILENT = frozenset({LineKind.SUBTOTAL, LineKind.TEXT})


class InvoiceDuplicate:
    """Two invoices with one number, or to one customer over one amount with the same lines within five days.

    At least one of them is open: what is paid twice is known already.
    """

    id = "AR03"
    name = "invoice_duplicate"
    floor = Severity.HIGH
    effect = RunwayEffect.SHORTENS
    reads = frozenset({"invoices"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every pair; of three alike, the first with the second and the second with the third."""
        pairs: dict[tuple[str, str], tuple[Invoice, Invoice, str]] = {}
        for one, two in _find_same_lines(books.invoices):
            pairs[one.external_id, two.external_id] = (one, two, "same customer, amount and lines")
        for one, two in _find_same_number(books.invoices):
            pairs[one.external_id, two.external_id] = (one, two, "same number")
        for one, two, rule in pairs.values():
            if one.open_balance > 0 or two.open_balance > 0:
                yield self._report(books, one, two, rule=rule)

    def _report(self, books: Books, one: Invoice, two: Invoice, *, rule: str) -> Finding:
        extra = two if two.open_balance > 0 else one
        return build_finding(
            self,
            books,
            subjects=(one.key, two.key),
            amount=extra.open_balance,
            currency=extra.currency,
            summary=f"Invoices {one.number or one.external_id} and {two.number or two.external_id} to "
            f"{two.customer_name or 'one customer'} over {say_amount(two.total, two.currency)}: {rule}",
            evidence=(Evidence(name="rule", value=rule), *_show(one), *_show(two)),
            fixes=tuple(
                SuggestedFix(
                    label=f"Void {invoice.number or invoice.external_id} of {invoice.document_date}",
                    record=invoice.key,
                    amendments=(Amendment(action=AmendmentAction.REMOVE, record=invoice.key),),
                )
                for invoice in (two, one)
                if invoice.open_balance > 0
            ),
        )


def _pair_neighbours(groups: Iterable[list[Invoice]]) -> Iterator[tuple[Invoice, Invoice]]:
    for group in groups:
        if len(group) > 1:
            group.sort(key=lambda invoice: (invoice.document_date, invoice.external_id))
            yield from pairwise(group)


def _find_same_number(invoices: Iterable[Invoice]) -> Iterator[tuple[Invoice, Invoice]]:
    groups: dict[str, list[Invoice]] = {}
    for invoice in invoices:
        number = None if invoice.is_void else normal_number(invoice.number)
        if number is not None:
            groups.setdefault(number, []).append(invoice)
    return _pair_neighbours(groups.values())


def _find_same_lines(invoices: Iterable[Invoice]) -> Iterator[tuple[Invoice, Invoice]]:
    alike: dict[tuple[str, Decimal, str], list[Invoice]] = {}
    for invoice in invoices:
        if invoice.customer_id is not None and invoice.total > 0 and not invoice.is_void:
            alike.setdefault((invoice.customer_id, invoice.total, invoice.currency), []).append(invoice)
    groups: dict[object, list[Invoice]] = {}
    for which, group in alike.items():
        if len(group) > 1:
            for invoice in group:
                lines = _lines_of(invoice)
                if lines:
                    groups.setdefault((which, lines), []).append(invoice)
    for one, two in _pair_neighbours(groups.values()):
        if (two.document_date - one.document_date).days <= NEAR_DAYS:
            yield one, two


def _lines_of(invoice: Invoice) -> tuple[tuple[object, ...], ...]:
    """What was sold, without what ledgers add by themselves."""
    return tuple(
        (line.item_id, line.account_id, line.description, line.quantity, line.amount)
        for line in invoice.lines
        if line.line_kind not in _SILENT
    )


def _show(invoice: Invoice) -> Iterator[Evidence]:
    for name, value in (
        ("number", invoice.number or "none"),
        ("customer_name", invoice.customer_name or "none"),
        ("document_date", invoice.document_date.isoformat()),
        ("due_date", str(invoice.due_date or "none")),
        ("total", plain_amount(invoice.total, invoice.currency)),
        ("open_balance", plain_amount(invoice.open_balance, invoice.currency)),
    ):
        yield Evidence(name=name, value=value, record=invoice.key)
