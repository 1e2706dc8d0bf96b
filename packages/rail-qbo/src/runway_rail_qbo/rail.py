"""QuickBooks Online as a ledger rail: the port, in terms of transport, reading and mapping."""

from collections.abc import AsyncGenerator, Collection, Mapping
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import BaseModel
from runway_core.domain.changes import Change, ChangePage, Cursor, Deletion
from runway_core.domain.identity import ConnectionId, RecordKey, RecordKind
from runway_core.domain.quotas import MeteredQuota
from runway_core.errors import RailRefused, RecordGone, RecordRejected
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

from runway_rail_qbo.faults import RAIL, TITLE
from runway_rail_qbo.fixes import WRITABLE, build_update, check_fix, make_request_id
from runway_rail_qbo.links import link_record
from runway_rail_qbo.mapping import KIND_BY_RECORD, KINDS, Kind, find_company_name, read_record
from runway_rail_qbo.reading import Reader
from runway_rail_qbo.settings import QboSecrets, QboSettings
from runway_rail_qbo.transport import QboTransport
from runway_rail_qbo.webhooks import QboWebhookReader

ABILITIES = RailAbilities(
    kinds=frozenset({*(kind.kind for kind in KINDS), RecordKind.COMPANY_INFO}),
    has_change_feed=True,
    reports_deletions=True,
    has_webhooks=True,
    can_be_swept=True,
    writes=frozenset(WRITABLE),
    metered=MeteredQuota(calls_a_month=500_000),  # reads of all companies, without a paid plan
    survives=frozenset(Trouble),
)


class QboRail:
    """One company's books in QuickBooks Online."""

    def __init__(self, transport: QboTransport, *, settings: QboSettings, context: RailContext) -> None:
        self._transport = transport
        self._settings = settings
        self._home_currency = context.home_currency
        self._reader = Reader(transport, settings=settings, home_currency=context.home_currency, clock=context.clock)

    @property
    def calls(self) -> int:
        """How many requests this object has sent to the company's own addresses; sign-in is free."""
        return self._transport.calls

    async def check_connection(self) -> CompanyProfile:
        """Ask QuickBooks for the company's name: one call. The home currency would be a second one."""
        answer = await self._transport.query("SELECT * FROM CompanyInfo")
        rows = answer.rows.CompanyInfo or []
        name = find_company_name(bytes(rows[0])) if rows else None
        return CompanyProfile(name=name, home_currency=None, external_id=self._settings.realm_id)

    def changes_since(self, cursor: Cursor | None) -> AsyncGenerator[ChangePage]:
        """Yield what changed after `cursor`, or everything; see `runway_rail_qbo.reading`."""
        return self._reader.pages(cursor)

    async def read_record(self, key: RecordKey) -> Change:
        """Read one record as it is now.

        Raises:
            RecordGone: it is deleted or was never there.
            RecordRejected: it is there and cannot be understood.
        """
        if key.kind is RecordKind.COMPANY_INFO:
            mapped, _ = await self._reader.read_company()
            if mapped.rejected:
                raise RecordRejected(mapped.rejected[0].reason)
            if not mapped.changes:
                raise RecordGone(f"{TITLE} shows no company record", rail=RAIL)
            return mapped.changes[0]
        kind = KIND_BY_RECORD[key.kind]
        return self._map_one(kind, await self._read_raw(kind, key))

    async def apply_fix(self, fix: RecordFix, *, idempotency_key: str) -> Change:
        """Write one fix and return the record as QuickBooks then shows it: one read and one write.

        Raises:
            StaleRevision: the record moved since `fix.expected_revision`.
            OutcomeUnknown: no answer came: read the record back before repeating.
            RailRefused: QuickBooks said no, or a field cannot be written.
            RecordGone: it is deleted.
            NotSupported: this kind of record cannot be written.
        """
        check_fix(fix)
        kind = KIND_BY_RECORD[fix.key.kind]
        before = await self._read_raw(kind, fix.key)
        body = build_update(before, fix)
        try:
            after = await self._transport.write(
                kind.path, kind.name, body=body, request_id=make_request_id(idempotency_key)
            )
        except RecordGone as error:
            await self._read_raw(kind, fix.key)  # raises when it is the record itself that is gone
            raise RailRefused(
                f"{TITLE} refused: a vendor, customer, term or account that the fix names is unknown or inactive",
                rail=RAIL,
                provider_code=error.provider_code,
                request_id=error.request_id,
            ) from error
        return self._map_one(kind, after)

    @property
    def swept_kinds(self) -> Collection[RecordKind]:
        """Every kind that is listed. The company's own record is one, and is read again each day."""
        return tuple(kind.kind for kind in KINDS)

    @property
    def rows_a_call(self) -> int:
        """The rows of a page."""
        return self._settings.page_size

    async def count_kind(self, kind: RecordKind) -> int:
        """How many records of a kind there are, inactive ones too: one call."""
        return await self._reader.count_kind(KIND_BY_RECORD[kind])

    def read_kind(self, kind: RecordKind) -> AsyncGenerator[KindRows]:
        """Yield every record of a kind, by pages that join, so that none is skipped while books are edited."""
        return self._reader.read_kind(KIND_BY_RECORD[kind])

    async def aclose(self) -> None:
        """Nothing of its own to let go: connections are shared and belong to the factory."""

    async def _read_raw(self, kind: Kind, key: RecordKey) -> bytes:
        return await self._transport.read_one(f"{kind.path}/{quote(key.external_id, safe='')}", kind.name)

    def _map_one(self, kind: Kind, raw: bytes) -> Change:
        change = read_record(kind, raw, home_currency=self._home_currency)
        if isinstance(change, Deletion):
            raise RecordGone(f"{TITLE} says that {change.key} is deleted", rail=RAIL)
        return change


class QboRailFactory(HttpRailFactory):
    """Makes the rails of QuickBooks companies. They share connections, call budgets and sign-ins of this process."""

    name = RAIL
    title = "QuickBooks Online"
    roles = frozenset({RailRole.LEDGER})
    abilities = ABILITIES
    settings_model: type[BaseModel] = QboSettings
    secrets_model: type[BaseModel] = QboSecrets

    def __init__(
        self,
        *,
        limits: TransportLimits | None = None,
        http_transport: httpx.AsyncBaseTransport | None = None,
        pauses: Pauses | None = None,
    ) -> None:
        """Prepare; nothing connects. `http_transport` and `pauses` let tests stand in for network and time."""
        super().__init__(limits=limits, http_transport=http_transport, pauses=pauses)
        self._tokens: dict[tuple[ConnectionId, str, int], AccessTokens] = {}
        self.webhook_reader = QboWebhookReader()

    def open(self, context: RailContext) -> LedgerRail:
        """Make the rail of one connection. Does not connect.

        Raises:
            RailMisconfigured: the connection's settings are wrong.
        """
        settings = read_settings(QboSettings, context.settings, rail=RAIL, title=TITLE)
        transport = QboTransport(
            settings,
            http=self._http,
            tokens=self._share_tokens(settings, context),
            budget=self._share_budget(settings, context),
            clock=context.clock,
            pauses=self._pauses,
            is_live=context.is_live,
        )
        return QboRail(transport, settings=settings, context=context)

    def link_record(self, settings: Mapping[str, Any], key: RecordKey) -> str | None:
        """The page of a record at QuickBooks; `None` where there is none, or the company is not at Intuit."""
        return link_record(read_settings(QboSettings, settings, rail=RAIL, title=TITLE), key)

    async def aclose(self) -> None:
        """Let go of connections, budgets and tokens held in memory. Repeating is harmless."""
        self._tokens.clear()
        await super().aclose()

    def _share_budget(self, settings: QboSettings, context: RailContext) -> CallBudget:
        """Intuit counts per company and app; there is no limit over all companies of an app."""
        windows = (Window(settings.calls_per_minute, 60), Window(settings.calls_per_second, 1))
        return self._budgets.of(settings.company_url, windows, at_once=settings.calls_at_once, context=context)

    def _share_tokens(self, settings: QboSettings, context: RailContext) -> AccessTokens:
        key = (context.connection_id, settings.token_url, id(context.vault))
        if key not in self._tokens:
            self._tokens[key] = AccessTokens(
                context.connection_id,
                client=OAuthClient(
                    self._http,
                    token_url=settings.token_url,
                    rail=RAIL,
                    title=TITLE,
                    extra_headers={"x-include-refresh-token-hard-expires-in": "true"},
                    refresh_lifetimes=("x_refresh_token_expires_in", "x_refresh_token_hard_expires_in"),
                    request_id_header="intuit_tid",
                ),
                vault=context.vault,
                clock=context.clock,
                rail=RAIL,
                title=TITLE,
            )
        return self._tokens[key]
