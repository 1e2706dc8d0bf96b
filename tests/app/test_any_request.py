"""Whatever a stranger sends as cookie, key, form or body is refused like any other, and is no fault of ours."""

import json

from fastapi import FastAPI
from hypothesis import example, given, settings
from hypothesis import strategies as st
from runway_core.domain.policy import Role

from tests.any_bytes import bodies
from tests.app.firm import Firm
from tests.app.people_desk import add_owner, client_of, reach

TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=60)
NAMES = ("runway_session", "runway_factor", "runway_away", "__Host-runway_session")
COOKIE = TEXT | st.builds("{}={}".format, st.sampled_from(NAMES), TEXT)
HEADER = st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=60) | st.sampled_from(
    [
        "Bearer ",
        "Bearer rw_",
        "Bearer " + "x" * 5000,
        "Basic AAAA",
        "Bearer rw_aaaaaaaa_bbbb.cccc",
        "runway_session=",
        'runway_session="\\"; runway_session=b',
        "runway_away=e30.e30; runway_factor=%00",
    ]
)
PATHS = (
    "/",
    "/account",
    "/v1/portfolio",
    "/v1/companies/acme/digest",
    "/sign-in",
    "/second-factor",
    "/oidc/back?code=a&state=b",
)


@settings(max_examples=30)
@given(
    cookie=COOKIE | HEADER,
    authorization=st.none() | HEADER | st.builds("Bearer {}".format, TEXT),
    path=st.sampled_from(PATHS),
)
@example(cookie="runway_session=\xe9\xff", authorization=None, path="/")
@example(cookie="runway_away=\xe9.\xff", authorization=None, path="/oidc/back?code=a&state=b")
@example(cookie="runway_factor=\xe9", authorization=None, path="/second-factor")
async def test_cookies_and_keys_of_any_text_open_nothing(
    app: FastAPI, firm: Firm, cookie: str, authorization: str | None, path: str
) -> None:
    if not await firm.runway.people.list():
        await add_owner(firm.runway)
    headers = [(b"cookie", cookie.encode("latin-1"))]
    if authorization is not None:  # else it is asked for the cookie
        headers.append((b"authorization", authorization.encode("latin-1")))
    async with client_of(app) as stranger:
        answer = await stranger.get(path, headers=headers)

    assert answer.status_code < 500
    assert "Acme" not in answer.text
    assert answer.status_code in {401, 404, 403, 303, 302, 429} or path in {
        "/sign-in",
        "/second-factor",
        "/oidc/back?code=a&state=b",
    }


@settings(max_examples=30)
@given(
    body=bodies({"amount": "12.50", "label": "Rent", "day": "2026-03-31"}, {"email": "a", "password": "b"}),
    is_form=st.booleans(),
)
async def test_bodies_of_any_bytes_are_refused_by_the_api_and_by_forms(
    app: FastAPI, firm: Firm, body: bytes, is_form: bool
) -> None:
    """Of somebody who may do everything, so that the body is what is looked at."""
    if not await firm.runway.people.list():
        await add_owner(firm.runway)
    person_id = f"p{len(await firm.runway.people.list())}"
    who = await reach(app, firm.runway, Role.OWNER, name=person_id)
    base = f"/v1/companies/{firm.sample.company_id}"
    kind = "application/x-www-form-urlencoded" if is_form else "application/json"
    for path in (f"{base}/planned-items", f"{base}/decisions", f"{base}/scenarios", "/v1/policy"):
        answer = await who.program.post(path, content=body, headers={"content-type": kind})

        assert answer.status_code < 500, (path, body)
        assert json.loads(answer.content) is not None
    async with client_of(app) as stranger:
        answer = await stranger.post("/sign-in", content=body, headers={"content-type": kind})

    assert answer.status_code < 500
