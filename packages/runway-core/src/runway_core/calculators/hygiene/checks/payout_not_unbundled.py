"""SY04: what a card processor paid out was booked as one sale, though it is many, less fees."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.calculators.hygiene.loose_receipts import RECEIPT_READS, read_loose_receipts, show_receipt
from runway_core.calculators.matching.from_books import read_open_invoices
from runway_core.calculators.matching.money_sides import MoneyDocument, MoneyMovement
from runway_core.calculators.matching.name_index import NameIndex
from runway_core.calculators.matching.payouts import (
    PartKind,
    PayoutContent,
    PayoutPart,
    match_payouts,
    open_payout,
    outline_payout,
)
from runway_core.calculators.matching.payouts import Payout as MatchedPayout
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.processor import Payout, PayoutPartKind

_KINDS = {
    PayoutPartKind.CHARGE: PartKind.CHARGE,
    PayoutPartKind.REFUND: PartKind.REFUND,
    PayoutPartKind.DISPUTE: PartKind.DISPUTE,
    PayoutPartKind.FEE: PartKind.OTHER,
    PayoutPartKind.ADJUSTMENT: PartKind.OTHER,
}


class PayoutNotUnbundled:
    """A line of a deposit, booked to income, that is the whole of a processor's payout."""

    id = "SY04"
    name = "payout_not_unbundled"
    floor = Severity.MEDIUM
    effect = RunwayEffect.SHORTENS
    reads = RECEIPT_READS | {"payouts"}

    def find(self, books: Books) -> Iterable[Finding]:
        """Every payout that has one such deposit and no other, within two days of its arrival."""
        payouts = {payout.external_id: payout for payout in books.payouts if payout.amount > 0}
        receipts = {receipt.key: receipt for receipt in read_loose_receipts(books)} if payouts else {}
        if not receipts:
            return
        report = match_payouts(map(outline_payout, payouts.values()), receipts.values())
        pairs = [
            (receipt, payout)
            for match in (*report.acted, *report.suggested)
            for receipt, payout in [(receipts[match.movements[0]], payouts[match.documents[0][1]])]
            if not match.is_tied and receipt.amount == payout.amount and not _is_elsewhere(payout, receipt)
        ]
        if not pairs:
            return
        # Parts are looked at where a deposit is the whole payout: a shop may have ten thousand, and few such deposits.
        names = NameIndex.of_customers(books.customer_list)
        papers = list(read_open_invoices(books))
        for receipt, payout in pairs:
            content = open_payout(_translate(payout, names), papers)
            yield self._report(books, receipt, payout, content=content, papers=papers)

    def _report(
        self,
        books: Books,
        receipt: MoneyMovement,
        payout: Payout,
        *,
        content: PayoutContent,
        papers: Iterable[MoneyDocument],
    ) -> Finding:
        assert receipt.record is not None
        amount = say_amount(payout.amount, payout.currency)
        return build_finding(
            self,
            books,
            subjects=(receipt.record,),
            amount=payout.amount,
            currency=payout.currency,
            summary=f"A payout of {payout.rail} of {amount} was deposited as one sale on {receipt.day}",
            evidence=(*show_receipt(receipt), *_show_content(payout, content)),
            fixes=(_suggest(receipt.record, payout, content, papers=papers),),
        )


def _translate(payout: Payout, names: NameIndex) -> MatchedPayout:
    """The payout with the customer of each part where the name proves one."""
    return replace(
        outline_payout(payout),
        parts=tuple(
            PayoutPart(
                part_id=part.external_id,
                kind=_KINDS[part.part_kind],
                gross=part.gross,
                fee=part.fee,
                day=payout.arrives_on,
                customer=_prove(part.customer_name, names),
                text=" ".join(filter(None, (part.text, part.invoice_number))),
            )
            for part in payout.parts
        )
        if payout.is_automatic
        else None,
    )


def _prove(name: str | None, names: NameIndex) -> RecordKey | None:
    found = names.prove(name) if name else None
    return found.party if found is not None and found.may_act else None


def _is_elsewhere(payout: Payout, receipt: MoneyMovement) -> bool:
    return None not in (payout.account_id, receipt.account_id) and payout.account_id != receipt.account_id


def _show_content(payout: Payout, content: PayoutContent) -> Iterator[Evidence]:
    """What is in the payout, as the processor says."""
    key = RecordKey(RecordKind.PAYOUT, payout.external_id)
    shown = [("payout", payout.amount)]
    if content.difference is not None:
        sums = (
            ("charges", content.charges),
            ("refunds", content.refunds),
            ("disputes", content.disputes),
            ("other", content.others),
            ("fees", -content.fees),
            ("difference", content.difference),
        )
        shown += [(name, amount) for name, amount in sums if amount]
    for name, amount in shown:
        yield Evidence(name=name, value=plain_amount(amount, payout.currency), record=key, rail=payout.rail)
    if content.difference is None:
        yield Evidence(name="parts", value="none: a manual payout lists no parts", record=key, rail=payout.rail)


def _suggest(
    record: RecordKey, payout: Payout, content: PayoutContent, *, papers: Iterable[MoneyDocument]
) -> SuggestedFix:
    """Split the deposit where the parts make it up; the invoices that its charges pay are expected no more."""
    if content.difference is None:
        return SuggestedFix(label="Split it by the processor's report: sales gross, fees apart", record=record)
    if not content.is_complete:
        missing = say_amount(content.difference, payout.currency)
        return SuggestedFix(label=f"Read the payout again: its parts leave {missing} unexplained", record=record)
    known = {paper.key: paper.record for paper in papers}
    paid = [known[key] for match in content.invoices.acted for key in match.documents]
    fees, refunds = say_amount(content.fees, payout.currency), say_amount(-content.refunds, payout.currency)
    return SuggestedFix(
        label=f"Split it: {say_amount(content.charges, payout.currency)} to "
        f"{'invoices' if paid else 'sales'}, {refunds} refunded, {fees} of fees",
        record=record,
        amendments=tuple(Amendment(action=AmendmentAction.REMOVE, record=key) for key in sorted(filter(None, paid))),
    )
