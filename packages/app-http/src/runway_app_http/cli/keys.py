"""`runway keys`: keys under which programs act for people. `runway secrets`: what connections are kept under."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text
from runway_core.domain.people import AccessToken, Need
from runway_core.runway import Runway

from runway_app_http.cli.session import Session, command, group
from runway_app_http.cli.tables import new_table
from runway_app_http.container import rotate_secrets

app = group("keys", "Keys under which programs act for people.")
secrets_app = group("secrets", "The key that connections' secrets are kept under.")


def _describe(key: AccessToken) -> dict[str, Any]:
    return {
        "key_id": key.token_id,
        "person_id": key.person_id,
        "name": key.name,
        "may": [need.value for need in key.needs],
        "companies": key.companies,
        "last_used_at": None if key.seen_at == key.created_at else key.seen_at,
        "ends_at": key.ends_at,
    }


def _lay_out(keys: Sequence[AccessToken]) -> RenderableType:
    table = new_table("Keys")
    for column in ("Key", "Name", "Person", "May", "Ends"):
        table.add_column(column)
    for key in keys:
        may = ", ".join(need.value for need in key.needs)
        table.add_row(key.token_id, key.name, key.person_id, may, f"{key.ends_at:%Y-%m-%d}")
    return table


@command(app, "list", example="runway keys list")
def list_keys(session: Session) -> None:
    """Show all keys: whose, what they may, and until when. The keys themselves are kept nowhere."""

    async def work(runway: Runway) -> Sequence[AccessToken]:
        return await runway.people.keys()

    keys = session.run(work)
    session.show({"keys": [_describe(key) for key in keys]}, lambda: _lay_out(keys))


@command(app, "add", example='runway keys add ada "nightly export" --may read --days 90')
def add(
    session: Session,
    person: Annotated[str, typer.Argument(help="Whom the program acts for.")],
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    *,
    may: Annotated[list[Need] | None, typer.Option("--may", help="A right; more by repeating it.")] = None,
    days: Annotated[int, typer.Option("--days", help="After so many days it ends.")] = 90,
    company: Annotated[list[str] | None, typer.Option("--company", help="Only this company; repeat for more.")] = None,
) -> None:
    """Make a key and print it, once. A program acts as its person and goes no further than they do."""

    async def work(runway: Runway) -> tuple[AccessToken, str]:
        companies = [(await runway.companies.find(one)).company_id for one in company] if company else None
        key, secret = await runway.people.make_key(
            person, name, needs=may or [Need.READ], days=days, companies=companies, actor=session.actor
        )
        return key, secret.get_secret_value()

    key, secret = session.run(work)
    session.show(
        _describe(key) | {"key": secret},
        lambda: Group(Text("The key; it is not shown again:"), Text(secret)),
    )


@command(app, "end", example="runway keys end 3f6c1d20a7b94e58")
def end(
    session: Session, key: Annotated[str, typer.Argument(metavar="KEY", help="As `runway keys list` shows it.")]
) -> None:
    """Take a key back, at once."""

    async def work(runway: Runway) -> None:
        await runway.people.end_key(key, actor=session.actor)

    session.run(work)
    session.show({"key_id": key, "ended": True}, lambda: f"{key} counts no more")


@command(secrets_app, "rotate", example="runway secrets rotate --new-key")
def rotate(
    session: Session,
    new_key: Annotated[
        bool, typer.Option("--new-key", help="First put a new key into the key file of an embedded database.")
    ] = False,
) -> None:
    """Keep all secrets under the newest key from now on. Nothing needs to stop meanwhile."""
    moved = session.run_alone(rotate_secrets(session.settings, new_key=new_key))
    session.show({"moved": moved}, lambda: f"{moved} sets of secrets moved to the newest key")
