"""SY03: a record points to one that is not in the books."""

from collections.abc import Iterable, Iterator

from runway_core.calculators.hygiene.check import build_finding
from runway_core.domain.bills import Bill, BillPayment, VendorCredit
from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLine
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.identity import RecordKind
from runway_core.domain.invoices import CreditMemo, CustomerPayment, Invoice
from runway_core.domain.ledger import Deposit, JournalEntry, Purchase
from runway_core.domain.record import Record

_Reference = tuple[str, RecordKind, str]  # the field, and whom it names


class ReferenceOrphan:
    """A document that names a vendor, customer, account or terms which the books do not hold.

    Those kinds are read whole, so what is not there is missing; a kind of which nothing is there has not been read yet
    and says nothing. Links from payments to bills and invoices are not judged: the other end may be closed and older
    than the history that is kept at hand.
    """

    id = "SY03"
    name = "reference_orphan"
    floor = Severity.MEDIUM
    effect = RunwayEffect.CONFIDENCE

    def find(self, books: Books) -> Iterable[Finding]:
        """One finding a record, with all its references that lead nowhere."""
        known = _Known(books)
        for record, missing in known.scan(books):
            names = ", ".join(f"{kind.value.replace('_', ' ')} {external_id}" for _, kind, external_id in missing)
            kind_name = record.kind.value.replace("_", " ").capitalize()
            yield build_finding(
                self,
                books,
                subjects=(record.key,),
                amount=getattr(record, "open_balance", None) or None,
                currency=getattr(record, "currency", None),
                summary=f"{kind_name} {record.external_id} names what is not in the books: {names}",
                evidence=[
                    Evidence(name=field, value=f"{kind.value} {external_id} is not there", record=record.key)
                    for field, kind, external_id in missing
                ],
                fixes=(
                    SuggestedFix(label="Read everything again", record=record.key),
                    SuggestedFix(label="Correct the reference in the ledger", record=record.key),
                ),
            )


class _Known:
    """Which ids are there, and who names others."""

    def __init__(self, books: Books) -> None:
        self._vendors = frozenset(books.vendor_by_id)
        self._customers = frozenset(books.customer_by_id)
        self._accounts = frozenset(books.account_by_id)
        self._terms = frozenset(books.term_by_id)

    def scan(self, books: Books) -> Iterator[tuple[Record, list[_Reference]]]:
        vendors, customers, terms = self._vendors, self._customers, self._terms
        payables: tuple[Bill | VendorCredit | BillPayment, ...] = (
            *books.bills,
            *books.vendor_credits,
            *books.bill_payments,
        )
        for record in payables:
            found = [] if isinstance(record, BillPayment) else self._in_lines(record.lines)
            if vendors and record.vendor_id is not None and record.vendor_id not in vendors:
                found.append(("vendor_id", RecordKind.VENDOR, record.vendor_id))
            yield from self._if_any(record, found)
        receivables: tuple[Invoice | CreditMemo | CustomerPayment, ...] = (
            *books.invoices,
            *books.credit_memos,
            *books.customer_payments,
        )
        for document in receivables:
            found = [] if isinstance(document, CustomerPayment) else self._in_lines(document.lines)
            if customers and document.customer_id is not None and document.customer_id not in customers:
                found.append(("customer_id", RecordKind.CUSTOMER, document.customer_id))
            yield from self._if_any(document, found)
        entries: tuple[Purchase | Deposit | JournalEntry, ...] = (
            *books.purchases,
            *books.deposits,
            *books.journal_entries,
        )
        for entry in entries:
            yield from self._if_any(entry, self._in_lines(entry.lines))
        for vendor in books.vendors:
            if terms and vendor.term_id is not None and vendor.term_id not in terms:
                yield vendor, [("term_id", RecordKind.TERM, vendor.term_id)]

    def _if_any(self, record: Record, found: list[_Reference]) -> Iterator[tuple[Record, list[_Reference]]]:
        values = record.__dict__
        term_id, account_id = values.get("term_id"), values.get("account_id")
        if self._terms and term_id is not None and term_id not in self._terms:
            found.append(("term_id", RecordKind.TERM, term_id))
        if self._accounts and account_id is not None and account_id not in self._accounts:
            found.append(("account_id", RecordKind.ACCOUNT, account_id))
        if found:
            yield record, sorted(found)

    def _in_lines(self, lines: tuple[DocumentLine, ...]) -> list[_Reference]:
        accounts = self._accounts
        found: dict[str, None] = {}
        for line in lines:
            account_id = line.account_id
            if account_id is not None and account_id not in accounts and accounts:
                found[account_id] = None
        return [("lines.account_id", RecordKind.ACCOUNT, account_id) for account_id in found]
