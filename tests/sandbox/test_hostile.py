"""What the profiles `hostile` and `expired` play, in every window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import msgspec
import pytest
from runway_sandbox.chaos import Chaos
from runway_sandbox.serve import SandboxProcess, start_sandbox
from runway_sandbox.spoiling import NONSENSE, Spoiler
from runway_sandbox.webhooks import sign

SPOILED = {
    "profile": "hostile",
    "malformed": 0.15,
    "truncated": 0.15,
    "wrong_type": 0.15,
    "rows_doubled": 0.4,
    "rows_shuffled": 0.4,
}
REALM = "4620816365000001"
UPDATE = {"company": REALM, "op": "update", "kind": "Bill", "id": "10", "fields": {"PrivateNote": "seen"}}


@pytest.fixture(scope="module")
def economy() -> Iterator[SandboxProcess]:
    with start_sandbox(
        clients=1, bills_per_client=40, rails="qbo,plaid,stripe,ramp", more_arguments=["--no-throttle"]
    ) as running:
        yield running


def ask_books(ready: dict[str, Any]) -> httpx.Request:
    (company,) = ready["qbo"]["companies"]
    return httpx.Request(
        "GET",
        f"{ready['qbo']['base_url']}/v3/company/{company['realm_id']}/query",
        params={"query": "SELECT * FROM Bill ORDERBY Id STARTPOSITION 1 MAXRESULTS 1000"},
        headers={"authorization": f"Bearer {company['access_token']}", "accept": "application/json"},
    )


def ask_bank(ready: dict[str, Any]) -> httpx.Request:
    keys = {name: ready["plaid"][name] for name in ("client_id", "secret")}
    body = {**keys, "access_token": ready["plaid"]["companies"][0]["access_token"], "count": 500}
    return httpx.Request("POST", f"{ready['plaid']['base_url']}/transactions/sync", json=body)


def ask_processor(ready: dict[str, Any]) -> httpx.Request:
    headers = {
        "authorization": f"Bearer {ready['stripe']['secret_key']}",
        "stripe-account": ready["stripe"]["companies"][0]["account_id"],
    }
    return httpx.Request("GET", f"{ready['stripe']['base_url']}/v1/charges", params={"limit": "100"}, headers=headers)


def ask_payer(ready: dict[str, Any]) -> httpx.Request:
    ramp = ready["ramp"]
    (company,) = ramp["companies"]
    with httpx.Client() as client:
        token = client.post(
            ramp["token_url"],
            auth=(company["client_id"], company["client_secret"]),
            data={"grant_type": "client_credentials", "scope": "bills:read"},
        ).json()["access_token"]
    return httpx.Request(
        "GET",
        f"{ramp['base_url']}/developer/v1/bills",
        params={"page_size": "100"},
        headers={"authorization": f"Bearer {token}"},
    )


def rows_of(answer: Any) -> list[str] | None:
    """The ids of the rows that stand in an answer, whoever it is of; `None` when it says nothing of rows."""
    if not isinstance(answer, dict):
        return None
    found = answer.get("QueryResponse", {}).get("Bill") or answer.get("added") or answer.get("data")
    if not isinstance(found, list):
        return None
    return [str(row.get("Id") or row.get("transaction_id") or row.get("id")) for row in found]


@pytest.mark.parametrize("ask", [ask_books, ask_bank, ask_processor, ask_payer])
def test_a_hostile_window_spoils_answers_in_every_way_and_hides_nothing(
    economy: SandboxProcess, ask: Callable[[dict[str, Any]], httpx.Request]
) -> None:
    request = ask(economy.ready)
    with httpx.Client() as client:
        good = client.send(request)
        client.post(f"{economy.control_url}/chaos", json=SPOILED)
        try:
            answers = [client.send(request) for _ in range(60)]
        finally:
            client.post(f"{economy.control_url}/chaos", json={"profile": "none"})
    truth = rows_of(good.json())
    assert truth
    met = set()
    for answer in answers:
        assert answer.status_code == 200
        if answer.headers["content-type"] != good.headers["content-type"]:
            met.add("another type")
        try:
            shown = rows_of(answer.json())
        except ValueError:
            met.add("nonsense" if answer.content in NONSENSE else "no whole JSON")
            continue
        if shown is None:
            met.add("nonsense")
            continue
        assert set(shown) == set(truth)
        met |= {"rows twice"} if len(shown) > len(truth) else set()
        met |= {"another order"} if list(dict.fromkeys(shown)) != truth else set()

    assert met == {"another type", "nonsense", "no whole JSON", "rows twice", "another order"}


def test_the_same_seed_spoils_in_the_same_way() -> None:
    def spoil(seed: int) -> list[object]:
        spoiler = Spoiler(Chaos(seed, "hostile"))
        body = msgspec.json.encode({"rows": list(range(50))})
        bodies: list[object] = [spoiler.body(body, "application/json", purpose="1") for _ in range(200)]
        return bodies + [spoiler.rows(range(20), purpose="1") for _ in range(50)]

    assert spoil(1) == spoil(1)
    assert spoil(1) != spoil(2)


def test_only_a_page_that_follows_gives_way_to_the_one_before() -> None:
    chaos = Chaos(1)
    chaos.switch("hostile", {"page_again": 1})
    spoiler = Spoiler(chaos)
    shown = [spoiler.page("bills", page, follows=page == 2, purpose="1") for page in (1, 2, 3)]

    assert shown == [1, 1, 3]
    assert spoiler.page("vendors", 2, follows=True, purpose="1") == 2  # nothing came before it in that list


def test_revoked_tokens_end_after_they_opened_something_and_each_refresh_replaces_its_token(sandbox: Any) -> None:
    sandbox.control("/chaos", {"profile": "expired", "revoked": 1})
    rail = sandbox.rail
    token, refresh = rail["companies"][0]["access_token"], rail["companies"][0]["refresh_token"]
    seen = []
    for _ in range(2):
        with sandbox.client(token=token) as client:
            seen.append([client.get("/bill/10").status_code for _ in range(3)])
        form = {"grant_type": "refresh_token", "refresh_token": refresh}
        answer = httpx.post(rail["token_url"], data=form, auth=(rail["client_id"], rail["client_secret"])).json()
        assert answer["refresh_token"] != refresh
        token, refresh = answer["access_token"], answer["refresh_token"]

    assert seen == [[200, 401, 401], [200, 401, 401]]


def test_forged_events_prove_nothing_and_old_ones_come_again_as_they_were(sandbox: Any, receiver: Any) -> None:
    sandbox.control("/webhooks", {"url": receiver.url})
    sandbox.control("/chaos", {"profile": "hostile", "webhook_forged": 1, "webhook_replayed": 1})
    true: list[bytes] = []
    for place in range(6):
        sandbox.control("/mutate", [{**UPDATE, "fields": {"PrivateNote": f"seen {place}"}}])
        received = [receiver.received.get(timeout=5) for _ in range(3)]
        proved = [
            body
            for headers, body in received
            if headers.get("intuit-signature") == sign(body, sandbox.rail["webhook_verifier_token"])
        ]
        true.append(proved[0])
        assert len(proved) == 2
        assert proved[1] in true

    state = sandbox.control("/webhooks")
    assert (state["delivered"], state["forged"], state["forged_taken"], state["replayed"]) == (6, 6, 6, 6)
