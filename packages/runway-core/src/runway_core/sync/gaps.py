"""Where webhooks have a gap, and what to pull because of it: decide, touch nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from runway_core.domain.gaps import Gap, GapReason, Hearing
from runway_core.domain.identity import ConnectionId
from runway_core.domain.jobs import Lane, NewJob
from runway_core.sync.schedule import make_pull

LOOKED_AT = timedelta(days=7)
"""How far back it is looked to learn what is usual."""

LEAST_SILENCE = timedelta(minutes=30)
TIMES_USUAL = 3
"""A silence counts when it lasts three times the usual pause, and half an hour at least."""

REPEAT_COUNTS = timedelta(hours=1)
"""A repeat tells of a gap for so long."""


@dataclass(slots=True)
class GapPlan:
    """Which gaps are noted anew, with the pulls that close them, and which are over."""

    noted: list[Gap] = field(default_factory=list)
    jobs: list[NewJob] = field(default_factory=list)
    over: list[ConnectionId] = field(default_factory=list)


def find_usual_pause(hearing: Hearing) -> timedelta:
    """How long it usually takes until something is heard again; nil when too little was heard to tell."""
    if hearing.first_at is None or hearing.last_at is None or hearing.deliveries < 3:
        return timedelta(0)
    return (hearing.last_at - hearing.first_at) / (hearing.deliveries - 1)


def find_gap(hearing: Hearing, held: Gap | None, *, now: datetime) -> Gap | None:
    """The gap that shows in what is known of a connection, if there is one that is not held already."""
    pause = max(find_usual_pause(hearing) * TIMES_USUAL, LEAST_SILENCE)
    last_at, missed_at = hearing.last_at, hearing.last_missed_at
    noted_at = held.noted_at if held is not None else None
    has_missed = missed_at is not None and (noted_at is None or missed_at > noted_at)
    reason, since = None, now
    if has_missed and (last_at is None or (now - last_at > pause and missed_at is not None and missed_at > last_at)):
        reason, since = GapReason.SILENCE, last_at or now - LOOKED_AT
    elif has_missed and last_at is not None:
        reason, since = GapReason.LOSS, missed_at or now
    elif _has_repeated(hearing, noted_at, now):
        reason, since = GapReason.REPEATS, hearing.last_repeat_at or now
    if reason is None or (held is not None and held.reason is GapReason.SILENCE and reason is GapReason.SILENCE):
        return None  # while it is silent each poll finds something: that is known
    return Gap(
        firm_id=hearing.firm_id,
        company_id=hearing.company_id,
        connection_id=hearing.connection_id,
        rail=hearing.rail,
        reason=reason,
        since=since,
        noted_at=now,
        missed=hearing.missed,
    )


def _has_repeated(hearing: Hearing, noted_at: datetime | None, now: datetime) -> bool:
    at = hearing.last_repeat_at
    return at is not None and now - at < REPEAT_COUNTS and (noted_at is None or at > noted_at)


def is_over(gap: Gap, hearing: Hearing) -> bool:
    """Whether a gap was closed by a whole pull since and, after a silence, something was heard again."""
    has_pulled = hearing.last_success_at is not None and hearing.last_success_at > gap.noted_at
    is_heard = gap.reason is not GapReason.SILENCE or (hearing.last_at is not None and hearing.last_at >= gap.noted_at)
    return has_pulled and is_heard


def plan_gaps(hearings: Iterable[Hearing], held: Mapping[ConnectionId, Gap], *, now: datetime) -> GapPlan:
    """Note new gaps, each with a pull at once, and forget those that are over. Planning again plans nothing new."""
    plan = GapPlan()
    for hearing in hearings:
        known = held.get(hearing.connection_id)
        gap = find_gap(hearing, known, now=now)
        if gap is not None:
            plan.noted.append(gap)
            plan.jobs.append(_make_catch_up(gap))
        elif known is not None and is_over(known, hearing):
            plan.over.append(hearing.connection_id)
    return plan


def _make_catch_up(gap: Gap) -> NewJob:
    reason = gap.reason.value
    return make_pull(gap, lane=Lane.WEBHOOK, run_at=gap.noted_at, cause_id=f"gap:{reason}", payload={"gap": reason})
