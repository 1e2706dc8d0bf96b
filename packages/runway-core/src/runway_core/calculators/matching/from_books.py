"""Movements and documents of one company's books: what the bank shows, what the ledger wrote down, what is open."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from runway_core.calculators.calendar import add_business_days, add_days
from runway_core.calculators.matching.ledger_legs import LedgerLeg, read_ledger_legs
from runway_core.calculators.matching.money import match_money
from runway_core.calculators.matching.money_match import MoneyReport
from runway_core.calculators.matching.money_sides import EarlyDiscount, MoneyDocument, MoneyMovement
from runway_core.calculators.matching.name_index import NameIndex
from runway_core.calculators.matching.name_match import Aliases
from runway_core.calculators.terms import UsualTerms, date_bills, date_invoices
from runway_core.domain.bank import BankTransaction
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLine
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.invoices import Invoice
from runway_core.domain.ledger import Deposit, Purchase

BANK_LINE = "bank_transaction"
"""The kind of a bank line's key."""

CHEQUE_DAYS = 90
AT_BANK_BUSINESS_DAYS = 5
RECEIPT_BEFORE_DAYS = 5
RECEIPT_AFTER_DAYS = 120
OUTFLOW_BEFORE_DAYS = 3
OUTFLOW_AFTER_DAYS = 45


@dataclass(frozen=True, slots=True)
class BooksMatching:
    """How a company's bank lines and its books belong together.

    ledger     bank lines with what the ledger wrote down as paid and received
    documents  money that the ledger ties to no document, with open bills and invoices: bank lines that are not in the
               ledger, deposits booked elsewhere, purchases from vendors
    """

    ledger: MoneyReport
    documents: MoneyReport


def match_books(books: Books, *, aliases: Aliases | None = None) -> BooksMatching:
    """Match the bank with the ledger, and what is left over with open documents.

    A bank line that may be a ledger entry is not offered to a document as well. `aliases` are a person's answers.
    """
    lines = list(read_bank_lines(books, aliases=aliases))
    ledger = match_money(lines, read_entries(books))
    left = frozenset(ledger.unmatched_movements)
    loose = [line for line in lines if line.key in left]
    return BooksMatching(
        ledger=ledger, documents=match_money([*loose, *read_loose_money(books)], read_open_documents(books))
    )


def read_bank_lines(books: Books, *, aliases: Aliases | None = None) -> Iterator[MoneyMovement]:
    """Posted bank lines. Who is on the other end is known where a proof of names acts alone."""
    vendors = NameIndex.of_vendors(books.vendor_list, aliases=aliases)
    customers = NameIndex.of_customers(books.customer_list, aliases=aliases)
    for line in books.bank_transactions:
        if not line.is_pending:
            yield read_bank_line(line, customers if line.amount > 0 else vendors)


def read_bank_line(line: BankTransaction, names: NameIndex) -> MoneyMovement:
    """One bank line; `names` are those that may be on its other end."""
    found = names.prove(line.text)
    ids = {line.external_id} if line.replaces_id is None else {line.external_id, line.replaces_id}
    return MoneyMovement(
        (BANK_LINE, line.external_id),
        line.booked_on,
        line.amount,
        line.currency,
        account_id=line.account_id,
        party=found.party if found is not None and found.may_act else None,
        text=line.text,
        rail_ids=frozenset(ids),
    )


def read_entries(books: Books, legs: Iterable[LedgerLeg] | None = None) -> Iterator[MoneyDocument]:
    """What the ledger wrote down on bank and card accounts, to be seen there within days: a cheque within 90.

    All of it, or the `legs` that are given.
    """
    for leg in read_ledger_legs(books) if legs is None else legs:
        yield _read_entry(leg, _name_of(books, leg.party))


def _read_entry(leg: LedgerLeg, name: str) -> MoneyDocument:
    until = add_business_days(leg.day, AT_BANK_BUSINESS_DAYS)
    return MoneyDocument(
        leg.key,
        leg.amount,
        leg.currency,
        since=add_business_days(leg.day, -1),
        until=add_days(leg.day, CHEQUE_DAYS) if leg.is_cheque else until,
        account_id=leg.account_id,
        party=leg.party,
        party_name=name,
        number=leg.number,
        record=leg.record,
    )


def read_open_documents(books: Books) -> Iterator[MoneyDocument]:
    """Open bills and invoices, before credits, with the days on which their money may move."""
    yield from read_open_bills(books)
    yield from read_open_invoices(books)


def read_open_bills(books: Books) -> Iterator[MoneyDocument]:
    """Open bills, before credits, with the days on which their money may leave."""
    terms = UsualTerms.of_bills(books, books.open_bills)
    for bill, dated in zip(books.open_bills, date_bills(books.open_bills), strict=True):
        party = None if bill.vendor_id is None else RecordKey(RecordKind.VENDOR, bill.vendor_id)
        yield _read_open(
            books,
            bill,
            amount=-bill.open_balance,
            since=add_days(bill.document_date, -OUTFLOW_BEFORE_DAYS),
            until=add_days(terms.due_day(dated).day, OUTFLOW_AFTER_DAYS),
            party=party,
        )


def read_open_invoices(books: Books) -> Iterator[MoneyDocument]:
    """Open invoices, before credits, with the days on which their money may come."""
    terms = UsualTerms.of_invoices(books, books.open_invoices)
    for invoice, dated in zip(books.open_invoices, date_invoices(books.open_invoices), strict=True):
        party = None if invoice.customer_id is None else RecordKey(RecordKind.CUSTOMER, invoice.customer_id)
        yield _read_open(
            books,
            invoice,
            amount=invoice.open_balance,
            since=add_days(invoice.document_date, -RECEIPT_BEFORE_DAYS),
            until=add_days(terms.due_day(dated).day, RECEIPT_AFTER_DAYS),
            party=party,
        )


def _read_open(
    books: Books, document: Bill | Invoice, *, amount: Decimal, since: date, until: date, party: RecordKey | None
) -> MoneyDocument:
    return MoneyDocument(
        document.key,
        amount,
        document.currency,
        since=since,
        until=max(since, until),
        party=party,
        party_name=_name_of(books, party),
        number=document.number,
        discount=_discount_of(books, document),
        record=document.key,
    )


def _discount_of(books: Books, document: Bill | Invoice) -> EarlyDiscount | None:
    term = books.term_by_id.get(document.term_id) if document.term_id is not None else None
    if term is None or not term.discount_percent or term.discount_days is None:
        return None
    return EarlyDiscount(term.discount_percent, add_days(document.document_date, term.discount_days))


def read_loose_money(books: Books) -> Iterator[MoneyMovement]:
    """Money in the ledger that settles no document there: lines of deposits, and purchases."""
    for _, movement in read_deposit_lines(books):
        yield movement
    for purchase in books.purchases:
        if not purchase.is_void and purchase.total > 0:
            yield _read_purchase(purchase)


def read_deposit_lines(books: Books) -> Iterator[tuple[DocumentLine, MoneyMovement]]:
    """Lines of deposits that brought money and took no customer payment to the bank, each with what it moved."""
    for deposit in books.deposits:
        lines = [line for line in deposit.lines if line.amount > 0]
        for place, line in enumerate(lines):
            yield line, _read_deposit_line(deposit, line, part="" if len(lines) == 1 else f"#{line.line_id or place}")


def _read_deposit_line(deposit: Deposit, line: DocumentLine, *, part: str) -> MoneyMovement:
    party = None
    if line.party_kind is not None and line.party_id is not None:
        party = RecordKey(line.party_kind, line.party_id)
    return MoneyMovement(
        (RecordKind.DEPOSIT.value, deposit.external_id + part),
        deposit.document_date,
        line.amount,
        deposit.currency,
        account_id=deposit.account_id,
        party=party,
        text=" ".join(filter(None, (deposit.memo, line.description))),
        record=deposit.key,
    )


def _read_purchase(purchase: Purchase) -> MoneyMovement:
    party = None
    if purchase.payee_kind is not None and purchase.payee_id is not None:
        party = RecordKey(purchase.payee_kind, purchase.payee_id)
    said = (purchase.memo, *(line.description for line in purchase.lines))
    return MoneyMovement(
        purchase.key,
        purchase.document_date,
        purchase.total if purchase.is_refund else -purchase.total,
        purchase.currency,
        account_id=purchase.account_id,
        party=party,
        text=" ".join(filter(None, said)),
        record=purchase.key,
    )


def _name_of(books: Books, party: RecordKey | None) -> str:
    if party is None:
        return ""
    if party.kind is RecordKind.VENDOR:
        vendor = books.vendor_by_id.get(party.external_id)
        return vendor.name if vendor is not None else ""
    customer = books.customer_by_id.get(party.external_id)
    return customer.name if customer is not None else ""
