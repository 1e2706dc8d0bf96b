"""Stripe as an insights rail: the port, in terms of reading, transport and mapping.

An idle tick asks for events alone. When some came, their things are read again and the movements since are read; once
an hour movements are asked for without them, and once a day what is young is swept, because not all is told. After
four weeks of silence everything is read again: events are kept for thirty days.
"""

from collections.abc import AsyncGenerator, Collection, Sequence
from datetime import datetime

import httpx
import msgspec
from pydantic import BaseModel
from runway_core.domain.changes import Change, ChangePage, Cursor, RejectedRecord
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.errors import NotSupported, RailMisconfigured, RailRefused, RecordGone
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
from runway_rail_kit import CallBudget, HttpRailFactory, Pauses, TransportLimits, Window, read_settings

from runway_rail_stripe.cursor import Place, read_place, write_place
from runway_rail_stripe.faults import MISSING, RAIL, TITLE, StripeFault
from runway_rail_stripe.mapping import to_charge, to_dispute, to_payout, to_refund
from runway_rail_stripe.reading import AccountReading, Mapped, News, find_touched
from runway_rail_stripe.settings import StripeSecrets, StripeSettings
from runway_rail_stripe.transport import StripeTransport
from runway_rail_stripe.webhooks import StripeWebhookReader

PAGE_RECORDS = 1000

ABILITIES = RailAbilities(
    kinds=frozenset(
        {
            RecordKind.CHARGE,
            RecordKind.REFUND,
            RecordKind.DISPUTE,
            RecordKind.PAYOUT,
            RecordKind.PROCESSOR_ENTRY,
        }
    ),
    has_change_feed=True,
    reports_deletions=True,
    has_webhooks=True,
    survives=frozenset(Trouble),
)

_SINGLE = {
    RecordKind.REFUND: ("refunds", to_refund),
    RecordKind.DISPUTE: ("disputes", to_dispute),
    RecordKind.PAYOUT: ("payouts", to_payout),
}


class StripeRail:
    """One account's charges, refunds, disputes, payouts and movements."""

    def __init__(
        self, transport: StripeTransport, *, settings: StripeSettings, clock: Clock, page_records: int = PAGE_RECORDS
    ) -> None:
        self._transport = transport
        self._reading = AccountReading(transport, settings)
        self._settings = settings
        self._clock = clock
        self._page_records = page_records

    @property
    def calls(self) -> int:
        """How many requests this object has sent."""
        return self._transport.calls

    async def check_connection(self) -> CompanyProfile:
        """Ask whose account the key reads: one call.

        Raises:
            RailMisconfigured: it is another account than the settings name.
        """
        try:
            account = await self._transport.account()
        except StripeFault as fault:
            raise _refused(fault) from fault
        if account.id != self._settings.account_id:
            raise RailMisconfigured(
                f"the {TITLE} key reads the account {account.id!r}, the connection names {self._settings.account_id!r}",
                rail=RAIL,
            )
        named = (account.business_profile or {}).get("name")
        dashboard = (account.settings or {}).get("dashboard")
        shown = dashboard.get("display_name") if isinstance(dashboard, dict) else None
        name = named if isinstance(named, str) and named else shown
        return CompanyProfile(
            name=name if isinstance(name, str) and name else None, home_currency=None, external_id=account.id
        )

    async def changes_since(self, cursor: Cursor | None) -> AsyncGenerator[ChangePage]:
        """Yield what changed after `cursor`, or everything: one call when nothing did."""
        began = self._clock.now()
        now = int(began.timestamp())
        place = read_place(cursor)
        reading = self._read_all(began) if place.is_new or place.is_lost(now) else self._read_news(place, began)
        try:
            async for page in reading:
                yield page
        except StripeFault as fault:
            raise _refused(fault) from fault

    async def _read_all(self, began: datetime) -> AsyncGenerator[ChangePage]:
        now = int(began.timestamp())
        place = await self._reading.mark(now)
        seen: dict[str, int] = {}
        keys: set[RecordKey] = set()
        waiting: list[Mapped] = []
        async for batch in self._reading.everything(seen):
            waiting += batch
            keys.update(_keys_of(batch))
            while len(waiting) > self._page_records:
                yield _page(waiting[: self._page_records], write_place(Place()), began)
                waiting = waiting[self._page_records :]
        end = msgspec.structs.replace(place.see_entries(seen), fed_at=now, swept_at=now)
        yield _page(waiting, write_place(end), began, is_last=True, present_keys=frozenset(keys), reading_began=began)

    async def _read_news(self, place: Place, began: datetime) -> AsyncGenerator[ChangePage]:
        now = int(began.timestamp())
        events = await self._reading.events_since(place)
        fresh = [event for event in events if not place.knows_event(event.id)]
        is_sweep_due = now - place.swept_at >= self._settings.sweep_hours * 3600
        is_feed_due = now - place.fed_at >= self._settings.feed_minutes * 60
        if not (fresh or is_feed_due or is_sweep_due):
            yield _page([], write_place(place), began, is_last=True)
            return
        news, seen = News(), dict[str, int]()
        if is_sweep_due:
            await self._reading.sweep(now, news, seen)
        await self._reading.read_touched(find_touched(fresh), news, seen)
        made = await self._reading.read_feed(place, news, seen)
        end = place.see_events({event.id: event.created for event in events}).see_entries(seen | made)
        end = msgspec.structs.replace(end, fed_at=now, swept_at=now if is_sweep_due else place.swept_at)
        found: list[Mapped] = [*news.changes.values(), *news.rejected]
        size = self._page_records
        parts = [found[start : start + size] for start in range(0, len(found), size)] or [[]]
        for part in parts[:-1]:
            yield _page(part, write_place(place), began)
        last = _page(parts[-1], write_place(end), began, is_last=True)
        yield ChangePage(
            changes=last.changes,
            rejected=last.rejected,
            deletions=tuple(gone for gone in news.deletions if gone.key not in news.changes),
            next_cursor=last.next_cursor,
            source_time=began,
            is_last=True,
        )

    async def read_record(self, key: RecordKey) -> Change:
        """Read one thing as it is now.

        Raises:
            NotSupported: a movement: it never changes, and only lists tell its payout.
            RecordGone: the account has no such thing.
            RecordRejected: it is there and cannot be understood.
        """
        try:
            if key.kind is RecordKind.CHARGE:
                raw = await self._transport.read(f"charges/{key.external_id}", expand=("customer",))
                return to_charge(raw, numbers=await self._reading.numbers_of_charge(raw))
            if key.kind in _SINGLE:
                path, read = _SINGLE[key.kind]
                return read(await self._transport.read(f"{path}/{key.external_id}"))
        except StripeFault as fault:
            if fault.code != MISSING:
                raise
            raise RecordGone(f"the {TITLE} account has no {key} any more", rail=RAIL) from fault
        raise NotSupported(f"{TITLE} reads no single {key.kind}: pull the connection instead")

    async def apply_fix(self, fix: RecordFix, *, idempotency_key: str) -> Change:  # noqa: ARG002 - the port's words
        """A processor's record is never written.

        Raises:
            NotSupported: always.
        """
        raise NotSupported(f"{TITLE} is only read: what {fix.key} says is the processor's")

    async def aclose(self) -> None:
        """Nothing of its own to let go: connections are shared and belong to the factory."""


def _refused(fault: StripeFault) -> RailRefused:
    return RailRefused(f"{TITLE} does not know what it was asked for ({fault})", rail=RAIL, provider_code=fault.code)


def _keys_of(batch: Sequence[Mapped]) -> Collection[RecordKey]:
    keys = [one.key for one in batch if isinstance(one, Change)]
    bad = [one for one in batch if isinstance(one, RejectedRecord)]
    return [*keys, *(RecordKey(one.kind, one.external_id) for one in bad if one.kind and one.external_id)]


def _page(
    rows: Sequence[Mapped],
    cursor: Cursor,
    began: datetime,
    *,
    is_last: bool = False,
    present_keys: frozenset[RecordKey] | None = None,
    reading_began: datetime | None = None,
) -> ChangePage:
    changes = {row.key: row for row in rows if isinstance(row, Change)}
    return ChangePage(
        changes=tuple(changes.values()),
        rejected=tuple(row for row in rows if isinstance(row, RejectedRecord)),
        next_cursor=cursor,
        source_time=began,
        is_last=is_last,
        present_keys=present_keys,
        reading_began=reading_began,
    )


class StripeRailFactory(HttpRailFactory):
    """Makes the rails of accounts. They share connections and call budgets of this process."""

    name = RAIL
    title = TITLE
    roles = frozenset({RailRole.INSIGHTS})
    abilities = ABILITIES
    settings_model: type[BaseModel] = StripeSettings
    secrets_model: type[BaseModel] = StripeSecrets

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
        self.webhook_reader = StripeWebhookReader()

    def open(self, context: RailContext) -> LedgerRail:
        """Make the rail of one connection. Does not connect.

        Raises:
            RailMisconfigured: the connection's settings are wrong.
        """
        settings = read_settings(StripeSettings, context.settings, rail=RAIL, title=TITLE)
        transport = StripeTransport(
            settings,
            http=self._http,
            budget=self._share_budget(settings, context),
            vault=context.vault,
            connection_id=context.connection_id,
            pauses=self._pauses,
            is_live=context.is_live,
        )
        return StripeRail(transport, settings=settings, clock=context.clock, page_records=self._page_records)

    def _share_budget(self, settings: StripeSettings, context: RailContext) -> CallBudget:
        windows = (Window(settings.calls_per_second, 1),)
        account = f"{settings.base_url}/{settings.account_id}"
        return self._budgets.of(account, windows, at_once=settings.calls_at_once, context=context)
