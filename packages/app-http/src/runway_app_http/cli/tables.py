"""The look of tables: few lines, numbers to the right, a status as sign, word and colour."""

from collections.abc import Mapping

from rich import box
from rich.table import Table
from rich.text import Text
from runway_core.domain.findings import Severity
from runway_core.domain.position import PositionStatus

from runway_app_http.ui.figures import STATUS_SIGNS

_STATUS_STYLES = {
    PositionStatus.RED: "bold red",
    PositionStatus.AMBER: "yellow",
    PositionStatus.GREEN: "green",
    PositionStatus.GREY: "dim",
}
_SEVERITY_STYLES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "dim",
}


def new_table(title: str, *, caption: str | None = None, show_header: bool = True) -> Table:
    """An empty table of the house's look."""
    return Table(
        title=Text(title),
        caption=None if caption is None else Text(caption),
        title_justify="left",
        caption_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_header=show_header,
    )


def fields_table(title: str, fields: Mapping[str, str | Text]) -> Table:
    """Names and values, one a line."""
    table = new_table(title, show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in fields.items():
        table.add_row(name, value)
    return table


def status_text(status: PositionStatus) -> Text:
    """A status as sign, word and colour."""
    return Text(f"{STATUS_SIGNS[status]} {status.value}", style=_STATUS_STYLES[status])


def severity_text(severity: Severity) -> Text:
    """A severity as word and colour."""
    return Text(severity.value, style=_SEVERITY_STYLES[severity])
