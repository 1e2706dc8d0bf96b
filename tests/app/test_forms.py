"""Forms: what they change, and whose they must be."""

import re

import httpx
import pytest

from tests.app.firm import HOSTILE, Firm


async def open_tray(client: httpx.AsyncClient, firm: Firm, query: str = "") -> tuple[str, str]:
    """The form token of the page, and the first finding's id."""
    text = (await client.get(f"/companies/{firm.sample.company_id}/tray{query}")).text
    token = re.search(r'name="form_token" value="([^"]+)"', text)
    finding = re.search(r'id="f-([0-9a-f]+)"', text)
    assert token is not None
    return token[1], finding[1] if finding else ""


async def test_a_finding_is_accepted_and_the_act_undone(client: httpx.AsyncClient, firm: Firm) -> None:
    token, finding = await open_tray(client, firm)
    base = f"/companies/{firm.sample.company_id}"

    done = await client.post(
        f"{base}/findings/{finding}",
        data={"form_token": token, "action": "accept", "reason": HOSTILE},
    )
    page = await client.get(done.headers["location"])
    accepted = await client.get(f"{base}/tray?state=accepted")
    undo = re.search(rf'action="({base}/findings/{finding})"', page.text)

    assert (done.status_code, done.headers["location"]) == (303, f"{base}/tray")
    assert "Accepted." in page.text
    assert undo is not None
    assert "&lt;script&gt;alert" in accepted.text
    assert "Accepted." not in accepted.text  # said once

    await client.post(undo[1], data={"form_token": token, "action": "reopen"})
    states = {t.finding_id: t.state.value for t in await firm.runway.findings.list(firm.sample.company_id)}

    assert states[finding] == "open"


async def test_snoozing_and_asking_keep_the_filters(client: httpx.AsyncClient, firm: Firm) -> None:
    token, finding = await open_tray(client, firm, "?severity=critical")
    address = f"/companies/{firm.sample.company_id}/findings/{finding}?severity=critical"

    snoozed = await client.post(address, data={"form_token": token, "action": "snooze", "until": "2026-04-01"})
    asked = await client.post(address, data={"form_token": token, "action": "ask", "reason": "", "until": ""})
    held = {t.finding_id: t for t in await firm.runway.findings.list(firm.sample.company_id)}

    assert snoozed.headers["location"].endswith("/tray?severity=critical")
    assert asked.status_code == 303
    assert (held[finding].state.value, held[finding].decided_by) == ("asked", "web")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"action": "accept", "reason": "  "}, "needs a reason"),
        ({"action": "snooze", "until": "2020-01-01"}, "a day after today"),
        ({"action": "snooze", "until": "soon"}, "until"),
        ({"action": "burn"}, "action"),
        ({}, "action"),
    ],
)
async def test_a_decision_that_cannot_be_is_explained_on_the_tray(
    client: httpx.AsyncClient, firm: Firm, fields: dict[str, str], said: str
) -> None:
    token, finding = await open_tray(client, firm)

    answer = await client.post(
        f"/companies/{firm.sample.company_id}/findings/{finding}", data={"form_token": token, **fields}
    )

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert said in answer.text


@pytest.mark.parametrize("token", ["", "forged", "A" * 43])
async def test_a_form_without_the_readers_token_changes_nothing(
    client: httpx.AsyncClient, firm: Firm, token: str
) -> None:
    _, finding = await open_tray(client, firm)
    base = f"/companies/{firm.sample.company_id}"

    decided = await client.post(f"{base}/findings/{finding}", data={"form_token": token, "action": "ask"})
    read = await client.post(f"{base}/sync", data={"form_token": token})

    assert (decided.status_code, read.status_code) == (403, 403)
    assert "form-expired" in decided.text
    assert {t.state.value for t in await firm.runway.findings.list(firm.sample.company_id)} == {"open"}


async def test_a_token_without_its_cookie_is_worth_nothing(client: httpx.AsyncClient, firm: Firm) -> None:
    token, finding = await open_tray(client, firm)
    client.cookies.clear()

    answer = await client.post(
        f"/companies/{firm.sample.company_id}/findings/{finding}", data={"form_token": token, "action": "ask"}
    )

    assert answer.status_code == 403


async def test_the_cookie_is_kept_from_scripts_and_other_sites(client: httpx.AsyncClient, firm: Firm) -> None:
    answer = await client.get(f"/companies/{firm.sample.company_id}")

    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


async def test_an_unknown_finding_is_not_found(client: httpx.AsyncClient, firm: Firm) -> None:
    token, _ = await open_tray(client, firm)

    answer = await client.post(
        f"/companies/{firm.sample.company_id}/findings/nothing", data={"form_token": token, "action": "ask"}
    )

    assert answer.status_code == 404


async def test_read_now_pulls_and_says_so(client: httpx.AsyncClient, firm: Firm) -> None:
    token, _ = await open_tray(client, firm)
    calls = firm.ledger.calls

    done = await client.post(f"/companies/{firm.sample.company_id}/sync", data={"form_token": token})
    page = await client.get(done.headers["location"])

    assert firm.ledger.calls > calls
    assert "Read: the figures below are new." in page.text
