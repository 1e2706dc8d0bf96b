"""Tokens, limits and chaos as a client meets them."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from runway_sandbox import chaos
from runway_sandbox.chaos import PROFILES, TO_SURVIVE, Chaos, name_profiles
from runway_sandbox.settings import OAuthRules, ThrottleLimits


def test_a_missing_or_expired_token_is_a_gateway_fault(sandbox: Any) -> None:
    with sandbox.client(token="nonsense") as client:
        refused = client.get("/bill/10")
    with sandbox.client() as client:
        assert client.get("/bill/10").status_code == 200
        sandbox.advance(3601)
        expired = client.get("/bill/10")

    for response in (refused, expired):
        assert response.status_code == 401
        assert response.json()["fault"]["error"][0]["code"] == "3200"
        assert isinstance(response.json()["time"], int)
        assert response.headers["www-authenticate"] == 'Bearer realm="Intuit", error="invalid_token"'
        assert response.headers["intuit_tid"].startswith("1-")


def test_a_token_opens_its_own_company_only(serve: Any, company: Any) -> None:
    sandbox = serve(company(), company("4620816365000002", name="Other"))
    with sandbox.client(1, token=sandbox.rail["companies"][0]["access_token"]) as client:
        response = client.get("/bill/10")

    assert response.status_code == 403
    assert response.json()["fault"]["error"][0]["code"] == "3100"


def _refresh(sandbox: Any, token: str, *, secret: str | None = None, **headers: str) -> httpx.Response:
    rail = sandbox.rail
    return httpx.post(
        rail["token_url"],
        data={"grant_type": "refresh_token", "refresh_token": token},
        auth=(rail["client_id"], secret or rail["client_secret"]),
        headers=headers,
    )


def test_a_replaced_refresh_token_lives_through_its_grace(serve: Any) -> None:
    sandbox = serve(oauth=OAuthRules(old_refresh_grace_s=86_400, describe_invalid_grant=True))
    old = sandbox.rail["companies"][0]["refresh_token"]
    sandbox.advance(90_000)
    new = _refresh(sandbox, old).json()["refresh_token"]

    assert new != old
    assert _refresh(sandbox, old).json()["refresh_token"] == new
    sandbox.advance(86_401)
    assert _refresh(sandbox, old).json() == {
        "error_description": "Incorrect or invalid refresh token",
        "error": "invalid_grant",
    }


def test_the_hard_end_is_told_when_asked_and_kept(sandbox: Any) -> None:
    token = sandbox.rail["companies"][0]["refresh_token"]
    asked = _refresh(sandbox, token, **{"x-include-refresh-token-hard-expires-in": "true"}).json()

    assert asked["x_refresh_token_hard_expires_in"] in range(157_679_900, 157_680_001)
    assert "x_refresh_token_hard_expires_in" not in _refresh(sandbox, token).json()
    assert _refresh(sandbox, token, secret="wrong").json() == {"error": "invalid_client"}
    assert httpx.get(sandbox.rail["token_url"]).status_code == 405


def test_two_refreshes_at_once_poison_the_connection(serve: Any) -> None:
    sandbox = serve(oauth=OAuthRules(refresh_takes_s=0.5))
    token = sandbox.rail["companies"][0]["refresh_token"]
    answers: list[httpx.Response] = []
    threads = [threading.Thread(target=lambda: answers.append(_refresh(sandbox, token))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answer.status_code for answer in answers) == [200, 400]
    assert _refresh(sandbox, token).json() == {"error": "invalid_grant"}


def test_a_code_sent_twice_poisons_its_tokens(sandbox: Any) -> None:
    rail = sandbox.rail
    query = {
        "client_id": rail["client_id"],
        "scope": "com.intuit.quickbooks.accounting",
        "redirect_uri": "http://localhost/back",
        "response_type": "code",
        "state": "s",
    }
    back = httpx.get(rail["authorize_url"], params=query).headers["location"]
    form = {
        "grant_type": "authorization_code",
        "code": httpx.URL(back).params["code"],
        "redirect_uri": "http://localhost/back",
    }
    auth = (rail["client_id"], rail["client_secret"])
    first = httpx.post(rail["token_url"], data=form, auth=auth).json()

    assert httpx.post(rail["token_url"], data=form, auth=auth).json() == {"error": "invalid_grant"}
    assert _refresh(sandbox, first["refresh_token"]).status_code == 400


def test_the_eleventh_call_in_a_second_is_xml_429(serve: Any) -> None:
    sandbox = serve(throttle=ThrottleLimits(calls_per_second=5, calls_per_minute=8))
    with sandbox.client() as client:
        statuses = [client.get("/bill/10").status_code for _ in range(6)]
        refused = client.get("/bill/10")
        sandbox.advance(2)
        later = [client.get("/bill/10").status_code for _ in range(4)]
        sandbox.advance(61)
        recovered = client.get("/bill/10").status_code

    assert statuses == [200] * 5 + [429]
    assert refused.headers["content-type"] == "application/xml;charset=UTF-8"
    assert "errorCode=003001; statusCode=429" in refused.text
    assert "retry-after" not in refused.headers
    assert later == [200, 200, 200, 429]
    assert recovered == 200


def test_batches_have_a_limit_of_their_own(serve: Any) -> None:
    sandbox = serve(throttle=ThrottleLimits(batches_per_minute=1, retry_after_seconds=60))
    body = {"BatchItemRequest": [{"bId": "1", "Query": "select * from Bill"}]}
    with sandbox.client() as client:
        assert client.post("/batch", json=body).status_code == 200
        refused = client.post("/batch", json=body)
        assert client.get("/bill/10").status_code == 200

    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")


@pytest.mark.parametrize(
    ("profile", "status", "content_type"),
    [
        ("outage", 503, "text/html; charset=us-ascii"),
        ("maintenance", 200, "text/html"),
        ("quota", 429, "application/xml;charset=UTF-8"),
        ("wrong_environment", 403, "application/json;charset=UTF-8"),
        ("lost_access", 401, "application/json;charset=UTF-8"),
    ],
)
def test_a_profile_is_switched_while_running(sandbox: Any, profile: str, status: int, content_type: str) -> None:
    with sandbox.client() as client:
        sandbox.control("/chaos", {"profile": profile})
        troubled = client.get("/bill/10")
        sandbox.control("/chaos", {"profile": "none"})
        healed = client.get("/bill/10")

    assert (troubled.status_code, troubled.headers["content-type"].split(";charset=utf-8")[0]) == (status, content_type)
    assert healed.status_code == 200


def test_the_same_seed_plays_the_same_trouble() -> None:
    def played(seed: int) -> list[str | None]:
        trouble = Chaos(seed, "flaky")
        return [trouble.trouble_before("1") for _ in range(300)]

    assert played(1) == played(1)
    assert played(1) != played(2)
    assert {"server_error", "unavailable", "throttled", None} <= set(played(1))


def test_an_unanswered_write_was_done(sandbox: Any) -> None:
    sandbox.control("/chaos", {"profile": "unanswered_writes", "unanswered_write": 1})
    with sandbox.client() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            client.post("/vendor", params={"requestid": "r1"}, json={"DisplayName": "Alpha"})
        sandbox.control("/chaos", {"profile": "none"})
        replayed = client.post("/vendor", params={"requestid": "r1"}, json={"DisplayName": "Alpha"})

    assert replayed.json()["Vendor"]["DisplayName"] == "Alpha"


def test_books_move_while_they_are_paged(serve: Any, company: Any) -> None:
    sandbox = serve(company(more_bills=300), chaos="moving_pages")
    sandbox.control("/chaos", {"profile": "moving_pages", "edits_while_paging": 1, "deletes_while_paging": 0})
    seen: list[str] = []
    with sandbox.client() as client:
        for start in range(1, 400, 20):
            sandbox.advance(1)
            query = f"SELECT * FROM Bill STARTPOSITION {start} MAXRESULTS 20"
            page = client.get("/query", params={"query": query}).json()["QueryResponse"]
            seen.extend(bill["Id"] for bill in page.get("Bill", []))

    assert len(seen) > len(set(seen))


def test_every_profile_is_described() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "sandbox.md").read_text(encoding="utf-8")

    for name in PROFILES:
        assert f"| `{name}` |" in str(chaos.__doc__)
        assert f"`{name}`" in page
        assert name in name_profiles()
    assert TO_SURVIVE == ("none", "flaky", "throttled", "expired", "hostile")


@pytest.mark.parametrize("body", [{"profile": "nonsense"}, {"profile": "flaky", "nonsense": 1}, {"throttled": "x"}])
def test_an_unknown_profile_is_refused_with_what_there_is(sandbox: Any, body: dict[str, Any]) -> None:
    response = httpx.post(sandbox.control_url + "/chaos", json=body)

    assert response.status_code == 400
    assert response.json()["error"]
