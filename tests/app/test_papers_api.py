"""Planned items, policy and scenarios through HTTP: versions are told and demanded, amounts are text."""

import httpx
import pytest

from tests.app.firm import Firm
from tests.app.test_api import read

ITEM = {"label": "Owed to the builder", "on": "2026-03-13", "amount": "5000.00"}
DELAY = {"action": "pay_on", "record": {"kind": "bill", "external_id": "B4"}, "on": "2026-04-08"}


def address(firm: Firm, part: str) -> str:
    return f"/v1/companies/{firm.sample.company_id}{part}"


async def test_a_planned_item_is_entered_moved_and_dropped(client: httpx.AsyncClient, firm: Firm) -> None:
    entered = await client.post(address(firm, "/planned-items"), json=ITEM, headers={"Idempotency-Key": "k"})
    again = await client.post(address(firm, "/planned-items"), json=ITEM, headers={"Idempotency-Key": "k"})
    item = read(entered)["item"]
    one = address(firm, f"/planned-items/{item['paper_id']}")
    moved = await client.post(
        one, json={"action": "move", "on": "2026-03-20"}, headers={"If-Match": entered.headers["ETag"]}
    )
    stale = await client.post(one, json={"action": "drop"}, headers={"If-Match": entered.headers["ETag"]})
    listed = read(await client.get(address(firm, "/planned-items")))
    dropped = await client.post(one, json={"action": "drop", "note": "paid"}, headers={"If-Match": 'W/"2"'})

    assert (item["amount"], item["currency"], item["owner"]) == ("5000.00", "USD", "api")
    assert again.content == entered.content
    assert (read(moved)["item"]["on"], moved.headers["ETag"]) == ("2026-03-20", '"2"')
    assert (stale.status_code, stale.json()["code"]) == (412, "stale-revision")
    assert [(one["item"]["on"], one["state"]) for one in listed["items"]] == [("2026-03-20", "confirmed")]
    assert read(dropped)["item"]["is_closed"]
    assert read(await client.get(address(firm, "/planned-items")))["items"] == []
    assert len(read(await client.get(address(firm, "/planned-items?include_closed=true")))["items"]) == 1


async def test_a_bill_takes_the_place_of_an_item(client: httpx.AsyncClient, firm: Firm) -> None:
    item = read(await client.post(address(firm, "/planned-items"), json=ITEM))["item"]
    one = address(firm, f"/planned-items/{item['paper_id']}")
    unnamed = await client.post(one, json={"action": "fulfil"})
    record = {"kind": "bill", "external_id": "B4"}
    fulfilled = read(await client.post(one, json={"action": "fulfil", "record": record}))

    assert unnamed.status_code == 422
    assert (fulfilled["item"]["fulfilled_by"], fulfilled["item"]["is_closed"]) == (record, True)


async def test_the_stored_position_has_seen_an_entered_item(client: httpx.AsyncClient, firm: Firm) -> None:
    length = await firm.runway.log_length(firm.sample.company_id)
    await client.post(address(firm, "/planned-items"), json=ITEM)
    after = await firm.runway.positions.current(firm.sample.company_id)

    assert after is not None
    assert after.log_sequence == length + 1


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("/planned-items", ITEM | {"amount": "-5"}, {}),
        ("/planned-items", ITEM | {"on": "2026-02-01"}, {}),
        ("/planned-items", ITEM | {"colour": "red"}, {}),
        ("/planned-items/any", {"action": "confirm"}, {"If-Match": "yesterday"}),
        ("/planned-items/any", {"action": "move"}, {}),
        ("/planned-items/any", {"action": "confirm", "on": "2026-03-20"}, {}),
        ("/policy", {"settings": {"colour": "red"}}, {}),
        ("/scenarios", {"name": "None", "amendments": []}, {}),
        ("/what-if", {"amendments": [{"action": "pay_on"}]}, {}),
        ("/what-if", {"amendments": [{"action": "adjust_cash", "amount": "0.000001"}]}, {}),
    ],
)
async def test_what_cannot_be_is_422(
    client: httpx.AsyncClient, firm: Firm, path: str, body: dict[str, object], headers: dict[str, str]
) -> None:
    answer = await client.post(address(firm, path), json=body, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")


async def test_a_policy_has_versions_and_a_history(client: httpx.AsyncClient, firm: Firm) -> None:
    first = await client.get(address(firm, "/policy"))
    changed = await client.post(
        address(firm, "/policy"),
        json={"settings": {"account_budgets": {"63": "900"}, "hurdle_rate": "0.12"}},
        headers={"If-Match": first.headers["ETag"]},
    )
    stale = await client.post(
        address(firm, "/policy"), json={"settings": {"hurdle_rate": "0.5"}}, headers={"If-Match": '"0"'}
    )
    history = read(await client.get(address(firm, "/policy/history")))

    assert (first.headers["ETag"], read(first)["version"]) == ('"0"', 0)
    assert read(first)["amount_tiers"][0] == {"below": "1000.00", "roles": ["bookkeeper"]}
    assert (read(changed)["account_budgets"], read(changed)["hurdle_rate"]) == ({"63": "900.00"}, "0.12")
    assert stale.status_code == 412
    assert read(await client.get(address(firm, "/policy"))) == read(changed)
    assert [(entry["what"], entry["actor"], entry["revision"]) for entry in history["items"]] == [
        ("policy_added", "api", "1")
    ]


async def test_a_question_is_answered_without_being_kept(client: httpx.AsyncClient, firm: Firm) -> None:
    asked = read(await client.post(address(firm, "/what-if"), json={"amendments": [DELAY]}))
    kept = await client.post(address(firm, "/scenarios"), json={"name": "B4 in April", "amendments": [DELAY]})
    scenario_id = read(kept)["paper_id"]
    shown = read(await client.get(address(firm, f"/scenarios/{scenario_id}")))
    listed = read(await client.get(address(firm, "/scenarios")))
    dropped = await client.post(address(firm, f"/scenarios/{scenario_id}/drop"))

    assert (asked["before"]["runway_days"], asked["after"]["runway_days"]) == (32, 37)
    assert (asked["scenario"], asked["policy_version"]) == (None, 0)
    assert shown["scenario"] == read(kept) == listed["items"][0]
    assert {**shown, "scenario": None} == asked
    assert read(dropped)["is_closed"]
    assert (await client.get(address(firm, f"/scenarios/{scenario_id}"))).status_code == 404
