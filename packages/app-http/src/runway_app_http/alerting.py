"""Alerts told to the outside: by a signed POST to an address of the firm's choosing, and by mail."""

import asyncio
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

import httpx
import msgspec
from pydantic import SecretStr
from runway_core.domain.alerts import Alert
from runway_core.errors import InvalidRequest, OutcomeUnknown, RailRefused
from runway_core.ports.clock import Clock

from runway_app_http.mailer import Letter, Mailer
from runway_app_http.outward import OutwardDoor, Resolve, read_address, resolve_host

SIGNATURE_HEADER = "runway-signature"
TIMEOUT_SECONDS = 10
MAIL_SECONDS = 60
"""A mail is several exchanges; still within the time for which alerts are taken (`claim_untold`)."""


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
        self._url = read_address(url.get_secret_value(), named="RUNWAY_ALERT_WEBHOOK_URL", allow_private=allow_private)
        if not secret.get_secret_value():
            raise InvalidRequest(
                "RUNWAY_ALERT_WEBHOOK_SECRET is needed with RUNWAY_ALERT_WEBHOOK_URL: alerts are signed"
            )
        self._secret = secret
        self._clock = clock
        self._door = OutwardDoor(
            "the receiver of alerts",
            setting="RUNWAY_ALERT_ALLOW_PRIVATE",
            rail="alerts",
            allow_private=allow_private,
            seconds=timeout_seconds,
            resolve=resolve,
            transport=transport,
        )

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
        body = msgspec.json.encode({"alerts": [_plain(alert) for alert in alerts]})
        answer = await self._door.post(self._url, body, self._sign(body))
        if not 200 <= answer.status < 300:
            raise RailRefused(f"the receiver of alerts at {self._url.host} answered {answer.status}", rail="alerts")

    def _sign(self, body: bytes) -> dict[str, str]:
        at = str(int(self._clock.now().timestamp()))
        code = hmac.new(self._secret.get_secret_value().encode(), f"{at}.".encode() + body, hashlib.sha256)
        return {SIGNATURE_HEADER: f"t={at},v1={code.hexdigest()}"}


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
