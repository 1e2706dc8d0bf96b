"""Answers that no vendor should give: cut off, of another type, with rows twice or without a name."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest
from pydantic import SecretStr
from runway_core.domain.changes import ChangePage, Cursor
from runway_core.domain.identity import CompanyId, ConnectionId, RecordKey, RecordKind
from runway_core.errors import RailRefused, RailUnavailable
from runway_core.ports.ledger_rail import LedgerRail, RailContext
from runway_rail_kit import Pauses
from runway_rail_stripe import StripeRailFactory
from runway_testkit.clock import FixedClock

from tests.rails.paper_qbo import no_sleep
from tests.rails.sandbox_desk import DictVault

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
MADE = int(NOW.timestamp()) - 3_600

Answering = Callable[[httpx.Request], httpx.Response]


def charge(identifier: str, **members: Any) -> dict[str, Any]:
    common = {"object": "charge", "amount": 100, "currency": "usd", "created": MADE, "status": "succeeded"}
    return {"id": identifier, **common, **members}


def listing(*rows: Any, has_more: bool = False) -> httpx.Response:
    return httpx.Response(200, json={"object": "list", "data": list(rows), "has_more": has_more})


def fault(status: int, **error: str) -> httpx.Response:
    return httpx.Response(status, json={"error": error})


class PaperStripe:
    """An account that answers as it is told, and lists nothing where it is told nothing."""

    def __init__(self, **answers: Answering | httpx.Response) -> None:
        self.answers = answers
        self.asked: list[httpx.Request] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        told = self.answers.get(request.url.path.removeprefix("/v1/").replace("/", "_"))
        if told is None:
            return listing()
        return told if isinstance(told, httpx.Response) else told(request)

    def open(self) -> LedgerRail:
        factory = StripeRailFactory(
            http_transport=httpx.MockTransport(self.answer), pauses=Pauses(attempts=2, sleep=no_sleep)
        )
        return factory.open(
            RailContext(
                company_id=CompanyId("acme"),
                connection_id=ConnectionId("acme-cards"),
                home_currency="USD",
                settings={"account_id": "acct_1"},
                vault=DictVault({"secret_key": SecretStr("rk_live_secret")}),
                clock=FixedClock(NOW),
            )
        )

    async def pull(self, cursor: Cursor | None = None) -> list[ChangePage]:
        return [page async for page in self.open().changes_since(cursor)]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, content=b'{"data": [', headers={"content-type": "application/json"}),
        httpx.Response(200, content=b"<html>", headers={"content-type": "text/html"}),
        httpx.Response(200, json=[1, 2]),
        httpx.Response(200, json={"data": "none"}),
        httpx.Response(502, content=b"<html>"),
        httpx.Response(302, headers={"location": "https://elsewhere.example"}),
        listing({"amount": 1}, has_more=True),  # the next page cannot be asked for
        listing(has_more=True),  # the list goes on, and nothing is in it
    ],
)
async def test_an_answer_without_sense_is_asked_for_again_and_then_the_vendor_is_unavailable(
    answer: httpx.Response,
) -> None:
    paper = PaperStripe(charges=answer)
    with pytest.raises(RailUnavailable) as failed:
        await paper.pull()

    assert "rk_live_secret" not in f"{failed.value} {failed.value!r}"
    assert {request.url.host for request in paper.asked} == {"api.stripe.com"}


@pytest.mark.parametrize("spoiled", [b'{"data": [', b"{}", b""])
async def test_a_spoiled_answer_is_asked_for_again_and_ends_no_pull(spoiled: bytes) -> None:
    answers = [
        httpx.Response(200, content=spoiled, headers={"content-type": "application/json"}),
        listing(charge("ch_1")),
    ]
    (page,) = await PaperStripe(charges=lambda _: answers.pop(0)).pull()

    assert [change.key.external_id for change in page.changes] == ["ch_1"]


async def test_a_row_that_comes_twice_is_one_and_a_bad_one_is_set_aside_while_the_others_go_on() -> None:
    rows = [charge("ch_1"), charge("ch_1", amount_refunded=40), {"id": "ch_2", "object": "charge"}, {"amount": 5}]
    (page,) = await PaperStripe(charges=listing(*rows)).pull()

    assert [change.key for change in page.changes] == [RecordKey(RecordKind.CHARGE, "ch_1")]
    assert [bad.external_id for bad in page.rejected] == ["ch_2", None]
    assert sorted(page.present_keys or ()) == [RecordKey(RecordKind.CHARGE, name) for name in ("ch_1", "ch_2")]


async def test_a_list_is_begun_anew_when_the_row_where_it_was_left_is_gone() -> None:
    def charges(request: httpx.Request) -> httpx.Response:
        after = request.url.params.get("starting_after")
        if after == "ch_9":
            return fault(400, code="resource_missing", param="starting_after")
        if after == "ch_8":
            return listing(charge("ch_7"))
        first = "ch_9" if len([one for one in paper.asked if "charges" in one.url.path]) == 1 else "ch_8"
        return listing(charge(first), has_more=True)

    paper = PaperStripe(charges=charges)
    (page,) = await paper.pull()

    assert [change.key.external_id for change in page.changes] == ["ch_9", "ch_8", "ch_7"]


async def test_a_list_that_can_never_be_followed_is_unavailable_and_not_a_circle() -> None:
    def charges(request: httpx.Request) -> httpx.Response:
        if request.url.params.get("starting_after"):
            return fault(400, code="resource_missing", param="starting_after", message="No such charge")
        return listing(charge("ch_1"), has_more=True)

    paper = PaperStripe(charges=charges)
    with pytest.raises(RailUnavailable, match="lost its place"):
        await paper.pull()

    assert len(paper.asked) < 20


async def test_an_address_that_stripe_does_not_know_is_a_refusal() -> None:
    with pytest.raises(RailRefused, match="does not know"):
        await PaperStripe(disputes=fault(404, message="Unrecognized request URL")).pull()
    with pytest.raises(RailRefused):
        await PaperStripe(account=fault(404)).open().check_connection()


async def test_an_event_that_cannot_be_read_does_not_stop_the_feed() -> None:
    good = {
        "id": "evt_2",
        "type": "charge.succeeded",
        "created": MADE + 10,
        "data": {"object": {"id": "ch_1", "object": "charge"}},
    }
    quiet = PaperStripe(events=listing({**good, "id": "evt_1", "created": MADE}))
    cursor = (await quiet.pull())[-1].next_cursor
    paper = PaperStripe(
        events=listing(good, {"id": "evt_3", "created": "late"}, 7),
        charges_ch_1=httpx.Response(200, json=charge("ch_1")),
    )
    (page,) = await paper.pull(cursor)
    again = PaperStripe(events=listing(good))
    (idle,) = await again.pull(page.next_cursor)

    assert [change.key.external_id for change in page.changes] == ["ch_1"]
    assert (idle.changes, len(again.asked)) == ((), 1)


async def test_a_thing_whose_answer_is_cut_off_is_not_set_aside_and_one_that_is_gone_is_deleted() -> None:
    event = {
        "id": "evt_1",
        "type": "charge.updated",
        "created": MADE,
        "data": {"object": {"id": "ch_1", "object": "charge"}},
    }
    cursor = (await PaperStripe().pull())[-1].next_cursor
    cut = httpx.Response(200, content=b'{"id": "ch_1", "am', headers={"content-type": "application/json"})
    with pytest.raises(RailUnavailable):
        await PaperStripe(events=listing(event), charges_ch_1=cut).pull(cursor)
    gone = PaperStripe(events=listing(event), charges_ch_1=fault(404, code="resource_missing"))
    (page,) = await gone.pull(cursor)

    assert [deletion.key for deletion in page.deletions] == [RecordKey(RecordKind.CHARGE, "ch_1")]
    assert page.rejected == ()


async def test_every_call_pins_the_version_and_bears_the_key_and_reads() -> None:
    paper = PaperStripe()
    await paper.pull()

    assert {request.method for request in paper.asked} == {"GET"}
    assert {request.headers["stripe-version"] for request in paper.asked} == {"2026-10-28.endive"}
    assert {request.headers["authorization"] for request in paper.asked} == {"Bearer rk_live_secret"}
    assert not any("stripe-account" in request.headers for request in paper.asked)
    assert msgspec.json.decode(msgspec.json.encode(dict(paper.asked[0].url.params)))["types[0]"] == "charge.*"
