"""Signing in with the firm's own service: OpenID Connect, authorization code with PKCE (RFC 7636).

Whom the service names is let in when they are a person of the firm: by the subject that is known of them, or, the first
time, by an e-mail address that the service says it has verified. Nobody is added by signing in.
"""

import base64
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote_plus, urlsplit

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import SecretStr
from runway_core.domain.people import Person
from runway_core.errors import InvalidRequest, SignInRefused
from runway_core.runway import Runway

from runway_app_http.settings import LOOPBACK

BACK = "/sign-in/with/back"
"""The path that the service sends browsers back to; its whole address is registered there."""

ALGORITHMS = ["RS256", "ES256", "PS256", "EdDSA"]
"""Signatures with a public key. `none` and those with a shared secret are not taken."""

_KNOWN_FOR = timedelta(hours=1)
_WAIT_SECONDS = 10
_LEEWAY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """The service, and what it knows Runway by."""

    name: str  # for the button
    issuer: str
    client_id: str
    client_secret: SecretStr
    redirect_uri: str

    def __post_init__(self) -> None:
        """See that nothing of it goes over a wire in the clear.

        Raises:
            InvalidRequest: an address without https that is not of this machine.
        """
        for address in (self.issuer, self.redirect_uri):
            parts = urlsplit(address)
            if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
                raise InvalidRequest(f"{address!r} is not an https address: signing in needs one")


@dataclass(frozen=True, slots=True)
class Flow:
    """What one browser keeps while it is away: it must bring the state back, and the service the nonce."""

    state: str
    nonce: str
    verifier: str
    following: str

    def to_cookie(self) -> str:
        """As a cookie holds it."""
        fields = [self.state, self.nonce, self.verifier, self.following]
        return base64.urlsafe_b64encode(json.dumps(fields).encode()).decode()

    @classmethod
    def from_cookie(cls, text: str) -> "Flow | None":
        """Read it back; `None` when it is none."""
        try:
            fields = json.loads(base64.urlsafe_b64decode(text.encode()))
        except ValueError:
            return None
        is_whole = isinstance(fields, list) and len(fields) == 4 and all(isinstance(part, str) for part in fields)
        return cls(*fields) if is_whole else None


class SignInService:
    """The firm's sign-in service. What it says of itself is asked once an hour."""

    def __init__(self, settings: OidcSettings) -> None:
        self._settings = settings
        self._known: tuple[datetime, dict[str, Any], KeySet] | None = None

    @property
    def name(self) -> str:
        """What people call it."""
        return self._settings.name

    async def begin(self, following: str, at: datetime) -> tuple[str, Flow]:
        """Where to send a browser, and what it keeps meanwhile.

        Raises:
            SignInRefused: the service does not answer.
        """
        told, _ = await self._look_up(at)
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        flow = Flow(state, nonce, verifier, following)
        address = prepare_grant_uri(
            told["authorization_endpoint"],
            self._settings.client_id,
            "code",
            redirect_uri=self._settings.redirect_uri,
            scope="openid email",
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return str(address), flow

    async def finish(self, runway: Runway, flow: Flow | None, *, state: str, code: str) -> Person:
        """Exchange the code that a browser brought back, and find whom the service named.

        Raises:
            SignInRefused: the answer is another browser's, is not the service's, or names nobody of the firm.
        """
        if flow is None:
            raise SignInRefused("this sign-in is not yours, or is older than ten minutes: begin again")
        if not secrets.compare_digest(state.encode(), flow.state.encode()) or not code:
            raise SignInRefused("this answer belongs to another sign-in: begin again")
        now = runway.scope.clock.now()
        claims = await self._read_claims(code, flow, now)
        return await self._find_person(runway, claims)

    async def _exchange(self, address: str, code: str, verifier: str) -> str:
        """The signed statement that the service gives for a code; the browser never sees it."""
        settings = self._settings
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": settings.redirect_uri,
        }
        secret = quote_plus(settings.client_secret.get_secret_value())
        async with httpx.AsyncClient(timeout=_WAIT_SECONDS, trust_env=False) as client:
            answer = await client.post(address, data=form, auth=(quote_plus(settings.client_id), secret))
        if answer.status_code != httpx.codes.OK:
            raise SignInRefused(f"{self.name} did not take this sign-in: begin again")
        return str(answer.json()["id_token"])

    async def _read_claims(self, code: str, flow: Flow, now: datetime) -> dict[str, Any]:
        told, keys = await self._look_up(now)
        try:
            signed = await self._exchange(str(told["token_endpoint"]), code, flow.verifier)
            try:
                token = jwt.decode(signed, keys, algorithms=ALGORITHMS)
            except (JoseError, ValueError):  # it may have changed its keys since they were asked for
                _, keys = await self._look_up(now, is_fresh=True)
                token = jwt.decode(signed, keys, algorithms=ALGORITHMS)
            registry = jwt.JWTClaimsRegistry(
                now=int(now.timestamp()),
                leeway=_LEEWAY_SECONDS,
                iss={"essential": True, "value": self._settings.issuer},
                aud={"essential": True, "value": self._settings.client_id},
                exp={"essential": True},
                iat={"essential": True},
                sub={"essential": True},
                nonce={"essential": True, "value": flow.nonce},
            )
            registry.validate(token.claims)
        except httpx.HTTPError as error:
            raise self._silent() from error
        except (JoseError, KeyError, TypeError, ValueError) as error:
            raise SignInRefused(f"{self.name} gave no answer that holds: begin again") from error
        claims: dict[str, Any] = token.claims
        audience = claims["aud"]
        if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != self._settings.client_id:
            raise SignInRefused(f"{self.name} gave no answer that holds: begin again")
        return claims

    async def _look_up(self, now: datetime, *, is_fresh: bool = False) -> tuple[dict[str, Any], KeySet]:
        if self._known is not None and not is_fresh and now - self._known[0] < _KNOWN_FOR:
            return self._known[1], self._known[2]
        issuer = self._settings.issuer
        try:
            async with httpx.AsyncClient(timeout=_WAIT_SECONDS, trust_env=False) as client:
                answer = await client.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
                told = answer.raise_for_status().json()
                if told.get("issuer") != issuer:
                    raise SignInRefused(f"{issuer!r} calls itself otherwise: mend RUNWAY_OIDC_ISSUER")
                keys = KeySet.import_key_set((await client.get(told["jwks_uri"])).raise_for_status().json())
                _ = told["authorization_endpoint"], told["token_endpoint"]  # both must be there
        except (httpx.HTTPError, JoseError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._silent() from error
        self._known = now, told, keys
        return told, keys

    def _silent(self) -> SignInRefused:
        return SignInRefused(f"{self.name} does not answer: try again, or sign in with your password")

    async def _find_person(self, runway: Runway, claims: dict[str, Any]) -> Person:
        scope = runway.scope
        store = scope.store.people
        subject = f"{claims['iss']}|{claims['sub']}"
        person = await store.person_by_subject(scope.firm_id, subject)
        if person is None and claims.get("email_verified") is True and isinstance(claims.get("email"), str):
            person = await store.person_by_email(scope.firm_id, claims["email"])
            if person is not None and not person.is_disabled:
                held = await store.credentials(scope.firm_id, person.person_id)
                if held.subject is not None:  # the address moved to another account there
                    raise SignInRefused(f"{self.name} names another account than before: ask an owner of the firm")
                linked = held.model_copy(update={"subject": subject})
                await runway.people.keep_credentials(linked, "sign_in_service_linked")
        if person is None or person.is_disabled:
            await runway.sessions.note_refusal(None if person is None else person.person_id, "sign-in service")
            raise SignInRefused(f"{self.name} knows you, and the firm does not: ask an owner to add you")
        return person
