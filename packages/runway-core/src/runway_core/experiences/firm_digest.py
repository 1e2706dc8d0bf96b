"""The firm's daily digest, by exception: companies whose verdict or band changed, or that need something today.

A company of which there is nothing to say is not named, and a day on which there is none has no digest.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime

from runway_core.domain.company import Company
from runway_core.domain.firm_digests import ToldCompany
from runway_core.domain.identity import CompanyId
from runway_core.domain.money import Money
from runway_core.domain.outlook import Band
from runway_core.domain.position import WEEK, LargeBankLine, Position, PositionStatus
from runway_core.domain.tasks import Task, TaskKind
from runway_core.experiences.view import View
from runway_core.experiences.wording import say_band, say_days
from runway_core.orchestrators.portfolio import PortfolioData

FALL_DAYS = 5
"""A runway, or the worst case of its band, that is so many days shorter than was told is an exception."""

PAYROLL_DAYS = 14
_SHAKY = frozenset({PositionStatus.RED, PositionStatus.AMBER})


class CompanyException(View):
    """One company with what there is to say of it."""

    company_id: CompanyId
    name: str
    owner: str | None
    status: PositionStatus
    status_reason: str
    runway_days: int | None  # None: 91+, where it is known
    is_runway_known: bool
    changes: tuple[str, ...]  # what is otherwise than it was told
    today: tuple[Task, ...]  # what must be done today


class FirmDigestView(View):
    """The digest of a day."""

    generated_at: AwareDatetime
    as_of: date  # where the firm is
    compared_with: date | None  # the day of the last one that was sent
    named: tuple[CompanyException, ...]  # red first
    quiet: int  # companies of which there is nothing to say
    digests_due: int  # companies whose own digest was last sent a week ago or longer, or never
    told: tuple[ToldCompany, ...]  # how every company stands, to compare with the next time


def find_firm_day(companies: Iterable[Company], moment: datetime) -> date:
    """The calendar day of `moment` where the firm is: in the zone of most of its companies, UTC without any.

    Of zones that hold equally many, the first by name.
    """
    return find_firm_moment(companies, moment).date()


def find_firm_moment(companies: Iterable[Company], moment: datetime) -> datetime:
    """`moment` on the clocks of the place where the firm is; see `find_firm_day`."""
    counted = Counter(company.time_zone for company in companies)
    zone = min(counted, key=lambda name: (-counted[name], name), default=None)
    return moment.astimezone(UTC if zone is None else ZoneInfo(zone))


def lay_out_firm_digest(
    data: PortfolioData, told: Sequence[ToldCompany], *, compared_with: date | None
) -> FirmDigestView:
    """Find what there is to say, from one reading of the firm and what it was told last."""
    before = {one.company_id: one for one in told}
    named: list[CompanyException] = []
    standing: list[ToldCompany] = []
    for company in data.companies:
        position = data.positions.get(company.company_id)
        if position is None:
            continue
        standing.append(_stand(position))
        changes = _find_changes(position, before.get(company.company_id))
        today = tuple(task for task in position.tasks if _is_for_today(task, position.as_of))
        if changes or today:
            named.append(
                CompanyException(
                    company_id=company.company_id,
                    name=company.name,
                    owner=company.owner,
                    status=position.status,
                    status_reason=position.status_reason,
                    runway_days=position.runway_days,
                    is_runway_known=position.counted_days is not None,
                    changes=tuple(changes),
                    today=today,
                )
            )
    named.sort(key=lambda one: (one.status.rank, not one.changes, one.name.casefold(), one.company_id))
    return FirmDigestView(
        generated_at=data.now,
        as_of=find_firm_day(data.companies, data.now),
        compared_with=compared_with,
        named=tuple(named),
        quiet=len(data.companies) - len(named),
        digests_due=sum(_is_digest_due(position) for position in data.positions.values()),
        told=tuple(standing),
    )


def _is_digest_due(position: Position) -> bool:
    return position.last_digest_on is None or position.as_of - position.last_digest_on >= WEEK


def _stand(position: Position) -> ToldCompany:
    return ToldCompany(
        company_id=position.company_id,
        status=position.status,
        runway_days=position.counted_days,
        band=position.band,
        bank_lines=tuple(_name_line(line) for line in position.large_bank_lines),
    )


def _find_changes(position: Position, before: ToldCompany | None) -> list[str]:
    """What is otherwise than told. A company that was never told is news where it is red or amber."""
    found = []
    status, reason = position.status, position.status_reason
    if before is None:
        found += [f"{status.value}: {reason}"] if status in _SHAKY else []
    elif before.status is not status:
        found.append(f"{status.value}, was {before.status.value}: {reason}")
    days = position.counted_days
    fell = 0 if before is None or before.runway_days is None or days is None else before.runway_days - days
    if fell >= FALL_DAYS:
        found.append(f"runway {say_days(days)}, {fell} fewer than told")
    band = _say_band_change(position, None if before is None else before.band)
    if band and before is not None:
        found.append(band)
    payday = position.next_payday
    is_near = payday is not None and payday.on <= position.as_of + timedelta(days=PAYROLL_DAYS)
    if payday is not None and is_near and not payday.is_covered:
        found.append(f"the payroll of {payday.on} is not covered")
    told = () if before is None else before.bank_lines
    return found + [_say_line(line) for line in position.large_bank_lines if _name_line(line) not in told]


def _name_line(line: LargeBankLine) -> str:
    return f"{line.rail}:{line.external_id}"


def _say_line(line: LargeBankLine) -> str:
    came, amount = line.amount.amount > 0, Money(amount=abs(line.amount.amount), currency=line.amount.currency)
    return f"{amount} {'came in from' if came else 'went out to'} {line.text or 'somebody'} on {line.booked_on}"


def _say_band_change(position: Position, before: Band | None) -> str:
    """That findings make the figure less sure than it was: it is not reliable any more, or its worst case fell."""
    band = position.band
    if band is None or before is None:
        return ""
    was_sure, is_sure = before.is_reliable(position.runway_days), band.is_reliable(position.runway_days)
    if was_sure and not is_sure:
        return f"not reliable any more: {say_band(band)} days, was {say_band(before)}"
    if before.worst_days - band.worst_days >= FALL_DAYS:
        return f"the worst case fell: {say_band(band)} days, was {say_band(before)}"
    return ""


def _is_for_today(task: Task, today: date) -> bool:
    """A decision whose day has come; calls have no day, and wait for the page of work."""
    return task.task_kind is TaskKind.DECIDE and task.on is not None and task.on <= today
