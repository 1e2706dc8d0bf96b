"""`runway rails` and `runway doctor`: what is installed, and whether everything that is needed works."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text
from runway_core.domain.company import Connection
from runway_core.errors import RunwayError, StoreUnavailable
from runway_core.experiences.view import View
from runway_core.plugins.registry import InstalledRail
from runway_core.runway import Runway

from runway_app_http.cli.connect import check_app_keys
from runway_app_http.cli.failures import DONE, RAIL_TROUBLE, STORE_TROUBLE, choose_exit_code
from runway_app_http.cli.session import Session, command
from runway_app_http.cli.tables import new_table
from runway_app_http.container import find_rails, make_store, open_runway
from runway_app_http.settings import AppSettings

app = typer.Typer()

CLOCK_TOLERANCE = timedelta(minutes=5)


class RailSummary(View):
    """An installed rail."""

    name: str
    title: str
    distribution: str
    version: str
    roles: tuple[str, ...]
    kinds: tuple[str, ...]
    has_change_feed: bool
    reports_deletions: bool
    has_webhooks: bool
    writes: tuple[str, ...]
    survives: tuple[str, ...]
    settings: tuple[str, ...]
    secrets: tuple[str, ...]


@command(app, "rails", example="runway rails")
def show_rails(session: Session) -> None:
    """Show the installed rails, with versions, roles and abilities."""
    _ = session.settings
    rails = [_summary(rail) for rail in find_rails().installed.values()]
    session.show({"items": rails}, lambda: _lay_out_rails(rails))


def _summary(rail: InstalledRail) -> RailSummary:
    factory = rail.factory
    abilities = factory.abilities
    return RailSummary(
        name=factory.name,
        title=factory.title,
        distribution=rail.distribution,
        version=rail.version,
        roles=tuple(sorted(factory.roles)),
        kinds=tuple(sorted(abilities.kinds)),
        has_change_feed=abilities.has_change_feed,
        reports_deletions=abilities.reports_deletions,
        has_webhooks=abilities.has_webhooks,
        writes=tuple(sorted(abilities.writes)),
        survives=tuple(sorted(abilities.survives)),
        settings=tuple(factory.settings_model.model_fields),
        secrets=tuple(factory.secrets_model.model_fields),
    )


def _lay_out_rails(rails: Sequence[RailSummary]) -> Table:
    table = new_table("Rails", caption=None if rails else "none: try `pip install runway-rail-qbo`")
    for title in ("Rail", "Vendor", "Package", "Roles", "Abilities", "Writes", "Survives"):
        table.add_column(title, overflow="fold")
    for rail in rails:
        abilities = {
            "change feed": rail.has_change_feed,
            "deletions": rail.reports_deletions,
            "webhooks": rail.has_webhooks,
        }
        able = ", ".join(name for name, has in abilities.items() if has)
        said = f"{len(rail.kinds)} kinds{f', {able}' if able else ''}"
        survives = ", ".join(rail.survives) or "not stated"
        package = f"{rail.distribution} {rail.version}"
        table.add_row(
            rail.name, rail.title, package, ", ".join(rail.roles), said, ", ".join(rail.writes) or "nothing", survives
        )
    return table


class Examined(View):
    """One thing that was looked at."""

    what: str
    is_well: bool
    found: str
    exit_code: int = DONE


@command(app, "doctor", example="runway doctor qbo")
def examine(
    session: Session,
    rail: Annotated[str | None, typer.Argument(metavar="[RAIL]", help="This rail thoroughly.")] = None,
) -> int:
    """Check settings, database, clock, keys and reachability, and say what to do. One call a company for RAIL."""
    examined = session.run_alone(_examine(session, rail))
    well = all(one.is_well for one in examined)
    session.show({"is_well": well, "items": examined}, lambda: _lay_out_examined(examined))
    return max((one.exit_code for one in examined if not one.is_well), default=DONE)


async def _examine(session: Session, rail: str | None) -> list[Examined]:
    settings = session.settings
    examined = [Examined(what="settings", is_well=True, found=f"database {_hide_password(settings.database_url)}")]
    rails = find_rails()
    if rail is not None:
        rails.factory(rail)
    examined.append(
        Examined(what="rails", is_well=bool(rails.installed), found=", ".join(rails.installed) or "none is installed")
    )
    connected: list[Examined] = []
    try:
        health = await make_store(settings).check()
        found = "; ".join([f"{health.dialect} {health.version}", *health.warnings])
        examined.append(
            Examined(
                what="database",
                is_well=health.is_current,
                found=found,
                exit_code=DONE if health.is_current else STORE_TROUBLE,
            )
        )
        if health.is_current:
            async with open_runway(settings) as runway:
                examined += await _examine_archive(runway, settings)
                connected = await _examine_connections(runway, rail)
    except RunwayError as error:
        examined.append(_trouble("database", error))
    if rail is not None and not connected:  # a connection that works proves its own keys
        connected = await _examine_keys(session, rail)
    return examined + connected


def _trouble(what: str, error: RunwayError) -> Examined:
    return Examined(what=what, is_well=False, found=f"{error} [{error.code}]", exit_code=choose_exit_code(error))


def _hide_password(url: str) -> str:
    before, at, after = url.rpartition("@")
    scheme, slashes, login = before.partition("://")
    return f"{scheme}{slashes}{login.partition(':')[0]}@{after}" if at else url


async def _examine_archive(runway: Runway, settings: AppSettings) -> list[Examined]:
    """Whether the files are found in which months of the log are that left the database."""
    what = "archive of the log"
    try:
        files = await runway.archives.look_for_files()
    except StoreUnavailable as error:
        return [_trouble(what, error)]
    absent = [file for file, is_found in files.items() if not is_found]
    found = f"{len(files) - len(absent)} of {len(files)} files found"
    if not absent:
        return [Examined(what=what, is_well=True, found=found)] if files else []
    places = [str(place) for place in (settings.log_archive_folder, settings.log_archive_bucket) if place is not None]
    where = f"not in {' nor in '.join(map(repr, places))}" if places else "RUNWAY_LOG_ARCHIVE_FOLDER names no folder"
    named = ", ".join(repr(file) for file in absent[:3]) + (" …" if len(absent) > 3 else "")
    said = f"{found}; {where}: {named}. Bring them back, or name where they are"
    return [Examined(what=what, is_well=False, found=said, exit_code=STORE_TROUBLE)]


async def _examine_keys(session: Session, rail: str) -> list[Examined]:
    try:
        found = await check_app_keys(session, find_rails().factory(rail))
    except RunwayError as error:
        return [_trouble(f"{rail}: keys of the app", error)]
    return [] if found is None else [Examined(what=f"{rail}: keys of the app", is_well=True, found=found)]


async def _examine_connections(runway: Runway, rail: str | None) -> list[Examined]:
    """Every connection of `rail`, or one of each rail."""
    names = {company.company_id: company.name for company in await runway.companies.list()}
    examined: list[Examined] = []
    seen: set[str] = set()
    for connection in await runway.connections.list():
        if (rail is None and connection.rail in seen) or rail not in {None, connection.rail}:
            continue
        seen.add(connection.rail)
        what = f"{connection.rail}: {names.get(connection.company_id, connection.company_id)}"
        try:
            profile = await runway.connections.check(connection.company_id, connection.rail)
        except RunwayError as error:
            examined.append(_trouble(what, error))
            continue
        examined.append(Examined(what=what, is_well=True, found=f"answers as {profile.name or profile.external_id!r}"))
        examined += _examine_clock(connection)
    return examined


def _examine_clock(connection: Connection) -> list[Examined]:
    """Compare the rail's clock at the last pull with ours: a wrong clock lets pulls miss what is new."""
    theirs, ours = connection.source_read_at, connection.last_success_at
    if theirs is None or ours is None:
        return []
    apart = abs(theirs - ours)
    if apart <= CLOCK_TOLERANCE:
        return []
    minutes = int(apart.total_seconds() // 60)
    found = f"{minutes} minutes from the rail's at the last pull: set this machine's clock, best by NTP"
    return [Examined(what=f"clock against {connection.rail}", is_well=False, found=found, exit_code=RAIL_TROUBLE)]


def _lay_out_examined(examined: Sequence[Examined]) -> Table:
    table = new_table("Doctor")
    table.add_column("What", overflow="fold")
    table.add_column("", no_wrap=True)
    table.add_column("Found", overflow="fold")
    for one in examined:
        mark = Text("well", style="green") if one.is_well else Text("not well", style="bold red")
        table.add_row(one.what, mark, one.found)
    return table
