"""Webhooks out over real connections: a receiver sees what Standard Webhooks promises, and nobody else is met."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from runway_app_http.announcer import HttpAnnouncer, make_announcer, read_retry_after, sign, write_body
from runway_app_http.outward import OutwardDoor, is_public
from runway_core.domain.identity import DEFAULT_FIRM, CompanyId
from runway_core.domain.subscriptions import EVENT_TYPES, DeliveryState, EventType, SigningSecret, WebhookDelivery
from runway_core.errors import InvalidRequest
from runway_core.runway import Runway
from runway_store_sql import SqlStore
from runway_testkit.store_desk import START, StoreDesk
from runway_testkit.subscriptions_contract import SECRET, find_red
from standardwebhooks import Webhook, WebhookVerificationError

from tests.app.webhook_receiver import Receiver

BASE = "https://runway.example"


def make_delivery(kind: EventType = EventType.FINDING_OPENED, **values: Any) -> WebhookDelivery:
    delivery = WebhookDelivery(
        subscription_id="wh_1",
        event_id="evt_1",
        firm_id=DEFAULT_FIRM,
        event_type=kind,
        company_id=CompanyId("acme"),
        occurred_at=START,
        data={"finding_id": "f1", "decision_id": "d/1", "digest_id": "g1"},
    )
    return delivery.model_copy(update=values)


def announcer_to(*addresses: str, transport: httpx.AsyncBaseTransport, asked: list[str] | None = None) -> HttpAnnouncer:
    """One whose names lead to these addresses, and to loopback once they were asked for."""
    names = [] if asked is None else asked

    async def resolve(host: str, port: int) -> Sequence[str]:
        names.append(host)
        return addresses if len(names) == 1 else ["127.0.0.1"]

    door = OutwardDoor(
        "the receiver",
        setting="X",
        rail="webhooks",
        allow_private=False,
        seconds=1,
        resolve=resolve,
        transport=transport,
    )
    return HttpAnnouncer(door, base=BASE)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver().open() as receiver:
        yield receiver


async def attempt_at(url: str, *, allow_private: bool = True) -> Any:
    announcer = make_announcer(base=BASE, allow_private=allow_private)
    return await announcer.announce(url, make_delivery(), secrets=[SECRET], now=datetime.now(UTC))


async def test_a_receiver_proves_our_deliveries_with_the_standards_own_library(
    receiver: Receiver, tmp_path: Path
) -> None:
    """From the event in the books to the receiver, over a real store and a real connection, also while keys change."""
    store = SqlStore(f"sqlite:///{tmp_path / 'books.db'}")
    announcer = make_announcer(base=BASE, allow_private=True)
    async with Runway.open(store=store, rails=[], announcer=announcer) as runway:
        added, old = await runway.subscriptions.add(receiver.url, actor="ann")
        _, new = await runway.subscriptions.rotate(added.subscription_id, actor="ann")
        desk = await StoreDesk(store, firm=DEFAULT_FIRM).open()
        await find_red(desk)
        await runway.deliveries.plan()
        for claim in await store.jobs.claim(worker="w", now=datetime.now(UTC), limit=9, lease_seconds=60):
            await runway.deliveries.deliver(claim.job, lambda: None)
        kept = await runway.subscriptions.deliveries(added.subscription_id)
    said = [Webhook(new.get_secret_value()).verify(body, headers) for headers, body in receiver.posts]
    for headers, body in receiver.posts:
        assert Webhook(old.get_secret_value()).verify(body, headers)
        with pytest.raises(WebhookVerificationError):
            Webhook("whsec_" + "A" * 44).verify(body, headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(new.get_secret_value()).verify(body + b" ", headers)
    opened = next(one for one in said if one["type"] == "finding.opened")

    assert {headers["webhook-id"] for headers, _ in receiver.posts} == {one.event_id for one in kept}
    assert {one.state for one in kept} == {DeliveryState.DELIVERED}
    assert opened["data"]["company_id"] == desk.id
    assert opened["data"]["link"] == f"{BASE}/v1/companies/{desk.id}/tray"
    assert set(opened) == {"type", "timestamp", "data"}


async def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    async with Receiver().open() as inner:
        receiver.answer = f"HTTP/1.1 302 Found\r\nlocation: {inner.url}\r\ncontent-length: 0\r\n\r\n".encode()
        attempt = await attempt_at(receiver.url)

        assert (attempt.status, attempt.is_accepted) == (302, False)
        assert "not followed" in attempt.error
        assert (len(receiver.posts), len(inner.posts)) == (1, 0)


async def test_a_private_address_is_told_nothing_unless_that_is_allowed(receiver: Receiver) -> None:
    https = receiver.url.replace("http:", "https:")
    refused = await attempt_at(https, allow_private=False)
    plain = await attempt_at(receiver.url, allow_private=False)
    allowed = await attempt_at(receiver.url)

    assert (refused.status, "private network" in refused.error) == (None, True)
    assert (plain.status, "must be an https address" in plain.error) == (None, True)
    assert allowed.is_accepted
    assert len(receiver.posts) == 1


async def test_a_name_that_changes_its_mind_is_met_at_the_address_that_was_looked_at() -> None:
    requests: list[httpx.Request] = []
    asked: list[str] = []

    def reply(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200)

    announcer = announcer_to("93.184.216.34", transport=httpx.MockTransport(reply), asked=asked)
    await announcer.announce("https://hooks.example/a", make_delivery(), secrets=[SECRET], now=START)

    assert [request.url.host for request in requests] == ["93.184.216.34"]
    assert asked == ["hooks.example"]


@pytest.mark.parametrize(
    ("address", "is_ours"),
    [
        ("93.184.216.34", True), ("2606:2800:220:1::1", True), ("::ffff:93.184.216.34", True),
        ("169.254.169.254", False), ("fd00:ec2::254", False), ("::ffff:169.254.169.254", False),
        ("64:ff9b::a9fe:a9fe", False), ("2002:7f00:1::", False), ("2001:0:1234::1", False), ("fe80::1%eth0", False),
    ],
)  # fmt: skip
def test_an_address_is_public_only_where_it_leads_nowhere_else(address: str, is_ours: bool) -> None:
    assert is_public(address) is is_ours


async def test_an_answer_without_end_is_cut_off_and_what_it_said_counts(receiver: Receiver) -> None:
    receiver.answer, receiver.goes_on = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", True
    attempt = await attempt_at(receiver.url)

    assert attempt.is_accepted


async def test_a_receiver_that_never_answers_is_given_up_in_time() -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    door = OutwardDoor("the receiver", setting="X", rail="webhooks", allow_private=True, seconds=0.2)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        attempt = await HttpAnnouncer(door, base=BASE, allow_private=True).announce(
            url, make_delivery(), secrets=[SECRET], now=START
        )

    assert (attempt.status, attempt.error) == (None, "the receiver at 127.0.0.1 was too slow")


async def test_what_a_receiver_asks_for_is_heard(receiver: Receiver) -> None:
    receiver.answer = b"HTTP/1.1 429 Too Many\r\nretry-after: 120\r\ncontent-length: 0\r\n\r\n"
    attempt = await attempt_at(receiver.url)

    assert (attempt.status, attempt.retry_after) == (429, timedelta(minutes=2))
    assert read_retry_after("Mon, 02 Mar 2026 15:30:00 GMT", now=START) == timedelta(minutes=30)
    assert read_retry_after("Mon, 02 Mar 2020 15:30:00 GMT", now=START) == timedelta(0)
    assert read_retry_after("whenever", now=START) is None
    assert read_retry_after("9" * 400, now=START) == timedelta(seconds=10**8)


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_every_event_has_a_thin_body_with_a_link_that_the_api_knows(kind: EventType) -> None:
    body = write_body(make_delivery(kind), base=BASE).decode()
    again = write_body(make_delivery(kind, attempts=3), base=BASE).decode()

    assert f'"type":"{kind.value}","timestamp":"2026-03-02T15:00:00.000000Z"' in body
    assert f'"link":"{BASE}/v1/' in body
    assert body == again
    assert len(body) < 400


def test_a_firms_own_digest_links_to_the_firms_page() -> None:
    body = write_body(make_delivery(EventType.DIGEST_SENT, company_id=None), base=BASE).decode()

    assert f'"company_id":null,"finding_id":"f1","decision_id":"d/1","digest_id":"g1","link":"{BASE}/v1/digest"' in body


def test_the_signature_is_that_of_the_standards_own_example() -> None:
    """From the specification's repository: secret, id, time and body with the signature that they give."""
    secret = SigningSecret.model_validate({"secret": "whsec_plJ3nmyCDGBKInavdOK15jsl"}, strict=False)
    body = b'{"event_type":"ping","data":{"success":true}}'
    at = datetime.fromtimestamp(1731705121, UTC)
    headers = sign("msg_loFOjxBNrRLzqYUf", body, secrets=[secret.secret], at=at)

    assert headers == {
        "webhook-id": "msg_loFOjxBNrRLzqYUf",
        "webhook-timestamp": "1731705121",
        "webhook-signature": "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
    }


@pytest.mark.parametrize("url", ["http://a.example/", "ftp://a.example/", "https://me:pw@a.example/", "nonsense", ""])
def test_only_an_https_address_without_a_user_is_taken(url: str) -> None:
    with pytest.raises(InvalidRequest, match="https address"):
        make_announcer(base=BASE, allow_private=False).check_address(url)
