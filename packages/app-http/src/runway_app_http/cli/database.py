"""`runway db`: the schema of the database, and whether it is sound."""

from typing import Annotated

import typer
from runway_core.ports.store import StoreHealth

from runway_app_http.cli.failures import DONE, STORE_TROUBLE
from runway_app_http.cli.session import Session, command, group
from runway_app_http.cli.tables import fields_table
from runway_app_http.container import grant_app_role, make_store

app = group("db", "The schema of the database, and whether it is sound.")


@command(app, "upgrade", example="runway db upgrade --database-url postgresql://runway@localhost/runway")
def upgrade(session: Session) -> int:
    """Make the database if it is a file, and bring its schema to this version. Repeating is harmless."""

    async def act() -> StoreHealth:
        store = make_store(session.settings)
        await store.upgrade()
        return await store.check()

    return show_store(session, session.run_alone(act()))


@command(app, "grant", example="runway db grant runway_app")
def grant(
    session: Session, role: Annotated[str, typer.Argument(help="A role of PostgreSQL that the app signs in with.")]
) -> None:
    """Let a role run the app and nothing beyond it: one firm's rows at a time, and no change of the log.

    Run it as the owner of the tables, again after each `runway db upgrade`.
    """
    session.run_alone(grant_app_role(session.settings, role))
    session.show({"role": role}, lambda: f"{role} may run the app; name it in RUNWAY_DATABASE_URL")


@command(app, "check", example="runway db check --json")
def check(session: Session) -> int:
    """Look at the database: reachable, of this version, sound. Exit code 4 when it is not."""

    async def act() -> StoreHealth:
        return await make_store(session.settings).check()

    return show_store(session, session.run_alone(act()))


def show_store(session: Session, health: StoreHealth) -> int:
    """Print what a look at the database found."""
    session.show(
        health,
        lambda: fields_table(
            "Database",
            {
                "Kind": f"{health.dialect} {health.version}",
                "Schema": health.schema_revision or "none yet",
                "Current": "yes" if health.is_current else "no: run `runway db upgrade`",
                "Warnings": "\n".join(health.warnings) or "none",
            },
        ),
    )
    return DONE if health.is_current else STORE_TROUBLE
