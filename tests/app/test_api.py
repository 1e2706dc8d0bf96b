"""The JSON API, through HTTP, over a real database."""

import json
import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from runway_app_http.api.examples import PORTFOLIO
from runway_core.domain.findings import FindingState
from runway_core.experiences.portfolio import PortfolioView

from tests.app.firm import Firm

PARTS = (
    "", "/digest", "/forecast", "/outlook", "/tray", "/console", "/findings", "/bills", "/bills?show=ready",
    "/bills?show=with_issues", "/invoices", "/invoices?show=overdue", "/invoices?show=with_issues", "/balances",
    "/balances?cash_only=false", "/balances/bank-operating", "/history?kind=bill&external_id=B4",
)  # fmt: skip

AMOUNT_NAMES = frozenset(
    "amount open_balance total balance opening closing inflow outflow low buffer reserves outflow_per_day".split()  # noqa: SIM905 - reads better
)
_USD = re.compile(r"-?[0-9]+\.[0-9]{2}")


def _refuse_float(text: str) -> float:
    raise AssertionError(f"a float in the answer: {text}")


def read(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return json.loads(answer.content, parse_float=_refuse_float)


def walk_amounts(value: Any) -> list[str | int]:
    if isinstance(value, list):
        return [amount for part in value for amount in walk_amounts(part)]
    if not isinstance(value, dict):
        return []
    own = [part for name, part in value.items() if name in AMOUNT_NAMES and isinstance(part, str | int)]
    return own + [amount for part in value.values() for amount in walk_amounts(part)]


@pytest.mark.parametrize("part", PARTS)
async def test_amounts_are_text_with_the_digits_of_their_currency(
    client: httpx.AsyncClient, firm: Firm, part: str
) -> None:
    body = read(await client.get(f"/v1/companies/{firm.sample.company_id}{part}"))

    amounts = walk_amounts(body)
    assert [amount for amount in amounts if not isinstance(amount, str) or not _USD.fullmatch(amount)] == []
    assert amounts or part in ("/invoices?show=with_issues", "/balances/bank-operating")


async def test_yen_are_written_without_decimals(client: httpx.AsyncClient, firm: Firm) -> None:
    body = read(await client.get(f"/v1/companies/{firm.unread.company_id}/outlook"))

    assert body["outlook"]["opening_cash"] == {"amount": "0", "currency": "JPY"}
    assert {day["closing"] for day in body["outlook"]["days"]} == {"0"}


async def test_times_are_utc_with_z_and_dates_are_iso(client: httpx.AsyncClient, firm: Firm) -> None:
    digest = read(await client.get(f"/v1/companies/{firm.sample.company_id}/digest"))

    assert digest["as_of"] == "2026-03-02"
    assert digest["books_read_at"] == "2026-03-02T15:00:00Z"
    assert digest["freshness"][0]["source_read_at"] == "2026-03-02T14:57:00Z"


async def test_the_same_books_give_the_same_bytes(client: httpx.AsyncClient, firm: Firm) -> None:
    address = f"/v1/companies/{firm.sample.company_id}/forecast"

    assert (await client.get(address)).content == (await client.get(address)).content


@pytest.mark.parametrize("end", ["digest", "tray", "findings", "forecast", "console"])
async def test_answers_name_the_policy_that_they_were_computed_under(
    client: httpx.AsyncClient, firm: Firm, end: str
) -> None:
    company_id = firm.sample.company_id
    before = read(await client.get(f"/v1/companies/{company_id}/{end}"))
    changed = await firm.runway.policies.change(company_id, {"payroll_cover_days": 21}, actor="ada")
    await firm.runway.recompute(company_id)
    after = read(await client.get(f"/v1/companies/{company_id}/{end}"))

    assert {"as_of", "books_read_at"} <= after.keys()
    assert (before["policy_version"], after["policy_version"]) == (0, changed.version)


async def test_the_portfolio_shows_what_the_facade_says(client: httpx.AsyncClient, firm: Firm) -> None:
    body = read(await client.get("/v1/portfolio"))

    rows = {row["name"]: row for row in body["rows"]}
    assert body["total"] == 3
    assert rows["Sample"]["opening_cash"] == {"amount": "51200.00", "currency": "USD"}
    assert rows["Sample"]["age_seconds"] == 180
    assert rows["Zebra Unread"]["status"] == "grey"


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ("status=amber", ["Sample"]),
        ("owner=ada", ["Sample"]),
        ("tag=retail", ["Sample"]),
        ("search=zebra", ["Zebra Unread"]),
        ("search=nobody", []),
        ("runway_below=40&search=sample", ["Sample"]),
        ("has_critical=true", ["Sample"]),
        ("older_than_hours=1", ["Zebra Unread"]),
        ("status=&owner=&runway_below=&search=sample", ["Sample"]),  # as a form sends what is left empty
    ],
)
async def test_the_portfolio_is_filtered(client: httpx.AsyncClient, filters: str, names: list[str]) -> None:
    body = read(await client.get(f"/v1/portfolio?{filters}"))

    assert [row["name"] for row in body["rows"]] == names
    assert body["matching"] == len(names)


async def test_a_minus_turns_the_order_round(client: httpx.AsyncClient) -> None:
    up = read(await client.get("/v1/portfolio?sort=name"))
    down = read(await client.get("/v1/portfolio?sort=-name"))

    names = [row["name"] for row in up["rows"]]
    assert [row["name"] for row in down["rows"]] == names[::-1]


@pytest.mark.parametrize(
    "address",
    ["/v1/companies", "/v1/health", "/v1/portfolio", "/v1/companies/{id}/bills", "/v1/companies/{id}/balances"],
)
async def test_pages_of_a_list_join_without_gap_or_overlap(client: httpx.AsyncClient, firm: Firm, address: str) -> None:
    address = address.format(id=firm.sample.company_id)
    items = "rows" if address == "/v1/portfolio" else "items"
    whole = read(await client.get(address))[items]
    found: list[Any] = []
    cursor: str | None = None
    while True:
        page = read(await client.get(address, params={"limit": 1} | ({"cursor": cursor} if cursor else {})))
        found += page[items]
        cursor = page["next_cursor"]
        assert page["has_more"] is (cursor is not None)
        if cursor is None:
            break

    assert len(whole) > 1
    assert found == whole


WHOLE = frozenset({
    "/v1/chains/{correlation_id}", "/v1/companies/{company_id}/bills/{bill_id}/custody",
    "/v1/companies/{company_id}/questions/{question_id}", "/v1/across/{act_id}", "/v1/tray",
})  # fmt: skip
"""What has parts, but is one thing: a message with its questions, a chain, a bill's custody, an act, a tray."""


def test_every_list_is_answered_in_pages(app: FastAPI) -> None:
    described = app.openapi()
    lists = {}
    for path, verbs in described["paths"].items():
        answered = verbs.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        name = answered.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
        properties = described["components"]["schemas"].get(name, {}).get("properties", {})
        if properties.get("items", {}).get("type") == "array":
            lists[path] = properties.keys(), {one["name"] for one in verbs["get"].get("parameters", [])}
    unpaged = {
        path
        for path, (properties, parameters) in lists.items()
        if not {"has_more", "next_cursor"} <= properties or not {"limit", "cursor"} <= parameters
    }

    assert len(lists) > 20
    assert unpaged <= WHOLE


async def test_work_comes_in_pages_that_join(client: httpx.AsyncClient) -> None:
    whole = read(await client.get("/v1/work"))
    found: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = read(await client.get("/v1/work", params={"limit": 3, "cursor": cursor}))
        found += page["items"]
        cursor = page["next_cursor"]

    assert found == whole["items"]
    assert (len(found) > 3, whole["has_more"], page["counts"]) == (True, False, whole["counts"])


@pytest.mark.parametrize("cursor", ["nonsense", "W10", "WzFd", "eyJhIjoxfQ", "%00"])
async def test_a_cursor_that_is_not_ours_is_refused(client: httpx.AsyncClient, firm: Firm, cursor: str) -> None:
    answer = await client.get(f"/v1/companies/{firm.sample.company_id}/bills?cursor={cursor}")

    assert answer.status_code in (200, 422)
    if answer.status_code == 200:  # a list of nothing is an order key before all others
        assert cursor == "W10"


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("/v1/portfolio?limit=101", "query.limit"),
        ("/v1/portfolio?limit=0", "query.limit"),
        ("/v1/portfolio?sort=height", "query.sort"),
        ("/v1/portfolio?status=blue", "query.status"),
        ("/v1/portfolio?colour=red", "query.colour"),
        ("/v1/companies?limit=1000", "query.limit"),
        ("/v1/companies/{id}/findings?state=gone", "query.state"),
        ("/v1/companies/{id}/bills?show=none", "query.show"),
        ("/v1/companies/{id}/history?kind=cat&external_id=1", "query.kind"),
    ],
)
async def test_a_wrong_value_names_its_field(client: httpx.AsyncClient, firm: Firm, address: str, field: str) -> None:
    answer = await client.get(address.format(id=firm.sample.company_id))

    problem = answer.json()
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["code"] == "invalid-request"
    assert [error["field"] for error in problem["errors"]] == [field]


async def test_connections_never_show_settings_or_secrets(client: httpx.AsyncClient, firm: Firm) -> None:
    body = read(await client.get(f"/v1/companies/{firm.sample.company_id}"))

    assert body["settings"]["buffer"] == "10000.00"
    assert body["connections"][0]["state"] == "active"
    assert "settings" not in body["connections"][0]


async def test_keys_of_records_are_objects(client: httpx.AsyncClient, firm: Firm) -> None:
    body = read(await client.get(f"/v1/companies/{firm.sample.company_id}/findings?check=AP01"))

    assert body["items"][0]["finding"]["subjects"] == [{"kind": "bill", "external_id": "B6"}]
    assert body["items"][0]["finding_id"]


async def test_a_record_has_its_history(client: httpx.AsyncClient, firm: Firm) -> None:
    edited = firm.ledger.records[next(key for key in firm.ledger.records if str(key) == "bill:B4")]
    firm.ledger.put(edited.model_copy(update={"memo": "moved"}))
    await firm.runway.sync(firm.sample.company_id)

    body = read(await client.get(f"/v1/companies/{firm.sample.company_id}/history?kind=bill&external_id=B4"))

    assert [entry["what"] for entry in body["items"]] == ["created", "updated"]
    assert body["items"][1]["changed"]["memo"] == [None, "moved"]
    assert body["items"][1]["content"]["open_balance"] == "8000.00"


async def test_a_decision_is_kept_and_repeating_it_changes_nothing(client: httpx.AsyncClient, firm: Firm) -> None:
    base = f"/v1/companies/{firm.sample.company_id}"
    found = read(await client.get(f"{base}/findings"))["items"][0]["finding_id"]
    decision = {"action": "accept", "reason": "two deliveries, both real"}

    first = read(await client.post(f"{base}/findings/{found}", json=decision, headers={"Idempotency-Key": "k-1"}))
    sealed = (await firm.runway.verify_log(firm.sample.company_id)).entries
    again = read(await client.post(f"{base}/findings/{found}", json=decision, headers={"Idempotency-Key": "k-1"}))

    assert first == again
    assert (first["state"], first["reason"], first["decided_by"]) == ("accepted", decision["reason"], "api:k-1")
    assert (await firm.runway.verify_log(firm.sample.company_id)).entries == sealed


@pytest.mark.parametrize(
    ("decision", "status"),
    [
        ({"action": "accept"}, 422),
        ({"action": "snooze"}, 422),
        ({"action": "snooze", "until": "2020-01-01"}, 422),
        ({"action": "fix"}, 422),
        ({"action": "ask", "colour": "red"}, 422),
        ({}, 422),
        ({"action": "snooze", "until": "2026-04-01"}, 200),
        ({"action": "ask"}, 200),
        ({"action": "reopen"}, 200),
    ],
)
async def test_decisions_are_checked(
    client: httpx.AsyncClient, firm: Firm, decision: dict[str, str], status: int
) -> None:
    base = f"/v1/companies/{firm.sample.company_id}"
    found = read(await client.get(f"{base}/findings"))["items"][0]["finding_id"]

    answer = await client.post(f"{base}/findings/{found}", json=decision)

    assert answer.status_code == status, answer.text


async def test_a_decision_is_made_on_the_one_that_was_read(client: httpx.AsyncClient, firm: Firm) -> None:
    finding_id = (await firm.runway.findings.list(firm.sample.company_id))[0].finding_id
    address = f"/v1/companies/{firm.sample.company_id}/findings/{finding_id}"
    tag = (await client.get(address)).headers["etag"]
    asked = await client.post(address, json={"action": "ask"}, headers={"If-Match": tag})
    late = await client.post(address, json={"action": "accept", "reason": "right"}, headers={"If-Match": tag})
    again = await client.post(address, json={"action": "ask"}, headers={"If-Match": tag})
    on_that = {"If-Match": asked.headers["etag"]}
    accepted = await client.post(address, json={"action": "accept", "reason": "right"}, headers=on_that)
    any_state = await client.post(address, json={"action": "reopen"}, headers={"If-Match": "*"})

    assert (asked.status_code, again.status_code) == (200, 200)
    assert (late.status_code, late.json()["code"]) == (412, "stale-revision")
    assert "asked by api since you looked" in late.json()["detail"]
    assert (accepted.status_code, accepted.json()["state"]) == (200, "accepted")
    assert any_state.json()["state"] == "open"


async def test_a_form_that_was_overtaken_is_not_carried_out(client: httpx.AsyncClient, firm: Firm) -> None:
    tracked = (await firm.runway.findings.list(firm.sample.company_id))[0]
    base = f"/companies/{firm.sample.company_id}"
    form = (await client.get(f"{base}/tray")).text.partition(f'id="f-{tracked.finding_id}"')[2]
    fields = dict(re.findall(r'name="(form_token|tag)" value="([^"]+)"', form)[:4])
    await firm.runway.findings.decide(firm.sample.company_id, tracked.finding_id, FindingState.ASKED, actor="bo")
    late = await client.post(
        f"{base}/findings/{tracked.finding_id}", data=fields | {"action": "accept", "reason": "right"}
    )

    assert late.status_code == 422
    assert "asked by bo since you looked" in late.text


async def test_a_company_is_read_on_demand(client: httpx.AsyncClient, firm: Firm) -> None:
    body = read(await client.post(f"/v1/companies/{firm.sample.company_id}/sync"))

    assert body["company"]["name"] == "Sample"
    assert body["runs"][0]["outcome"] == "succeeded"
    assert body["runs"][0]["cause"] == "person"


async def test_reading_what_is_not_connected_is_not_found(client: httpx.AsyncClient, firm: Firm) -> None:
    answer = await client.post(f"/v1/companies/{firm.unread.company_id}/sync", json={})

    assert answer.status_code == 404
    assert "connect" in answer.json()["detail"]


async def test_probes_answer(client: httpx.AsyncClient, firm: Firm) -> None:
    alive, ready, metrics = [await client.get(path) for path in ("/healthz", "/readyz", "/metrics")]

    assert alive.json() == {"status": "ok"}
    assert ready.json()["status"] == "ready"
    assert 'runway_companies{status="amber"} 1' in metrics.text
    assert f'runway_data_age_seconds{{company_id="{firm.sample.company_id}",rail="memory"}} 180' in metrics.text


def test_the_description_is_openapi_31_and_speaks_of_no_float(app: FastAPI) -> None:
    document = app.openapi()

    text = json.dumps(document)
    assert document["openapi"] == "3.1.0"
    assert '"type": "number"' not in text
    assert "prefixItems" not in text
    assert set(document["paths"]["/v1/portfolio"]["get"]["responses"]["422"]["content"]) == {"application/problem+json"}
    named = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert named <= set(document["components"]["schemas"])


def test_the_example_is_a_view() -> None:
    example = json.loads(json.dumps(PORTFOLIO))
    for row in example["rows"]:
        assert row.pop("age_seconds") == row["freshness"][0]["age_seconds"]

    view = PortfolioView.model_validate_json(json.dumps(example))

    assert view.rows[0].runway_days == 32
