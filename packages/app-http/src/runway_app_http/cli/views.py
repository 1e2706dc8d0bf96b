"""`runway views`: filters of the portfolio that are kept by name."""

from typing import Annotated

import typer
from rich.table import Table
from runway_core.domain.saved_views import SavedView
from runway_core.runway import Runway

from runway_app_http.access import PortfolioParams
from runway_app_http.api.views import ViewList, read_filters, write_query
from runway_app_http.cli.session import Session, command, group
from runway_app_http.cli.tables import fields_table, new_table
from runway_app_http.ui.figures import NONE_YET

app = group("views", "Filters of the portfolio that are kept by name.")

ViewName = Annotated[str, typer.Argument(metavar="NAME", help="The view's name, whatever its case.")]


@command(app, "list", example="runway views list")
def list_views(session: Session) -> None:
    """List the saved views: one's own and those of the firm, by name."""

    async def ask(runway: Runway) -> ViewList:
        return ViewList(items=tuple(await runway.saved_views.list()), has_more=False, next_cursor=None)

    listed = session.run(ask)
    session.show(listed, lambda: _lay_out(listed))


def _lay_out(listed: ViewList) -> Table:
    caption = "`runway portfolio --view NAME` shows one" if listed.items else "none: save one with `runway views save`"
    table = new_table("Saved views", caption=caption)
    for heading in ("Name", "Shows", "Whose", "Saved by"):
        table.add_column(heading, overflow="fold")
    for view in listed.items:
        table.add_row(view.name, view.query or NONE_YET, view.person_id or "the firm", view.changed_by)
    return table


@command(app, "save", example='runway views save "Retail in trouble" "status=red&tag=retail" --shared')
def save_view(
    session: Session,
    *,
    name: ViewName,
    query: Annotated[
        str, typer.Argument(metavar="QUERY", help="Filters and order, as in the address of the page after the `?`.")
    ],
    is_shared: Annotated[bool, typer.Option("--shared", help="For everybody in the firm.")] = False,
) -> None:
    """Save filters and order of the portfolio by name, or replace the view of that name."""
    written = write_query(read_filters(query, PortfolioParams))

    async def act(runway: Runway) -> SavedView:
        return await runway.saved_views.save(name, written, actor=session.actor, is_shared=is_shared)

    _show(session, session.run(act), "saved")


@command(app, "rename", example='runway views rename "Retail in trouble" "Shops in trouble"')
def rename_view(
    session: Session,
    *,
    name: ViewName,
    to: Annotated[str, typer.Argument(metavar="NEW", help="What it is to be called.")],
) -> None:
    """Call a saved view otherwise."""

    async def act(runway: Runway) -> SavedView:
        view = await runway.saved_views.find(name)
        return await runway.saved_views.rename(view.paper_id, to, actor=session.actor)

    _show(session, session.run(act), "renamed")


@command(app, "remove", example='runway views remove "Shops in trouble"')
def remove_view(session: Session, name: ViewName) -> None:
    """Remove a saved view; the companies it shows stay as they are."""

    async def act(runway: Runway) -> SavedView:
        view = await runway.saved_views.find(name)
        return await runway.saved_views.remove(view.paper_id, actor=session.actor)

    _show(session, session.run(act), "removed")


def _show(session: Session, view: SavedView, done: str) -> None:
    fields = {"Shows": view.query or NONE_YET, "Whose": view.person_id or "the firm"}
    session.show(view, lambda: fields_table(f"{view.name}: {done}", fields))
