"""Signing in with the firm's own service, which runs here as a small server of its own on loopback."""

import asyncio
import base64
import hashlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import RSAKey
from pydantic import SecretStr
from runway_app_http.sign_in_service import BACK, OidcSettings, SignInService
from runway_app_http.web import create_app
from runway_core.domain.people import firm_chain
from runway_core.errors import InvalidRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.app.firm import Firm
from tests.app.people_desk import add_owner, client_of


@dataclass
class PaperService:
    """A sign-in service that knows one account, and lies in one way when told to."""

    address: str
    clock: Any
    account: dict[str, Any] = field(
        default_factory=lambda: {"sub": "42", "email": "ada@firm.example", "email_verified": True}
    )
    lie: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    signing_key: RSAKey | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.describe),
                Route("/keys", self.show_keys),
                Route("/authorize", self.authorize),
                Route("/token", self.give_token, methods=["POST"]),
            ]
        )

    async def describe(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.address,
                "authorization_endpoint": f"{self.address}/authorize",
                "token_endpoint": f"{self.address}/token",
                "jwks_uri": f"{self.address}/keys",
            }
        )

    async def show_keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    async def authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        answer = {"state": asked["state"], "code": code}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}", status_code=302)

    async def give_token(self, request: Request) -> Response:
        given = dict(parse_qsl((await request.body()).decode()))
        asked = self.codes.pop(given.get("code", ""), None)
        kept = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        is_right = asked is not None and (
            base64.urlsafe_b64encode(kept).rstrip(b"=").decode() == asked["code_challenge"]
            and given["redirect_uri"] == asked["redirect_uri"]
            and request.headers["authorization"] == "Basic " + base64.b64encode(b"runway:secret").decode()
        )
        if asked is None or not is_right:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(self.clock.now().timestamp())
        claims = {"iss": self.address, "aud": "runway", "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        key = self.signing_key or self.key
        signed = jwt.encode({"alg": "RS256", "kid": key.kid}, claims | self.account | self.lie, key)
        return JSONResponse({"access_token": "unused", "token_type": "Bearer", "id_token": signed})


@pytest.fixture
async def service(firm: Firm) -> AsyncIterator[PaperService]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()  # who comes before the server is ready waits for it
    paper = PaperService(f"http://127.0.0.1:{listener.getsockname()[1]}", firm.clock)
    server = uvicorn.Server(uvicorn.Config(paper.app(), log_config=None, lifespan="off", ws="none"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield paper
    server.should_exit = True
    await serving
    listener.close()


@pytest.fixture
async def app(firm: Firm, service: PaperService) -> FastAPI:
    await add_owner(firm.runway)
    known = OidcSettings("Firm login", service.address, "runway", SecretStr("secret"), f"http://localhost:8000{BACK}")
    return create_app(firm.runway, manages_runway=False, sign_in_service=SignInService(known))


async def go_there_and_back(browser: httpx.AsyncClient, *, following: str = "/health") -> httpx.Response:
    """What a browser does: to the service, and back with what it says."""
    sent = await browser.get(f"/sign-in/with?{urlencode({'next': following})}")
    async with httpx.AsyncClient() as outside:
        returned = await outside.get(sent.headers["location"])
    back = urlsplit(returned.headers["location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == f"http://localhost:8000{BACK}"
    return await browser.get(f"{back.path}?{back.query}")


async def acts(firm: Firm) -> list[str]:
    log = firm.runway.scope.store.log
    return [entry.draft.what async for entry in log.entries(firm_chain(firm.runway.scope.firm_id))]


async def test_a_person_whom_the_service_names_is_let_in_and_known_by_its_name_for_them(
    app: FastAPI, firm: Firm, service: PaperService
) -> None:
    async with client_of(app) as browser:
        button = await browser.get("/sign-in")
        done = await go_there_and_back(browser)
        inside = await browser.get("/account")
    service.account["email"] = "ada@married.example"
    async with client_of(app) as browser:
        later = await go_there_and_back(browser)

    assert "Sign in with Firm login" in button.text
    assert (done.status_code, done.headers["location"], inside.status_code) == (303, "/health", 200)
    assert later.headers["location"] == "/health"
    assert (await acts(firm)).count("sign_in_service_linked") == 1


@pytest.mark.parametrize(
    "lie",
    [
        {"iss": "https://evil.example"},
        {"aud": "another-app"},
        {"aud": ["runway", "another-app"]},
        {"nonce": "of another browser"},
        {"exp": 1},
        {"iat": "soon"},
        {"sub": None},
        {"email": "bo@elsewhere.example"},
        {"email_verified": False},
        {"email_verified": "true"},
    ],
    ids=lambda lie: "-".join(f"{name}={value}" for name, value in lie.items()),
)
async def test_an_answer_that_does_not_hold_lets_nobody_in(
    app: FastAPI, service: PaperService, lie: dict[str, Any]
) -> None:
    service.lie = lie
    async with client_of(app) as browser:
        refused = await go_there_and_back(browser)
        inside = await browser.get("/account")

    assert refused.status_code == 401
    assert inside.status_code == 303


async def test_a_signature_of_another_key_lets_nobody_in(app: FastAPI, service: PaperService) -> None:
    service.signing_key = RSAKey.generate_key(2048, {"kid": "one"})
    async with client_of(app) as browser:
        assert (await go_there_and_back(browser)).status_code == 401


async def test_a_service_may_change_its_keys(app: FastAPI, firm: Firm, service: PaperService) -> None:
    async with client_of(app) as browser:
        await go_there_and_back(browser)
    service.key = RSAKey.generate_key(2048, {"kid": "two"})
    async with client_of(app) as browser:
        assert (await go_there_and_back(browser)).status_code == 303


async def test_an_answer_of_another_browser_or_a_second_time_lets_nobody_in(app: FastAPI) -> None:
    async with client_of(app) as mine, client_of(app) as other, httpx.AsyncClient() as outside:
        sent = await mine.get("/sign-in/with")
        back = urlsplit((await outside.get(sent.headers["location"])).headers["location"])
        await other.get("/sign-in/with")
        planted = await other.get(f"{back.path}?{back.query}")
        first = await mine.get(f"{back.path}?{back.query}")
        again = await mine.get(f"{back.path}?{back.query}")
        state = parse_qs(back.query)["state"][0]
        bare = await mine.get(f"{back.path}?state={state}")

    assert [answer.status_code for answer in (planted, first, again, bare)] == [401, 303, 401, 401]


async def test_whoever_is_disabled_or_unknown_is_not_let_in(app: FastAPI, firm: Firm, service: PaperService) -> None:
    service.account = {"sub": "43", "email": "eve@firm.example", "email_verified": True}
    async with client_of(app) as browser:
        unknown = await go_there_and_back(browser)

    assert unknown.status_code == 401
    assert [person.person_id for person in await firm.runway.people.list()] == ["ada"]


async def test_an_account_that_took_over_an_address_is_not_let_in(app: FastAPI, service: PaperService) -> None:
    async with client_of(app) as browser:
        await go_there_and_back(browser)
    service.account["sub"] = "43"
    async with client_of(app) as browser:
        assert (await go_there_and_back(browser)).status_code == 401


async def test_a_service_that_does_not_answer_is_named(firm: Firm) -> None:
    await add_owner(firm.runway)
    known = OidcSettings("Firm login", "http://127.0.0.1:9", "runway", SecretStr("s"), f"http://localhost:8000{BACK}")
    app = create_app(firm.runway, manages_runway=False, sign_in_service=SignInService(known))
    async with client_of(app) as browser:
        answer = await browser.get("/sign-in/with")

    assert answer.status_code == 401
    assert "Firm login does not answer" in answer.text


def test_a_service_without_https_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="https"):
        OidcSettings("x", "http://login.example", "id", SecretStr("s"), f"https://runway.example{BACK}")
