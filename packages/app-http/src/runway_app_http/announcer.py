"""Events on their way outside, as Standard Webhooks has them: thin bodies, signed with each secret that counts."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import msgspec
from pydantic import SecretStr
from runway_core.domain.subscriptions import Attempt, EventType, SigningSecret, WebhookDelivery
from runway_core.errors import RunwayError

from runway_app_http.outward import OutwardDoor, read_address

TIMEOUT_SECONDS = 15
SETTING = "RUNWAY_WEBHOOKS_ALLOW_PRIVATE"

_PLACES = {
    EventType.STATUS_CHANGED: "/v1/companies/{company_id}/digest",
    EventType.FINDING_OPENED: "/v1/companies/{company_id}/tray",
    EventType.FINDING_CLOSED: "/v1/companies/{company_id}/tray",
    EventType.DECISION_MADE: "/v1/companies/{company_id}/decisions/{decision_id}",
    EventType.DECISION_RELEASED: "/v1/companies/{company_id}/decisions/{decision_id}",
    EventType.DECISION_SETTLED: "/v1/companies/{company_id}/decisions/{decision_id}",
    EventType.DECISION_FAILED: "/v1/companies/{company_id}/decisions/{decision_id}",
    EventType.DIGEST_SENT: "/v1/companies/{company_id}/digests/{digest_id}",
    EventType.CONNECTION_BROKEN: "/v1/health",
    EventType.TEST: "/v1/webhooks/{subscription_id}",
}
"""Where the API says more about each event."""

_OF_FIRM = "/v1/digest"


class HttpAnnouncer:
    """Posts events to subscriptions.

    Args:
        door: the way outside.
        base: where people reach the app, for links.
        allow_private: whether plain http and private networks may be told; for development and tests.
    """

    def __init__(self, door: OutwardDoor, *, base: str, allow_private: bool = False) -> None:
        self._door = door
        self._base = base.rstrip("/")
        self._allow_private = allow_private

    def check_address(self, url: str) -> str:
        """An address as it is kept.

        Raises:
            InvalidRequest: it is none, or not https without a user.
        """
        return str(read_address(url.strip(), named="the webhook's address", allow_private=self._allow_private))

    async def announce(
        self, url: str, delivery: WebhookDelivery, *, secrets: Sequence[SigningSecret], now: datetime
    ) -> Attempt:
        """Post one event once."""
        body = write_body(delivery, base=self._base)
        headers = sign(delivery.event_id, body, secrets=[one.secret for one in secrets], at=now)
        try:
            address = read_address(url, named="the webhook's address", allow_private=self._allow_private)
            answer = await self._door.post(address, body, headers)
        except RunwayError as error:
            return Attempt(None, str(error))
        attempt = Attempt(answer.status, None, read_retry_after(answer.retry_after, now=now))
        if attempt.is_accepted:
            return attempt
        said = "redirects, which is not followed" if 300 <= answer.status < 400 else f"answered {answer.status}"
        return Attempt(answer.status, f"the receiver {said}", attempt.retry_after)


def make_announcer(*, base: str, allow_private: bool) -> HttpAnnouncer:
    """What tells subscriptions over the network."""
    door = OutwardDoor(
        "the receiver",
        setting=SETTING,
        rail="webhooks",
        allow_private=allow_private,
        seconds=TIMEOUT_SECONDS,
    )
    return HttpAnnouncer(door, base=base, allow_private=allow_private)


def write_body(delivery: WebhookDelivery, *, base: str) -> bytes:
    """What is posted: type, time, and ids with a link under which there is more. The same for every attempt."""
    ids = {**delivery.data, "company_id": delivery.company_id, "subscription_id": delivery.subscription_id}
    is_firms = delivery.event_type is EventType.DIGEST_SENT and delivery.company_id is None
    place = _OF_FIRM if is_firms else _PLACES[delivery.event_type]
    link = base + place.format_map({name: quote(str(value), safe="") for name, value in ids.items()})
    return msgspec.json.encode(
        {
            "type": delivery.event_type.value,
            "timestamp": f"{delivery.occurred_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
            "data": {"company_id": delivery.company_id, **delivery.data, "link": link},
        }
    )


def sign(event_id: str, body: bytes, *, secrets: Sequence[SecretStr], at: datetime) -> dict[str, str]:
    """The three headers of Standard Webhooks: one signature for each secret, the newest first."""
    seconds = str(int(at.timestamp()))
    signed = f"{event_id}.{seconds}.".encode() + body
    codes = [hmac.digest(_read_key(secret), signed, hashlib.sha256) for secret in secrets]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{base64.b64encode(code).decode()}" for code in codes),
    }


def _read_key(secret: SecretStr) -> bytes:
    return base64.b64decode(secret.get_secret_value().removeprefix("whsec_"))


def read_retry_after(text: str | None, *, now: datetime) -> timedelta | None:
    """How long the other side wants to be left alone: seconds, or a moment. What cannot be read is no wish."""
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 10**8))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return max(moment - now, timedelta(0))
