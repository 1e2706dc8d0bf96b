"""SY05: a processor kept its fee and the books do not say so, which leaves the invoice open by it."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.calculators.hygiene.loose_receipts import RECEIPT_READS, find_loose_receipts
from runway_core.calculators.hygiene.remnants import LEAST_REMNANT, REMNANT_SHARE
from runway_core.calculators.matching.from_books import read_open_invoices
from runway_core.calculators.matching.money_match import Shortfall, ShortfallReason
from runway_core.calculators.matching.money_sides import MoneyDocument, MoneyMovement
from runway_core.calculators.matching.shortfalls import MOST_FEE_RATE, card_fee, explain_shortfall
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLink
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.invoices import CustomerPayment, Invoice


class FeeNotRecorded:
    """What came is an open invoice less a usual fee, and no line books the fee.

    Either a payment was applied and the invoice stays open by the fee, or a deposit was booked beside the invoice.
    """

    id = "SY05"
    name = "fee_not_recorded"
    floor = Severity.LOW
    effect = RunwayEffect.CONFIDENCE
    reads = RECEIPT_READS

    def find(self, books: Books) -> Iterable[Finding]:
        """Every receipt that is short by a fee."""
        for invoice, payment, shortfall in _find_short_payments(books):
            net = invoice.total - shortfall.amount
            yield self._report(books, invoice, payment.key, net=net, shortfall=shortfall)
        for short in find_loose_receipts(books).short:
            record = short.receipt.record
            assert record is not None
            yield self._report(books, short.invoice, record, net=short.receipt.amount, shortfall=short.shortfall)

    def _report(
        self, books: Books, invoice: Invoice, received: RecordKey, *, net: Decimal, shortfall: Shortfall
    ) -> Finding:
        return build_finding(
            self,
            books,
            subjects=(invoice.key, received),
            amount=shortfall.amount,
            currency=invoice.currency,
            summary=f"{say_amount(net, invoice.currency)} came for invoice {invoice.number or invoice.external_id} of "
            f"{invoice.customer_name or 'an unknown customer'}: {shortfall.words}",
            evidence=(
                Evidence(
                    name="gross", value=plain_amount(net + shortfall.amount, invoice.currency), record=invoice.key
                ),
                Evidence(name="fee", value=plain_amount(shortfall.amount, invoice.currency)),
                Evidence(name="net", value=plain_amount(net, invoice.currency), record=received),
            ),
            fixes=(
                SuggestedFix(
                    label="Receive the gross amount against the invoice, and book the fee on a line of its own",
                    record=received,
                    amendments=(Amendment(action=AmendmentAction.REMOVE, record=invoice.key),),
                ),
            ),
        )


def _find_short_payments(books: Books) -> Iterator[tuple[Invoice, CustomerPayment, Shortfall]]:
    """Invoices that one payment closed but for a fee; a rest as small as a remnant must be the very card fee."""
    wanted = {i.external_id: i for i in books.open_invoices if i.open_balance < i.total and _may_be_fee(i)}
    if not wanted:
        return
    applied: dict[str, list[tuple[CustomerPayment, DocumentLink]]] = {}
    for payment in books.customer_payments:
        if not payment.is_void:
            for link in payment.applied:
                if link.kind is RecordKind.INVOICE and link.external_id in wanted:
                    applied.setdefault(link.external_id, []).append((payment, link))
    papers = {paper.key: paper for paper in read_open_invoices(books)}
    for invoice_id, found in applied.items():
        payment, link = found[0]
        invoice = wanted[invoice_id]
        if len(found) > 1 or link.amount != invoice.total - invoice.open_balance or payment.unapplied:
            continue
        shortfall = _explain(invoice, payment, papers[invoice.key])
        if shortfall is not None and shortfall.reason is ShortfallReason.FEE:
            yield invoice, payment, shortfall


def _may_be_fee(invoice: Invoice) -> bool:
    rest, total = invoice.open_balance, invoice.total
    if rest == card_fee(total, invoice.currency):
        return True
    return max(LEAST_REMNANT, total * REMNANT_SHARE) <= rest <= total * MOST_FEE_RATE


def _explain(invoice: Invoice, payment: CustomerPayment, paper: MoneyDocument) -> Shortfall | None:
    gross = MoneyDocument(
        paper.key,
        invoice.total,
        invoice.currency,
        since=paper.since,
        until=paper.until,
        discount=paper.discount,
    )
    net = MoneyMovement(payment.key, payment.document_date, invoice.total - invoice.open_balance, invoice.currency)
    return explain_shortfall(net, gross)
