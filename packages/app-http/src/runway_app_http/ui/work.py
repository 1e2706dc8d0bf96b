"""`/work`: what to decide, mend and call today, over all companies of the firm."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from runway_core.domain.tasks import Task, TaskKind
from runway_core.experiences.work import WorkItem, WorkView
from starlette.responses import Response

from runway_app_http.access import RunwayOfApp
from runway_app_http.api.work import ForgivingWorkParams
from runway_app_http.plain import to_plain
from runway_app_http.ui.chips import Chip
from runway_app_http.ui.company import company_address
from runway_app_http.ui.csv_tables import csv_answer
from runway_app_http.ui.figures import (
    NONE_YET,
    STATUS_SIGNS,
    say_change,
    say_count,
    say_moment,
    say_money,
    say_weekday,
)
from runway_app_http.ui.rendering import render

router = APIRouter()

CSV_COLUMNS = (
    "company_id", "company_name", "owner", "status", "as_of", "task.task_kind", "task.what", "task.detail", "task.on",
    "task.amount.amount", "task.amount.currency", "task.impact_days", "task.record", "task.finding_id",
)  # fmt: skip
KIND_TITLES = {TaskKind.DECIDE: "To decide", TaskKind.MEND: "To mend", TaskKind.CALL: "To call"}
_PERIODS = ((None, "All"), (0, "Today"), (7, "Within 7 days"))

WorkFilters = Annotated[ForgivingWorkParams, Query()]


@dataclass(frozen=True, slots=True)
class WorkLine:
    """One task, in words."""

    company: str
    company_href: str
    owner: str
    status: str
    sign: str
    what: str
    detail: str
    href: str
    on: str
    is_late: bool
    amount: str
    impact: str


@router.get("/work")
async def show_work(runway: RunwayOfApp, filters: WorkFilters) -> Response:
    """The page."""
    view = await runway.work(filters.to_query())
    groups = [
        (KIND_TITLES[kind], [lay_out_line(item) for item in view.items if item.task.task_kind is kind])
        for kind in TaskKind
        if filters.kind in (None, kind)
    ]
    return render(
        "work.html",
        view=view,
        filters=filters,
        groups=groups,
        headline=_say_counts(view),
        periods=[Chip(name, _address(filters, days=days), filters.days == days) for days, name in _PERIODS],
        kinds=_list_kinds(filters),
        csv_href=_address(filters, path="/work.csv"),
        read_at=say_moment(view.generated_at),
    )


@router.get("/work.csv")
async def save_work(runway: RunwayOfApp, filters: WorkFilters) -> Response:
    """The same as a table to be saved."""
    view = await runway.work(filters.to_query())
    return csv_answer(CSV_COLUMNS, [to_plain(item) for item in view.items], file_name="work.csv")


def lay_out_line(item: WorkItem) -> WorkLine:
    """Turn one task into words and a link to the place where it is done."""
    task, base = item.task, company_address(item.company_id)
    return WorkLine(
        company=item.company_name,
        company_href=base,
        owner=item.owner or "",
        status=item.status.value,
        sign=STATUS_SIGNS[item.status],
        what=task.what,
        detail=task.detail,
        href=_find_place(task, base),
        on=NONE_YET if task.on is None else say_weekday(task.on, item.as_of),
        is_late=task.on is not None and task.on < item.as_of,
        amount=NONE_YET if task.amount is None else say_money(task.amount),
        impact=NONE_YET if not task.impact_days else say_change(task.impact_days),
    )


def _find_place(task: Task, base: str) -> str:
    if task.finding_id is not None:
        return f"{base}/{'policy#vendors' if task.task_kind is TaskKind.CALL else f'tray#f-{task.finding_id}'}"
    return f"{base}/console{'#collections' if task.task_kind is TaskKind.CALL else ''}"


def _list_kinds(filters: ForgivingWorkParams) -> list[Chip]:
    every = Chip("Everything", _address(filters, kind=None), filters.kind is None)
    return [every] + [
        Chip(title, _address(filters, kind=kind.value), filters.kind is kind) for kind, title in KIND_TITLES.items()
    ]


def _say_counts(view: WorkView) -> str:
    counts = view.counts
    told = [f"{counts.decide:,} to decide", f"{counts.mend:,} to mend", f"{counts.call:,} to call"]
    if not view.items:
        return "Nothing is to be done"
    return f"{', '.join(told)}, at {say_count(view.companies, 'company', 'companies')}"


def _address(filters: ForgivingWorkParams, *, path: str = "/work", **changes: object) -> str:
    words = filters.to_address(**changes)
    return f"{path}?{urlencode(words)}" if words else path
