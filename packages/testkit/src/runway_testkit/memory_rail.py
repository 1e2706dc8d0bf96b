"""A ledger rail without a vendor: books in memory that tests edit, and a rail that reads and mends them.

`MemoryLedger` is the outside system: put, delete and inspect records, move its clock, make it fail. `MemoryRail` is the
port over it and passes `LedgerRailContract`; `MemoryRailFactory` lets a runtime open it like any other rail.
"""

from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct, json, structs
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError
from runway_core.domain.bills import Bill
from runway_core.domain.changes import Change, ChangePage, Cursor, Deletion, RejectedRecord
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.invoices import Invoice
from runway_core.domain.kinds import RECORD_CLASSES
from runway_core.domain.record import Record
from runway_core.errors import NotSupported, RailError, RailRefused, RecordGone, RecordRejected, StaleRevision
from runway_core.ports.ledger_rail import (
    CompanyProfile,
    LedgerRail,
    RailAbilities,
    RailContext,
    RailRole,
    RecordFix,
    Trouble,
)
from runway_core.ports.sweeping import KindRows

from runway_testkit.memory_webhooks import MemoryWebhookReader

RAIL = "memory"
MEMORY_ABILITIES = RailAbilities(
    kinds=frozenset(RECORD_CLASSES),
    has_change_feed=True,
    reports_deletions=True,
    has_webhooks=True,
    can_be_swept=True,
    writes=frozenset({RecordKind.BILL, RecordKind.INVOICE}),
    survives=frozenset({Trouble.FLAKY, Trouble.THROTTLED, Trouble.EXPIRED}),
)
_DIRECT = frozenset({"due_date", "term_id", "number", "memo"})
_WRITABLE = {Bill: _DIRECT | {"vendor_id", "line_account"}, Invoice: _DIRECT | {"customer_id"}}
_START = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


class _Token(Struct, frozen=True):
    read_to: int  # every event up to here is known
    whole_from: int | None = None  # the event at which a whole reading began, while one is under way
    after: list[str] | None = None  # kind and id of the last record read
    began: datetime | None = None


@dataclass
class MemoryLedger:
    """One company's books at a made-up vendor. Every edit is an event; revisions count upwards."""

    name: str = "Paper & Sons"
    home_currency: str = "USD"
    now: datetime = _START
    records: dict[RecordKey, Record] = field(default_factory=dict)
    events: list[RecordKey] = field(default_factory=list)
    versions: list[tuple[int, bool] | None] = field(default_factory=list)  # by event; none where it became unreadable
    revisions: dict[RecordKey, int] = field(default_factory=dict)  # they count on when a deleted record comes back
    deleted: dict[RecordKey, datetime] = field(default_factory=dict)
    unreadable: dict[RecordKey, RejectedRecord] = field(default_factory=dict)
    failures: list[RailError] = field(default_factory=list)
    on_page: Callable[["MemoryLedger"], None] | None = None  # called before each page is read
    calls: int = 0
    written: dict[str, Change] = field(default_factory=dict)

    def bill(self, external_id: str) -> Bill:
        """A bill as it stands here."""
        found = self.records[RecordKey(RecordKind.BILL, external_id)]
        assert isinstance(found, Bill)
        return found

    def put(self, *records: Record) -> None:
        """Enter records, or edit the ones that are there; a new one keeps the time it says it was entered at."""
        for record in records:
            held = self.records.get(record.key)
            number = self.revisions[record.key] = self.revisions.get(record.key, -1) + 1
            self.now += timedelta(seconds=1)
            self.records[record.key] = record.model_copy(
                update={
                    "revision": str(number),
                    "revision_number": number,
                    "created_at": held.created_at if held is not None else record.created_at or self.now,
                    "modified_at": self.now,
                }
            )
            self.deleted.pop(record.key, None)
            self.unreadable.pop(record.key, None)
            self.events.append(record.key)
            self.versions.append((number, False))

    def delete(self, key: RecordKey) -> None:
        """Delete a record."""
        del self.records[key]
        self.now += timedelta(seconds=1)
        self.deleted[key] = self.now
        self.events.append(key)
        self.versions.append((self.revisions[key], True))

    def spoil(self, key: RecordKey, *, reason: str, raw: bytes) -> None:
        """Turn a record into one that cannot be understood."""
        self.unreadable[key] = RejectedRecord(kind=key.kind, external_id=key.external_id, reason=reason, raw=raw)
        self.events.append(key)
        self.versions.append(None)

    def versions_at(self, place: int) -> dict[RecordKey, tuple[int, bool]]:
        """The revision of each record after so many events, and whether it was deleted; without unreadable ones."""
        last = dict(zip(self.events[:place], self.versions[:place], strict=True))
        return {key: version for key, version in last.items() if version is not None}

    def was_deleted(self, key: RecordKey, version: tuple[int, bool]) -> bool:
        """Whether a record was deleted at this version or later."""
        told = zip(self.events, self.versions, strict=True)
        return any(one == key and later is not None and later[1] and later >= version for one, later in told)

    def fail_next(self, *errors: RailError) -> None:
        """Raise these on the next calls, one each."""
        self.failures.extend(errors)

    def answer_one_call(self) -> None:
        """Count a call, and fail it when a failure was ordered."""
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)


class MemoryRail:
    """`LedgerRail` over a `MemoryLedger`."""

    def __init__(self, ledger: MemoryLedger, *, page_size: int = 100) -> None:
        self._ledger = ledger
        self._page_size = page_size
        self._calls = 0

    @property
    def calls(self) -> int:
        """How many pages, reads and writes this object asked for."""
        return self._calls

    async def check_connection(self) -> CompanyProfile:
        self._ask()
        ledger = self._ledger
        return CompanyProfile(name=ledger.name, home_currency=ledger.home_currency, external_id="memory-1")

    async def changes_since(self, cursor: Cursor | None) -> AsyncGenerator[ChangePage]:
        token = None if cursor is None else _read_token(cursor)
        while True:
            if self._ledger.on_page is not None:
                self._ledger.on_page(self._ledger)
            self._ask()
            if token is None or token.whole_from is not None:
                page, token = self._whole_page(token)
            else:
                page, token = self._news_page(token)
            yield page
            if page.is_last:
                return

    async def read_record(self, key: RecordKey) -> Change:
        self._ask()
        if key in self._ledger.unreadable:
            raise RecordRejected(self._ledger.unreadable[key].reason)
        return _as_change(self._find(key))

    async def apply_fix(self, fix: RecordFix, *, idempotency_key: str) -> Change:
        self._ask()
        done = self._ledger.written.get(idempotency_key)
        if done is not None:
            return done
        if fix.key.kind not in MEMORY_ABILITIES.writes:
            raise NotSupported(f"memory: a {fix.key.kind} cannot be mended from here")
        record = self._find(fix.key)
        fixed = _apply(record, fix)
        if record.revision != fix.expected_revision:
            raise StaleRevision(f"{fix.key} was changed since: read it again and plan again", rail=RAIL)
        self._ledger.put(fixed)
        change = _as_change(self._ledger.records[fix.key])
        self._ledger.written[idempotency_key] = change
        return change

    @property
    def swept_kinds(self) -> Collection[RecordKind]:
        """Every kind."""
        return tuple(RECORD_CLASSES)

    @property
    def rows_a_call(self) -> int:
        """The rows of a page."""
        return self._page_size

    async def count_kind(self, kind: RecordKind) -> int:
        """How many records of a kind there are."""
        self._ask()
        return len(self._keys_of(kind))

    async def read_kind(self, kind: RecordKind) -> AsyncGenerator[KindRows]:
        """Yield every record of a kind."""
        keys = self._keys_of(kind)
        for start in range(0, max(len(keys), 1), self._page_size):
            self._ask()
            page = self._page(keys[start : start + self._page_size], _Token(read_to=0))
            yield KindRows(page.changes, page.source_time, page.rejected)

    def _keys_of(self, kind: RecordKind) -> list[RecordKey]:
        ledger = self._ledger
        return sorted(key for key in {*ledger.records, *ledger.unreadable} if key.kind is kind)

    async def aclose(self) -> None:
        """Nothing to let go."""

    def _ask(self) -> None:
        self._calls += 1
        self._ledger.answer_one_call()

    def _find(self, key: RecordKey) -> Record:
        record = self._ledger.records.get(key)
        if record is None:
            raise RecordGone(f"memory: there is no {key}", rail=RAIL)
        return record

    def _whole_page(self, token: _Token | None) -> tuple[ChangePage, _Token]:
        """The next records by key; then what happened meanwhile, and every key that is there."""
        ledger = self._ledger
        if token is None:
            token = _Token(read_to=len(ledger.events), whole_from=len(ledger.events), began=ledger.now)
        assert token.whole_from is not None
        after = tuple(token.after) if token.after is not None else ("", "")
        keys = sorted(key for key in ledger.records if (key.kind.value, key.external_id) > after)[: self._page_size]
        if keys:
            last = keys[-1]
            follow = _Token(
                read_to=token.read_to,
                whole_from=token.whole_from,
                after=[last.kind.value, last.external_id],
                began=token.began,
            )
            return self._page(keys, follow), follow
        follow = _Token(read_to=len(ledger.events))
        page = self._page(dict.fromkeys(ledger.events[token.whole_from :]), follow)
        end = ChangePage(
            changes=page.changes,
            deletions=page.deletions,
            rejected=page.rejected,
            next_cursor=page.next_cursor,
            source_time=page.source_time,
            is_last=True,
            present_keys=frozenset(ledger.records),
            reading_began=token.began,
        )
        return end, follow

    def _news_page(self, token: _Token) -> tuple[ChangePage, _Token]:
        events = self._ledger.events
        upto = min(len(events), token.read_to + self._page_size)
        follow = _Token(read_to=upto)
        return self._page(dict.fromkeys(events[token.read_to : upto]), follow, is_last=upto == len(events)), follow

    def _page(self, keys: Iterable[RecordKey], follow: _Token, *, is_last: bool = False) -> ChangePage:
        ledger = self._ledger
        changes, deletions, rejected = [], [], []
        for key in keys:
            if key in ledger.unreadable:
                rejected.append(ledger.unreadable[key])
            elif key in ledger.records:
                changes.append(_as_change(ledger.records[key]))
            elif key in ledger.deleted:
                deletions.append(Deletion(key=key, deleted_at=ledger.deleted[key]))
        return ChangePage(
            changes=tuple(changes),
            deletions=tuple(deletions),
            rejected=tuple(rejected),
            next_cursor=Cursor(json.encode(follow).decode()),
            source_time=ledger.now,
            is_last=is_last,
        )


_tokens = json.Decoder(_Token)


def _read_token(cursor: Cursor) -> _Token:
    return _tokens.decode(cursor.token)


def _as_change(record: Record) -> Change:
    return Change(record=record, raw=record.content())


def _apply(record: Record, fix: RecordFix) -> Record:
    unknown = sorted(set(fix.fields) - _WRITABLE[type(record)])
    if unknown or not fix.fields:
        raise RailRefused(f"memory: {', '.join(unknown) or 'nothing'} cannot be written", rail=RAIL)
    values: dict[str, Any] = {**record.__dict__, **fix.fields}
    accounts = values.pop("line_account", None)
    if accounts is not None:
        accounts = json.decode(accounts) if isinstance(accounts, str) else accounts
        values["lines"] = tuple(
            structs.replace(line, account_id=accounts.get(line.line_id, line.account_id)) for line in values["lines"]
        )
    try:
        return type(record).model_validate(values)
    except ValidationError as error:
        raise RailRefused(f"memory: a value cannot be: {error.errors()[0]['msg']}", rail=RAIL) from error


class MemorySettings(BaseModel):
    """Which books a connection opens: a name that the factory knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    books: str = "default"


class MemorySecrets(BaseModel):
    """No vendor, no secret; one is taken for tests of the vault."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: SecretStr | None = None


class MemoryRailFactory:
    """Opens rails over named `MemoryLedger`s; unknown names get empty books of their own."""

    def __init__(self, ledgers: dict[str, MemoryLedger] | None = None, *, page_size: int = 100) -> None:
        self.ledgers = ledgers if ledgers is not None else {}
        self._page_size = page_size

    @property
    def name(self) -> str:
        """The rail's short name."""
        return RAIL

    @property
    def title(self) -> str:
        """The vendor's name as people know it."""
        return "Books in memory"

    @property
    def roles(self) -> frozenset[RailRole]:
        """A ledger."""
        return frozenset({RailRole.LEDGER})

    @property
    def abilities(self) -> RailAbilities:
        """What it states that it can do."""
        return MEMORY_ABILITIES

    @property
    def settings_model(self) -> type[BaseModel]:
        """The books' name."""
        return MemorySettings

    def link_record(self, settings: Mapping[str, Any], key: RecordKey) -> str | None:
        """A page of each record, at an address that nobody has."""
        return f"https://{settings['books']}.books.example/{key.kind.value}/{key.external_id}"

    @property
    def secrets_model(self) -> type[BaseModel]:
        """Nothing that must be."""
        return MemorySecrets

    @property
    def webhook_reader(self) -> MemoryWebhookReader:
        """Reads what the made-up vendor sends."""
        return MemoryWebhookReader()

    def open(self, context: RailContext) -> LedgerRail:
        """Open the books that the settings name."""
        settings = MemorySettings.model_validate(dict(context.settings))
        ledger = self.ledgers.setdefault(settings.books, MemoryLedger(home_currency=context.home_currency))
        return MemoryRail(ledger, page_size=self._page_size)

    async def aclose(self) -> None:
        """Nothing to let go."""
