"""Signing in: what lets a person in, what does not, and what is left of it afterwards."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pyotp
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from runway_app_http.gate import GateRules
from runway_app_http.passwords import Passwords, demand_fit
from runway_app_http.web import create_app
from runway_core.domain.people import firm_chain
from runway_core.domain.policy import Role
from runway_core.errors import InvalidRequest, SignInRefused, TooManyRequests
from runway_core.services.sessions import ADDRESS, NOBODY

from tests.app.firm import Firm
from tests.app.people_desk import PASSWORD, add_owner, client_of, form_token, reach, set_password
from tests.store.statements import counted


@pytest.fixture
async def browser(app: FastAPI, firm: Firm) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that nobody has signed in with, in a firm whose owner has a password."""
    await add_owner(firm.runway)
    await set_password(firm.runway, app, "ada")
    async with client_of(app) as client:
        yield client


async def sign_in(
    browser: httpx.AsyncClient, *, email: str = "ada@firm.example", password: str = PASSWORD, following: str = "/"
) -> httpx.Response:
    token = await form_token(browser, "/sign-in")
    fields = {"form_token": token, "email": email, "password": password, "next": following}
    return await browser.post("/sign-in", data=fields)


async def acts(firm: Firm) -> list[tuple[str, str]]:
    log = firm.runway.scope.store.log
    return [(e.draft.what, e.draft.external_id) async for e in log.entries(firm_chain(firm.runway.scope.firm_id))]


async def test_an_owner_signs_in_and_goes_where_they_were_going(browser: httpx.AsyncClient, firm: Firm) -> None:
    wanted = await browser.get(f"/companies/{firm.sample.company_id}/tray?state=all")
    page = await browser.get(wanted.headers["location"])
    following = re.search(r'name="next" value="([^"]+)"', page.text)
    assert following is not None
    done = await sign_in(browser, following=following[1].replace("&amp;", "&"))
    shown = await browser.get(done.headers["location"])

    assert done.headers["location"] == f"/companies/{firm.sample.company_id}/tray?state=all"
    assert shown.status_code == 200
    assert "Ada" in shown.text
    assert ("signed_in", "ada") in await acts(firm)


@pytest.mark.parametrize("following", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x"])
async def test_nobody_is_sent_to_another_site(browser: httpx.AsyncClient, following: str) -> None:
    assert (await sign_in(browser, following=following)).headers["location"] == "/"


async def test_the_session_is_kept_from_scripts_and_other_hosts(app: FastAPI, firm: Firm) -> None:
    await add_owner(firm.runway)
    await set_password(firm.runway, app, "ada")
    async with client_of(app, base="https://runway.test") as browser:
        done = await sign_in(browser)
    cookie = next(c for c in done.headers.get_list("set-cookie") if "session" in c).lower()

    assert cookie.startswith("__host-runway_session=")
    assert {"httponly", "secure", "samesite=lax", "path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "domain" not in cookie


async def test_a_wrong_name_and_a_wrong_password_are_told_alike(browser: httpx.AsyncClient, firm: Firm) -> None:
    unknown = await sign_in(browser, email="nobody@firm.example")
    wrong = await sign_in(browser, password="not the right one at all")
    plain = [re.sub(r'value="[^"]*"', "", answer.text) for answer in (unknown, wrong)]
    plain = [re.sub(r"(autofocus|[0-9a-f]{32})", "", text) for text in plain]

    assert (unknown.status_code, wrong.status_code) == (401, 401)
    assert plain[0] == plain[1]
    assert "session" not in str(unknown.headers) + str(wrong.headers)
    assert [who for what, who in await acts(firm) if what == "sign_in_refused"] == [NOBODY, "ada"]


async def test_a_name_that_nobody_has_costs_the_work_of_one_that_somebody_has(app: FastAPI, firm: Firm) -> None:
    """The time of an answer tells no more than its words do: the database is asked and told the same."""
    await add_owner(firm.runway)
    await set_password(firm.runway, app, "ada")
    work: dict[str, list[str]] = {}
    for email in ("ada@firm.example", "nobody@firm.example"):
        with counted() as statements, pytest.raises(SignInRefused):
            await app.state.door.enter(email, SecretStr("guess"), address="192.0.2.7")
        work[email] = [re.sub(r"\s+", " ", statement) for statement in statements]

    assert len(work["ada@firm.example"]) > 4
    assert work["nobody@firm.example"] == work["ada@firm.example"]


async def test_guessing_is_slowed_down_for_names_that_exist_and_for_those_that_do_not(
    browser: httpx.AsyncClient, firm: Firm
) -> None:
    for email in ("ada@firm.example", "nobody@firm.example"):
        statuses = [(await sign_in(browser, email=email, password="guess")).status_code for _ in range(6)]
        assert statuses == [401, 401, 401, 401, 401, 429]
    locked = await sign_in(browser)
    assert (locked.status_code, locked.headers["retry-after"]) == (429, "15")
    firm.clock.advance(timedelta(seconds=15))

    assert (await sign_in(browser)).status_code == 303


async def test_an_office_behind_one_address_signs_in_as_often_as_it_likes(app: FastAPI, firm: Firm) -> None:
    await add_owner(firm.runway)
    await set_password(firm.runway, app, "ada")
    door = app.state.door

    for _ in range(ADDRESS.free + 2):
        await door.enter("ada@firm.example", SecretStr(PASSWORD), address="192.0.2.7")


async def test_an_account_of_ones_own_wins_no_new_guesses_for_an_address(app: FastAPI, firm: Firm) -> None:
    await add_owner(firm.runway)
    await set_password(firm.runway, app, "ada")
    door = app.state.door
    for number in range(ADDRESS.free):
        if number % 10 == 9:
            await door.enter("ada@firm.example", SecretStr(PASSWORD), address="192.0.2.7")
        with pytest.raises(SignInRefused):
            await door.enter(f"guess{number}@firm.example", SecretStr("guess"), address="192.0.2.7")

    with pytest.raises(TooManyRequests):
        await door.enter("ada@firm.example", SecretStr(PASSWORD), address="192.0.2.7")
    await door.enter("ada@firm.example", SecretStr(PASSWORD), address="192.0.2.8")


async def test_a_session_is_new_at_each_sign_in_and_over_once_signed_out(
    browser: httpx.AsyncClient, app: FastAPI
) -> None:
    await sign_in(browser)
    first = browser.cookies["runway_session"]
    browser.cookies.clear()
    await sign_in(browser)
    second = browser.cookies["runway_session"]
    token = await form_token(browser, "/account")
    out = await browser.post("/sign-out", data={"form_token": token})
    async with client_of(app) as thief:
        thief.cookies.set("runway_session", second)
        stolen = await thief.get("/account")

    assert first != second
    assert out.headers["location"] == "/sign-in"
    assert stolen.headers["location"].startswith("/sign-in")


async def test_a_form_of_another_session_changes_nothing(browser: httpx.AsyncClient, app: FastAPI, firm: Firm) -> None:
    other = await reach(app, firm.runway, Role.OWNER, name="bo")
    await sign_in(browser)
    fields = {"form_token": other.form_token, "email": "cy@firm.example", "role": "owner"}
    answer = await browser.post("/people", data=fields)

    assert answer.status_code == 403
    assert "form-expired" in answer.text
    assert len(await firm.runway.people.list()) == 2


async def test_a_second_factor_is_set_up_asked_for_and_counts_once(browser: httpx.AsyncClient, firm: Firm) -> None:
    await sign_in(browser)
    page = await browser.get("/account/second-factor")
    secret = re.search(r'name="secret" value="([A-Z2-7]{32})"', page.text)
    assert secret is not None
    totp = pyotp.TOTP(secret[1])
    token = await form_token(browser, "/account")
    fields = {"form_token": token, "secret": secret[1]}
    wrong = await browser.post("/account/second-factor", data=fields | {"code": "000000"})
    done = await browser.post("/account/second-factor", data=fields | {"code": totp.at(firm.clock.now())})
    codes = re.findall(r"<code>([a-z2-9]{5}-[a-z2-9]{5})</code>", done.text)
    assert (wrong.status_code, len(codes)) == (422, 10)
    assert "<svg" in page.text

    browser.cookies.clear()
    first = await sign_in(browser)
    assert first.headers["location"].startswith("/sign-in/code")
    assert (await browser.get("/account")).status_code == 303  # the password alone opens nothing

    async def give(code: str) -> httpx.Response:
        held = await form_token(browser, "/sign-in/code")
        return await browser.post("/sign-in/code", data={"form_token": held, "code": code})

    used = await give(totp.at(firm.clock.now()))
    firm.clock.advance(timedelta(seconds=30))
    fresh = await give(totp.at(firm.clock.now()))
    assert (used.status_code, fresh.status_code) == (401, 303)
    assert (await browser.get("/account")).status_code == 200

    browser.cookies.clear()
    await sign_in(browser)
    assert (await give(codes[0].upper())).status_code == 303
    browser.cookies.clear()
    await sign_in(browser)
    assert (await give(codes[0])).status_code == 401  # each replaces the phone once


async def test_a_link_sets_a_password_once(app: FastAPI, firm: Firm) -> None:
    await add_owner(firm.runway)
    link = (await firm.runway.people.invite("ada", actor="setup")).get_secret_value()
    async with client_of(app) as browser:
        token = await form_token(browser, f"/welcome?link={link}")
        fields = {"form_token": token, "link": link}
        short = await browser.post("/welcome", data=fields | {"password": "short", "again": "short"})
        differs = await browser.post("/welcome", data=fields | {"password": PASSWORD, "again": PASSWORD + "!"})
        done = await browser.post("/welcome", data=fields | {"password": PASSWORD, "again": PASSWORD})
        account = await browser.get(done.headers["location"])
    async with client_of(app) as late:
        again = await late.get(f"/welcome?link={link}")

    assert (short.status_code, differs.status_code, done.status_code) == (422, 422, 303)
    assert "ada@firm.example" in account.text
    assert again.status_code == 401


async def test_sensitive_acts_want_a_fresh_proof(browser: httpx.AsyncClient, firm: Firm) -> None:
    await sign_in(browser)
    firm.clock.advance(timedelta(minutes=16))
    token = await form_token(browser, "/account")
    fields = {"form_token": token, "email": "cy@firm.example", "role": "viewer"}
    asked = await browser.post("/people", data=fields, headers={"referer": "http://runway.test/people"})
    assert asked.headers["location"] == "/sign-in/again?next=%2Fpeople"
    wrong = await browser.post("/sign-in/again", data={"form_token": token, "password": "guess", "next": "/people"})
    right = await browser.post("/sign-in/again", data={"form_token": token, "password": PASSWORD, "next": "/people"})
    added = await browser.post("/people", data=fields)

    assert (wrong.status_code, right.headers["location"]) == (401, "/people")
    assert "/welcome?link=" in added.text
    assert [p.person_id for p in await firm.runway.people.list()] == ["ada", "cy"]


async def test_an_owner_changes_and_disables_people_on_their_page(
    browser: httpx.AsyncClient, app: FastAPI, firm: Firm
) -> None:
    bo = await reach(app, firm.runway, Role.VIEWER, name="bo")
    await sign_in(browser)
    token = await form_token(browser, "/people/bo")
    fields = {"form_token": token, "action": "change", "name": "Bo", "email": "bo@firm.example", "version": "1"}
    boxes = {"role": "controller", "reach": "some", "company": firm.sample.company_id}
    changed = await browser.post("/people/bo", data=fields | boxes)
    stale = await browser.post("/people/bo", data=fields | boxes | {"role": "owner"})
    seen = await bo.program.get("/v1/me")
    disabled = await browser.post("/people/bo", data={"form_token": token, "action": "disable"})

    assert (changed.status_code, stale.status_code, disabled.status_code) == (303, 412, 303)
    assert (seen.json()["role"], seen.json()["companies"]) == ("controller", [firm.sample.company_id])
    assert (await bo.program.get("/v1/me")).status_code == 401
    assert (await bo.browser.get("/account")).status_code == 303


async def test_a_new_password_ends_all_other_sessions(browser: httpx.AsyncClient, app: FastAPI) -> None:
    await sign_in(browser)
    async with client_of(app) as elsewhere:
        await sign_in(elsewhere)
        token = await form_token(browser, "/account")
        new = "another sentence for tests"
        fields = {"form_token": token, "old": PASSWORD, "new": new, "again": new}
        wrong = await browser.post("/account/password", data=fields | {"old": "guess"})
        done = await browser.post("/account/password", data=fields)
        over = await elsewhere.get("/account")

    assert (wrong.status_code, done.status_code, over.status_code) == (401, 303, 303)
    assert (await browser.get("/account")).status_code == 200


async def test_a_key_is_shown_once_and_works_until_it_is_taken_back(
    browser: httpx.AsyncClient, app: FastAPI, firm: Firm
) -> None:
    await sign_in(browser)
    token = await form_token(browser, "/account")
    fields = {"form_token": token, "name": "nightly", "may_read": "yes", "days": "30"}
    made = await browser.post("/account/keys", data=fields)
    key = re.search(r"rw_[A-Za-z0-9_-]{43}", made.text)
    assert key is not None
    async with client_of(app) as program:
        program.headers["Authorization"] = f"Bearer {key[0]}"
        me = (await program.get("/v1/me")).json()
        refused = await program.post(f"/v1/companies/{firm.sample.company_id}/sync")
        later = await browser.get("/account")
        (held,) = await firm.runway.people.keys("ada")
        await browser.post(f"/account/keys/{held.token_id}/end", data={"form_token": token})
        ended = await program.get("/v1/me")

    assert me == {"person_id": "ada", "role": "owner", "may": ["read"], "companies": None}
    assert refused.status_code == 403
    assert key[0] not in later.text
    assert ended.status_code == 401


async def test_calls_beyond_the_rate_wait(firm: Firm) -> None:
    rules = GateRules()
    app = create_app(firm.runway, manages_runway=False, gate_rules=rules)
    await add_owner(firm.runway)
    who = await reach(app, firm.runway, Role.VIEWER)
    statuses = [(await who.program.get("/v1/me")).status_code for _ in range(160)]
    refused = await who.program.get("/v1/me")
    assert statuses[0] == 200
    assert refused.status_code == 429
    firm.clock.advance(timedelta(seconds=int(refused.headers["retry-after"])))

    assert (await who.program.get("/v1/me")).status_code == 200


async def test_an_app_that_others_reach_serves_nothing_before_it_has_people(firm: Firm) -> None:
    app = create_app(firm.runway, manages_runway=False, gate_rules=GateRules(serves_without_people=False))
    async with client_of(app) as client:
        closed, alive = await client.get("/v1/portfolio"), await client.get("/healthz")

    assert (closed.status_code, alive.status_code) == (403, 200)


@pytest.mark.parametrize("password", ["short", "x" * 257, "aaaaaaaaaaaaaaaa", "ada@firm.example"])
def test_a_password_that_is_guessed_soon_is_refused(password: str) -> None:
    with pytest.raises(InvalidRequest):
        demand_fit(SecretStr(password), email="ada@firm.example", name="Ada Lovelace of the Firm")


async def test_passwords_are_kept_as_argon2id() -> None:
    passwords = Passwords()
    hashed = await passwords.hash(SecretStr(PASSWORD))

    assert hashed.get_secret_value().startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.is_right(hashed, SecretStr(PASSWORD))
    assert not await passwords.is_right(hashed, SecretStr(PASSWORD + " "))
    assert not await passwords.is_right(None, SecretStr("nobody has this password"))
    assert not passwords.is_outdated(hashed)
    passwords.close()
