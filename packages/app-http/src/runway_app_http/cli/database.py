"""`runway db`: the schema of the database, and whether it is sound."""

from runway_core.ports.store import StoreHealth

from runway_app_http.cli.failures import DONE, STORE_TROUBLE
from runway_app_http.cli.session import Session, command, group
from runway_app_http.cli.tables import fields_table
from runway_app_http.container import make_store

app = group("db", "The schema of the database, and whether it is sound.")


@command(app, "upgrade", example="runway db upgrade --database-url postgresql://runway@localhost/runway")
def upgrade(session: Session) -> int:
    """Make the database if it is a file, and bring its schema to this version. Repeating is harmless."""

    async def act() -> StoreHealth:
        store = make_store(session.settings)
        await store.upgrade()
        return await store.check()

    return show_store(session, session.run_alone(act()))


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
