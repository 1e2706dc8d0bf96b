"""`runway health`: how fresh each company's data is, and how its last pull ended."""

import typer
from rich.table import Table
from runway_core.runway import Runway
from runway_core.services.health import CompanyHealth

from runway_app_http.api.health import HealthItem, HealthList
from runway_app_http.cli.session import Session, command
from runway_app_http.cli.tables import new_table
from runway_app_http.ui.figures import NONE_YET, say_ages, say_moment
from runway_app_http.ui.health import lay_out_line

app = typer.Typer()


@command(app, "health", example="runway health")
def show_health(session: Session) -> None:
    """Show how fresh each company's data is, how its last pull ended, and what waits in quarantine."""

    async def ask(runway: Runway) -> tuple[HealthList, list[CompanyHealth]]:
        health = list(await runway.health())
        return HealthList(
            generated_at=runway.scope.clock.now(),
            total=len(health),
            stale=sum(1 for one in health if any(label.is_stale for label in one.freshness)),
            items=tuple(HealthItem.of(one) for one in health),
            has_more=False,
            next_cursor=None,
        ), health

    listed, health = session.run(ask)
    session.show(listed, lambda: _lay_out(listed, health))


def _lay_out(listed: HealthList, health: list[CompanyHealth]) -> Table:
    table = new_table("Health", caption=f"{listed.total} companies, {listed.stale} stale")
    table.add_column("Company", overflow="fold")
    table.add_column("State", no_wrap=True)
    table.add_column("Data", overflow="fold")
    table.add_column("Last pull", overflow="fold")
    table.add_column("Ended", no_wrap=True)
    table.add_column("Quarantined", justify="right")
    for one in health:
        line = lay_out_line(one)
        run = one.last_run
        ended = NONE_YET if run is None or run.ended_at is None else say_moment(run.ended_at)
        said = f"{line.run}: {line.error}" if line.error else line.run
        table.add_row(
            line.name,
            f"{line.sign} {line.word}",
            "; ".join(say_ages(one.freshness)),
            said,
            ended,
            f"{line.quarantined}",
        )
    return table
