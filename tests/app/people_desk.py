"""A firm with people behind the app: browsers that are signed in, and programs with keys."""

import re
from dataclasses import dataclass

import httpx
from fastapi import FastAPI
from pydantic import SecretStr
from runway_core.domain.identity import CompanyId
from runway_core.domain.people import GRANTS, Need, TokenPurpose
from runway_core.domain.policy import Role
from runway_core.runway import Runway
from runway_core.services.sessions import SessionRules

PASSWORD = "a short sentence for tests"
TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


@dataclass(frozen=True)
class Reached:
    """One person's browser, and a program of theirs with every right that they have."""

    browser: httpx.AsyncClient
    program: httpx.AsyncClient
    form_token: str
    session: str


def client_of(app: FastAPI, *, base: str = "http://runway.test", address: str = "127.0.0.1") -> httpx.AsyncClient:
    """Somebody's client of the app."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url=base)


async def add_owner(runway: Runway, person_id: str = "ada") -> None:
    """The first person."""
    await runway.people.add(f"{person_id}@firm.example", role=Role.OWNER, actor="setup", name=person_id.title())


async def reach(
    app: FastAPI, runway: Runway, role: Role, *, companies: tuple[CompanyId, ...] | None = None, name: str = ""
) -> Reached:
    """Add somebody of a role who is signed in and has a key."""
    person_id = name or f"{role.value}-{'all' if companies is None else len(companies)}"
    person = await runway.people.add(f"{person_id}@firm.example", role=role, actor="ada", companies=companies)
    session = await runway.sessions.begin(person, TokenPurpose.SESSION, SessionRules(), how="test")
    needs = [need for need in Need if need in GRANTS[role]]
    _, key = await runway.people.make_key(person_id, "tests", needs=needs, days=30, actor=person_id)
    browser, program = client_of(app), client_of(app)
    browser.cookies.set("runway_session", session.get_secret_value())
    program.headers["Authorization"] = f"Bearer {key.get_secret_value()}"
    page = await browser.get("/account")
    token = TOKEN.search(page.text)
    assert token is not None, page.text
    return Reached(browser, program, token[1], session.get_secret_value())


async def form_token(client: httpx.AsyncClient, address: str) -> str:
    """The token of the forms on a page."""
    found = TOKEN.search((await client.get(address)).text)
    assert found is not None
    return found[1]


async def set_password(runway: Runway, app: FastAPI, person_id: str, password: str = PASSWORD) -> None:
    """Give somebody a password, as if they had followed their link."""
    link = await runway.people.invite(person_id, actor="ada")
    await app.state.door.enter_by_link(link.get_secret_value(), SecretStr(password))
