"""Turning books back: how they stood on an earlier day, so that figures of that day can be computed today.

What comes back is what the records themselves tell. These things do not:

- a record that was deleted, or changed, since: the mirror's log knows, the books do not;
- a payment that was applied later than it was entered: it counts as applied from the start;
- what was due to an agency or tax on items, and amounts in another currency than their account's;
- lists (accounts, terms, vendors, customers) and settings: they stand as they are now;
- what execution rails and processors said: they show only how things are, so nothing of theirs is left.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from runway_core.calculators.postings import sum_postings
from runway_core.domain.bank import BankBalance
from runway_core.domain.bills import Bill, BillPayment, VendorCredit
from runway_core.domain.books import Books
from runway_core.domain.company import Connection
from runway_core.domain.documents import DocumentLink
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.invoices import CreditMemo, CustomerPayment, Invoice
from runway_core.domain.kinds import RECORD_CLASSES
from runway_core.domain.money import ZERO
from runway_core.domain.paper_kinds import BOOKS_PAPERS
from runway_core.domain.record import Record, Value

_LISTS = frozenset({"accounts", "terms", "vendors", "customers"})
_AT_BANK = "bank_transactions"  # turned back by their own days
_SHOWN_AS_NOW = ("rail_bills", "rail_payments", "card_purchases", "payment_details", "payouts", "processor_balances")
"""Rails say how these stand today alone: books of another day have none."""
_ENTERED = {
    kind: name
    for kind in RECORD_CLASSES
    if (name := {RecordKind.JOURNAL_ENTRY: "journal_entries"}.get(kind, f"{kind.value}s")) in Books.model_fields
    and name not in _LISTS
    and name != _AT_BANK
    and name not in _SHOWN_AS_NOW
}
"""Fields of `Books` whose records are entered one by one."""

Settled = TypeVar("Settled", Bill, VendorCredit, Invoice, CreditMemo)
Changed = TypeVar("Changed", bound=Value)


def rewind_books(books: Books, as_of: date) -> Books:
    """The books as they stood on `as_of`, at the same time of day in the company's zone as they were read.

    Only records entered by then are left (one whose entry the rail does not date counts from its document's day), open
    balances are put back by what was paid later, and account balances taken back by what later records moved.
    Today's books come back as they are. `as_of` must not lie behind the day of the books.
    """
    assert as_of <= books.as_of, "books can only be turned back"
    if as_of == books.as_of:
        return books
    back = books.as_of - as_of
    read_at = books.read_at.astimezone(ZoneInfo(books.company.time_zone)) - back
    kept, later = _split(books, as_of, read_at)
    gone = frozenset(record.key for records in later.values() for record in records)
    removed = _with(books, {**_nothing(), **later})
    paid = _sum_paid(removed)
    for name in ("bills", "vendor_credits", "invoices", "credit_memos"):
        kept[name] = tuple(_put_back(document, paid) for document in kept[name])
    for name in ("bills", "vendor_credits", "invoices", "credit_memos", "customer_payments"):
        kept[name] = tuple(_unlink(document, gone) for document in kept[name])
    return _with(
        books,
        {
            "as_of": as_of,
            "read_at": read_at,
            "connections": tuple(_rewind_connection(connection, read_at) for connection in books.connections),
            **kept,
            **_rewind_accounts(books, removed),
            **_rewind_bank(books, as_of, read_at),
            **_rewind_papers(books, read_at),
        },
    )


def _with(books: Books, changed: Mapping[str, Any]) -> Books:
    """The same books with some fields changed; what was derived from them is derived anew."""
    return Books.trusted({name: getattr(books, name) for name in Books.model_fields} | dict(changed))


def _amend(value: Changed, **changed: Any) -> Changed:
    return type(value).trusted({**value.__dict__, **changed})


def _nothing() -> dict[str, tuple[Record, ...]]:
    return dict.fromkeys(_ENTERED.values(), ())


def _split(
    books: Books, as_of: date, read_at: datetime
) -> tuple[dict[str, tuple[Any, ...]], dict[str, tuple[Any, ...]]]:
    kept: dict[str, tuple[Any, ...]] = {}
    later: dict[str, tuple[Any, ...]] = {}
    for name in _ENTERED.values():
        sides: tuple[list[Record], list[Record]] = [], []
        for record in getattr(books, name):
            sides[_was_entered(record, as_of, read_at)].append(record)
        later[name], kept[name] = tuple(sides[False]), tuple(sides[True])
    return kept, later


def _was_entered(record: Record, as_of: date, read_at: datetime) -> bool:
    if record.created_at is not None:
        return record.created_at <= read_at
    dated: date | None = getattr(record, "document_date", None)
    return dated is None or dated <= as_of


def _sum_paid(later: Books) -> dict[RecordKey, Decimal]:
    """What the payments of `later` settled of each document; without an amount, all of the only one that is named."""
    sums: dict[RecordKey, Decimal] = {}
    payments: list[BillPayment | CustomerPayment] = [*later.bill_payments, *later.customer_payments]
    for payment in payments:
        if payment.is_void:
            continue
        for link in payment.applied:
            amount = link.amount
            if amount is None and len(payment.applied) == 1:
                amount = payment.total
            if link.key is not None and amount is not None:
                sums[link.key] = sums.get(link.key, ZERO) + amount
    return sums


def _put_back(document: Settled, paid: Mapping[RecordKey, Decimal]) -> Settled:
    amount = paid.get(document.key, ZERO)
    held = document.open_balance
    if not amount or held is None:
        return document
    return _amend(document, open_balance=min(max(document.total, held), held + amount))


def _unlink(document: Any, gone: frozenset[RecordKey]) -> Any:
    links: tuple[DocumentLink, ...] = document.links
    if not any(link.key in gone for link in links):
        return document
    return _amend(document, links=tuple(link for link in links if link.key not in gone))


def _rewind_accounts(books: Books, later: Books) -> dict[str, Any]:
    moved = sum_postings(later)
    return {
        "accounts": tuple(
            _amend(account, balance=account.balance - moved[account.external_id])
            if account.external_id in moved
            else account
            for account in books.accounts
        )
    }


def _rewind_connection(connection: Connection, read_at: datetime) -> Connection:
    """A connection that had been read just then, if it was read since: how old the data were is not known any more."""
    times = {
        name: read_at
        for name in ("last_attempt_at", "last_success_at", "last_full_at", "source_read_at")
        if (held := getattr(connection, name)) is not None and held > read_at
    }
    return _amend(connection, **times) if times else connection


def _rewind_bank(books: Books, as_of: date, read_at: datetime) -> dict[str, Any]:
    """Bank lines up to the day, and balances: those read by then, else the next one less what was booked in between."""
    lines = tuple(line for line in books.bank_transactions if line.booked_on <= as_of and not line.is_pending)
    balances = [balance for balance in books.bank_balances if balance.read_at <= read_at]
    following: dict[str, BankBalance] = {}
    for balance in books.bank_balances:
        held = following.get(balance.account_id)
        if balance.read_at > read_at and (held is None or balance.read_at < held.read_at):
            following[balance.account_id] = balance
    zone = ZoneInfo(books.company.time_zone)
    for account_id, balance in following.items():
        read_on = balance.read_at.astimezone(zone).date()
        since = sum(
            (
                line.amount
                for line in books.bank_transactions
                if line.account_id == account_id and not line.is_pending and as_of < line.booked_on <= read_on
            ),
            ZERO,
        )
        balances.append(_amend(balance, posted=balance.posted - since, read_at=read_at))
    return {"bank_transactions": lines, "bank_balances": tuple(balances)} | dict.fromkeys(_SHOWN_AS_NOW, ())


def _rewind_papers(books: Books, read_at: datetime) -> dict[str, Any]:
    def known(papers: Iterable[Any], moment: str) -> tuple[Any, ...]:
        return tuple(paper for paper in papers if getattr(paper, moment) <= read_at)

    found: dict[str, Any] = {name: known(getattr(books, name), "changed_at") for name in BOOKS_PAPERS.values()}
    found["changes"] = known(books.changes, "seen_at")
    found["reconciliations"] = known(books.reconciliations, "reconciled_at")
    return found
