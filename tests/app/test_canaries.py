"""No secret leaves: planted ones are looked for in everything that a troubled day writes."""

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from runway_app_http.logs import configure_logs
from runway_app_http.settings import AppSettings
from runway_core.domain.people import firm_chain
from runway_core.domain.policy import Role
from runway_core.errors import RailAccessLost, RailUnavailable

from tests.app.firm import Firm
from tests.app.people_desk import PASSWORD, add_owner, client_of, form_token, reach, set_password

PLANTED = {"refresh_token": "canary-refresh-7f3a", "client_secret": "canary-client-91bc"}


async def live_through_a_day(app: FastAPI, firm: Firm) -> tuple[list[str], list[str]]:
    """Sign-ins right and wrong, keys, faults of rails, a fault of ours; returns the secrets, and what was answered."""
    runway = firm.runway
    await add_owner(runway)
    await set_password(runway, app, "ada")
    (connection,) = await runway.connections.list(firm.sample.company_id)
    await runway.scope.store.vault.save(
        connection.connection_id, {name: SecretStr(text) for name, text in PLANTED.items()}
    )
    who = await reach(app, runway, Role.OWNER, name="bo")
    key = who.program.headers["Authorization"].removeprefix("Bearer ")
    link = (await runway.people.invite("bo", actor="ada")).get_secret_value()
    wrong = "canary-mistyped-password-55"

    @app.get("/v1/companies/{company_id}/broken")
    async def break_down(company_id: str) -> None:
        held = await runway.scope.store.vault.load(connection.connection_id)
        raise RuntimeError(f"failed with {len(held)} secrets of {company_id}: {held}")

    answers = []
    async with client_of(app) as browser:
        token = await form_token(browser, "/sign-in")
        for email, password in (("ada@firm.example", wrong), ("ada@firm.example", PASSWORD), (wrong, PASSWORD)):
            fields = {"form_token": token, "email": email, "password": password, "next": "/"}
            answers.append(await browser.post("/sign-in", data=fields))
        session = browser.cookies.get("runway_session") or "none"
    base = f"/v1/companies/{firm.sample.company_id}"
    for fault in (RailUnavailable("no answer", rail="memory"), RailAccessLost("gone", rail="memory")):
        firm.ledger.fail_next(fault)
        answers.append(await who.program.post(f"{base}/sync"))
    answers.append(await who.program.get(f"{base}/broken"))
    answers += [await who.program.get(path) for path in (f"{base}/digest", "/v1/health", "/metrics", "/readyz")]
    answers += [await who.browser.get(path) for path in ("/account", "/people", "/people/ada", "/health")]
    async with client_of(app) as stranger:
        answers.append(await stranger.get("/v1/portfolio", headers={"Authorization": f"Bearer {key}x"}))
    texts = [answer.text + str({n: v for n, v in answer.headers.items() if n != "set-cookie"}) for answer in answers]
    assert any(answer.status_code == 500 for answer in answers)
    return [*PLANTED.values(), key, link, session, who.session, PASSWORD, wrong], texts


async def test_no_secret_is_in_logs_answers_the_log_or_the_database(
    app: FastAPI, firm: Firm, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs(level="debug", form="json")
    planted, answers = await live_through_a_day(app, firm)
    written = capsys.readouterr()
    logs = written.out + written.err
    runway = firm.runway
    chains = [firm_chain(runway.scope.firm_id), firm.sample.company_id]
    entries = [entry.canonical for chain in chains async for entry in runway.scope.store.log.entries(chain)]
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}  # noqa: ASYNC240 - a test may wait for its disk

    assert "request_failed" in logs
    assert all(json.loads(line) for line in written.err.splitlines() if line.startswith("{"))
    for secret in planted:
        assert secret not in logs, secret
        assert not any(secret in answer for answer in answers), secret
        assert not any(secret.encode() in entry for entry in entries), secret
        assert not [name for name, content in files.items() if secret.encode() in content], secret
    logging.getLogger().handlers.clear()


def test_settings_do_not_show_their_secrets() -> None:
    secrets: dict[str, Any] = {
        name: "canary-setting-42"
        for name, field in AppSettings.model_fields.items()
        if "SecretStr" in str(field.annotation) and "tuple" not in str(field.annotation)
    }
    settings = AppSettings(**secrets, other_secret_keys=(SecretStr("canary-setting-42"),))

    assert len(secrets) >= 5
    assert not re.search("canary-setting-42", repr(settings) + str(settings) + settings.model_dump_json())
