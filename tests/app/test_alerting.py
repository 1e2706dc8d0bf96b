"""Alerts told to the outside: signed, to public addresses only, and to the address that was looked at."""

import asyncio
import contextlib
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import timedelta

import httpx
import pytest
from pydantic import SecretStr
from runway_app_http.alerting import MailTeller, WebhookTeller, write_alert_letter
from runway_app_http.container import make_alert_tellers
from runway_app_http.mailer import Letter
from runway_app_http.settings import AppSettings
from runway_core.domain.alerts import Alert, AlertKind, Severity
from runway_core.errors import InvalidRequest, RailRefused, RailUnavailable
from runway_testkit.clock import FixedClock
from runway_testkit.store_desk import START

SECRET = SecretStr("between us two")
SILENT = Alert(
    key="rail:qbo",
    kind=AlertKind.RAIL_SILENT,
    severity=Severity.TICKET,
    summary="qbo gives no answer",
    rail="qbo",
    raised_at=START,
)
OVER = SILENT.model_copy(update={"resolved_at": START + timedelta(minutes=9)})
URL = SecretStr("https://ops.example/hook?team=1")


class Receiver:
    """The other side, and the resolver that leads to it."""

    def __init__(self, *addresses: str, status: int = 204) -> None:
        self.addresses = addresses
        self.status = status
        self.requests: list[httpx.Request] = []

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        if not self.addresses:
            raise OSError("no such name")
        return self.addresses

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(self.status, headers={"location": "http://169.254.169.254/"})

    def teller(self, url: SecretStr = URL, *, allow_private: bool = False) -> WebhookTeller:
        return WebhookTeller(
            url,
            SECRET,
            clock=FixedClock(START),
            allow_private=allow_private,
            resolve=self.resolve,
            transport=httpx.MockTransport(self.answer),
        )


async def test_an_alert_goes_to_the_address_that_was_looked_at_under_the_receivers_name() -> None:
    receiver = Receiver("93.184.216.34")
    await receiver.teller().tell([SILENT, OVER])
    (request,) = receiver.requests
    body = json.loads(request.content)

    assert str(request.url) == "https://93.184.216.34/hook?team=1"
    assert request.headers["host"] == "ops.example"
    assert request.extensions["sni_hostname"] == "ops.example"
    assert [(one["key"], one["state"], one["runbook"]) for one in body["alerts"]] == [
        ("rail:qbo", "raised", "howto/alerts.md#rail-silent"),
        ("rail:qbo", "resolved", "howto/alerts.md#rail-silent"),
    ]


async def test_the_receiver_can_tell_that_it_is_from_us() -> None:
    receiver = Receiver("93.184.216.34")
    await receiver.teller().tell([SILENT])
    (request,) = receiver.requests
    at, code = (part.partition("=")[2] for part in request.headers["runway-signature"].split(","))
    expected = hmac.new(b"between us two", f"{at}.".encode() + request.content, hashlib.sha256).hexdigest()

    assert (int(at), code) == (int(START.timestamp()), expected)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "::1", "fe80::1%eth0", "fc00::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1",
    ],
)  # fmt: skip
async def test_a_name_that_leads_into_a_private_network_gets_nothing(address: str) -> None:
    """One public address beside it does not help: which of them is taken would be the name's choice."""
    receiver = Receiver("93.184.216.34", address)
    with pytest.raises(RailRefused, match="private network"):
        await receiver.teller().tell([SILENT])

    assert receiver.requests == []


@pytest.mark.parametrize(
    "url", ["http://ops.example/hook", "ftp://ops.example/", "https://me:secret@ops.example/", "https://", "nonsense"]
)
def test_only_an_https_address_without_a_user_will_do(url: str) -> None:
    with pytest.raises(InvalidRequest, match="https address"):
        Receiver().teller(SecretStr(url))


async def test_a_redirect_is_not_followed_and_counts_as_no() -> None:
    receiver = Receiver("93.184.216.34", status=302)
    with pytest.raises(RailRefused, match="answered 302"):
        await receiver.teller().tell([SILENT])

    assert len(receiver.requests) == 1


async def test_a_receiver_that_cannot_be_found_is_tried_again_later() -> None:
    with pytest.raises(RailUnavailable, match="was not found"):
        await Receiver().teller().tell([SILENT])


async def test_a_receiver_beside_the_app_may_be_allowed() -> None:
    """Over a real connection: the answer of a small server on loopback."""
    heard = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        heard.set_result(head.decode())
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    url = SecretStr(f"http://localhost:{port}/hook")
    teller = WebhookTeller(url, SECRET, clock=FixedClock(START), allow_private=True)
    async with server:
        await teller.tell([SILENT])
        head = await heard

    assert head.startswith("POST /hook HTTP/1.1")
    assert f"host: localhost:{port}" in head.lower()


async def test_a_receiver_that_drips_its_answer_is_given_up() -> None:
    """Each part comes in time for a timeout of reading, and the whole never ends."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        has_left = False
        while not has_left:
            writer.write(b"1\r\nx\r\n")
            with contextlib.suppress(TimeoutError):  # the caller says nothing more for a while, or leaves
                has_left = not await asyncio.wait_for(reader.read(65536), timeout=0.02)
        writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    url = SecretStr(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook")
    teller = WebhookTeller(url, SECRET, clock=FixedClock(START), allow_private=True, timeout_seconds=0.2)
    async with server:
        with pytest.raises(RailUnavailable, match="too slow"):
            await asyncio.wait_for(teller.tell([SILENT]), timeout=5)


class Box:
    """A mail server's memory."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []

    async def send(self, letter: Letter) -> None:
        self.letters.append(letter)


async def test_alerts_that_changed_together_are_one_letter_and_the_same_one_when_repeated() -> None:
    box = Box()
    for at in (START, START + timedelta(minutes=2)):
        await MailTeller(box, ["ada@firm.example"], clock=FixedClock(at)).tell([SILENT, OVER])
    first, second = box.letters

    assert first.subject == "Runway: rail-silent and 1 more"
    assert first.text.splitlines() == [
        "TICKET: qbo gives no answer (docs/howto/alerts.md#rail-silent)",
        "over: qbo gives no answer",
    ]
    assert first.paper_id == second.paper_id
    assert write_alert_letter([OVER], to=[], at=START).subject == "Runway: over: rail-silent"


def test_settings_that_could_tell_nobody_are_refused() -> None:
    clock = FixedClock(START)
    with pytest.raises(InvalidRequest, match="RUNWAY_ALERT_WEBHOOK_SECRET"):
        make_alert_tellers(AppSettings(alert_webhook_url=URL), clock)
    with pytest.raises(InvalidRequest, match="RUNWAY_SMTP_URL"):
        make_alert_tellers(AppSettings(alert_mail_to=("ada@firm.example",)), clock)

    assert make_alert_tellers(AppSettings(), clock) == []
