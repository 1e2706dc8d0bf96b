"""One login at one bank: its tokens, what the vendor has fetched so far, and the cursors over it.

The vendor fetches from the bank a few times a day, so a reading is as old as the last fetch. What a fetch brought is a
sequence of happenings; a cursor is a place in it. Paging walks over the net difference between two places.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import msgspec

from runway_sandbox.bank import BankAccount, BankFeed, BankLine
from runway_sandbox.opaque import opaque_id
from runway_sandbox.plaid.faults import invalid_field, mutated_while_paging

FETCH_EVERY = timedelta(hours=6)
INITIAL_AFTER = timedelta(seconds=10)
HISTORY_AFTER = timedelta(seconds=60)
INITIAL_DAYS = 30
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ShownTransaction:
    """One transaction as the vendor shows it now."""

    transaction_id: str
    line: BankLine
    is_pending: bool
    pending_id: str | None


@dataclass(frozen=True, slots=True)
class Happening:
    """A transaction came, changed or went."""

    transaction_id: str
    shown: ShownTransaction | None  # none: it went
    ledger_account_id: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reader stands: all before `position` is read, and in a loop `offset` rows of what came up to `until`."""

    position: int
    until: int | None = None
    offset: int = 0


@dataclass(slots=True)
class SyncPage:
    """One answer of the change feed."""

    added: list[ShownTransaction] = field(default_factory=list)
    modified: list[ShownTransaction] = field(default_factory=list)
    removed: list[Happening] = field(default_factory=list)
    next_cursor: str = ""
    has_more: bool = False
    status: str = "HISTORICAL_UPDATE_COMPLETE"


class Item:
    """The login, with what was fetched."""

    def __init__(self, *, item_id: str, access_token: str, feed: Callable[[], BankFeed], created_at: datetime) -> None:
        self.item_id = item_id
        self.access_token = access_token
        self.created_at = created_at
        self.webhook: str | None = None
        self.error: Literal["ITEM_LOGIN_REQUIRED"] | None = None
        self.was_synced = False
        self.is_removed = False
        self.last_webhook: tuple[datetime, str] | None = None
        self.failed_at: datetime | None = None
        self._feed = feed
        self._happenings: list[Happening] = []
        self._shown: dict[str, ShownTransaction] = {}
        self._fetched_at: datetime | None = None

    @property
    def fetched_at(self) -> datetime | None:
        """When the vendor last read the bank, by its clock."""
        return self._fetched_at

    def accounts(self) -> list[BankAccount]:
        """The accounts behind the login."""
        return self._feed().accounts()

    def transaction_ids(self) -> list[str]:
        """The ids of what the vendor shows since its last fetch."""
        return list(self._shown)

    def account_id(self, ledger_id: str) -> str:
        """The vendor's own id of an account."""
        return opaque_id("account", self.item_id, ledger_id)

    def status(self, now: datetime) -> str:
        """How much of the history is there."""
        age = now - self.created_at
        if age < INITIAL_AFTER:
            return "NOT_READY"
        return "INITIAL_UPDATE_COMPLETE" if age < HISTORY_AFTER else "HISTORICAL_UPDATE_COMPLETE"

    def balances(self, account: BankAccount, at: datetime) -> tuple[Decimal, Decimal]:
        """What the account holds at a moment, and what of it is free, less what is pending; debit positive."""
        posted = pending = account.opening
        for line in self._feed().lines():
            if line.ledger_account_id != account.ledger_id:
                continue
            if line.posted_at <= at:
                posted += line.amount
                pending += line.amount
            elif line.pending_at is not None and line.pending_at <= at and line.amount < 0:
                pending += line.amount
        return posted, pending

    def fetch(self, now: datetime, *, at_once: bool = False) -> int:
        """Let the vendor read the bank when a fetch has come due; returns how many happenings it brought.

        An item that needs its person fetches nothing.
        """
        if self.error is not None:
            self.failed_at = now
            return 0
        moment = now if at_once else _EPOCH + ((now - _EPOCH) // FETCH_EVERY) * FETCH_EVERY
        moment = max(moment, self.created_at)
        status = self.status(now)
        if status == "NOT_READY":
            return 0
        self._fetched_at = max(moment, self._fetched_at or moment)
        before = len(self._happenings)
        self._note(self._look(self._fetched_at, only_recent=status == "INITIAL_UPDATE_COMPLETE"))
        return len(self._happenings) - before

    def _look(self, at: datetime, *, only_recent: bool) -> dict[str, ShownTransaction]:
        oldest = (self.created_at - timedelta(days=INITIAL_DAYS)).date()
        shown: dict[str, ShownTransaction] = {}
        for line in self._feed().lines():
            if only_recent and line.posts_on < oldest:
                continue
            pending_id = opaque_id("pending", self.item_id, line.key) if line.is_pending_first else None
            if line.posted_at <= at:
                one = ShownTransaction(opaque_id("posted", self.item_id, line.key), line, False, pending_id)
            elif pending_id is not None and line.pending_at is not None and line.pending_at <= at:
                one = ShownTransaction(pending_id, line, True, None)
            else:
                continue
            shown[one.transaction_id] = one
        return shown

    def _note(self, now_shown: dict[str, ShownTransaction]) -> None:
        for gone in self._shown.keys() - now_shown.keys():
            self._happenings.append(Happening(gone, None, self._shown[gone].line.ledger_account_id))
        for transaction_id, shown in now_shown.items():
            if self._shown.get(transaction_id) != shown:
                self._happenings.append(Happening(transaction_id, shown, shown.line.ledger_account_id))
        self._shown = now_shown

    def page(self, cursor: str, *, count: int, account_id: str | None, now: datetime) -> SyncPage:
        """Answer one call of the change feed.

        Raises:
            PlaidFaultError: the cursor is of another item or filter, or the set changed within the loop.
        """
        place = self._read_cursor(cursor, account_id)
        status = self.status(now)
        if status == "NOT_READY":
            return SyncPage(status=status)
        self.was_synced = True
        until = len(self._happenings) if place.until is None else place.until
        if place.until is not None and len(self._happenings) != until:
            raise mutated_while_paging()
        rows = self._net(place.position, until, account_id)
        part = rows[place.offset : place.offset + count]
        page = SyncPage(status=status, has_more=place.offset + count < len(rows))
        for was_known, happening in part:
            if happening.shown is None:
                page.removed.append(happening)
            else:
                (page.modified if was_known else page.added).append(happening.shown)
        after = replace(place, until=until, offset=place.offset + count) if page.has_more else Place(until)
        page.next_cursor = self._write_cursor(after, account_id)
        return page

    def _net(self, position: int, until: int, account_id: str | None) -> list[tuple[bool, Happening]]:
        """What a reader at `position` must be told to stand at `until`, each with whether it knew the transaction."""
        known: set[str] = set()
        for happening in self._happenings[:position]:
            (known.discard if happening.shown is None else known.add)(happening.transaction_id)
        last: dict[str, Happening] = {}
        for happening in self._happenings[position:until]:
            if account_id is None or self.account_id(happening.ledger_account_id) == account_id:
                last.pop(happening.transaction_id, None)  # the order is that of the last change
                last[happening.transaction_id] = happening
        return [
            (identifier in known, happening)
            for identifier, happening in last.items()
            if happening.shown is not None or identifier in known
        ]

    def _write_cursor(self, place: Place, account_id: str | None) -> str:
        inner = msgspec.json.encode([self.item_id[:12], account_id or "", place.position, place.until, place.offset])
        return base64.b64encode(inner).decode()

    def _read_cursor(self, cursor: str, account_id: str | None) -> Place:
        if not cursor:
            return Place(0)
        try:
            read: Sequence[Any] = msgspec.json.decode(base64.b64decode(cursor, validate=True))
            item, account, position, until, offset = read
        except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError, TypeError, ValueError) as error:
            raise invalid_field("cursor is not a valid cursor") from error
        if item != self.item_id[:12]:
            raise invalid_field("cursor not associated with access_token")
        if account != (account_id or ""):
            raise invalid_field("cursor was not made with this account_id filter")
        return Place(int(position), None if until is None else int(until), int(offset))
