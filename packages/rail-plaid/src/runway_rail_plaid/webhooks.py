"""What Plaid's webhooks say: proved by their token, whose key Plaid gives out, and read as nudges to pull.

`Plaid-Verification` is a JWT over the hash of the raw body, signed with ES256. Its key is fetched by id from Plaid
itself and kept; ids are the sender's choice until one is proved, so few unknown ones are asked for, and few kept.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import jwt
import msgspec
from jwt.algorithms import ECAlgorithm
from pydantic import SecretStr
from runway_core.domain.identity import RecordKind
from runway_core.domain.webhooks import Delivery, RailEvent
from runway_core.errors import StoreUnavailable, WebhookRefused
from runway_rail_kit import UNREADABLE, HttpTransport, NoAnswer

from runway_rail_plaid.settings import PRODUCTION_URL

TOKEN_HEADER = "plaid-verification"  # noqa: S105 - the name of a header
LONGEST_AGE = timedelta(minutes=5)
_LONGEST_KEY_ID = 64
_KEYS_AT_MOST = 32
_ASK_AGAIN = timedelta(seconds=5)
"""So much later an unknown key id is asked for at the earliest: a flood of forged ones costs few calls."""


class _Event(msgspec.Struct):
    webhook_type: str
    webhook_code: str
    item_id: str


class _Key(msgspec.Struct):
    alg: str
    kid: str
    kty: str
    crv: str
    x: str
    y: str
    expired_at: int | None = None


class _KeyAnswer(msgspec.Struct):
    key: _Key


@dataclass(frozen=True, slots=True)
class AppKeys:
    """The app's keys at Plaid, and where keys of webhooks are asked for."""

    client_id: str
    secret: str = field(repr=False)
    base_url: str

    @classmethod
    def parse(cls, text: SecretStr) -> "AppKeys | None":
        """Read `client_id:secret`, with `:https://…` after it for another address than production's."""
        parts = text.get_secret_value().split(":", 2)
        if len(parts) < 2 or not all(parts[:2]):
            return None
        return cls(parts[0], parts[1], parts[2] if len(parts) == 3 else PRODUCTION_URL)


class PlaidWebhookReader:
    """The `WebhookReader` of Plaid. Its secrets are the app's keys, `client_id:secret`, not a secret that signs."""

    def __init__(self, http: HttpTransport) -> None:
        self._http = http
        self._keys: dict[tuple[str, str], _Key] = {}  # by address and key id
        self._asked_at: datetime | None = None

    @property
    def announces(self) -> frozenset[RecordKind]:
        """Nothing for sure: Plaid tells of updates after a first reading, and not of balances."""
        return frozenset()

    def account_of(self, settings: Mapping[str, Any]) -> str | None:
        """The Item."""
        item_id = settings.get("item_id")
        return item_id if isinstance(item_id, str) and item_id else None

    async def read(
        self, headers: Mapping[str, str], body: bytes, *, secrets: Sequence[SecretStr], now: datetime
    ) -> Delivery:
        """Prove that a delivery is Plaid's, and read it.

        Two events of one Item may have equal bodies, so the moment of signing is part of a delivery's identity.

        Raises:
            WebhookRefused: no token, another algorithm, an unknown or expired key, older than five minutes, or of
                another body.
            StoreUnavailable: the key could not be fetched: Plaid sends it again.
        """
        signed_at = await self._prove(headers.get(TOKEN_HEADER, ""), body, secrets=secrets, now=now)
        name = f"{hashlib.sha256(body).hexdigest()[:40]}-{signed_at}"
        try:
            event = msgspec.json.decode(body, type=_Event)
        except UNREADABLE as error:
            return Delivery(events=(), delivery_id=name, problem=f"the body is no event: {error}")
        is_about_lines = event.webhook_type == "TRANSACTIONS"
        kind = RecordKind.BANK_TRANSACTION if is_about_lines else None
        return Delivery(events=(RailEvent(event.item_id, kind, "", event.webhook_code.lower(), now),), delivery_id=name)

    async def _prove(self, token: str, body: bytes, *, secrets: Sequence[SecretStr], now: datetime) -> int:
        apps = [keys for secret in secrets if (keys := AppKeys.parse(secret)) is not None]
        if not apps:
            raise WebhookRefused("no app keys are set with which keys of webhooks could be asked for")
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError as error:
            raise WebhookRefused("the delivery bears no token of Plaid") from error
        key_id = header.get("kid")
        if header.get("alg") != "ES256" or not isinstance(key_id, str) or len(key_id) > _LONGEST_KEY_ID:
            raise WebhookRefused("the token is not signed in the way of Plaid")
        for app in apps:
            key = await self._find_key(app, key_id, now=now)
            if key is not None and key.expired_at is None:
                return _check_token(token, key, body, now=now)
        raise WebhookRefused("the token is signed with a key that Plaid does not give out, or not any more")

    async def _find_key(self, app: AppKeys, key_id: str, *, now: datetime) -> _Key | None:
        known = self._keys.get((app.base_url, key_id))
        if known is not None:
            return known
        if self._asked_at is not None and timedelta(0) <= now - self._asked_at < _ASK_AGAIN:
            return None
        self._asked_at = now
        found = await self._fetch_key(app, key_id)
        if found is not None and found.kid == key_id:
            self._asked_at = None  # it was Plaid's: the next one may be asked for at once
            if len(self._keys) >= _KEYS_AT_MOST:
                self._keys.pop(next(iter(self._keys)))
            self._keys[app.base_url, key_id] = found
            return found
        return None

    async def _fetch_key(self, app: AppKeys, key_id: str) -> _Key | None:
        headers = {
            "content-type": "application/json",
            "plaid-client-id": app.client_id,
            "plaid-secret": app.secret,
        }
        content = msgspec.json.encode({"key_id": key_id})
        try:
            answer = await self._http.send(
                "POST", app.base_url + "/webhook_verification_key/get", headers=headers, content=content
            )
        except NoAnswer as error:
            raise StoreUnavailable("the key of the webhook could not be fetched from Plaid: send it again") from error
        if 400 <= answer.status < 500 and answer.status != 429:
            return None  # Plaid knows no such key
        try:
            return msgspec.json.decode(answer.body, type=_KeyAnswer).key
        except UNREADABLE as error:
            self._asked_at = None
            raise StoreUnavailable("Plaid gave no key of the webhook that can be read: send it again") from error


def _check_token(token: str, key: _Key, body: bytes, *, now: datetime) -> int:
    try:
        public = ECAlgorithm.from_jwk({"kty": key.kty, "crv": key.crv, "x": key.x, "y": key.y})
        claims = jwt.decode(token, public, algorithms=["ES256"], options={"verify_iat": False})  # type: ignore[arg-type]  # a public key
    except jwt.PyJWTError as error:
        raise WebhookRefused("the token is not signed with Plaid's key") from error
    signed_at, digest = claims.get("iat"), claims.get("request_body_sha256")
    if not isinstance(signed_at, int) or not isinstance(digest, str):
        raise WebhookRefused("the token lacks its time or the hash of the body")
    if not -LONGEST_AGE.total_seconds() <= now.timestamp() - signed_at <= LONGEST_AGE.total_seconds():
        raise WebhookRefused("the token is older than five minutes: a replay, or a clock that is wrong")
    if not hmac.compare_digest(hashlib.sha256(body).hexdigest(), digest):
        raise WebhookRefused("the token is of another body")
    return signed_at
