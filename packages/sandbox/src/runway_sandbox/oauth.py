"""Tokens: consent, exchange, refresh with daily rotation, revocation, and the ways they are lost (facts/qbo.md 1)."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from runway_sandbox.settings import OAuthRules

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True)
class TokenRefusalError(Exception):
    """The token address says no: `invalid_grant`, `invalid_client`, `unsupported_grant_type`."""

    error: str
    status: int = 400


@dataclass(slots=True)
class Connection:
    """One company's authorised access: the refresh value in force, the one before it, and their ends."""

    realm_id: str
    refresh_token: str
    minted_at: float  # when this value of the refresh token was made
    expires_at: float  # of the refresh token; moves on with each refresh
    hard_end_at: float
    previous_token: str | None = None
    previous_until: float = 0.0
    access_tokens: dict[str, float] = field(default_factory=dict)  # value -> end, in epoch seconds
    is_alive: bool = True


@dataclass(slots=True)
class _Code:
    realm_id: str
    redirect_uri: str
    expires_at: float
    connection: Connection | None = None  # set once it was used


class TokenDesk:
    """Hands out and checks tokens for all companies of the sandbox."""

    def __init__(self, rules: OAuthRules, *, seed: int) -> None:
        self._rules = rules
        self._random = random.Random(f"tokens:{seed}")
        self._connections: dict[str, list[Connection]] = {}
        self._by_access: dict[str, Connection] = {}
        self._by_refresh: dict[str, Connection] = {}
        self._codes: dict[str, _Code] = {}
        self._refreshing: dict[str, int] = {}
        self._spared: set[str] = set()

    def connect(self, realm_id: str, *, now: float) -> Connection:
        """Make a new connection with one access and one refresh token."""
        connection = Connection(
            realm_id=realm_id,
            refresh_token=self._new_refresh(),
            minted_at=now,
            expires_at=now + self._rules.refresh_lifetime_s,
            hard_end_at=now + self._rules.hard_lifetime_s,
        )
        self._by_refresh[connection.refresh_token] = connection
        self._connections.setdefault(realm_id, []).append(connection)
        self.new_access(connection, now=now)
        return connection

    def new_access(self, connection: Connection, *, now: float) -> str:
        """Make another access token; the ones before stay good until they expire."""
        for token in [token for token, end in connection.access_tokens.items() if end <= now - 86_400]:
            del connection.access_tokens[token]
            self._by_access.pop(token, None)
        token = "eyJ" + self._draw(120)
        connection.access_tokens[token] = now + self._rules.access_lifetime_s
        self._by_access[token] = connection
        return token

    def realm_of(self, access_token: str, *, now: float) -> str | None:
        """Tell which company a token opens; `None` when it is unknown, expired or revoked."""
        connection = self._by_access.get(access_token)
        if connection is None or not connection.is_alive:
            return None
        return connection.realm_id if connection.access_tokens.get(access_token, 0.0) > now else None

    def end_access(self, access_token: str) -> None:
        """End an access token early, at the second time: one that was just given out is good for something."""
        if access_token not in self._spared:
            self._spared.add(access_token)
            return
        connection = self._by_access.pop(access_token, None)
        if connection is not None:
            del connection.access_tokens[access_token]

    def authorize(self, realm_id: str, redirect_uri: str, *, now: float) -> str:
        """Make an authorization code for a company whose owner said yes."""
        code = "XAB1" + self._draw(46)
        self._codes[code] = _Code(realm_id, redirect_uri, now + self._rules.code_lifetime_s)
        return code

    def exchange(self, code: str, redirect_uri: str, *, now: float) -> dict[str, object]:
        """Change a code into tokens. A code sent twice poisons what the first sending got.

        Raises:
            TokenRefusalError: unknown, expired or used code, or another redirect address.
        """
        known = self._codes.get(code)
        if known is None:
            raise TokenRefusalError("invalid_grant")
        if known.connection is not None:
            known.connection.is_alive = False
            raise TokenRefusalError("invalid_grant")
        if known.expires_at <= now or known.redirect_uri != redirect_uri:
            raise TokenRefusalError("invalid_grant")
        known.connection = self.connect(known.realm_id, now=now)
        access = next(iter(known.connection.access_tokens))
        return self._answer(known.connection, access, now=now)

    def begin_refresh(self, refresh_token: str) -> bool:
        """Note that a refresh is under way; `False` when another with the same token has not ended."""
        under_way = self._refreshing.get(refresh_token, 0)
        self._refreshing[refresh_token] = under_way + 1
        return under_way == 0

    def end_refresh(self, refresh_token: str) -> None:
        """Note that a refresh has ended."""
        left = self._refreshing.get(refresh_token, 1) - 1
        if left:
            self._refreshing[refresh_token] = left
        else:
            self._refreshing.pop(refresh_token, None)

    def refuse_double(self, refresh_token: str) -> None:
        """Answer the second of two refreshes at once, cancelling what the first gets if the rules say so.

        Raises:
            TokenRefusalError: always.
        """
        connection = self._by_refresh.get(refresh_token)
        if connection is not None and self._rules.double_refresh == "poison":
            connection.is_alive = False
        raise TokenRefusalError("invalid_grant")

    def refresh(self, refresh_token: str, *, now: float, rotates: bool = False) -> dict[str, object]:
        """Give a new access token; the refresh token's value changes about once a day, or now when it `rotates`.

        Raises:
            TokenRefusalError: the token is unknown, replaced beyond its grace, expired or revoked.
        """
        connection = self._by_refresh.get(refresh_token)
        if connection is None or not connection.is_alive:
            raise TokenRefusalError("invalid_grant")
        if refresh_token != connection.refresh_token and (
            refresh_token != connection.previous_token or connection.previous_until <= now
        ):
            raise TokenRefusalError("invalid_grant")
        if min(connection.expires_at, connection.hard_end_at) <= now:
            raise TokenRefusalError("invalid_grant")
        is_newest = refresh_token == connection.refresh_token
        if is_newest and (rotates or now - connection.minted_at >= self._rules.rotation_after_s):
            connection.previous_token = connection.refresh_token
            connection.previous_until = now + self._rules.old_refresh_grace_s
            connection.refresh_token = self._new_refresh()
            connection.minted_at = now
            self._by_refresh[connection.refresh_token] = connection
        connection.expires_at = now + self._rules.refresh_lifetime_s
        return self._answer(connection, self.new_access(connection, now=now), now=now)

    def revoke(self, token: str) -> bool:
        """End the connection that a token belongs to; `False` when no such token is in force."""
        connection = self._by_refresh.get(token) or self._by_access.get(token)
        if connection is None or not connection.is_alive:
            return False
        connection.is_alive = False
        return True

    def disconnect(self, realm_id: str) -> int:
        """End every connection of a company, as its owner does inside QuickBooks; tells how many."""
        ended = [connection for connection in self._connections.get(realm_id, []) if connection.is_alive]
        for connection in ended:
            connection.is_alive = False
        return len(ended)

    def _answer(self, connection: Connection, access: str, *, now: float) -> dict[str, object]:
        return {
            "token_type": "bearer",
            "access_token": access,
            "expires_in": self._rules.access_lifetime_s,
            "refresh_token": connection.refresh_token,
            "x_refresh_token_expires_in": int(min(connection.expires_at, connection.hard_end_at) - now),
            "x_refresh_token_hard_expires_in": int(connection.hard_end_at - now),
        }

    def _new_refresh(self) -> str:
        return "AB11" + self._draw(46)

    def _draw(self, length: int) -> str:
        return "".join(self._random.choices(ALPHABET, k=length))
