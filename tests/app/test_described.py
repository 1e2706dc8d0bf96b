"""Nothing that the description of the API allows makes it fail: schemathesis makes calls up from the description."""

import json
from datetime import timedelta
from typing import Any

import hypothesis
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase
from runway_core.domain.policy import Role

from tests.app.firm import Firm
from tests.app.people_desk import add_owner, reach
from tests.app.sample_examples import PATH, gather_examples

CALLS_EACH = 2
"""So many calls of each operation: some hundred and fifty in all, within seconds."""

ONE_CALL = timedelta(seconds=1)  # so that the rate of calls is kept

_AS_IT_COMES: Any = hypothesis.settings(
    max_examples=CALLS_EACH,
    phases=[Phase.generate],
    database=None,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def make_up_calls(app: FastAPI) -> list[Any]:
    """Calls of each operation with bodies and queries as they are described."""
    made: list[Any] = []
    for found in schemathesis.openapi.from_dict(app.openapi()).get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]  # a description that cannot be read fails here
        made += make_up(operation)
    return made


def make_up(operation: Any) -> list[Any]:
    """A few calls of one operation."""
    made: list[Any] = []

    def take(case: Any) -> None:
        made.append(case)

    given: Any = hypothesis.given
    play = given(operation.as_strategy())(_AS_IT_COMES(take))
    play()
    return made


async def test_the_examples_are_what_is_answered_for_the_sample_company(app: FastAPI) -> None:
    """If this fails because what is answered was changed: `python -m tests.app.sample_examples` writes them anew."""
    written = json.loads(PATH.read_text(encoding="utf-8"))
    described = app.openapi()["paths"]
    shown = {
        path: verbs["get"]["responses"]["200"]["content"]["application/json"].get("example")
        for path, verbs in described.items()
        if path in written
    }

    assert written == await gather_examples()
    assert shown == written
    assert written["/v1/companies/{company_id}/digest"]["runway"]["days"] == 32
    assert len(written) > 20


async def test_no_call_that_the_description_allows_makes_it_fail(app: FastAPI, firm: Firm) -> None:
    """As somebody who may do everything, on a company that is there and on made-up ones."""
    await add_owner(firm.runway)
    who = await reach(app, firm.runway, Role.OWNER)
    calls = make_up_calls(app)
    failed = []
    for number, case in enumerate(calls):
        if "company_id" in (case.path_parameters or {}) and number % 2:
            case.path_parameters["company_id"] = firm.sample.company_id
        sent = case.as_transport_kwargs(base_url="http://runway.test")
        headers = {k: str(v) for k, v in (sent.get("headers") or {}).items() if k.lower() != "authorization"}
        headers = {k: v for k, v in headers.items() if v.isascii() and v.isprintable() and v == v.strip()}
        body = {name: sent[name] for name in ("json", "data", "params") if sent.get(name) is not None}
        if isinstance(body.get("data"), bytes | str):
            body["content"] = body.pop("data")
        answer = await who.program.request(sent["method"], sent["url"], headers=headers, **body)
        if answer.status_code >= 500 and answer.status_code not in (501, 502, 503):
            failed.append(f"{sent['method']} {sent['url']} {body}: {answer.status_code} {answer.text[:200]}")
        firm.clock.advance(ONE_CALL)

    assert len(calls) >= 100
    assert not failed, "\n".join(failed[:10])
