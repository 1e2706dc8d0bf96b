"""OAuth 2 tokens that rotate: one refresh at a time, stored before use, the old one kept until the new one works.

The refresh token is the one thing that cannot be had again without a person. So a new pair is written to the vault
before its first use; the replaced token stays beside it until the new pair has worked, for a vendor that still takes
it.
"""

import asyncio
import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

import msgspec
from pydantic import SecretStr
from runway_core.domain.identity import ConnectionId
from runway_core.errors import RailAccessLost, RailMisconfigured, RailUnavailable
from runway_core.ports.clock import Clock
from runway_core.ports.token_vault import TokenVault

from runway_rail_kit.payloads import UNREADABLE
from runway_rail_kit.transport import Answer, HttpTransport, NoAnswer

CLIENT_ID = "client_id"
CLIENT_SECRET = "client_secret"  # noqa: S105 - the name of a secret, not one
ACCESS_TOKEN = "access_token"  # noqa: S105 - the name of a secret, not one
REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the name of a secret, not one
PREVIOUS_REFRESH_TOKEN = "previous_refresh_token"  # noqa: S105 - the name of a secret, not one
ACCESS_EXPIRES_AT = "access_expires_at"
REFRESH_EXPIRES_AT = "refresh_expires_at"

REFRESH_EARLY = timedelta(minutes=5)


_REFRESH_LIFETIMES = ("refresh_token_expires_in", "refresh_expires_in")
_NEVER = frozenset({"invalid_scope", "unsupported_grant_type"})
"""Refusals (RFC 6749, 5.2) that no waiting changes."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What the token address gave; an app that signs in for itself gets no refresh token."""

    access_token: SecretStr
    refresh_token: SecretStr | None
    expires_in_seconds: int
    refresh_expires_in_seconds: int | None = None


class GrantRefused(Exception):
    """The authorisation server takes this refresh token or code no more (`invalid_grant`)."""


class OAuthClient:
    """Speaks to one token address (RFC 6749), with the app's keys as HTTP Basic."""

    def __init__(
        self,
        transport: HttpTransport,
        *,
        token_url: str,
        rail: str,
        title: str,
        extra_headers: Mapping[str, str] | None = None,
        refresh_lifetimes: Sequence[str] = _REFRESH_LIFETIMES,
        request_id_header: str = "x-request-id",
        is_dead: Callable[[Answer], bool] | None = None,
        is_wrong: Callable[[Answer], bool] | None = None,
    ) -> None:
        """Prepare.

        `refresh_lifetimes` names the members that say how long a refresh token lives: the least counts. `is_dead` tells
        a vendor's own way of saying that a code, token or app is no more, where it is not `invalid_grant`; `is_wrong`
        of saying that the app may not ask for this.
        """
        self._transport = transport
        self._token_url = token_url
        self._rail = rail
        self._title = title
        self._extra_headers = dict(extra_headers or {})
        self._refresh_lifetimes = tuple(refresh_lifetimes)
        self._request_id_header = request_id_header
        self._is_dead = is_dead or (lambda _answer: False)
        self._is_wrong = is_wrong or (lambda _answer: False)

    async def refresh(self, refresh_token: SecretStr, *, client_id: SecretStr, client_secret: SecretStr) -> Grant:
        """Exchange a refresh token for a new pair. Never send this twice at once with one token.

        Raises:
            GrantRefused: the token is dead.
            RailMisconfigured: the app's own keys are wrong.
            RailUnavailable: no answer.
        """
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token.get_secret_value()}
        return await self._ask(form, client_id=client_id, client_secret=client_secret)

    async def exchange_code(
        self, code: SecretStr, *, redirect_uri: str, client_id: SecretStr, client_secret: SecretStr
    ) -> Grant:
        """Exchange the code that came back from the consent page. A code works once.

        Raises:
            GrantRefused: the code is used, too old or another's.
            RailMisconfigured: the app's own keys are wrong.
            RailUnavailable: no answer.
        """
        form = {"grant_type": "authorization_code", "code": code.get_secret_value(), "redirect_uri": redirect_uri}
        return await self._ask(form, client_id=client_id, client_secret=client_secret)

    async def sign_in(self, scope: str, *, client_id: SecretStr, client_secret: SecretStr) -> Grant:
        """Get a token by the app's own keys (client credentials). May be repeated.

        Raises:
            GrantRefused: the app is no more.
            RailMisconfigured: the app's own keys are wrong.
            RailUnavailable: no answer.
        """
        form = {"grant_type": "client_credentials", "scope": scope}
        return await self._ask(form, client_id=client_id, client_secret=client_secret)

    async def _ask(self, form: Mapping[str, str], *, client_id: SecretStr, client_secret: SecretStr) -> Grant:
        keys = f"{client_id.get_secret_value()}:{client_secret.get_secret_value()}".encode()
        headers = {
            "authorization": f"Basic {base64.b64encode(keys).decode()}",
            "accept": "application/json",
            "content-type": "application/x-www-form-urlencoded",
            **self._extra_headers,
        }
        try:
            answer = await self._transport.send(
                "POST", self._token_url, headers=headers, content=urlencode(form).encode()
            )
        except NoAnswer as error:
            raise RailUnavailable(
                f"{self._title}: sign-in did not answer ({error}); try again", rail=self._rail
            ) from error
        return self._read(answer, is_own=form["grant_type"] == "client_credentials")

    def _read(self, answer: Answer, *, is_own: bool) -> Grant:
        body = _read_object(answer.body)
        access, refresh = body.get("access_token"), body.get("refresh_token")
        has_refresh = isinstance(refresh, str) and bool(refresh)
        if answer.status == 200 and isinstance(access, str) and access and (has_refresh or is_own):
            lifetimes = [seconds for name in self._refresh_lifetimes if (seconds := _as_seconds(body.get(name)))]
            return Grant(
                access_token=SecretStr(access),
                refresh_token=SecretStr(str(refresh)) if has_refresh else None,
                expires_in_seconds=_as_seconds(body.get("expires_in")) or 3600,
                refresh_expires_in_seconds=min(lifetimes, default=None),
            )
        refusal = str(body.get("error") or "")
        request_id = answer.headers.get(self._request_id_header)
        if refusal == "invalid_grant" or self._is_dead(answer):
            raise GrantRefused
        if refusal in {"invalid_client", "unauthorized_client"} or answer.status in {401, 404, 405}:
            raise RailMisconfigured(
                f"{self._title} does not know this app's keys ({refusal or answer.status}): check client id, client "
                "secret and environment",
                rail=self._rail,
                provider_code=refusal or None,
                request_id=request_id,
            )
        if refusal in _NEVER or self._is_wrong(answer):
            raise RailMisconfigured(
                f"{self._title} lets this app do less than it asks for ({refusal or answer.status}): grant it the"
                " scopes and the way of signing in that the connection needs",
                rail=self._rail,
                provider_code=refusal if refusal in _NEVER else None,
                request_id=request_id,
            )
        raise RailUnavailable(
            f"{self._title}: sign-in answered {answer.status}; try again later",
            rail=self._rail,
            provider_code=refusal or None,
            request_id=request_id,
            retry_after_seconds=answer.retry_after_seconds,
        )


def _read_object(body: bytes) -> dict[str, object]:
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except UNREADABLE:
        return {}


def _as_seconds(value: object) -> int | None:
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    return value if isinstance(value, int) and value > 0 else None


class OAuthSecrets:
    """The named secrets of one connection, as the vault holds them."""

    def __init__(self, values: Mapping[str, SecretStr]) -> None:
        self.values = dict(values)

    def text(self, name: str) -> str:
        """The secret's text; empty when there is none."""
        held = self.values.get(name)
        return "" if held is None else held.get_secret_value()

    def needs_refresh(self, now: datetime) -> bool:
        """Whether there is no access token, or it ends within minutes. An unknown end counts as far away."""
        if not self.text(ACCESS_TOKEN):
            return True
        try:
            ends = datetime.fromisoformat(self.text(ACCESS_EXPIRES_AT))
        except ValueError:
            return False
        return ends.tzinfo is not None and now >= ends - REFRESH_EARLY

    def with_grant(self, grant: Grant, *, now: datetime) -> "OAuthSecrets":
        """The set after a refresh; a replaced refresh token is kept as the previous one."""
        values = dict(self.values)
        old = self.text(REFRESH_TOKEN)
        values[ACCESS_TOKEN] = grant.access_token
        if grant.refresh_token is not None:
            if old and old != grant.refresh_token.get_secret_value():
                values[PREVIOUS_REFRESH_TOKEN] = SecretStr(old)
            values[REFRESH_TOKEN] = grant.refresh_token
        values[ACCESS_EXPIRES_AT] = SecretStr((now + timedelta(seconds=grant.expires_in_seconds)).isoformat())
        if grant.refresh_expires_in_seconds is not None:
            ends = now + timedelta(seconds=grant.refresh_expires_in_seconds)
            values[REFRESH_EXPIRES_AT] = SecretStr(ends.isoformat())
        return OAuthSecrets(values)


class AccessTokens:
    """The access token of one connection, fresh when asked for. Share one object per connection within a process."""

    def __init__(
        self,
        connection_id: ConnectionId,
        *,
        client: OAuthClient,
        vault: TokenVault,
        clock: Clock,
        rail: str,
        title: str,
        own_scope: str | None = None,
    ) -> None:
        """Prepare; with `own_scope` an app that has no refresh token signs in for itself."""
        self._own_scope = own_scope
        self._connection_id = connection_id
        self._client = client
        self._vault = vault
        self._clock = clock
        self._rail = rail
        self._title = title
        self._lock = asyncio.Lock()
        self._held: OAuthSecrets | None = None
        self._is_saved = True

    async def current(self) -> str:
        """An access token that should work now; refreshed when it ends within minutes.

        Raises:
            RailAccessLost: a person must connect again.
            RailMisconfigured: the app's own keys are wrong or missing.
            RailUnavailable: the sign-in did not answer.
            StoreUnavailable: the vault did not.
        """
        held = self._held
        if held is not None and self._is_saved and not held.needs_refresh(self._clock.now()):
            return held.text(ACCESS_TOKEN)
        async with self._lock:
            held = await self._load()
            if held.needs_refresh(self._clock.now()):
                held = await self._refresh(held)
            return held.text(ACCESS_TOKEN)

    async def renew(self, rejected: str) -> str:
        """A token other than `rejected`, which the vendor refused: another caller's newer one, or a refresh.

        Raises: as `current`.
        """
        async with self._lock:
            held = await self._load()
            if held.text(ACCESS_TOKEN) in {"", rejected}:
                held = await self._refresh(held)
            return held.text(ACCESS_TOKEN)

    async def confirm(self) -> None:
        """The newest pair has worked: the replaced refresh token may go."""
        if self._held is None or PREVIOUS_REFRESH_TOKEN not in self._held.values:
            return
        async with self._lock:
            held = await self._load()
            if held.values.pop(PREVIOUS_REFRESH_TOKEN, None) is not None:
                await self._save(held)

    async def _load(self) -> OAuthSecrets:
        if self._held is not None and not self._is_saved:
            await self._save(self._held)  # an earlier save failed: the vault must have the pair before it is used
        self._held = OAuthSecrets(await self._vault.load(self._connection_id))
        return self._held

    async def _save(self, secrets: OAuthSecrets) -> None:
        self._held, self._is_saved = secrets, False
        await self._vault.save(self._connection_id, secrets.values)
        self._is_saved = True

    async def _refresh(self, held: OAuthSecrets) -> OAuthSecrets:
        if not held.text(CLIENT_ID) or not held.text(CLIENT_SECRET):
            raise RailMisconfigured(
                f"{self._title}: the app's client id or client secret is missing; enter both", rail=self._rail
            )
        if self._own_scope is not None and not held.text(REFRESH_TOKEN):
            return await self._sign_in(held, self._own_scope)
        tried: set[str] = set()
        while True:
            token = self._pick_token(held, tried)
            if not token:
                raise RailAccessLost(
                    f"{self._title} no longer accepts this connection: a person must connect the company again",
                    rail=self._rail,
                    provider_code="invalid_grant" if tried else None,
                )
            tried.add(token)
            try:
                grant = await self._client.refresh(
                    SecretStr(token), client_id=held.values[CLIENT_ID], client_secret=held.values[CLIENT_SECRET]
                )
            except GrantRefused:
                seen = held.text(ACCESS_TOKEN)
                held = await self._load()  # another process may have refreshed in the meantime
                if held.text(ACCESS_TOKEN) not in {"", seen} and not held.needs_refresh(self._clock.now()):
                    return held
                continue
            renewed = held.with_grant(grant, now=self._clock.now())
            await self._save(renewed)
            return renewed

    async def _sign_in(self, held: OAuthSecrets, scope: str) -> OAuthSecrets:
        keys = {"client_id": held.values[CLIENT_ID], "client_secret": held.values[CLIENT_SECRET]}
        try:
            grant = await self._client.sign_in(scope, **keys)
        except GrantRefused as error:
            raise RailAccessLost(
                f"{self._title} no longer knows the app of this company: a person must enter its keys again",
                rail=self._rail,
            ) from error
        renewed = held.with_grant(grant, now=self._clock.now())
        await self._save(renewed)
        return renewed

    @staticmethod
    def _pick_token(held: OAuthSecrets, tried: set[str]) -> str:
        candidates = (held.text(REFRESH_TOKEN), held.text(PREVIOUS_REFRESH_TOKEN))
        return next((token for token in candidates if token and token not in tried), "")
