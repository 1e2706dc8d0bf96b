"""SY03: a record points to one that is not in the books."""

from collections.abc import Container, Iterable, Iterator

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
    reads = frozenset(
        {
            "accounts",
            "bill_payments",
            "bills",
            "credit_memos",
            "customer_payments",
            "customers",
            "deposits",
            "invoices",
            "journal_entries",
            "purchases",
            "terms",
            "vendor_credits",
            "vendors",
        }
    )

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
    """Which ids are there, and who names others. A kind of which none is there knows everything."""

    def __init__(self, books: Books) -> None:
        self._vendors = _known(books.vendor_by_id)
        self._customers = _known(books.customer_by_id)
        self._accounts = _known(books.account_by_id)
        self._terms = _known(books.term_by_id)

    def scan(self, books: Books) -> Iterator[tuple[Record, list[_Reference]]]:
        yield from self._scan_payables((*books.bills, *books.vendor_credits), books.bill_payments)
        yield from self._scan_receivables((*books.invoices, *books.credit_memos), books.customer_payments)
        yield from self._scan_entries((*books.purchases, *books.deposits), books.journal_entries)
        for vendor in books.vendors:
            if vendor.term_id not in self._terms:
                yield vendor, self._name(vendor, ())

    def _scan_payables(
        self, documents: Iterable[Bill | VendorCredit], payments: Iterable[BillPayment]
    ) -> Iterator[tuple[Record, list[_Reference]]]:
        vendors, accounts, terms = self._vendors, self._accounts, self._terms
        party = ("vendor_id", RecordKind.VENDOR, vendors)
        for bill in documents:
            strange = bill.vendor_id not in vendors or _has_strange(bill.lines, accounts)
            if strange or (isinstance(bill, Bill) and bill.term_id not in terms):
                yield bill, self._name(bill, bill.lines, party)
        for paid in payments:
            if paid.vendor_id not in vendors or paid.account_id not in accounts:
                yield paid, self._name(paid, (), party)

    def _scan_receivables(
        self, documents: Iterable[Invoice | CreditMemo], payments: Iterable[CustomerPayment]
    ) -> Iterator[tuple[Record, list[_Reference]]]:
        customers, accounts, terms = self._customers, self._accounts, self._terms
        party = ("customer_id", RecordKind.CUSTOMER, customers)
        for invoice in documents:
            strange = invoice.customer_id not in customers or _has_strange(invoice.lines, accounts)
            if strange or (isinstance(invoice, Invoice) and invoice.term_id not in terms):
                yield invoice, self._name(invoice, invoice.lines, party)
        for received in payments:
            if received.customer_id not in customers or received.account_id not in accounts:
                yield received, self._name(received, (), party)

    def _scan_entries(
        self, entries: Iterable[Purchase | Deposit], journal_entries: Iterable[JournalEntry]
    ) -> Iterator[tuple[Record, list[_Reference]]]:
        accounts = self._accounts
        for entry in entries:
            if entry.account_id not in accounts or _has_strange(entry.lines, accounts):
                yield entry, self._name(entry, entry.lines)
        for journal in journal_entries:
            if _has_strange(journal.lines, accounts):
                yield journal, self._name(journal, journal.lines)

    def _name(
        self, record: Record, lines: Iterable[DocumentLine], *parties: tuple[str, RecordKind, Container[str | None]]
    ) -> list[_Reference]:
        """Every reference of a record that leads nowhere."""
        fields = record.__dict__
        found = {
            (field, kind, fields[field])
            for field, kind, known in (
                *parties,
                ("term_id", RecordKind.TERM, self._terms),
                ("account_id", RecordKind.ACCOUNT, self._accounts),
            )
            if field in fields and fields[field] not in known
        }
        for line in lines:
            if line.account_id is not None and line.account_id not in self._accounts:
                found.add(("lines.account_id", RecordKind.ACCOUNT, line.account_id))
        return sorted(found)


class _Everything:
    """Stands for a kind that has not been read yet."""

    def __contains__(self, external_id: object) -> bool:
        return True


def _known(by_id: Iterable[str]) -> Container[str | None]:
    """The ids there are; naming nobody is no orphan."""
    ids = frozenset(by_id)
    return ids | {None} if ids else _Everything()


def _has_strange(lines: Iterable[DocumentLine], accounts: Container[str | None]) -> bool:
    for line in lines:  # noqa: SIM110 - a generator takes twice the time, and this runs over every line of the books
        if line.account_id not in accounts:
            return True
    return False
