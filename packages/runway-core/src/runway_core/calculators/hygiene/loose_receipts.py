"""Receipts that reached the ledger beside the invoices: lines of deposits booked straight to income.

What they may pay is told by matching, once for all checks that ask.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from runway_core.calculators.hygiene.check import plain_amount
from runway_core.calculators.hygiene.double_receipts import pair_double_receipts
from runway_core.calculators.matching.from_books import read_deposit_lines, read_open_invoices
from runway_core.calculators.matching.money import match_money
from runway_core.calculators.matching.money_match import MoneyMatch, MoneyTier, Shortfall, ShortfallReason
from runway_core.calculators.matching.money_sides import MoneyMovement, SideKey
from runway_core.calculators.matching.name_index import NameIndex
from runway_core.calculators.matching.name_match import NamedParty
from runway_core.calculators.matching.shortfalls import card_fee
from runway_core.calculators.undeposited import find_waiting
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence
from runway_core.domain.identity import RecordKind
from runway_core.domain.invoices import CustomerPayment, Invoice
from runway_core.domain.ledger import AccountKind

RECEIPT_READS = frozenset({"chart", "aliases", "customer_payments", "customer_list", "deposits", "invoices", "terms"})
"""The fields of books that matched receipts depend on."""

_SALES = frozenset({AccountKind.INCOME, AccountKind.OTHER_INCOME, AccountKind.ACCOUNTS_RECEIVABLE, AccountKind.UNKNOWN})
"""Where a receipt from a customer is booked when nobody looks for its invoice; a loan or a refund goes elsewhere."""

_KNOWN_PAYER = frozenset({MoneyTier.NUMBER, MoneyTier.PARTY_AND_AMOUNT})
_WHOLE = _KNOWN_PAYER | {MoneyTier.SUM_OF_DOCUMENTS, MoneyTier.AMOUNT_ALONE}
_SHORT = frozenset({MoneyTier.PART_PAYMENT, MoneyTier.SHORT_PAYMENT})


@dataclass(frozen=True, slots=True)
class PaidElsewhere:
    """A loose receipt and the open invoices it seems to pay, with why."""

    receipt: MoneyMovement
    invoices: tuple[Invoice, ...]
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShortReceipt:
    """A loose receipt that is an open invoice less a fee."""

    receipt: MoneyMovement
    invoice: Invoice
    shortfall: Shortfall
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LooseReceipts:
    """What loose receipts are, each one once."""

    doubles: tuple[tuple[CustomerPayment, MoneyMovement], ...]  # the same money waits in undeposited funds
    paid: tuple[PaidElsewhere, ...]
    short: tuple[ShortReceipt, ...]


def _compute(books: Books) -> LooseReceipts:
    receipts = {receipt.key: receipt for receipt in read_loose_receipts(books)}
    if not receipts:
        return LooseReceipts((), (), ())
    doubles = pair_double_receipts(find_waiting(books), receipts.values())
    for _, receipt in doubles:
        del receipts[receipt.key]
    paid: list[PaidElsewhere] = []
    short: list[ShortReceipt] = []
    if receipts and books.open_invoices:
        invoices: dict[SideKey, Invoice] = {invoice.key: invoice for invoice in books.open_invoices}
        named = {receipt.key: receipt for receipt in _name_payers(books, receipts.values())}
        report = match_money(named.values(), read_open_invoices(books))
        matches = [match for match in (*report.acted, *report.suggested) if not match.is_tied]
        matches += _break_ties(report.suggested, named, invoices)
        matches += _prefer_card_fees(report.suggested, invoices)
        for match in matches:
            receipt = named[match.movements[0]]
            found = tuple(invoices[key] for key in match.documents)
            if match.tier in _WHOLE:
                paid.append(PaidElsewhere(receipt, found, match.evidence))
            elif match.tier in _SHORT and match.shortfall and _is_fee(receipt, found[0], match.shortfall):
                short.append(ShortReceipt(receipt, found[0], match.shortfall, match.evidence))
    return LooseReceipts(tuple(doubles), tuple(paid), tuple(short))


def find_loose_receipts(books: Books) -> LooseReceipts:
    """Receipts beside the invoices, and what each of them is; those that are nothing known are left out."""
    return books.derive(_compute)


def read_loose_receipts(books: Books) -> list[MoneyMovement]:
    """Lines of deposits booked to income, to receivables or nowhere, up to the day of the books."""
    kinds = {account.external_id: account.account_kind for account in books.chart}
    return [
        movement
        for line, movement in read_deposit_lines(books)
        if movement.day <= books.as_of
        and (line.account_id is None or kinds.get(line.account_id, AccountKind.UNKNOWN) in _SALES)
    ]


def show_receipt(receipt: MoneyMovement) -> tuple[Evidence, ...]:
    """What a loose receipt says of itself."""
    return tuple(
        Evidence(name=name, value=value, record=receipt.record)
        for name, value in (
            ("deposited_on", receipt.day.isoformat()),
            ("deposited", plain_amount(receipt.amount, receipt.currency)),
            ("deposit_text", receipt.text or "none"),
        )
    )


def show_invoice(invoice: Invoice) -> tuple[Evidence, ...]:
    """What an open invoice is compared by."""
    return tuple(
        Evidence(name=name, value=value, record=invoice.key)
        for name, value in (
            ("number", invoice.number or "none"),
            ("customer_name", invoice.customer_name or "none"),
            ("document_date", invoice.document_date.isoformat()),
            ("open_balance", plain_amount(invoice.open_balance, invoice.currency)),
        )
    )


def _is_fee(receipt: MoneyMovement, invoice: Invoice, shortfall: Shortfall) -> bool:
    """Whether a fee was kept; of an unknown payer only where nothing of the invoice was paid before."""
    is_untouched = invoice.open_balance == invoice.total
    return shortfall.reason is ShortfallReason.FEE and (is_untouched or receipt.party is not None)


def _name_payers(books: Books, receipts: Iterable[MoneyMovement]) -> list[MoneyMovement]:
    """The receipts, with the customer where the text names one for certain and the ledger names nobody."""
    return [_name_payer(books, receipt) if receipt.party is None and receipt.text else receipt for receipt in receipts]


def _name_payer(books: Books, receipt: MoneyMovement) -> MoneyMovement:
    found = books.derive(_index_debtors).prove(receipt.text)
    return replace(receipt, party=found.party) if found is not None and found.may_act else receipt


def _index_debtors(books: Books) -> NameIndex:
    """The names of customers with an open invoice: of the others nobody asks."""
    owing = {invoice.customer_id for invoice in books.open_invoices}
    parties = (
        NamedParty(customer.key, tuple(filter(None, (customer.name, customer.company_name))))
        for customer in books.customer_list
        if customer.external_id in owing
    )
    aliases = {alias.paper_id: alias.party for alias in books.aliases if alias.party.kind is RecordKind.CUSTOMER}
    return NameIndex(parties, aliases=aliases)


def _prefer_card_fees(suggested: Iterable[MoneyMatch], invoices: dict[SideKey, Invoice]) -> list[MoneyMatch]:
    """Of several invoices that a receipt may be less a fee, the only one short by the card fee to the cent."""
    exact = [match for match in suggested if match.is_tied and match.tier in _SHORT and _is_card_fee(match, invoices)]
    claims = Counter(side for match in exact for side in (*match.movements, *match.documents))
    return [match for match in exact if all(claims[side] == 1 for side in (*match.movements, *match.documents))]


def _is_card_fee(match: MoneyMatch, invoices: dict[SideKey, Invoice]) -> bool:
    invoice = invoices[match.documents[0]]
    return match.shortfall is not None and match.shortfall.amount == card_fee(invoice.open_balance, invoice.currency)


def _break_ties(
    suggested: Iterable[MoneyMatch], receipts: dict[SideKey, MoneyMovement], invoices: dict[SideKey, Invoice]
) -> list[MoneyMatch]:
    """Of a known payer's like amounts, the oldest receipt takes the oldest invoice.

    Matching acts on none of them, rightly; but that one of them was paid is certain, and a finding only asks.
    """
    tied = [match for match in suggested if match.is_tied and match.tier in _KNOWN_PAYER]
    tied.sort(
        key=lambda match: (
            receipts[match.movements[0]].day,
            match.movements,
            invoices[match.documents[0]].document_date,
            match.documents,
        )
    )
    used: set[SideKey] = set()
    chosen: list[MoneyMatch] = []
    for match in tied:
        sides = (*match.movements, *match.documents)
        if used.isdisjoint(sides):
            used.update(sides)
            chosen.append(match)
    return chosen
