"""`runway health`: how fresh each company's data is, and how its last pull ended."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from rich.console import Group
from rich.table import Table
from runway_core.runway import Runway
from runway_core.services.health import CompanyHealth

from runway_app_http.api.health import HealthItem, HealthList
from runway_app_http.cli.session import Session, command
from runway_app_http.cli.tables import new_table
from runway_app_http.ui.figures import NONE_YET, say_ages, say_moment
from runway_app_http.ui.health import lay_out_line, say_gap
from runway_app_http.ui.service_figures import AlertLine, lay_out_alerts, lay_out_cards

app = typer.Typer()


@command(app, "health", example="runway health")
def show_health(
    session: Session,
    kinds: Annotated[bool, typer.Option("--kinds", help="Show how each kind of records stands, too.")] = False,
) -> None:
    """Show how fresh data is kept, what someone should look at, and how each company's data stands."""

    async def ask(runway: Runway) -> tuple[HealthList, list[CompanyHealth]]:
        health = list(await runway.health())
        return HealthList(
            generated_at=runway.scope.clock.now(),
            service=await runway.watch.service(),
            coverage=await runway.coverage.health(),
            total=len(health),
            stale=sum(1 for one in health if any(label.is_stale for label in one.freshness)),
            items=tuple(HealthItem.of(one) for one in health),
            has_more=False,
            next_cursor=None,
        ), health

    listed, health = session.run(ask)
    session.show(listed, lambda: _lay_out(listed, health, has_kinds=kinds))


def _lay_out(listed: HealthList, health: list[CompanyHealth], *, has_kinds: bool) -> Group:
    parts = [_lay_out_service(listed)]
    alerts = lay_out_alerts(listed.service)
    if alerts:
        parts.append(_lay_out_alerts(alerts, {str(one.company.company_id): one.company.name for one in health}))
    parts.append(_lay_out_companies(listed, health))
    if has_kinds:
        parts.append(_lay_out_kinds(health))
    return Group(*parts, _lay_out_coverage(listed, health))


def _lay_out_service(listed: HealthList) -> Table:
    table = new_table("Service", show_header=False)
    table.add_column("Figure", no_wrap=True)
    table.add_column("Value", justify="right", no_wrap=True)
    table.add_column("Note", overflow="fold")
    for card in lay_out_cards(listed.service, listed.generated_at):
        table.add_row(card.name, card.value, card.note, style="bold red" if card.is_bad else "")
    return table


def _lay_out_alerts(alerts: Sequence[AlertLine], names: Mapping[str, str]) -> Table:
    table = new_table("Someone should look")
    table.add_column("Urgency", no_wrap=True)
    table.add_column("What is so", overflow="fold")
    table.add_column("Since", no_wrap=True)
    table.add_column("What to do", overflow="fold")
    for alert in alerts:
        named = names.get(alert.company_id or "")
        what = alert.summary if named is None else f"{named}: {alert.summary}"
        runbook = f"docs/howto/alerts.md#{alert.kind}"
        table.add_row(f"{alert.sign} {alert.severity}", what, alert.since, runbook)
    return table


def _lay_out_kinds(health: list[CompanyHealth]) -> Table:
    """A line for each company, rail and kind."""
    table = new_table("Kinds of records")
    table.add_column("Company", overflow="fold")
    for name in ("Rail", "Kind", "State", "Data", "Last success"):
        table.add_column(name, no_wrap=True)
    table.add_column("Quarantined", justify="right")
    for one in health:
        for connection in one.connections:
            for kind in connection.kinds:
                table.add_row(
                    one.company.name,
                    connection.rail,
                    kind.kind.value,
                    kind.state.value,
                    connection.note,
                    NONE_YET if kind.last_success_at is None else say_moment(kind.last_success_at),
                    f"{kind.quarantined}",
                )
    return table


def _lay_out_coverage(listed: HealthList, health: list[CompanyHealth]) -> Table:
    """What each path brought and missed, and where webhooks have a gap."""
    names = {one.company.company_id: one.company.name for one in health}
    caption = "; ".join(f"{names[gap.company_id]}: {say_gap(gap)}" for gap in listed.coverage.gaps) or None
    table = new_table("How changes came", caption=caption)
    table.add_column("Path", no_wrap=True)
    table.add_column("Brought", justify="right")
    table.add_column("Missed", justify="right")
    for tally in listed.coverage.paths:
        table.add_row(tally.path.value, f"{tally.brought:,}", f"{tally.missed:,}")
    return table


def _lay_out_companies(listed: HealthList, health: list[CompanyHealth]) -> Table:
    table = new_table("Health", caption=f"{listed.total} companies, {listed.stale} stale")
    table.add_column("Company", overflow="fold")
    table.add_column("State", no_wrap=True)
    table.add_column("Data", overflow="fold")
    table.add_column("Last pull", overflow="fold")
    table.add_column("Ended", no_wrap=True)
    table.add_column("Failed", justify="right")
    table.add_column("Calls", justify="right")
    table.add_column("Quarantined", justify="right")
    for one in health:
        line = lay_out_line(one)
        run = one.last_run
        ended = NONE_YET if run is None or run.ended_at is None else say_moment(run.ended_at)
        said = f"{line.run}: {line.error}" if line.error else line.run
        table.add_row(
            line.name,
            f"{line.sign} {', '.join(rail.state for rail in line.states) or line.word}",
            "; ".join(say_ages(one.freshness)),
            said,
            ended,
            line.failed,
            f"{line.calls:,}",
            f"{line.quarantined}",
        )
    return table
