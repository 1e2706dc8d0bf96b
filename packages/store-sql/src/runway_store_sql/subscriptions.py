"""Webhooks out on SQL: a row a subscription, with its secrets sealed, and a row a delivery."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from pydantic import SecretStr
from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.log_entry import LogDraft, from_microseconds, to_microseconds
from runway_core.domain.people import firm_chain, is_firm_chain
from runway_core.domain.record import encode_plain
from runway_core.domain.subscriptions import (
    Attempt,
    DeliveryFilter,
    DeliveryState,
    EventType,
    SigningSecret,
    Subscription,
    SubscriptionState,
    WebhookDelivery,
    draft_switched_off,
    judge_subscription,
    note_attempt,
    replay,
)
from runway_core.errors import NotFound, StaleRevision, StoreUnavailable
from sqlalchemy import ColumnElement, Connection, Select, and_, delete, insert, or_, select, tuple_, update

from runway_store_sql.announcing import delivery_row
from runway_store_sql.bulk import among, insert_rows, is_postgres, upsert_rows
from runway_store_sql.chain import append_acts
from runway_store_sql.engine import Database
from runway_store_sql.rows import decode_moment, encode_moment
from runway_store_sql.subscription_tables import IS_WAITING, webhook_deliveries, webhook_subscriptions
from runway_store_sql.vault import KeyRing, reseal_rows

_held = webhook_subscriptions.c
_sent = webhook_deliveries.c


def _associate(firm_id: str, subscription_id: str) -> bytes:
    return "|".join(("v1", firm_id, "webhook", subscription_id, "secrets")).encode()


def _associate_row(row: Any) -> bytes:
    return _associate(row.firm_id, row.subscription_id)


def _read_delivery(row: Any) -> WebhookDelivery:
    return WebhookDelivery(
        subscription_id=row.subscription_id,
        event_id=row.event_id,
        firm_id=row.firm_id,
        event_type=EventType(row.event_type),
        company_id=None if is_firm_chain(row.company_id) else CompanyId(row.company_id),
        occurred_at=from_microseconds(row.occurred_at),
        data=msgspec.json.decode(row.data),
        state=DeliveryState(row.state),
        attempts=row.attempts,
        next_attempt_at=decode_moment(row.next_attempt_at),
        last_attempt_at=decode_moment(row.last_attempt_at),
        last_status=row.last_status,
        last_error=row.last_error,
    )


def _of(firm_id: FirmId, subscription_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return _held.firm_id == firm_id, _held.subscription_id == subscription_id


def _to(firm_id: FirmId, subscription_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return _sent.firm_id == firm_id, _sent.subscription_id == subscription_id


def _fit(wanted: DeliveryFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.state is not None:
        conditions.append(_sent.state == wanted.state.value)
    if wanted.event_type is not None:
        conditions.append(_sent.event_type == wanted.event_type.value)
    if wanted.company_id is not None:
        conditions.append(_sent.company_id == wanted.company_id)
    if wanted.since is not None:
        conditions.append(_sent.occurred_at >= to_microseconds(wanted.since))
    return conditions


class SqlSubscriptionStore:
    """The `SubscriptionStore` of a database."""

    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database = database
        self._keys = keys

    async def subscriptions(self, firm_id: FirmId) -> Sequence[Subscription]:
        """All of a firm, the oldest first, then by id."""
        query = select(_held.document).where(_held.firm_id == firm_id)
        documents = await self._database.read(lambda connection: connection.scalars(query).all())
        found = [Subscription.model_validate_json(document) for document in documents]
        return sorted(found, key=lambda one: (one.created_at, one.subscription_id))

    async def save(
        self, subscription: Subscription, drafts: Sequence[LogDraft], *, secrets: Sequence[SigningSecret] | None = None
    ) -> Subscription:
        """Store a subscription; see the port."""
        stored = subscription.model_copy(update={"version": subscription.version + 1})
        row: dict[str, Any] = {
            "version": stored.version,
            "state": stored.state.value,
            "document": encode_plain(stored),
        }
        if secrets is not None:
            key = self._keys.newest()
            said = [(one.secret.get_secret_value(), encode_moment(one.until)) for one in secrets]
            associated = _associate(stored.firm_id, stored.subscription_id)
            row |= {"key_id": key.key_id, "sealed_secrets": key.seal(msgspec.json.encode(said), associated)}
        own = _of(stored.firm_id, stored.subscription_id)

        def write(connection: Connection) -> None:
            query = select(_held.version).where(*own)
            held = connection.scalar(query.with_for_update() if is_postgres(connection) else query) or 0
            append_acts(connection, firm_chain(stored.firm_id), drafts)  # savers of a firm take turns from here on
            if held != subscription.version:
                raise StaleRevision(
                    f"the webhook {stored.subscription_id!r} was changed to version {held} meanwhile (yours is "
                    f"{subscription.version}): read it, then change it again"
                )
            if held:
                connection.execute(update(webhook_subscriptions).where(*own).values(row))
                return
            ids = {"firm_id": stored.firm_id, "subscription_id": stored.subscription_id}
            connection.execute(insert(webhook_subscriptions).values(ids | row))

        await self._database.write(write)
        return stored

    async def remove(self, firm_id: FirmId, subscription_id: str, drafts: Sequence[LogDraft]) -> bool:
        """Remove a subscription with its secrets and deliveries."""

        def write(connection: Connection) -> bool:
            gone = connection.execute(delete(webhook_subscriptions).where(*_of(firm_id, subscription_id))).rowcount
            if gone == 0:
                return False
            connection.execute(delete(webhook_deliveries).where(*_to(firm_id, subscription_id)))
            append_acts(connection, firm_chain(firm_id), drafts)
            return True

        return await self._database.write(write)

    async def secrets(self, firm_id: FirmId, subscription_id: str) -> Sequence[SigningSecret]:
        """What it is signed with, the newest first."""
        query = select(webhook_subscriptions).where(*_of(firm_id, subscription_id))
        row = await self._database.read(lambda connection: connection.execute(query).first())
        if row is None:
            return []
        said = msgspec.json.decode(self._open(row), type=list[tuple[str, int | None]])
        return [SigningSecret(secret=SecretStr(text), until=decode_moment(until)) for text, until in said]

    def _open(self, row: Any) -> bytes:
        key = self._keys.find(row.key_id, f"the secrets of webhook {row.subscription_id!r}")
        try:
            return key.open(row.sealed_secrets, _associate_row(row))
        except InvalidTag as error:
            raise StoreUnavailable(
                f"the secrets of webhook {row.subscription_id!r} do not open: they were altered; remove and add it anew"
            ) from error

    async def rotate(self) -> int:
        """Seal secrets that are under an older key under the newest one; returns how many were."""
        return await reseal_rows(
            self._database, self._keys, _held.sealed_secrets, open_row=self._open, associate=_associate_row
        )

    async def deliveries(
        self,
        firm_id: FirmId,
        subscription_id: str,
        wanted: DeliveryFilter,
        *,
        after: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[WebhookDelivery]:
        """Deliveries of a subscription, the last events first, and of one moment those of greater ids."""
        query = select(webhook_deliveries).where(*_to(firm_id, subscription_id), *_fit(wanted))
        if after is not None:
            moment, event_id = to_microseconds(after[0]), after[1].replace("\x00", "")
            is_same = and_(_sent.occurred_at == moment, _sent.event_id < event_id)
            query = query.where(or_(_sent.occurred_at < moment, is_same))
        return await self._read(query.order_by(_sent.occurred_at.desc(), _sent.event_id.desc()).limit(limit))

    async def due(
        self, firm_id: FirmId, subscription_id: str, *, now: datetime, limit: int
    ) -> Sequence[WebhookDelivery]:
        """Deliveries that wait and may be tried now, those first whose time came first."""
        is_due = IS_WAITING, _sent.next_attempt_at <= to_microseconds(now)
        query = select(webhook_deliveries).where(*_to(firm_id, subscription_id), *is_due)
        return await self._read(query.order_by(_sent.next_attempt_at, _sent.occurred_at, _sent.event_id).limit(limit))

    async def _read(self, query: Select[Any]) -> Sequence[WebhookDelivery]:
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_read_delivery(row) for row in rows]

    async def owed(self, firm_id: FirmId, *, now: datetime) -> Sequence[str]:
        """The active subscriptions to which something may be delivered now."""
        waits = select(_sent.event_id).where(
            _sent.firm_id == firm_id,
            _sent.subscription_id == _held.subscription_id,
            IS_WAITING,
            _sent.next_attempt_at <= to_microseconds(now),
        )
        query = (
            select(_held.subscription_id)
            .where(_held.firm_id == firm_id, _held.state == SubscriptionState.ACTIVE.value, waits.exists())
            .order_by(_held.subscription_id)
        )
        return await self._database.read(lambda connection: connection.scalars(query).all())

    async def add_delivery(self, delivery: WebhookDelivery, drafts: Sequence[LogDraft]) -> None:
        """Keep a delivery that no change of the books made."""

        def write(connection: Connection) -> None:
            _lock(connection, delivery.firm_id, delivery.subscription_id)
            insert_rows(connection, webhook_deliveries, [delivery_row(delivery)])
            append_acts(connection, firm_chain(delivery.firm_id), drafts)

        await self._database.write(write)

    async def record(
        self, firm_id: FirmId, subscription_id: str, attempts: Mapping[str, Attempt], *, at: datetime
    ) -> Subscription | None:
        """Note what became of attempts; see the port."""

        def write(connection: Connection) -> Subscription | None:
            try:
                held = _lock(connection, firm_id, subscription_id)
            except NotFound:
                return None
            named = among(connection, _sent.event_id, sorted(attempts))
            query = select(webhook_deliveries).where(*_to(firm_id, subscription_id), named, IS_WAITING)
            rows = connection.execute(query.with_for_update() if is_postgres(connection) else query).all()
            noted = [
                (note_attempt(_read_delivery(row), attempts[row.event_id], at), attempts[row.event_id]) for row in rows
            ]
            upsert_rows(connection, webhook_deliveries, [delivery_row(delivery) for delivery, _ in noted])
            after = judge_subscription(held, noted, at)
            if after != held:
                after = after.model_copy(update={"version": held.version + 1})
                said = {"version": after.version, "state": after.state.value, "document": encode_plain(after)}
                connection.execute(update(webhook_subscriptions).where(*_of(firm_id, subscription_id)).values(said))
            if after.state is not held.state:
                append_acts(connection, firm_chain(firm_id), [draft_switched_off(after, at)])
            return after

        return await self._database.write(write)

    async def replay(
        self,
        firm_id: FirmId,
        subscription_id: str,
        wanted: DeliveryFilter,
        drafts: Sequence[LogDraft],
        *,
        event_ids: Sequence[str] | None = None,
        at: datetime,
    ) -> int:
        """Let deliveries that wait no more wait again."""
        conditions = [*_to(firm_id, subscription_id), *_fit(wanted), _sent.state != DeliveryState.WAITING.value]

        def write(connection: Connection) -> int:
            query = select(webhook_deliveries).where(*conditions)
            if event_ids is not None:
                known = sorted(event_id.replace("\x00", "") for event_id in event_ids)
                query = query.where(among(connection, _sent.event_id, known))
            rows = connection.execute(query.with_for_update() if is_postgres(connection) else query).all()
            if not rows:
                return 0
            again = [delivery_row(replay(_read_delivery(row), at)) for row in rows]
            upsert_rows(connection, webhook_deliveries, again)
            append_acts(connection, firm_chain(firm_id), drafts)
            return len(again)

        return await self._database.write(write)

    async def prune(self, firm_id: FirmId, *, before: datetime, limit: int) -> int:
        """Forget deliveries of events before a moment."""
        keys = tuple_(_sent.company_id, _sent.subscription_id, _sent.event_id)
        is_old = _sent.firm_id == firm_id, _sent.occurred_at < to_microseconds(before)
        old = select(_sent.company_id, _sent.subscription_id, _sent.event_id).where(*is_old).limit(limit)

        def write(connection: Connection) -> int:
            found = [tuple(row) for row in connection.execute(old)]
            return connection.execute(delete(webhook_deliveries).where(keys.in_(found))).rowcount if found else 0

        return await self._database.write(write)


def _lock(connection: Connection, firm_id: FirmId, subscription_id: str) -> Subscription:
    query = select(_held.document).where(*_of(firm_id, subscription_id))
    document = connection.scalar(query.with_for_update() if is_postgres(connection) else query)
    if document is None:
        raise NotFound(f"no webhook {subscription_id!r} in this firm")
    return Subscription.model_validate_json(document)
