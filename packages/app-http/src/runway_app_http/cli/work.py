"""`runway work`: what to decide, mend and call over all companies."""

from typing import Annotated

import typer
from rich.table import Table
from runway_core.domain.tasks import TaskKind
from runway_core.experiences.work import WorkQuery, WorkView
from runway_core.runway import Runway

from runway_app_http.cli.session import Session, command
from runway_app_http.cli.tables import new_table
from runway_app_http.ui.figures import NONE_YET, say_change, say_money, say_weekday

app = typer.Typer()


@command(app, "work", example="runway work --owner ada --kind call --days 0")
def show_work(
    session: Session,
    *,
    owner: Annotated[str | None, typer.Option("--owner", help="Only companies of this person.")] = None,
    kind: Annotated[TaskKind | None, typer.Option("--kind", help="Only this kind of work.")] = None,
    days: Annotated[
        int | None, typer.Option("--days", min=0, max=7, help="Only what must be done within so many days; 0: today.")
    ] = None,
) -> None:
    """Show what to decide, mend and call over all companies, what presses most first."""

    async def ask(runway: Runway) -> WorkView:
        return await runway.work(WorkQuery(owner=owner, kind=kind, days=days))

    view = session.run(ask)
    session.show(view, lambda: lay_out_work(view))


def lay_out_work(view: WorkView) -> Table:
    """One line a task."""
    counts = view.counts
    caption = f"{counts.decide} to decide, {counts.mend} to mend, {counts.call} to call"
    if view.unlisted:
        caption += f"; {view.unlisted} more stand with their companies"
    table = new_table("Work", caption=caption)
    for heading in ("Kind", "What", "Company", "By", "Amount", "Runway"):
        table.add_column(heading, overflow="fold")
    for item in view.items:
        task = item.task
        table.add_row(
            task.task_kind.value,
            f"{task.what}: {task.detail}",
            item.company_name,
            NONE_YET if task.on is None else say_weekday(task.on, item.as_of),
            NONE_YET if task.amount is None else say_money(task.amount),
            NONE_YET if not task.impact_days else say_change(task.impact_days),
        )
    return table
