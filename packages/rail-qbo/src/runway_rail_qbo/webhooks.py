"""What QuickBooks' webhooks say: proved by their signature, and read in both of the forms that are sent.

An event names a kind, an id and what happened, never the record; it may come twice, late, out of order or not at all.
So it is a nudge to pull, not news. Forms: the legacy one (Intuit "Webhooks" page) and CloudEvents (Intuit's post of
2025-11-12), which the app's settings at Intuit switch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from pydantic import SecretStr
from runway_core.domain.identity import RecordKind
from runway_core.domain.webhooks import Delivery, RailEvent
from runway_core.errors import InvalidRequest, WebhookRefused
from runway_rail_kit import UNREADABLE, is_signed

from runway_rail_qbo.mapping_lines import kind_of

SIGNATURE_HEADER = "intuit-signature"
"""Holds base64 of the HMAC-SHA256 over the raw body; see `runway_rail_kit.is_signed`."""

ANNOUNCED = frozenset(
    {
        RecordKind.BILL,
        RecordKind.VENDOR_CREDIT,
        RecordKind.BILL_PAYMENT,
        RecordKind.INVOICE,
        RecordKind.CUSTOMER_PAYMENT,
        RecordKind.CREDIT_MEMO,
        RecordKind.PURCHASE,
        RecordKind.TRANSFER,
    }
)
"""Documents of which every creation and edit is told (Intuit "Webhooks" page). Names and accounts are told as well, and
left out here: their balances move without an event."""


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """One event. `kind` is `None` for a kind that is not mirrored; `at` is `None` when its time cannot be read."""

    realm_id: str
    kind: RecordKind | None
    external_id: str
    operation: str  # create, update, delete, merge, void, emailed
    at: datetime | None
    replaced_id: str | None = None  # a merge: the record that went


_OPERATIONS = {
    "created": "create",
    "updated": "update",
    "deleted": "delete",
    "merged": "merge",
    "voided": "void",
}


def read_events(body: bytes) -> list[WebhookEvent]:
    """Read a delivery in either form. Members that make no sense are left out: the next pull does not need them.

    Raises:
        InvalidRequest: the body is neither form.
    """
    try:
        payload = msgspec.json.decode(body)
    except UNREADABLE as error:
        raise InvalidRequest("the webhook's body is not JSON") from error
    if isinstance(payload, list):
        found = [_read_cloud_event(event) for event in payload]
    elif isinstance(payload, dict) and isinstance(payload.get("eventNotifications"), list):
        found = [event for notification in payload["eventNotifications"] for event in _read_legacy(notification)]
    else:
        raise InvalidRequest("the webhook's body is neither a list of CloudEvents nor eventNotifications")
    return [event for event in found if event is not None]


class QboWebhookReader:
    """The `WebhookReader` of QuickBooks Online.

    Deliveries carry no name of their own that is signed (`intuit-t-id` is a header), so what one says is its identity.
    """

    @property
    def announces(self) -> frozenset[RecordKind]:
        """Documents."""
        return ANNOUNCED

    def account_of(self, settings: Mapping[str, Any]) -> str | None:
        """The realm id."""
        realm_id = settings.get("realm_id")
        return realm_id if isinstance(realm_id, str) and realm_id else None

    async def read(
        self,
        headers: Mapping[str, str],
        body: bytes,
        *,
        secrets: Sequence[SecretStr],
        now: datetime,  # noqa: ARG002 - no time is signed
    ) -> Delivery:
        """Prove that a delivery is Intuit's, and read it.

        Raises:
            WebhookRefused: its signature is absent or made with another verifier token.
        """
        if not is_signed(body, headers.get(SIGNATURE_HEADER, ""), secrets=secrets):
            raise WebhookRefused("the delivery is not signed with the verifier token of this app")
        try:
            events = read_events(body)
        except InvalidRequest as error:
            return Delivery(events=(), problem=str(error))
        return Delivery(
            events=tuple(
                RailEvent(event.realm_id, event.kind, event.external_id, event.operation, event.at) for event in events
            )
        )


def _read_legacy(notification: Any) -> list[WebhookEvent | None]:
    if not isinstance(notification, dict):
        return []
    change = notification.get("dataChangeEvent")
    entities = change.get("entities") if isinstance(change, dict) else None
    if not isinstance(entities, list):
        return []
    realm_id = notification.get("realmId")
    return [
        _make(
            realm_id,
            entity.get("id"),
            name=entity.get("name"),
            operation=str(entity.get("operation", "")).lower(),
            at=entity.get("lastUpdated"),
            replaced_id=entity.get("deletedId"),
        )
        for entity in entities
        if isinstance(entity, dict)
    ]


def _read_cloud_event(event: Any) -> WebhookEvent | None:
    if not isinstance(event, dict):
        return None
    parts = str(event.get("type", "")).split(".")  # qbo.bill.updated.v1
    if len(parts) < 3 or parts[0] != "qbo":
        return None
    data = event.get("data")
    return _make(
        event.get("intuitaccountid"),
        event.get("intuitentityid"),
        name=parts[1],
        operation=_OPERATIONS.get(parts[2], parts[2]),
        at=event.get("time"),
        replaced_id=data.get("deletedid") if isinstance(data, dict) else None,
    )


def _make(
    realm_id: object, external_id: object, *, name: object, operation: str, at: object, replaced_id: object
) -> WebhookEvent | None:
    if not (isinstance(realm_id, str) and isinstance(external_id, str) and realm_id and external_id):
        return None
    return WebhookEvent(
        realm_id=realm_id,
        kind=kind_of(name) if isinstance(name, str) else None,
        external_id=external_id,
        operation=operation,
        at=_read_time(at),
        replaced_id=replaced_id if isinstance(replaced_id, str) else None,
    )


def _read_time(text: object) -> datetime | None:
    """Times come with up to nine decimals, and with `Z`, an offset or none; one without an offset tells nothing."""
    try:
        moment = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        return None
    return None if moment.tzinfo is None else moment.astimezone(UTC)
