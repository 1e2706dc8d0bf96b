"""What Ramp's webhooks say: proved by an HMAC over the raw body, and read as nudges to pull.

No moment is part of the signature, so a replay cannot be told by it: an event is known by its own id, and one that says
it is older than a day is refused. Ramp takes 401 for an answer and never sends that event again, so 503 is answered
while no secret is set. Its documentation and later sources name two headers; either is taken.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from pydantic import SecretStr
from runway_core.domain.identity import RecordKind
from runway_core.domain.webhooks import Delivery, RailEvent
from runway_core.errors import StoreUnavailable, WebhookRefused
from runway_rail_kit import UNREADABLE, is_signed

SIGNATURE_HEADERS = ("x-ramp-webhook-signature", "x-ramp-signature")
OLDEST = timedelta(days=1)
VERIFICATION = "webhooks.verification"
_KINDS = {
    "bills": RecordKind.RAIL_BILL,
    "payments": RecordKind.RAIL_PAYMENT,
    "vendors": RecordKind.RAIL_VENDOR,
    "transactions": RecordKind.CARD_TRANSACTION,
}


class _Object(msgspec.Struct):
    id: str = ""


class _Event(msgspec.Struct):
    id: str
    type: str
    business_id: str
    created_at: datetime | None = None
    object: _Object | None = None
    challenge: str | None = None


class RampWebhookReader:
    """The `WebhookReader` of Ramp."""

    @property
    def announces(self) -> frozenset[RecordKind]:
        """Nothing for sure: Ramp tells of no edit of a bill."""
        return frozenset()

    def account_of(self, settings: Mapping[str, Any]) -> str | None:
        """The business."""
        business_id = settings.get("business_id")
        return business_id if isinstance(business_id, str) and business_id else None

    async def read(
        self, headers: Mapping[str, str], body: bytes, *, secrets: Sequence[SecretStr], now: datetime
    ) -> Delivery:
        """Prove that a delivery is Ramp's, and read it.

        Raises:
            WebhookRefused: it is signed with none of the secrets, or says that it is older than a day.
            StoreUnavailable: no secret is set: Ramp sends it again.
        """
        if not any(secret.get_secret_value() for secret in secrets):
            raise StoreUnavailable("no secret of Ramp's webhooks is set yet: send it again")
        stated = next((headers[name] for name in SIGNATURE_HEADERS if name in headers), "")
        signature = stated.strip().removeprefix("sha256=").lower()
        if not is_signed(body, signature, secrets=secrets, encoding="hex"):
            raise WebhookRefused("the delivery is not signed with the secret of this app's subscription")
        try:
            event = msgspec.json.decode(body, type=_Event)
        except UNREADABLE as error:
            return Delivery(events=(), problem=f"the body is no event: {error}")
        at = _in_utc(event.created_at)
        if at is not None and now - at > OLDEST:
            raise WebhookRefused("the event is older than a day: a replay, or a clock that is wrong")
        if event.type == VERIFICATION:
            problem = (
                f"Ramp wants the address proved: send POST /developer/v1/webhooks/{{id}}/verify with the challenge"
                f" {event.challenge!r}"
            )
            return Delivery(events=(), delivery_id=event.id, problem=problem)
        resource, _, operation = event.type.partition(".")
        about = "" if event.object is None else event.object.id
        found = RailEvent(event.business_id, _KINDS.get(resource), about, operation or event.type, at)
        return Delivery(events=(found,), delivery_id=event.id)


def _in_utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
