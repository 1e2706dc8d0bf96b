"""What Stripe's webhooks say: proved by `Stripe-Signature`, and read as reasons to read again (facts of section 9).

The signature is an HMAC-SHA256, in hex, over the time, a dot and the raw body; while a secret is rolled there are two.
A secret may stand behind an account, `acct_…:whsec_…`: events of an account's own address name no account.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from pydantic import SecretStr
from runway_core.domain.identity import RecordKind
from runway_core.domain.webhooks import Delivery, RailEvent
from runway_core.errors import WebhookRefused
from runway_rail_kit import UNREADABLE, is_signed

from runway_rail_stripe.reading import kind_of

SIGNATURE_HEADER = "stripe-signature"
REPLAY_WINDOW = timedelta(minutes=5)
"""So much older or younger than our clock a delivery may be; Stripe signs each attempt anew."""

ANNOUNCED = frozenset({RecordKind.CHARGE, RecordKind.REFUND, RecordKind.DISPUTE, RecordKind.PAYOUT})
_MOST_SIGNATURES = 10


class _Carried(msgspec.Struct):
    object: Mapping[str, Any] = {}


class _Related(msgspec.Struct):
    id: str = ""
    type: str = ""


class _Event(msgspec.Struct):
    """A snapshot event, or a thin one (`v2.core.event`), whose account stands in its context."""

    id: str
    type: str
    created: int | str | None = None
    account: str | None = None
    context: str | None = None
    data: _Carried = msgspec.field(default_factory=_Carried)
    related_object: _Related | None = None


class _Secret(NamedTuple):
    account: str  # empty: of the platform
    key: SecretStr


class StripeWebhookReader:
    """The `WebhookReader` of Stripe."""

    @property
    def announces(self) -> frozenset[RecordKind]:
        """All but movements, of which no event tells."""
        return ANNOUNCED

    def account_of(self, settings: Mapping[str, Any]) -> str | None:
        """The account id."""
        account_id = settings.get("account_id")
        return account_id if isinstance(account_id, str) and account_id else None

    async def read(
        self, headers: Mapping[str, str], body: bytes, *, secrets: Sequence[SecretStr], now: datetime
    ) -> Delivery:
        """Prove that a delivery is Stripe's, and read it. Events of unknown types are kept like the others.

        Raises:
            WebhookRefused: no signature, one made with another secret, or one older than five minutes.
        """
        account = _prove(headers.get(SIGNATURE_HEADER, ""), body, secrets=secrets, now=now)
        try:
            event = msgspec.json.decode(body, type=_Event)
        except UNREADABLE as error:
            return Delivery(events=(), problem=f"the body is no event: {error}")
        about = event.account or _last_part(event.context) or account
        if not about:
            return Delivery(
                events=(),
                delivery_id=event.id,
                problem="the event names no account: write the secret as acct_…:whsec_…, or register a Connect address",
            )
        thing = event.data.object
        kind = kind_of(thing.get("object"))
        identifier = thing.get("id")
        named = identifier if isinstance(identifier, str) and kind is not None else ""
        return Delivery(
            events=(RailEvent(about, kind, named, event.type, _moment(event.created)),), delivery_id=event.id
        )


def _prove(header: str, body: bytes, *, secrets: Sequence[SecretStr], now: datetime) -> str:
    """The account whose secret signed; empty for a platform's."""
    known = [_read_secret(secret) for secret in secrets]
    if not known:
        raise WebhookRefused("no signing secret of Stripe's webhooks is set")
    signed_at, signatures = _read_header(header)
    if signed_at is None or not signatures:
        raise WebhookRefused("the delivery bears no signature of Stripe")
    text = f"{signed_at}.".encode() + body
    # Each is tried whatever the others say, so that the time it takes tells nothing of which one fits.
    checks = [[is_signed(text, one, secrets=(secret.key,), encoding="hex") for one in signatures] for secret in known]
    fits = [secret for secret, found in zip(known, checks, strict=True) if any(found)]
    if not fits:
        raise WebhookRefused("the delivery is not signed with the secret of this address")
    if abs(now.timestamp() - signed_at) > REPLAY_WINDOW.total_seconds():
        raise WebhookRefused("the delivery was signed more than five minutes ago: a replay, or a clock that is wrong")
    return fits[0].account


def _read_secret(secret: SecretStr) -> _Secret:
    account, colon, key = secret.get_secret_value().partition(":")
    return _Secret(account, SecretStr(key)) if colon and account.startswith("acct_") else _Secret("", secret)


def _read_header(header: str) -> tuple[int | None, list[str]]:
    """The time and the signatures of the scheme `v1`; others are left alone."""
    signed_at: int | None = None
    signatures: list[str] = []
    for item in header.split(","):
        name, _, value = item.strip().partition("=")
        if name == "t" and value.isdecimal() and len(value) < 13:
            signed_at = int(value)
        elif name == "v1" and value:
            signatures.append(value)
    return signed_at, signatures[:_MOST_SIGNATURES]


def _last_part(context: str | None) -> str | None:
    return context.rpartition("/")[2] if context else None


def _moment(created: int | str | None) -> datetime | None:
    try:
        if isinstance(created, int):
            return datetime.fromtimestamp(created, UTC)
        moment = msgspec.convert(created, datetime) if created else None
    except (msgspec.ValidationError, OverflowError, OSError, ValueError):
        return None
    return None if moment is None or moment.tzinfo is None else moment.astimezone(UTC)
