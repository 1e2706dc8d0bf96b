"""Apps, codes and tokens: client credentials of one business, or a partner's app that businesses consent to.

Facts of facts/ramp.md section 1. A scope that was not granted to the app is left out of the token without a word.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from runway_sandbox.ramp.faults import grant_disabled, grant_refused, invalid, not_found, token_expired, unknown_client
from runway_sandbox.settings import RampRules

_RESOURCES = (
    "accounting bank_accounts bills business cards cashbacks departments entities limits locations memos merchants"
    " purchase_orders receipts reimbursements spend_programs statements transactions transfers users vendors"
)
KNOWN_SCOPES = frozenset(f"{resource}:{right}" for resource in _RESOURCES.split() for right in ("read", "write"))
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(slots=True)
class App:
    """One app: of one business, or a partner's whose token says for whom it stands."""

    client_id: str
    client_secret: str
    realm_id: str | None  # `None`: a partner's
    granted: frozenset[str] = KNOWN_SCOPES


@dataclass(slots=True)
class Token:
    """One access token and what it opens."""

    value: str
    realm_id: str
    app: App
    scopes: frozenset[str]
    ends_at: float
    refresh_token: str | None = None


@dataclass(slots=True)
class _Code:
    realm_id: str
    redirect_uri: str
    scopes: frozenset[str]
    ends_at: float


@dataclass(slots=True)
class TokenBooth:
    """Hands out and checks tokens."""

    rules: RampRules
    seed: int
    apps: dict[str, App] = field(default_factory=dict)
    _tokens: dict[str, Token] = field(default_factory=dict)
    _refreshes: dict[str, Token] = field(default_factory=dict)
    _codes: dict[str, _Code] = field(default_factory=dict)
    _draws: random.Random = field(init=False)
    _spared: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._draws = random.Random(f"ramp tokens:{self.seed}")

    def open_app(self, realm_id: str | None) -> App:
        """Make the app of a business, or the partner's."""
        draws = random.Random(f"ramp app:{self.seed}:{realm_id}")
        name = "partner" if realm_id is None else realm_id
        app = App(f"ramp_id_{name}", "ramp_sec_" + "".join(draws.choices(_ALPHABET, k=40)), realm_id)
        self.apps[app.client_id] = app
        return app

    def check_app(self, client_id: str, secret: str) -> App:
        """Find the app that these keys are of.

        Raises:
            RampFaultError: there is none.
        """
        app = self.apps.get(client_id)
        if app is None or app.client_secret != secret:
            raise unknown_client()
        return app

    def authorize(self, realm_id: str, redirect_uri: str, *, scope: str, now: float) -> str:
        """Make a code for a business whose owner said yes."""
        code = "ramp_code_" + self._draw(32)
        self._codes[code] = _Code(realm_id, redirect_uri, _read_scope(scope), now + self.rules.code_lifetime_s)
        return code

    def grant(self, app: App, form: dict[str, str], *, now: float) -> dict[str, object]:
        """Answer the token address.

        Raises:
            RampFaultError: another grant than this app may use, or a code or token that is none.
        """
        grant = form.get("grant_type", "")
        if grant == "client_credentials" and app.realm_id is not None:
            scopes = _read_scope(form.get("scope", ""))
            if not scopes:
                raise invalid(scope="Missing data for required field.")
            return self._answer(self._mint(app, app.realm_id, scopes, now=now), with_refresh=False)
        if grant == "authorization_code" and app.realm_id is None:
            code = self._codes.pop(form.get("code", ""), None)
            if code is None or code.ends_at <= now or code.redirect_uri != form.get("redirect_uri"):
                raise grant_refused("The authorization code was not found")
            return self._answer(self._mint(app, code.realm_id, code.scopes, now=now), with_refresh=True)
        if grant == "refresh_token" and app.realm_id is None:
            held = self._refreshes.pop(form.get("refresh_token", ""), None)
            if held is None:
                raise grant_refused("The refresh token was not found")
            return self._answer(self._mint(app, held.realm_id, held.scopes, now=now), with_refresh=True)
        raise grant_disabled(grant)

    def read(self, value: str, *, now: float) -> Token:
        """Find what a token opens.

        Raises:
            RampFaultError: it is none (as if an object were missing), or has expired.
        """
        token = self._tokens.get(value)
        if token is None:
            raise not_found()
        if token.ends_at <= now:
            raise token_expired()
        return token

    def revoke(self, value: str) -> None:
        """End a token, whichever of a pair it is."""
        held = self._refreshes.pop(value, None) or self._tokens.pop(value, None)
        if held is not None:
            self._tokens.pop(held.value, None)
            self._refreshes.pop(held.refresh_token or "", None)

    def end_unless_new(self, token: Token) -> bool:
        """End an access token early, at the second time: one that was just given out is good for something."""
        if token.value not in self._spared:
            self._spared.add(token.value)
            return False
        self._tokens.pop(token.value, None)
        return True

    def disconnect(self, realm_id: str) -> int:
        """End every token of a business and its app, as its owner does; tells how many tokens."""
        ended = [one for one in self._tokens.values() if one.realm_id == realm_id]
        for token in ended:
            self.revoke(token.value)
        for app in [one for one in self.apps.values() if one.realm_id == realm_id]:
            del self.apps[app.client_id]
        return len(ended)

    def end_tokens(self, realm_id: str) -> int:
        """End every access token of a business, while its app lives on; tells how many."""
        ended = [one.value for one in self._tokens.values() if one.realm_id == realm_id]
        for value in ended:
            del self._tokens[value]
        return len(ended)

    def _mint(self, app: App, realm_id: str, scopes: frozenset[str], *, now: float) -> Token:
        granted = scopes & app.granted
        token = Token("ramp_tok_" + self._draw(44), realm_id, app, granted, now + self.rules.token_lifetime_s)
        self._tokens[token.value] = token
        return token

    def _answer(self, token: Token, *, with_refresh: bool) -> dict[str, object]:
        answer: dict[str, object] = {
            "access_token": token.value,
            "token_type": "Bearer",
            "expires_in": self.rules.token_lifetime_s,
        }
        if self.rules.tells_scope:
            answer["scope"] = " ".join(sorted(token.scopes))
        if with_refresh:
            token.refresh_token = "ramp_tok_" + self._draw(44)
            self._refreshes[token.refresh_token] = token
            answer["refresh_token"] = token.refresh_token
        return answer

    def _draw(self, length: int) -> str:
        return "".join(self._draws.choices(_ALPHABET, k=length))


def _read_scope(text: str) -> frozenset[str]:
    return frozenset(text.split())
