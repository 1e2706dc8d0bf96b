"""Work across companies: what to decide, mend and call over all companies of the firm, from their stored positions."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict

from runway_core.domain.identity import CompanyId
from runway_core.domain.position import Position, PositionStatus
from runway_core.domain.tasks import Task, TaskCounts, TaskKind
from runway_core.experiences.view import View
from runway_core.orchestrators.portfolio import PortfolioData


class WorkQuery(BaseModel):
    """Whose work is asked for. `days`: only what must be done within so many days, 0 for today; `None`: all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    owner: str | None = None
    kind: TaskKind | None = None
    days: int | None = None


class WorkItem(View):
    """One task of one company."""

    company_id: CompanyId
    company_name: str
    owner: str | None
    status: PositionStatus
    home_currency: str
    as_of: date
    task: Task


class WorkView(View):
    """The page. Counts are of all that matches, those that are not listed among them."""

    generated_at: AwareDatetime
    owners: tuple[str, ...]  # who looks after companies
    companies: int  # that match
    counts: TaskCounts
    items: tuple[WorkItem, ...]  # by kind, then what presses most
    unlisted: int  # tasks that a company has beyond those it keeps


def lay_out_work(data: PortfolioData, query: WorkQuery) -> WorkView:
    """What is to be done, from one reading of the firm. A company that was never read has no work yet."""
    chosen = [company for company in data.companies if query.owner is None or company.owner == query.owner]
    items: list[WorkItem] = []
    every: Counter[TaskKind] = Counter()
    listed = 0
    for company in chosen:
        position = data.positions.get(company.company_id)
        if position is None:
            continue
        kept = [task for task in position.tasks if query.kind in (None, task.task_kind)]
        listed += len(kept)
        every.update(_count(position, query.kind))
        items += [
            WorkItem(
                company_id=company.company_id,
                company_name=company.name,
                owner=company.owner,
                status=position.status,
                home_currency=company.home_currency,
                as_of=position.as_of,
                task=task,
            )
            for task in kept
            if _is_within(task, position.as_of, query.days)
        ]
    counts = every if query.days is None else Counter(item.task.task_kind for item in items)
    return WorkView(
        generated_at=data.now,
        owners=tuple(sorted({company.owner for company in data.companies if company.owner})),
        companies=len({item.company_id for item in items}),
        counts=TaskCounts(**{kind.value: counts[kind] for kind in TaskKind}),
        items=tuple(sorted(items, key=_order)),
        unlisted=every.total() - listed,
    )


def _count(position: Position, kind: TaskKind | None) -> dict[TaskKind, int]:
    held = position.task_counts
    return {one: getattr(held, one.value) for one in TaskKind if kind in (None, one)}


def _is_within(task: Task, as_of: date, days: int | None) -> bool:
    """Whether it must be done within so many days; findings and calls have no day, and are always due."""
    return days is None or task.on is None or task.on <= as_of + timedelta(days=days)


_KINDS = {kind: rank for rank, kind in enumerate(TaskKind)}


def _order(item: WorkItem) -> tuple[Any, ...]:
    task = item.task
    amount = 0 if task.amount is None else -abs(task.amount.amount)
    impact = -abs(task.impact_days or 0)
    return (_KINDS[task.task_kind], task.on or date.max, impact, item.status.rank, amount, item.company_name, task.what)
