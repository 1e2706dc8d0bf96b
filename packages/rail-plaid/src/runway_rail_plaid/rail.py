"""Plaid as a verification rail: the port, in terms of transport and mapping.

`/transactions/sync` is read to its end before anything of it is stored: when the set moves between two pages, or a page
fails, what was collected is thrown away and the reading starts again from the first cursor. A stored cursor that never
works is given up for a whole reading. Green answers say nothing of how old the bank's data is, so the Item's status is
asked when something changed, and else once an hour.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
from msgspec import Raw
from pydantic import BaseModel
from runway_core.domain.changes import Change, ChangePage, Cursor, Deletion
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.errors import NotSupported, RailUnavailable, RecordGone
from runway_core.ports.clock import Clock
from runway_core.ports.ledger_rail import (
    CompanyProfile,
    LedgerRail,
    RailAbilities,
    RailContext,
    RailRole,
    RecordFix,
    Trouble,
)
from runway_rail_kit import (
    UNREADABLE,
    CallBudget,
    HttpRailFactory,
    PageTrail,
    Pauses,
    TransportLimits,
    Window,
    read_settings,
)

from runway_rail_plaid import wire
from runway_rail_plaid.faults import RAIL, SET_MOVED, TITLE, PlaidFault, of_fault
from runway_rail_plaid.mapping import map_rows, to_bank_account
from runway_rail_plaid.settings import PlaidSecrets, PlaidSettings
from runway_rail_plaid.transport import PlaidTransport
from runway_rail_plaid.webhooks import PlaidWebhookReader

PAGE_RECORDS = 1000
LOOPS = 4
"""So often is a reading begun while the set keeps moving."""

ABILITIES = RailAbilities(
    kinds=frozenset({RecordKind.BANK_ACCOUNT, RecordKind.BANK_TRANSACTION}),
    has_change_feed=True,
    reports_deletions=True,
    has_webhooks=True,
    survives=frozenset(Trouble),
)


class _Place(msgspec.Struct):
    """What a cursor of ours holds: Plaid's own, and when the Item's status was last asked for."""

    cursor: str = ""
    checked_at: datetime | None = None


@dataclass(slots=True)
class _Collected:
    """A whole loop of pages."""

    shown: list[Raw] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    next_cursor: str = ""
    is_ready: bool = True
    is_whole: bool = False


class PlaidRail:
    """One Item's accounts and lines."""

    def __init__(
        self, transport: PlaidTransport, *, settings: PlaidSettings, clock: Clock, page_records: int = PAGE_RECORDS
    ) -> None:
        self._transport = transport
        self._settings = settings
        self._clock = clock
        self._page_records = page_records

    @property
    def calls(self) -> int:
        """How many requests this object has sent."""
        return self._transport.calls

    async def check_connection(self) -> CompanyProfile:
        """Ask for the Item: one call. The name is the bank's."""
        item = await self._read_item()
        return CompanyProfile(name=item.item.institution_name, home_currency=None, external_id=item.item.item_id)

    async def changes_since(self, cursor: Cursor | None) -> AsyncGenerator[ChangePage]:
        """Yield what changed after `cursor`, or everything: one call when nothing did."""
        place = _read_place(cursor)
        began = self._clock.now()
        collected = await self._collect(place.cursor)
        if not collected.is_ready:
            yield ChangePage(changes=(), next_cursor=_write_place(place), source_time=began, is_last=True)
            return
        accounts: Sequence[Raw] = ()
        institution, read_at = None, None
        has_news = bool(collected.shown or collected.removed or collected.is_whole)
        if has_news or self._is_check_due(place, began):
            item = await self._read_item()
            institution, read_at = item.item.institution_name, _last_read(item)
            accounts = (await self._transport.accounts()).accounts
            place = _Place(place.cursor, began)
        changes, rejected = map_rows(list(accounts), collected.shown, institution=institution, read_at=read_at)
        size = self._page_records
        pages = [tuple(changes[n : n + size]) for n in range(0, len(changes), size)] or [()]
        for part in pages[:-1]:
            yield ChangePage(changes=part, next_cursor=_write_place(_Place(place.cursor)), source_time=began)
        keys = {change.key for change in changes}
        keys |= {RecordKey(bad.kind, bad.external_id) for bad in rejected if bad.kind and bad.external_id}
        yield ChangePage(
            changes=pages[-1],
            rejected=tuple(rejected),
            deletions=tuple(
                Deletion(RecordKey(RecordKind.BANK_TRANSACTION, one)) for one in dict.fromkeys(collected.removed)
            ),
            next_cursor=_write_place(_Place(collected.next_cursor, place.checked_at)),
            source_time=began,
            is_last=True,
            present_keys=frozenset(keys) if collected.is_whole else None,
            reading_began=began if collected.is_whole else None,
        )

    async def read_record(self, key: RecordKey) -> Change:
        """Read one account as the bank shows it now, which may take a minute.

        Raises:
            NotSupported: Plaid reads no single line.
            RecordGone: the Item has no such account.
            RecordRejected: it is there and cannot be understood.
        """
        if key.kind is not RecordKind.BANK_ACCOUNT:
            raise NotSupported(f"{TITLE} reads no single {key.kind}: pull the connection instead")
        known = {_account_id(row) for row in (await self._transport.accounts()).accounts}
        if key.external_id not in known:
            raise RecordGone(f"the bank login has no account {key.external_id!r} any more", rail=RAIL)
        answer = await self._transport.live_accounts(key.external_id)
        if not answer.accounts:
            raise RecordGone(f"the bank login has no account {key.external_id!r} any more", rail=RAIL)
        name = answer.item.institution_name
        return to_bank_account(bytes(answer.accounts[0]), institution=name, read_at=self._clock.now())

    async def apply_fix(self, fix: RecordFix, *, idempotency_key: str) -> Change:  # noqa: ARG002 - the port's words
        """A bank's statement is never written.

        Raises:
            NotSupported: always.
        """
        raise NotSupported(f"{TITLE} only reads: what {fix.key} says is the bank's")

    async def aclose(self) -> None:
        """Nothing of its own to let go: connections are shared and belong to the factory."""

    async def _read_item(self) -> wire.ItemAnswer:
        answer = await self._transport.item()
        if answer.item.error is not None:
            raise of_fault(answer.item.error, doing="reading the bank")
        return answer

    def _is_check_due(self, place: _Place, now: datetime) -> bool:
        every = timedelta(minutes=self._settings.item_check_minutes)
        return place.checked_at is None or now - place.checked_at >= every

    async def _collect(self, start: str) -> _Collected:
        """Read a whole loop, again while the set moves; without the stored cursor when it is no good."""
        for _ in range(LOOPS):
            try:
                return await self._loop(start)
            except PlaidFault as fault:
                if fault.code != SET_MOVED:
                    return await self._loop_from_nothing()
        if start:
            return await self._loop_from_nothing()
        raise _keeps_moving()

    async def _loop_from_nothing(self) -> _Collected:
        for _ in range(LOOPS):
            try:
                return await self._loop("")
            except PlaidFault:
                continue
        raise _keeps_moving()

    async def _loop(self, start: str) -> _Collected:
        collected = _Collected(next_cursor=start, is_whole=not start)
        shown: dict[str, Raw] = {}
        trail = PageTrail(rail=RAIL, title=TITLE, doing="/transactions/sync")
        has_more = True
        while has_more:
            page = await self._transport.sync_page(collected.next_cursor)
            if not page.next_cursor:
                return _Collected(next_cursor=start, is_ready=False)
            for row in page.shown:
                shown[_transaction_id(row)] = row  # of two rows of one id the later stands
            for gone in page.removed or ():
                shown.pop(gone.transaction_id, None)
                collected.removed.append(gone.transaction_id)
            collected.next_cursor = trail.follow(page.next_cursor)
            has_more = page.has_more
        collected.shown = list(shown.values())
        collected.removed = [one for one in collected.removed if one not in shown]
        return collected


class _Named(msgspec.Struct):
    transaction_id: Any = None
    account_id: Any = None


_named_decoder = msgspec.json.Decoder(_Named)


def _transaction_id(row: Raw) -> str:
    try:
        named = _named_decoder.decode(row).transaction_id
    except UNREADABLE:
        named = None
    return named if isinstance(named, str) else bytes(row).decode("utf-8", "replace")


def _account_id(row: Raw) -> str | None:
    try:
        named = _named_decoder.decode(row).account_id
    except UNREADABLE:
        named = None
    return named if isinstance(named, str) else None


def _keeps_moving() -> RailUnavailable:
    return RailUnavailable(
        f"{TITLE} changed its list each time it was read; try again later", rail=RAIL, provider_code=SET_MOVED
    )


def _last_read(answer: wire.ItemAnswer) -> datetime | None:
    status = answer.status.transactions if answer.status is not None else None
    moment = None if status is None else status.last_successful_update
    return None if moment is None or moment.tzinfo is None else moment.astimezone(UTC)


def _read_place(cursor: Cursor | None) -> _Place:
    if cursor is None:
        return _Place()
    try:
        return msgspec.json.decode(cursor.token, type=_Place)
    except UNREADABLE:
        return _Place()  # a cursor that cannot be read counts as none


def _write_place(place: _Place) -> Cursor:
    return Cursor(msgspec.json.encode(place).decode())


class PlaidRailFactory(HttpRailFactory):
    """Makes the rails of Items. They share connections and call budgets of this process."""

    name = RAIL
    title = TITLE
    roles = frozenset({RailRole.VERIFICATION})
    abilities = ABILITIES
    settings_model: type[BaseModel] = PlaidSettings
    secrets_model: type[BaseModel] = PlaidSecrets

    def __init__(
        self,
        *,
        limits: TransportLimits | None = None,
        http_transport: httpx.AsyncBaseTransport | None = None,
        pauses: Pauses | None = None,
        page_records: int = PAGE_RECORDS,
    ) -> None:
        """Prepare; nothing connects. `http_transport` and `pauses` let tests stand in for network and time.

        `page_records` is how many records are stored in one transaction.
        """
        super().__init__(limits=limits, http_transport=http_transport, pauses=pauses)
        self._page_records = page_records
        self.webhook_reader = PlaidWebhookReader(self._http)

    def open(self, context: RailContext) -> LedgerRail:
        """Make the rail of one connection. Does not connect.

        Raises:
            RailMisconfigured: the connection's settings are wrong.
        """
        settings = read_settings(PlaidSettings, context.settings, rail=RAIL, title=TITLE)
        transport = PlaidTransport(
            settings,
            http=self._http,
            budget=self._share_budget(settings, context),
            vault=context.vault,
            connection_id=context.connection_id,
            pauses=self._pauses,
            is_live=context.is_live,
        )
        return PlaidRail(transport, settings=settings, clock=context.clock, page_records=self._page_records)

    def _share_budget(self, settings: PlaidSettings, context: RailContext) -> CallBudget:
        windows = (Window(settings.calls_per_minute, 60),)
        account = f"{settings.base_url}/{settings.item_id}"
        return self._budgets.of(account, windows, at_once=1, context=context)
