"""Dead letters over the API and on their page."""

import re
from datetime import timedelta

import httpx
import pytest
from runway_core.domain.changes import ChangePage, Cursor, RejectedRecord
from runway_core.domain.identity import CompanyId, RecordKind
from runway_core.domain.jobs import Lane
from runway_core.domain.people import GRANTS, Caller
from runway_core.domain.policy import Role
from runway_core.errors import RailMisconfigured
from runway_core.services.dead_letters import LetterKind
from runway_core.sync.schedule import make_pull
from runway_testkit.store_desk import BY

from tests.app.firm import HOSTILE, Firm
from tests.store.statements import counted


@pytest.fixture
async def letter(firm: Firm) -> str:
    """A pull that failed for good."""
    firm.ledger.fail_next(RailMisconfigured(f"wrong key {HOSTILE}", rail="memory"))
    (connection,) = await firm.runway.connections.list(firm.sample.company_id)
    firm.clock.advance(timedelta(minutes=1))  # news of what was read this very moment would wait
    store, now = firm.runway.scope.store, firm.clock.now()
    await store.jobs.enqueue(
        [make_pull(connection, lane=Lane.WEBHOOK, run_at=now, cause_id="delivery-1", correlation_id="chain-1")], now=now
    )
    engine = firm.runway.engine("w", plans=False)
    await engine.run_due()
    firm.clock.advance(timedelta(seconds=5))
    (found,) = await firm.runway.dead_letters.list()
    return found.letter_id


async def quarantine_one(firm: Firm, company_id: CompanyId) -> None:
    """Let a company's rail tell one record that nobody understands."""
    connections, settings = firm.runway.connections, {"books": f"odd {company_id}"}
    held = await connections.list(company_id)
    connection = held[0] if held else await connections.add(company_id, rail="memory", settings=settings, secrets={})
    store, now = firm.runway.scope.store, firm.clock.now()
    lease = await store.registry.take_lease(connection, holder="w", now=now, lasts_seconds=60)
    rejected = (RejectedRecord(RecordKind.BILL, "9", "the amount is not a number", b"{}"),)
    page = ChangePage(changes=(), next_cursor=Cursor("1"), source_time=now, rejected=rejected)
    await store.mirror.commit_page(lease, page, run_id="r", attribution=BY, seen_at=now)


async def test_letters_are_listed_with_why_and_where(client: httpx.AsyncClient, firm: Firm, letter: str) -> None:
    listed = (await client.get("/v1/deadletters")).json()
    narrowed = (await client.get("/v1/deadletters", params={"error_code": "rail-refused"})).json()
    of_company = (await client.get("/v1/deadletters", params={"company_id": firm.sample.company_id})).json()
    shown = (await client.get(f"/v1/deadletters/{letter}")).json()
    (item,) = listed["items"]

    assert (item["letter_id"], item["kind"], item["error_code"]) == (letter, "job", "rail-misconfigured")
    assert (item["company_name"], item["rail"], item["attempts"]) == ("Sample", "memory", 1)
    assert narrowed["items"] == []
    assert of_company["items"] == listed["items"]
    assert [link["cause_id"] for link in shown["chain"]] == ["delivery-1"]


async def test_a_chain_shows_what_followed_from_one_cause(client: httpx.AsyncClient, letter: str) -> None:
    chain = (await client.get("/v1/chains/chain-1")).json()
    unknown = await client.get("/v1/chains/chain-2")

    assert [(link["job_id"], link["state"], link["depth"]) for link in chain["items"]] == [(letter, "dead", 0)]
    assert unknown.status_code == 404


async def test_a_replay_heals_once_its_cause_is_mended_and_is_done_once(
    client: httpx.AsyncClient, firm: Firm, letter: str
) -> None:
    body = {"action": "replay", "letter_ids": [letter]}
    first = (await client.post("/v1/deadletters", json=body)).json()
    again = (await client.post("/v1/deadletters", json=body)).json()
    await firm.runway.engine("w", plans=False).run_due()

    assert (first["letter_ids"], again["letter_ids"]) == ([letter], [])
    assert (await client.get("/v1/deadletters")).json()["items"] == []


async def test_a_discard_wants_a_reason_and_is_logged(client: httpx.AsyncClient, firm: Firm, letter: str) -> None:
    refused = await client.post("/v1/deadletters", json={"action": "discard", "letter_ids": [letter]})
    done = await client.post(
        "/v1/deadletters", json={"action": "discard", "letter_ids": [letter], "reason": "client left"}
    )
    entries = await firm.runway.log_entries(firm.sample.company_id, limit=1000)

    assert (refused.status_code, done.json()["letter_ids"]) == (422, [letter])
    assert [entry.draft.what for entry in entries if entry.draft.kind == "job"] == ["job_discarded"]
    assert (await client.get("/v1/deadletters")).json()["total"] == 0


async def test_letters_of_other_firms_are_not_found(client: httpx.AsyncClient, firm: Firm, letter: str) -> None:
    for ids in (["no-such-letter"], [letter, "no-such-letter"]):
        answer = await client.post("/v1/deadletters", json={"action": "replay", "letter_ids": ids})
        assert answer.status_code == 404
    unknown = await client.get("/v1/deadletters/no-such-letter")
    foreign = await client.get("/v1/deadletters", params={"company_id": firm.foreign.company_id})

    assert (unknown.status_code, foreign.status_code) == (404, 404)
    assert (await client.get("/v1/deadletters")).json()["total"] == 1


async def test_the_page_replays_and_discards(client: httpx.AsyncClient, firm: Firm, letter: str) -> None:
    page = (await client.get("/deadletters")).text
    token = re.search(r'name="form_token" value="([^"]+)"', page)
    assert token is not None
    form = {"form_token": token[1], "letter": letter, "by": "ada"}
    without = await client.post("/deadletters", data={**form, "action": "discard", "reason": " "})
    done = await client.post("/deadletters", data={**form, "action": "replay"})
    after = (await client.get("/deadletters")).text
    acts = [e.draft for e in await firm.runway.log_entries(firm.sample.company_id, limit=1000) if e.draft.kind == "job"]

    assert HOSTILE not in page
    assert "1 job failed for good" in page
    assert "Not done" in without.text
    assert done.status_code == 303
    assert "It runs again now." in after
    assert [(act.what, act.attribution.actor) for act in acts] == [("job_replayed", "ada")]


async def test_listing_takes_three_queries_whatever_the_number_of_companies(firm: Firm, letter: str) -> None:
    numbers = []
    for number in range(20):
        company = await firm.runway.companies.add(f"More {number}", home_currency="USD", time_zone="UTC")
        await quarantine_one(firm, company.company_id)
        if number in (1, 19):
            with counted() as statements:
                listed = await firm.runway.dead_letters.list()
            numbers.append((len(listed), len(statements)))

    assert numbers == [(3, 3), (21, 3)]


async def test_only_letters_of_assigned_companies_are_listed(firm: Firm, letter: str) -> None:
    await quarantine_one(firm, firm.hostile.company_id)
    seen = []
    for company in (firm.sample, firm.hostile, firm.unread):
        caller = Caller("cy", Role.VIEWER, GRANTS[Role.VIEWER], frozenset({company.company_id}))
        seen.append([one.kind for one in await firm.runway.for_caller(caller).dead_letters.list()])

    assert seen == [[LetterKind.JOB], [LetterKind.RECORD], []]
