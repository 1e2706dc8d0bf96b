"""`runway people`: who works in the firm, in which role and for which companies."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text
from runway_core.domain.identity import CompanyId
from runway_core.domain.people import Person
from runway_core.domain.policy import Role
from runway_core.errors import InvalidRequest
from runway_core.runway import Runway

from runway_app_http.cli.session import Session, command, group
from runway_app_http.cli.tables import new_table
from runway_app_http.links import link_address

app = group("people", "Who works in the firm, in which role and for which companies.")

PersonName = Annotated[str, typer.Argument(metavar="PERSON", help="The person's id, as `runway people list` shows it.")]
Companies = Annotated[
    list[str] | None, typer.Option("--company", help="Assign this company (id or name); more by repeating it.")
]
AllCompanies = Annotated[bool, typer.Option("--all-companies", help="Assign all of the firm, later ones too.")]


def _describe(person: Person, companies: Sequence[str] | None) -> dict[str, Any]:
    return {
        "person_id": person.person_id,
        "name": person.name,
        "email": person.email,
        "role": person.role.value,
        "companies": companies,
        "is_disabled": person.is_disabled,
    }


def _lay_out(people: Sequence[dict[str, Any]]) -> RenderableType:
    table = new_table("People")
    for column in ("Id", "Name", "E-mail", "Role", "Companies", "State"):
        table.add_column(column)
    for one in people:
        companies = "all" if one["companies"] is None else ", ".join(one["companies"]) or "none"
        state = "disabled" if one["is_disabled"] else "works here"
        table.add_row(one["person_id"], one["name"], one["email"], one["role"], companies, state)
    return table


async def _describe_all(runway: Runway, people: Sequence[Person]) -> list[dict[str, Any]]:
    names = {company.company_id: company.name for company in await runway.companies.list()}
    return [_describe(p, None if p.companies is None else [names.get(c, c) for c in p.companies]) for p in people]


async def _find_companies(runway: Runway, wanted: Sequence[str]) -> tuple[CompanyId, ...]:
    return tuple([(await runway.companies.find(name)).company_id for name in wanted])


@command(app, "list", example="runway people list")
def list_people(session: Session) -> None:
    """Show everybody, disabled people too."""
    people = session.run(_list)
    session.show({"people": people}, lambda: _lay_out(people))


async def _list(runway: Runway) -> list[dict[str, Any]]:
    return await _describe_all(runway, await runway.people.list())


@command(app, "add", example="runway people add ada@firm.example --owner")
def add(
    session: Session,
    email: Annotated[str, typer.Argument(help="Whoever it is signs in with this address.")],
    *,
    owner: Annotated[bool, typer.Option("--owner", help="The same as --role owner.")] = False,
    role: Annotated[Role | None, typer.Option("--role", help="What they may do.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="What they are called.")] = None,
    person_id: Annotated[str | None, typer.Option("--id", help="Names them in the log, for good.")] = None,
    company: Companies = None,
) -> None:
    """Add somebody, and print the link under which they set their password: it counts once, for a week."""
    if owner and role not in (None, Role.OWNER):
        raise InvalidRequest(f"--owner and --role {role} say different things: leave one out")
    wanted = Role.OWNER if owner else role
    if wanted is None:
        raise InvalidRequest("say what they may do: --role viewer, bookkeeper, controller or owner")

    async def work(runway: Runway) -> tuple[Person, str]:
        person = await runway.people.add(
            email,
            role=wanted,
            actor=session.actor,
            name=name,
            person_id=person_id,
            companies=await _find_companies(runway, company) if company else None,
        )
        return person, await _invite(session, runway, person.person_id)

    person, link = session.run(work)
    session.show(
        {"person_id": person.person_id, "role": person.role.value, "link": link},
        lambda: _say_link(f"{person.person_id} is added as {person.role.value}.", link),
    )


async def _invite(session: Session, runway: Runway, person_id: str) -> str:
    secret = await runway.people.invite(person_id, actor=session.actor)
    return link_address(session.settings.served_address, secret)


def _say_link(first: str, link: str) -> RenderableType:
    return Group(Text(f"{first} Give them this link; it counts once, for a week:"), Text(link))


@command(app, "link", example="runway people link ada")
def link(session: Session, person: PersonName) -> None:
    """Give out a new link under which somebody sets their password; earlier ones are worth nothing then."""

    async def work(runway: Runway) -> str:
        return await _invite(session, runway, person)

    made = session.run(work)
    session.show({"person_id": person, "link": made}, lambda: _say_link("A new link.", made))


@command(app, "change", example="runway people change bo --role controller --company Acme")
def change(
    session: Session,
    person: PersonName,
    *,
    role: Annotated[Role | None, typer.Option("--role", help="What they may do from now on.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="What they are called.")] = None,
    email: Annotated[str | None, typer.Option("--email", help="What they sign in with.")] = None,
    company: Companies = None,
    all_companies: AllCompanies = False,
) -> None:
    """Change role, name, address or companies; what is not given stays."""
    if company and all_companies:
        raise InvalidRequest("--company and --all-companies say different things: leave one out")
    given: dict[str, Any] = {"role": role, "name": name, "email": email}
    changes = {field: value for field, value in given.items() if value is not None}

    async def work(runway: Runway) -> list[dict[str, Any]]:
        if company:
            changes["companies"] = await _find_companies(runway, company)
        elif all_companies:
            changes["companies"] = None
        if not changes:
            raise InvalidRequest("say what is to be changed: --role, --name, --email, --company or --all-companies")
        return await _describe_all(runway, [await runway.people.change(person, changes, actor=session.actor)])

    (changed,) = session.run(work)
    session.show(changed, lambda: _lay_out([changed]))


def _switch(session: Session, person: str, *, is_disabled: bool) -> None:
    async def work(runway: Runway) -> list[dict[str, Any]]:
        changed = await runway.people.change(person, {"is_disabled": is_disabled}, actor=session.actor)
        return await _describe_all(runway, [changed])

    (changed,) = session.run(work)
    session.show(changed, lambda: _lay_out([changed]))


@command(app, "disable", example="runway people disable bo")
def disable(session: Session, person: PersonName) -> None:
    """Take somebody's access: no sign-in, no session, no key from now on. Nobody is removed."""
    _switch(session, person, is_disabled=True)


@command(app, "enable", example="runway people enable bo")
def enable(session: Session, person: PersonName) -> None:
    """Give somebody their access back; they sign in anew, and make new keys."""
    _switch(session, person, is_disabled=False)


@command(app, "sign-out", example="runway people sign-out bo")
def sign_out(session: Session, person: PersonName) -> None:
    """End all of somebody's sessions and links; keys of their programs stay."""

    async def work(runway: Runway) -> int:
        return await runway.people.sign_out(person, actor=session.actor)

    ended = session.run(work)
    session.show({"person_id": person, "ended": ended}, lambda: f"{ended} sessions and links ended")


@command(app, "drop-second-factor", example="runway people drop-second-factor bo")
def drop_second_factor(session: Session, person: PersonName) -> None:
    """Take the second factor from somebody who lost it, and sign them out."""

    async def work(runway: Runway) -> None:
        await runway.people.drop_second_factor(person, actor=session.actor)

    session.run(work)
    session.show({"person_id": person}, lambda: f"{person} signs in with the password alone now")
