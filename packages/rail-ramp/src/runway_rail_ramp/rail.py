"""Ramp as an execution rail: the ports, in terms of transport, reading and mapping."""

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta

import httpx
from msgspec.structs import replace
from pydantic import BaseModel
from runway_core.domain.changes import Change, ChangePage, Cursor
from runway_core.domain.identity import ConnectionId, RecordKey, RecordKind
from runway_core.domain.submissions import BillSubmission
from runway_core.errors import NotSupported, RecordGone
from runway_core.ports.clock import Clock
from runway_core.ports.ledger_rail import CompanyProfile, RailAbilities, RailContext, RailRole, RecordFix, Trouble
from runway_rail_kit import (
    AccessTokens,
    CallBudget,
    HttpRailFactory,
    OAuthClient,
    Pauses,
    TransportLimits,
    Window,
    read_settings,
)

from runway_rail_ramp.cursor import Place, read_place, write_place
from runway_rail_ramp.drafts import DraftDesk
from runway_rail_ramp.faults import RAIL, TITLE, is_dead_grant, is_wrong_grant
from runway_rail_ramp.loading import PATHS, WholeReader
from runway_rail_ramp.mapping import BESIDE, read_bill, to_bill, to_payments, to_purchase, to_vendor
from runway_rail_ramp.reading import NewsReader, note_several
from runway_rail_ramp.settings import RampSecrets, RampSettings
from runway_rail_ramp.transport import RampTransport
from runway_rail_ramp.webhooks import RampWebhookReader

ABILITIES = RailAbilities(
    kinds=frozenset(
        {
            RecordKind.RAIL_VENDOR,
            RecordKind.RAIL_BILL,
            RecordKind.RAIL_PAYMENT,
            RecordKind.CARD_TRANSACTION,
        }
    ),
    has_change_feed=True,
    reports_deletions=True,
    has_webhooks=True,
    survives=frozenset(Trouble),
)


class RampRail:
    """One business's vendors, bills, payments and purchases."""

    def __init__(self, transport: RampTransport, *, settings: RampSettings, clock: Clock) -> None:
        self._transport = transport
        self._settings = settings
        self._clock = clock

    @property
    def calls(self) -> int:
        """How many requests this object has sent."""
        return self._transport.calls

    async def check_connection(self) -> CompanyProfile:
        """Ask for the business: one call."""
        business = await self._transport.business()
        return CompanyProfile(name=business.business_name_legal, home_currency=None, external_id=business.id)

    async def changes_since(self, cursor: Cursor | None) -> AsyncGenerator[ChangePage]:
        """Yield what changed after `cursor`, or everything: three calls when nothing did."""
        place = read_place(cursor)
        now = self._clock.now()
        if place.loading is not None or self._is_whole_due(place, now):
            async for page in WholeReader(self._transport, self._settings).read(place, now=now):
                yield page
            return
        news = await NewsReader(self._transport, self._settings).read(place, now=now)
        changes, rejected, deletions = news.map(place.several)
        following = replace(
            place,
            since=now - self._overlap,
            looked_at=now if news.has_looked else place.looked_at,
            open_ids=news.open_ids,
            several=note_several(place.several, changes, gone=deletions),
        )
        yield ChangePage(
            changes=tuple(changes),
            rejected=tuple(rejected),
            deletions=tuple(deletions),
            next_cursor=write_place(following),
            source_time=now,
            is_last=True,
        )

    async def read_record(self, key: RecordKey) -> Change:
        """Read one record as it is now.

        Raises:
            NotSupported: a kind that Ramp does not hold.
            RecordGone: it is not there, or archived.
            RecordRejected: it is there and cannot be understood.
        """
        if key.kind not in ABILITIES.kinds:
            raise NotSupported(f"{TITLE} holds no {key.kind}")
        path = PATHS.get(key.kind, "bills")
        of_bill = key.external_id.partition(BESIDE)[0] if key.kind is RecordKind.RAIL_PAYMENT else key.external_id
        raw = await self._transport.record(f"{path}/{of_bill}")
        if key.kind is RecordKind.RAIL_VENDOR:
            return to_vendor(raw)
        if key.kind is RecordKind.CARD_TRANSACTION:
            return to_purchase(raw)
        if read_bill(raw).archived_at is not None:
            raise RecordGone(f"{TITLE} has archived bill {of_bill!r}", rail=RAIL)
        if key.kind is RecordKind.RAIL_BILL:
            return to_bill(raw)
        found = next((change for change in to_payments(raw) if change.key == key), None)
        if found is None:
            raise RecordGone(f"bill {of_bill!r} has no payment {key.external_id!r} at {TITLE}", rail=RAIL)
        return found

    async def apply_fix(self, fix: RecordFix, *, idempotency_key: str) -> Change:  # noqa: ARG002 - the port's words
        """What is at the rail is mended there.

        Raises:
            NotSupported: always.
        """
        raise NotSupported(f"{TITLE} takes drafts of bills and nothing else: mend {fix.key} there")

    async def submit_bill(self, bill: BillSubmission) -> Change:
        """Have a bill wait for approval in Ramp. It is approved, released and paid by people there alone.

        Raises: as the port.
        """
        return await DraftDesk(self._transport).submit(bill)

    async def aclose(self) -> None:
        """Nothing of its own to let go: connections are shared and belong to the factory."""

    @property
    def _overlap(self) -> timedelta:
        return timedelta(seconds=self._settings.overlap_seconds)

    def _is_whole_due(self, place: Place, now: datetime) -> bool:
        every = timedelta(hours=self._settings.whole_hours)
        return place.since is None or place.whole_at is None or now - place.whole_at >= every


class RampRailFactory(HttpRailFactory):
    """Makes the rails of businesses. They share connections, tokens and call budgets of this process."""

    name = RAIL
    title = TITLE
    roles = frozenset({RailRole.EXECUTION})
    abilities = ABILITIES
    settings_model: type[BaseModel] = RampSettings
    secrets_model: type[BaseModel] = RampSecrets

    def __init__(
        self,
        *,
        limits: TransportLimits | None = None,
        http_transport: httpx.AsyncBaseTransport | None = None,
        pauses: Pauses | None = None,
    ) -> None:
        """Prepare; nothing connects. `http_transport` and `pauses` let tests stand in for network and time."""
        super().__init__(limits=limits, http_transport=http_transport, pauses=pauses)
        self._tokens: dict[tuple[ConnectionId, str], AccessTokens] = {}
        self.webhook_reader = RampWebhookReader()

    def open(self, context: RailContext) -> RampRail:
        """Make the rail of one connection. Does not connect.

        Raises:
            RailMisconfigured: the connection's settings are wrong.
        """
        settings = read_settings(RampSettings, context.settings, rail=RAIL, title=TITLE)
        transport = RampTransport(
            settings,
            http=self._http,
            tokens=self._share_tokens(settings, context),
            budget=self._share_budget(settings, context),
            pauses=self._pauses,
            is_live=context.is_live,
        )
        return RampRail(transport, settings=settings, clock=context.clock)

    async def aclose(self) -> None:
        """Let go of connections, tokens and budgets. Repeating is harmless."""
        self._tokens.clear()
        await super().aclose()

    def _share_tokens(self, settings: RampSettings, context: RailContext) -> AccessTokens:
        key = (context.connection_id, settings.api_url)
        if key not in self._tokens:
            client = OAuthClient(
                self._http,
                token_url=f"{settings.api_url}/token",
                rail=RAIL,
                title=TITLE,
                request_id_header="x-trace-id",
                is_dead=is_dead_grant,
                is_wrong=is_wrong_grant,
            )
            self._tokens[key] = AccessTokens(
                context.connection_id,
                client=client,
                vault=context.vault,
                clock=context.clock,
                rail=RAIL,
                title=TITLE,
                own_scope=" ".join(settings.scopes),
            )
        return self._tokens[key]

    def _share_budget(self, settings: RampSettings, context: RailContext) -> CallBudget:
        windows = (Window(settings.calls_per_ten_seconds, 10),)
        # Ramp counts by the address that calls: one budget for all companies.
        return self._budgets.of(settings.base_url, windows, at_once=settings.calls_at_once, context=context)
