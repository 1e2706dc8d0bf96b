"""What rails send: proved, kept, and only then acknowledged; whatever else comes to that door leaves no trace."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from runway_app_http.middleware import LARGEST_WEBHOOK
from runway_app_http.web import create_app
from runway_core.domain.webhooks import InboxDelivery
from runway_core.errors import StoreUnavailable
from runway_core.ports.ledger_rail import RailFactory
from runway_core.ports.store import Store
from runway_core.runway import Runway
from runway_rail_sample.rail import SampleRailFactory
from runway_store_sql import SqlStore
from runway_testkit.clock import FixedClock
from runway_testkit.memory_inbox import MemoryInbox
from runway_testkit.memory_rail import MemoryLedger, MemoryRailFactory
from runway_testkit.memory_state import States
from runway_testkit.memory_store import MemoryStore
from runway_testkit.memory_webhooks import sign_webhook, write_webhook
from runway_testkit.sample import READ_AT

SECRET, OLD_SECRET = "verifier of today", "verifier of yesterday"
DOOR = "/webhooks/memory"


class FullInbox(MemoryInbox):
    """An inbox on a disk without space."""

    async def accept(self, delivery: InboxDelivery) -> bool:
        raise StoreUnavailable("the disk is full: free some space")


class FullStore(MemoryStore):
    """A store whose inbox takes nothing more."""

    def __init__(self) -> None:
        super().__init__()
        self.inbox = FullInbox(States(), self.jobs)


@dataclass(frozen=True)
class House:
    """One firm with one connected company, its books in memory."""

    runway: Runway
    ledger: MemoryLedger


async def open_house(store: Store, stack: AsyncExitStack) -> House:
    ledger = MemoryLedger(now=READ_AT)
    rails: list[RailFactory] = [MemoryRailFactory({"sample": ledger}), SampleRailFactory()]
    runway = await stack.enter_async_context(Runway.open(store=store, rails=rails, clock=FixedClock(READ_AT)))
    company = await runway.companies.add("Sample", home_currency="USD", time_zone="UTC")
    await runway.connections.add(company.company_id, rail="memory", settings={"books": "sample"}, secrets={})
    return House(runway, ledger)


def enter_by(house: House, **secrets: list[SecretStr]) -> httpx.AsyncClient:
    app = create_app(house.runway, manages_runway=False, webhook_secrets=secrets)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://runway.test")


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        yield await open_house(MemoryStore(), stack)


@pytest.fixture
async def client(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with enter_by(house, memory=[SecretStr(SECRET), SecretStr(OLD_SECRET)]) as client:
        yield client


async def deliver(client: httpx.AsyncClient, body: bytes, *, secret: str = SECRET) -> httpx.Response:
    return await client.post(DOOR, content=body, headers=sign_webhook(body, secret))


async def kept(house: House) -> list[InboxDelivery]:
    return list(await house.runway.scope.store.inbox.unread())


async def test_a_delivery_is_kept_raw_when_it_is_acknowledged(client: httpx.AsyncClient, house: House) -> None:
    body = write_webhook("sample", ("bill", "B4"), ("invoice", "I2"))

    answer = await deliver(client, body)

    assert (answer.status_code, answer.content) == (200, b"")
    [delivery] = await kept(house)
    assert delivery.body == body
    assert [(event.account, event.kind, event.external_id) for event in delivery.events] == [
        ("sample", "bill", "B4"),
        ("sample", "invoice", "I2"),
    ]


async def test_nothing_is_read_from_the_rail_before_the_answer(client: httpx.AsyncClient, house: House) -> None:
    calls = house.ledger.calls

    await deliver(client, write_webhook("sample", ("bill", "B4")))

    assert house.ledger.calls == calls


@pytest.mark.parametrize("name", [None, "delivery-1"])
async def test_a_delivery_sent_again_is_acknowledged_and_kept_once(
    client: httpx.AsyncClient, house: House, name: str | None
) -> None:
    body = write_webhook("sample", ("bill", "B4"), name=name)

    answers = await asyncio.gather(*(deliver(client, body) for _ in range(8)))

    assert {answer.status_code for answer in answers} == {200}
    [delivery] = await kept(house)
    assert delivery.times_seen == 8


async def test_both_secrets_are_good_while_one_is_replaced(client: httpx.AsyncClient, house: House) -> None:
    bodies = {secret: write_webhook("sample", ("bill", secret[-9:])) for secret in (SECRET, OLD_SECRET)}

    answers = [await deliver(client, body, secret=secret) for secret, body in bodies.items()]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(await kept(house)) == 2


@pytest.mark.parametrize("headers", [{}, {"memory-signature": ""}, {"memory-signature": "é" * 64}])
async def test_what_is_not_signed_is_refused_without_a_reason(
    client: httpx.AsyncClient, house: House, headers: dict[str, str]
) -> None:
    raw = {name.encode(): value.encode() for name, value in headers.items()}
    answer = await client.post(DOOR, content=write_webhook("sample", ("bill", "B4")), headers=raw)

    assert answer.status_code == 401
    problem = answer.json()
    assert (problem["code"], problem["detail"]) == ("webhook-refused", "The vendor's signature is wanted.")
    assert await kept(house) == []


async def test_a_body_that_was_changed_on_the_way_is_refused(client: httpx.AsyncClient, house: House) -> None:
    body = write_webhook("sample", ("bill", "B4"))
    forged = await client.post(DOOR, content=body.replace(b"sample", b"hostil"), headers=sign_webhook(body, SECRET))
    guessed = await deliver(client, body, secret="guessed")

    assert (forged.status_code, guessed.status_code) == (401, 401)
    assert forged.json() == guessed.json() | {"instance": forged.json()["instance"]}
    assert await kept(house) == []


async def test_without_a_secret_every_delivery_is_refused(house: House) -> None:
    body = write_webhook("sample", ("bill", "B4"))
    async with enter_by(house) as client:
        answer = await client.post(DOOR, content=body, headers=sign_webhook(body, ""))

    assert answer.status_code == 401
    assert await kept(house) == []


@pytest.mark.parametrize("rail", ["nobody", "sample", "x" * 200, "%00", "..%2Fv1"])
async def test_a_rail_that_is_not_installed_or_hears_nothing_is_not_found(client: httpx.AsyncClient, rail: str) -> None:
    answer = await client.post(f"/webhooks/{rail}", content=b"{}")

    assert answer.status_code == 404


async def test_the_door_takes_nothing_but_posts(client: httpx.AsyncClient) -> None:
    assert (await client.get(DOOR)).status_code == 405


async def test_unknown_kinds_and_accounts_are_acknowledged_and_shown(client: httpx.AsyncClient, house: House) -> None:
    answers = [
        await deliver(client, write_webhook("sample", ("timesheet", "7"))),
        await deliver(client, write_webhook("never connected", ("bill", "1"))),
        await deliver(client, write_webhook("never connected", ("bill", "2"))),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    kinds = Counter(event.kind for delivery in await kept(house) for event in delivery.events)
    assert kinds == {None: 1, "bill": 2}
    [unknown] = await house.runway.scope.store.inbox.unknown_accounts()
    assert (unknown.account.account, unknown.events) == ("never connected", 2)


@pytest.mark.parametrize("body", [b"", b"\x00\xff", b"[]", b'{"account": 1}'])
async def test_what_is_signed_and_not_understood_is_kept(client: httpx.AsyncClient, house: House, body: bytes) -> None:
    """The vendor would hold back all that follows, were it not acknowledged."""
    answer = await deliver(client, body)

    assert answer.status_code == 200
    [delivery] = await kept(house)
    assert (delivery.body, delivery.events) == (body, ())
    assert delivery.problem


async def test_words_that_no_rail_uses_are_left_out(client: httpx.AsyncClient, house: House) -> None:
    """A signed body may still hold what no database takes."""
    answer = await deliver(client, write_webhook("sample", ("bill", "a\x00b"), ("bill", "x" * 200), ("bill", "B4")))

    assert answer.status_code == 200
    [delivery] = await kept(house)
    assert [event.external_id for event in delivery.events] == ["B4"]


async def test_a_megabyte_is_taken_and_more_is_not(client: httpx.AsyncClient, house: House) -> None:
    full = write_webhook("sample", ("bill", "B4")).ljust(LARGEST_WEBHOOK)
    over = full + b" "

    async def in_parts() -> AsyncIterator[bytes]:  # without a Content-Length
        for _ in range(160):
            yield b" " * 65_536

    answers = [
        await deliver(client, full),
        await deliver(client, over),
        await deliver(client, b" " * 10_000_000),
        await client.post(DOOR, content=in_parts(), headers=sign_webhook(b"", SECRET)),
    ]

    assert [answer.status_code for answer in answers] == [200, 413, 413, 413]
    assert [len(delivery.body) for delivery in await kept(house)] == [LARGEST_WEBHOOK]


async def test_what_cannot_be_kept_is_not_acknowledged() -> None:
    """The vendor then sends it again; 200 would lose it."""
    async with AsyncExitStack() as stack:
        full = await open_house(FullStore(), stack)
        client = await stack.enter_async_context(enter_by(full, memory=[SecretStr(SECRET)]))
        answer = await deliver(client, write_webhook("sample", ("bill", "B4")))

    assert answer.status_code == 503


async def test_a_storm_loses_nothing(tmp_path: Path) -> None:
    """Distinct, doubled and forged ones all at once, in any order, on a real database."""
    bodies = [write_webhook("sample", ("bill", str(number % 250))) for number in range(500)]
    async with AsyncExitStack() as stack:
        house = await open_house(SqlStore(f"sqlite:///{tmp_path / 'books.db'}"), stack)
        client = await stack.enter_async_context(enter_by(house, memory=[SecretStr(SECRET)]))
        answers = await asyncio.gather(
            *(deliver(client, body, secret=SECRET if number % 5 else "forged") for number, body in enumerate(bodies))
        )
        found = await kept(house)

    assert [answer.status_code for answer in answers] == [200 if number % 5 else 401 for number in range(500)]
    assert len(found) == 200  # of 250 different ones, every fifth was forged, and so was its double
    assert sum(delivery.times_seen for delivery in found) == 400
