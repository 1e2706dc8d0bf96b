"""Connecting by consent (RFC 6749, 4.1): print an address, wait here for the code, exchange it for tokens."""

import asyncio
import html
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
from pydantic import SecretStr
from runway_core.errors import InvalidRequest, RailMisconfigured, RailUnavailable

from runway_app_http.serving import bind_address
from runway_app_http.settings import LOOPBACK

LARGEST_REQUEST = 16 * 1024
ANSWER_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Consent:
    """Where consent is asked and codes are exchanged, and with which of the app's keys."""

    rail: str
    authorize_url: str
    token_url: str
    scope: str
    client_id: str
    client_secret: SecretStr
    redirect_uri: str

    def address(self, state: str) -> str:
        """The page on which a person allows the access."""
        query = {
            "client_id": self.client_id,
            "response_type": "code",
            "scope": self.scope,
            "redirect_uri": self.redirect_uri,
            "state": state,
        }
        joint = "&" if "?" in self.authorize_url else "?"
        return f"{self.authorize_url}{joint}{urlencode(query)}"


class Callback:
    """A small server on this machine that waits for one browser to come back with a code."""

    def __init__(self, redirect_uri: str) -> None:
        """Take the address, so that a port in use is known before anybody signs in.

        Raises:
            InvalidRequest: the address is not one of this machine, or its port is in use.
        """
        parts = urlsplit(redirect_uri)
        if parts.scheme != "http" or parts.hostname not in LOOPBACK:
            raise InvalidRequest(
                f"the redirect address {redirect_uri!r} is not on this machine: use http://localhost:PORT/… here, or "
                "connect from the served app"
            )
        self._path = parts.path or "/"
        self._listener = bind_address("127.0.0.1", parts.port or 80)
        self.state = secrets.token_urlsafe(24)
        self._came: asyncio.Future[Mapping[str, str]] | None = None

    async def wait(self, *, seconds: float) -> Mapping[str, str]:
        """The members that the browser brought, once one came with our state.

        Raises:
            InvalidRequest: nobody came in time.
        """
        self._came = asyncio.get_running_loop().create_future()
        server = await asyncio.start_server(self._serve, sock=self._listener, limit=LARGEST_REQUEST)
        try:
            return await asyncio.wait_for(self._came, seconds)
        except TimeoutError as error:
            raise InvalidRequest(f"nobody allowed the access within {seconds:.0f} seconds: begin again") from error
        finally:
            server.close()

    def close(self) -> None:
        """Let go of the address. Repeating is harmless."""
        self._listener.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
            status, said = self._answer(head.split(b"\r\n", 1)[0].decode("latin-1"))
            body = f"<!doctype html><meta charset=utf-8><title>Runway</title><p>{html.escape(said)}</p>".encode()
            writer.write(
                f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
                "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n".encode()
                + body
            )
            await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a visitor that is no browser: wait for the next
        finally:
            writer.close()

    def _answer(self, request_line: str) -> tuple[str, str]:
        assert self._came is not None
        method, _, rest = request_line.partition(" ")
        target = urlsplit(rest.rpartition(" ")[0])
        if method != "GET" or target.path != self._path:
            return "404 Not Found", "Nothing is here."
        brought = dict(parse_qsl(target.query))
        if not secrets.compare_digest(brought.get("state", ""), self.state):
            return "400 Bad Request", "This answer belongs to another request. Begin again."
        if not self._came.done():
            self._came.set_result(brought)
        if "code" not in brought:
            return "200 OK", "The access was not allowed. You may close this page."
        return "200 OK", "Runway has the answer. You may close this page and go back to the terminal."


async def exchange_code(consent: Consent, code: str) -> dict[str, SecretStr]:
    """Exchange a code for the secrets of a connection. A code works once.

    Raises:
        RailUnavailable: the token address does not answer.
        RailMisconfigured: it knows neither the app's keys nor the code.
    """
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": consent.redirect_uri}
    told = await _ask(consent, form)
    access, refresh = told.get("access_token"), told.get("refresh_token")
    if not isinstance(access, str) or not isinstance(refresh, str):
        raise _refused(consent, told, "the code")
    return {
        "client_id": SecretStr(consent.client_id),
        "client_secret": consent.client_secret,
        "access_token": SecretStr(access),
        "refresh_token": SecretStr(refresh),
    }


async def _ask(consent: Consent, form: Mapping[str, str]) -> dict[str, Any]:
    keys = httpx.BasicAuth(consent.client_id, consent.client_secret.get_secret_value())
    try:
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS) as client:
            answer = await client.post(
                consent.token_url, data=dict(form), auth=keys, headers={"accept": "application/json"}
            )
    except httpx.HTTPError as error:
        raise RailUnavailable(
            f"{consent.rail}: sign-in did not answer ({type(error).__name__}): try again", rail=consent.rail
        ) from error
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise RailUnavailable(f"{consent.rail}: sign-in answered {answer.status_code}: try again", rail=consent.rail)
    return _read_object(answer)


def _refused(consent: Consent, told: Mapping[str, Any], what: str) -> RailMisconfigured:
    refusal = str(told.get("error") or "no reason given")
    return RailMisconfigured(
        f"{consent.rail}: sign-in refused {what} ({refusal}): check client id, client secret and environment",
        rail=consent.rail,
        provider_code=refusal,
    )


def _read_object(answer: httpx.Response) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


async def check_keys(consent: Consent) -> None:
    """Prove the app's keys without touching a company: a made-up token is refused for itself, not for the keys.

    Raises:
        RailUnavailable: the token address does not answer.
        RailMisconfigured: it does not know the keys.
    """
    form = {"grant_type": "refresh_token", "refresh_token": f"made-up-{secrets.token_hex(8)}"}
    told = await _ask(consent, form)
    if told.get("error") not in {"invalid_grant", "invalid_request"}:
        raise _refused(consent, told, "the app's keys")
