"""The OAuth addresses over the token desk: discovery, consent, token, revocation (facts/qbo.md 1)."""

from __future__ import annotations

import asyncio
import base64
import binascii
import html
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from runway_sandbox.faults import MAINTENANCE_HTML
from runway_sandbox.oauth import TokenRefusalError
from runway_sandbox.world import World

AUTHORIZE_PATH = "/connect/oauth2"
TOKEN_PATH = "/oauth2/v1/tokens/bearer"  # noqa: S105  (an address)
REVOKE_PATH = "/v2/oauth2/tokens/revoke"
DISCOVERY_PATH = "/.well-known/openid_sandbox_configuration"
ISSUER = "https://oauth.platform.intuit.com/op/v1"


def _json(value: object, status: int = 200, *, tid: str) -> Response:
    return Response(
        msgspec.json.encode(value),
        status,
        headers={"content-type": "application/json;charset=utf-8", "intuit_tid": tid},
    )


class SignInDesk:
    """The endpoints over one world."""

    def __init__(self, world: World, *, new_tid: Callable[[], str]) -> None:
        self._world = world
        self._new_tid = new_tid
        self._consents = 0

    def routes(self) -> list[Route]:
        """List the routes, relative to the rail's base address."""
        return [
            Route(DISCOVERY_PATH, self.discovery, methods=["GET"]),
            Route(DISCOVERY_PATH + "/", self.discovery, methods=["GET"]),
            Route("/.well-known/openid_configuration", self.discovery, methods=["GET"]),
            Route("/.well-known/openid_configuration/", self.discovery, methods=["GET"]),
            Route(AUTHORIZE_PATH, self.authorize, methods=["GET"]),
            Route(TOKEN_PATH, self.token, methods=["POST"]),
            Route(REVOKE_PATH, self.revoke, methods=["POST"]),
            Route("/op/v1/jwks", self.keys, methods=["GET"]),
            Route("/v1/openid_connect/userinfo", self.user, methods=["GET"]),
        ]

    async def discovery(self, request: Request) -> Response:
        """Name the addresses, as the vendor's discovery document does."""
        base = f"{request.url.scheme}://{request.url.netloc}{request.scope['root_path']}"
        return _json(
            {
                "issuer": ISSUER,
                "authorization_endpoint": base + AUTHORIZE_PATH,
                "token_endpoint": base + TOKEN_PATH,
                "userinfo_endpoint": base + "/v1/openid_connect/userinfo",
                "revocation_endpoint": base + REVOKE_PATH,
                "jwks_uri": base + "/op/v1/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": ["openid", "email", "profile", "address", "phone"],
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
                "claims_supported": ["aud", "exp", "iat", "iss", "realmid", "sub"],
            },
            tid=self._new_tid(),
        )

    async def authorize(self, request: Request) -> Response:
        """Say yes for the owner of a company and redirect back with `code`, `state` and `realmId`.

        `realm_id` in the query names the company; without it the companies take turns, first to last. With
        `deny=true` the owner says no.
        """
        query = request.query_params
        redirect_uri = query.get("redirect_uri", "")
        if query.get("client_id") != self._world.settings.client_id or not redirect_uri:
            return _page("The client_id or the redirect_uri is not one of this app's.")
        if query.get("response_type") != "code" or not query.get("scope") or not query.get("state"):
            return _page("The request must carry response_type=code, scope and state.")
        state = query["state"]
        joint = "&" if "?" in redirect_uri else "?"
        if query.get("deny") == "true":
            return RedirectResponse(redirect_uri + joint + urlencode({"error": "access_denied", "state": state}), 302)
        desks = self._world.desks
        desk = self._world.find_desk(query["realm_id"]) if "realm_id" in query else desks[self._consents % len(desks)]
        if desk is None:
            return _page(f"There is no company {query['realm_id']}.")
        self._consents += 1
        code = self._world.tokens.authorize(desk.realm_id, redirect_uri, now=self._world.clock.epoch())
        answer = urlencode({"code": code, "state": state, "realmId": desk.realm_id})
        return RedirectResponse(redirect_uri + joint + answer, 302)

    async def token(self, request: Request) -> Response:
        """Change a code or a refresh token into tokens."""
        self._world.calls[("qbo", "", "token")] += 1
        form = {key: values[0] for key, values in parse_qs((await request.body()).decode("utf-8", "replace")).items()}
        try:
            self._check_client(request, form)
            if self._world.chaos.happens("malformed", "token"):  # before any work: what was given out is not lost
                return Response(MAINTENANCE_HTML, 200, media_type="text/html")
            answer = await self._grant(form)
        except TokenRefusalError as refusal:
            return self._refuse(refusal)
        if request.headers.get("x-include-refresh-token-hard-expires-in", "").lower() != "true":
            answer.pop("x_refresh_token_hard_expires_in", None)
        return _json(answer, tid=self._new_tid())

    async def _grant(self, form: dict[str, str]) -> dict[str, object]:
        tokens, clock = self._world.tokens, self._world.clock
        if form.get("grant_type") == "authorization_code":
            return tokens.exchange(form.get("code", ""), form.get("redirect_uri", ""), now=clock.epoch())
        if form.get("grant_type") != "refresh_token":
            raise TokenRefusalError("unsupported_grant_type")
        refresh_token = form.get("refresh_token", "")
        if self._world.chaos.happens("grants_refused", "token"):
            raise TokenRefusalError("invalid_grant")
        rules = self._world.settings.oauth
        if rules.double_refresh == "allow":
            return tokens.refresh(refresh_token, now=clock.epoch(), rotates=self._rotates())
        is_first = tokens.begin_refresh(refresh_token)
        try:
            if not is_first:
                tokens.refuse_double(refresh_token)
            answer = tokens.refresh(refresh_token, now=clock.epoch(), rotates=self._rotates())
            await asyncio.sleep(rules.refresh_takes_s)
            return answer
        finally:
            tokens.end_refresh(refresh_token)

    def _rotates(self) -> bool:
        return self._world.chaos.happens("rotates", "token")

    def _check_client(self, request: Request, form: dict[str, str]) -> None:
        given = (form.get("client_id", ""), form.get("client_secret", ""))
        header = request.headers.get("authorization", "")
        if header.lower().startswith("basic "):
            try:
                user, _, secret = base64.b64decode(header[6:], validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError) as error:
                raise TokenRefusalError("invalid_client", 401) from error
            given = (user, secret)
        if given != (self._world.settings.client_id, self._world.settings.client_secret):
            raise TokenRefusalError("invalid_client", 401)

    def _refuse(self, refusal: TokenRefusalError) -> Response:
        body: dict[str, object] = {"error": refusal.error}
        if refusal.error == "invalid_grant" and self._world.settings.oauth.describe_invalid_grant:
            body = {"error_description": "Incorrect or invalid refresh token", **body}
        return _json(body, refusal.status, tid=self._new_tid())

    async def revoke(self, request: Request) -> Response:
        """End the connection that a token belongs to."""
        self._world.calls[("qbo", "", "revoke")] += 1
        try:
            self._check_client(request, {})
            body = msgspec.json.decode(await request.body())
        except TokenRefusalError as refusal:
            return self._refuse(refusal)
        except msgspec.DecodeError:
            body = None
        token = body.get("token") if isinstance(body, dict) else None
        if not isinstance(token, str) or not self._world.tokens.revoke(token):
            return _json({"error": "invalid_request"}, 400, tid=self._new_tid())
        return Response(b"", 200, headers={"intuit_tid": self._new_tid()})

    async def keys(self, _request: Request) -> Response:
        """List the signing keys: none, because no `id_token` is made here."""
        return _json({"keys": []}, tid=self._new_tid())

    async def user(self, request: Request) -> Response:
        """Tell who signed in."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self._world.tokens.realm_of(token, now=self._world.clock.epoch()) is None:
            return _json({"error": "invalid_token"}, 401, tid=self._new_tid())
        return _json(
            {"sub": "b053d994-07d5-468d-b7ee-22e349d2e739", "email": "owner@sandbox.invalid", "emailVerified": True},
            tid=self._new_tid(),
        )


def _page(text: str) -> Response:
    body = f"<html><head><title>Error</title></head><body><p>{html.escape(text)}</p></body></html>"
    return Response(body, 400, media_type="text/html")
