"""SY03: a record points to one that is not in the books."""

from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from runway_core.calculators.hygiene.check import build_finding
from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLine
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.identity import RecordKind
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
            "chart",
            "bill_payments",
            "bills",
            "credit_memos",
            "customer_payments",
            "customer_list",
            "deposits",
            "invoices",
            "journal_entries",
            "purchases",
            "terms",
            "vendor_credits",
            "vendor_list",
        }
    )

    def find(self, books: Books) -> Iterable[Finding]:
        """One finding a record, with all its references that lead nowhere."""
        for record, missing in _find_strange(books):
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


class _Known(NamedTuple):
    """Which ids are there, and `None`: naming nobody is no orphan. A kind of which none is there knows everything."""

    vendors: Container[str | None]
    customers: Container[str | None]
    accounts: Container[str | None]
    terms: Container[str | None]


class _Everything:
    """Stands for a kind that has not been read yet."""

    def __contains__(self, external_id: object) -> bool:
        return True


def _find_strange(books: Books) -> Iterator[tuple[Record, list[_Reference]]]:
    """Every record that names what is not there, with its references that lead nowhere."""
    by_ids: tuple[Iterable[str], ...] = (
        books.vendor_by_id,
        books.customer_by_id,
        books.account_by_id,
        books.term_by_id,
    )
    sets = books.derive_each(_know, {place: (tuple(by_id),) for place, by_id in enumerate(by_ids)})
    known = _Known(*sets.values())
    others: tuple[Sequence[Record], ...] = (
        [bill for bill in books.bills if bill.vendor_id is None],
        books.vendor_credits,
        books.bill_payments,
        books.invoices,
        books.credit_memos,
        books.customer_payments,
        books.purchases,
        books.deposits,
        books.journal_entries,
    )
    for groups, part in ((books.bills_by_vendor.items(), "bills"), (enumerate(others), "others")):
        given = {group: (known, records) for group, records in groups}
        yield from chain.from_iterable(books.derive_each(_scan, given, part=part).values())
    for vendor in books.vendor_list:
        if vendor.term_id not in known.terms:
            yield vendor, _name(known, vendor)


def _know(ids: Iterable[str]) -> Container[str | None]:
    held = frozenset(ids)
    return held | {None} if held else _Everything()


def _scan(known: _Known, records: Iterable[Record]) -> list[tuple[Record, list[_Reference]]]:
    vendors, customers, accounts, terms = known
    found: list[tuple[Record, list[_Reference]]] = []
    for record in records:
        fields = record.__dict__  # not every kind has all of them, and there are thousands of records
        if (
            fields.get("vendor_id") not in vendors
            or fields.get("customer_id") not in customers
            or fields.get("account_id") not in accounts
            or fields.get("term_id") not in terms
            or _has_strange(fields.get("lines", ()), accounts)
        ):
            found.append((record, _name(known, record)))
    return found


def _name(known: _Known, record: Record) -> list[_Reference]:
    """Every reference of a record that leads nowhere."""
    fields = record.__dict__
    found = {
        (field, kind, fields[field])
        for field, kind, held in (
            ("vendor_id", RecordKind.VENDOR, known.vendors),
            ("customer_id", RecordKind.CUSTOMER, known.customers),
            ("term_id", RecordKind.TERM, known.terms),
            ("account_id", RecordKind.ACCOUNT, known.accounts),
        )
        if field in fields and fields[field] not in held
    }
    for line in fields.get("lines", ()):
        if line.account_id not in known.accounts:
            found.add(("lines.account_id", RecordKind.ACCOUNT, line.account_id))
    return sorted(found)


def _has_strange(lines: Iterable[DocumentLine], accounts: Container[str | None]) -> bool:
    for line in lines:  # noqa: SIM110 - a generator takes twice the time, and this runs over every line of the books
        if line.account_id not in accounts:
            return True
    return False
