"""Alerts told to the outside: by a signed POST to an address of the firm's choosing, and by mail.

The address is a person's word, so it is not trusted: https only, every address that its name leads to must be a public
one, and the connection goes to the address that was looked at, whatever the name says a moment later.
"""

import asyncio
import hashlib
import hmac
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import httpx
import msgspec
from pydantic import SecretStr
from runway_core.domain.alerts import Alert
from runway_core.errors import InvalidRequest, OutcomeUnknown, RailRefused, RailUnavailable
from runway_core.ports.clock import Clock

from runway_app_http.mailer import Letter, Mailer

SIGNATURE_HEADER = "runway-signature"
TIMEOUT_SECONDS = 10
MAIL_SECONDS = 60
"""A mail is several exchanges; still within the time for which alerts are taken (`claim_untold`)."""
LARGEST_ANSWER_BYTES = 64 * 1024

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses that a host's name leads to."""


async def resolve_host(host: str, port: int) -> Sequence[str]:
    """Ask the machine's resolver.

    Raises:
        OSError: the name leads nowhere.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class WebhookTeller:
    """Sends alerts to one address, signed with a secret that both sides know, within `TIMEOUT_SECONDS` in all.

    Args:
        url: where to; https, unless `allow_private`.
        secret: the body is signed with it, as the time and the body with a dot between.
        allow_private: whether plain http and addresses of private networks may be used; for a receiver beside the app.
    """

    def __init__(
        self,
        url: SecretStr,
        secret: SecretStr,
        *,
        clock: Clock,
        allow_private: bool = False,
        resolve: Resolve = resolve_host,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._url = _read_address(url, allow_private=allow_private)
        if not secret.get_secret_value():
            raise InvalidRequest(
                "RUNWAY_ALERT_WEBHOOK_SECRET is needed with RUNWAY_ALERT_WEBHOOK_URL: alerts are signed"
            )
        self._secret = secret
        self._clock = clock
        self._allow_private = allow_private
        self._resolve = resolve
        self._transport = transport
        self._timeout_seconds = timeout_seconds

    @property
    def name(self) -> str:
        """What tells it from other tellers."""
        return "webhook"

    async def tell(self, alerts: Sequence[Alert]) -> None:
        """Send these in one body.

        Raises:
            RailRefused: the address is not public, or the receiver said no.
            RailUnavailable: it did not answer in time.
        """
        try:
            async with asyncio.timeout(self._timeout_seconds):  # of a send as a whole: a slow drip never times out
                await self._send(alerts)
        except TimeoutError as error:
            raise RailUnavailable(f"the receiver of alerts at {self._url.host} was too slow", rail="alerts") from error

    async def _send(self, alerts: Sequence[Alert]) -> None:
        body = msgspec.json.encode({"alerts": [_plain(alert) for alert in alerts]})
        host = self._url.host
        address = await self._find_address(host, self._url.port or (443 if self._url.scheme == "https" else 80))
        # The connection goes to the address that was looked at; the certificate is still asked for the name.
        request = httpx.Request(
            "POST",
            self._url.copy_with(host=address),
            content=body,
            headers={"host": self._url.netloc.decode(), "content-type": "application/json", **self._sign(body)},
            extensions={"sni_hostname": host, "timeout": httpx.Timeout(TIMEOUT_SECONDS).as_dict()},
        )
        transport = self._transport or httpx.AsyncHTTPTransport(retries=0)  # no proxies, no redirects, no cookies
        try:
            status = await _send(transport, request)
        except (httpx.HTTPError, OSError) as error:
            raise RailUnavailable(f"the receiver of alerts at {host} gave no answer", rail="alerts") from error
        finally:
            if self._transport is None:
                await transport.aclose()
        if not 200 <= status < 300:
            raise RailRefused(f"the receiver of alerts at {host} answered {status}", rail="alerts")

    def _sign(self, body: bytes) -> dict[str, str]:
        at = str(int(self._clock.now().timestamp()))
        code = hmac.new(self._secret.get_secret_value().encode(), f"{at}.".encode() + body, hashlib.sha256)
        return {SIGNATURE_HEADER: f"t={at},v1={code.hexdigest()}"}

    async def _find_address(self, host: str, port: int) -> str:
        try:
            found = await self._resolve(host, port)
        except OSError as error:
            raise RailUnavailable(f"the receiver of alerts at {host} was not found", rail="alerts") from error
        if not found:
            raise RailUnavailable(f"the receiver of alerts at {host} was not found", rail="alerts")
        if not self._allow_private and not all(_is_public(address) for address in found):
            raise RailRefused(
                f"the receiver of alerts at {host} lies in a private network; RUNWAY_ALERT_ALLOW_PRIVATE allows it",
                rail="alerts",
            )
        return found[0]


class MailTeller:
    """Mails alerts, one message for all that changed together."""

    name = "mail"

    def __init__(self, mailer: Mailer, to: Sequence[str], *, clock: Clock) -> None:
        self._mailer = mailer
        self._to = tuple(to)
        self._clock = clock

    async def tell(self, alerts: Sequence[Alert]) -> None:
        """Send these in one message.

        Raises:
            RailRefused: the mail server did not take it.
            OutcomeUnknown: no answer; it may have been sent.
        """
        letter = write_alert_letter(alerts, to=self._to, at=self._clock.now())
        try:
            async with asyncio.timeout(MAIL_SECONDS):
                await self._mailer.send(letter)
        except TimeoutError as error:
            raise OutcomeUnknown("the mail server was too slow; it may have sent the alerts", rail="mail") from error


def write_alert_letter(alerts: Sequence[Alert], *, to: Sequence[str], at: datetime) -> Letter:
    """The message about alerts that changed together, in plain text. The same changes are always the same message."""
    began = [alert for alert in alerts if alert.resolved_at is None]
    over = [alert for alert in alerts if alert.resolved_at is not None]
    more = f" and {len(alerts) - 1} more" if len(alerts) > 1 else ""
    lines = [f"{alert.severity.value.upper()}: {alert.summary} (docs/{alert.runbook})" for alert in began]
    lines += [f"over: {alert.summary}" for alert in over]
    changes = msgspec.json.encode([(alert.key, alert.raised_at, alert.resolved_at) for alert in alerts])
    return Letter(
        paper_id=f"alert-{hashlib.sha256(changes).hexdigest()[:24]}",
        subject=f"Runway: {'' if began else 'over: '}{(began or over)[0].kind.value}{more}",
        text="\n".join(lines) + "\n",
        html=None,
        sent_to=tuple(to),
        sent_at=at,
    )


def _read_address(url: SecretStr, *, allow_private: bool) -> httpx.URL:
    try:
        parsed = httpx.URL(url.get_secret_value())
    except httpx.InvalidURL as error:
        raise InvalidRequest("RUNWAY_ALERT_WEBHOOK_URL is no web address") from error
    allowed = {"https", "http"} if allow_private else {"https"}
    if parsed.scheme not in allowed or not parsed.host or parsed.userinfo:
        raise InvalidRequest(
            "RUNWAY_ALERT_WEBHOOK_URL must be an https address without a user, such as https://ops.example/hook"
        )
    return parsed


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found.is_global and not found.is_multicast


async def _send(transport: httpx.AsyncBaseTransport, request: httpx.Request) -> int:
    response = await transport.handle_async_request(request)
    try:
        taken = 0
        async for part in response.stream:  # type: ignore[union-attr]  # an async transport answers with an async stream
            taken += len(part)
            if taken > LARGEST_ANSWER_BYTES:
                break
    finally:
        await response.aclose()
    return response.status_code


def _plain(alert: Alert) -> dict[str, object]:
    return {
        "key": alert.key,
        "kind": alert.kind.value,
        "severity": alert.severity.value,
        "state": "raised" if alert.resolved_at is None else "resolved",
        "summary": alert.summary,
        "company_id": alert.company_id,
        "rail": alert.rail,
        "raised_at": alert.raised_at,
        "resolved_at": alert.resolved_at,
        "runbook": alert.runbook,
    }
