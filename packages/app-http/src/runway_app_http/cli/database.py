"""`runway db`: the schema of the database, and whether it is sound."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from runway_core.experiences.view import CompanyHeading, View
from runway_core.ports.store import StoreHealth
from runway_core.runway import Runway

from runway_app_http.cli.failures import DONE, FOUND, STORE_TROUBLE
from runway_app_http.cli.log import TrustedKeys
from runway_app_http.cli.session import Session, command, group
from runway_app_http.cli.tables import fields_table, new_table
from runway_app_http.container import back_up, grant_app_role, make_store, restore
from runway_app_http.log_checks import read_trusted, verify_chains

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


@command(app, "check", example="runway db check --deep")
def check(
    session: Session,
    deep: Annotated[
        bool, typer.Option("--deep", help="Also rebuild every mirror from its log, and compare.", show_default=False)
    ] = False,
) -> int:
    """Look at the database: reachable, of this version, sound. Exit code 4 when it is not, 1 when --deep finds more."""

    async def act() -> StoreHealth:
        return await make_store(session.settings).check()

    if not deep:
        return show_store(session, session.run_alone(act()))
    checked = session.run(_check_deep)
    session.show({"items": checked}, lambda: _lay_out_checked(checked))
    return DONE if all(one.is_sound for one in checked) else FOUND


class DeepCheck(View):
    """What rebuilding one company's mirror from its log found."""

    company: CompanyHeading
    entries: int
    is_sound: bool
    differences: tuple[str, ...]  # at most twenty


async def _check_deep(runway: Runway) -> list[DeepCheck]:
    checked = []
    for company in await runway.companies.list():
        chain = await runway.verify_log(company.company_id)
        broken = () if chain.is_sound else (f"entry {chain.broken_at} of the log is broken: {chain.fault}",)
        differences = (*broken, *(await runway.check_mirror(company.company_id) if chain.is_sound else ()))
        heading = CompanyHeading.of(company)
        checked.append(
            DeepCheck(company=heading, entries=chain.entries, is_sound=not differences, differences=differences)
        )
    return checked


def _lay_out_checked(checked: Sequence[DeepCheck]) -> Table:
    table = new_table("Mirrors, rebuilt from their logs")
    for heading in ("Company", "Entries", "Verdict"):
        table.add_column(heading, overflow="fold")
    for one in checked:
        table.add_row(
            one.company.name, f"{one.entries:,}", "\n".join(one.differences) or "the mirror is what its log says"
        )
    return table


@command(app, "backup", example="runway db backup /backups/books-2026-03-31.db")
def back_up_database(
    session: Session, file: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")]
) -> None:
    """Write the whole database into one file, as of one moment, while it is in use. The secret key is not in it."""
    report = session.run_alone(back_up(session.settings, file))
    session.show(report, lambda: f"{report.size:,} bytes are in {report.file}, schema {report.schema_revision}")


@command(app, "restore", example="runway db restore /backups/books-2026-03-31.db --database-url sqlite:///new.db")
def restore_database(
    session: Session,
    file: Annotated[Path, typer.Argument(help="What `runway db backup` wrote.")],
    public_key: TrustedKeys = None,
) -> int:
    """Make the database, which must be empty or absent, of a backup, then verify every chain and the anchors."""
    trusted = read_trusted(public_key)
    report = session.run_alone(restore(session.settings, file))

    async def verify(runway: Runway) -> list[str]:
        found = await verify_chains(runway, await runway.companies.list(with_erased=True), trusted=trusted)
        return [*found.anchors.faults, *found.say_faults()]

    faults = session.run(verify)
    document = {"file": report.file, "schema_revision": report.schema_revision, "faults": faults}
    said = "every chain is as it was written" if not faults else "\n".join(faults)
    session.show(document, lambda: f"restored from {report.file}: {said}")
    return FOUND if faults else DONE


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
