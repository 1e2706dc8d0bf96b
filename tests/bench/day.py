"""Simulated days: how fresh companies are, what that costs in calls, how fast a day passes, and which seeds fail."""

import logging
import sys
from collections.abc import Sequence

import structlog
from runway_testkit.simulated_day import BAD_NEIGHBOURS, DayPlan, DayReport, live_day

from tests.bench.machine import Stopwatch, print_table

LISTED_SINGLY = 10
"""So many seeds have a line each; of more there is one line."""

TOLD_EVERY = 100


def measure_day(*, companies: int, hours: int, seeds: Sequence[int]) -> None:
    """Live through days with and without webhooks, and one with bad neighbours; status 1 when a seed fails."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    plans = [(f"{lost} % of webhooks lost", DayPlan(companies, hours, webhooks_lost_percent=lost)) for lost in (0, 100)]
    ceasing = DayPlan(companies, hours, silent_from_hour=hours // 4)
    plans.append(("webhooks cease after a quarter of it", ceasing))
    calm = DayPlan(companies, hours, webhooks_lost_percent=100, has_trouble=False)
    beside = DayPlan(companies, hours, webhooks_lost_percent=100, has_trouble=False, neighbours=BAD_NEIGHBOURS)
    if len(seeds) <= LISTED_SINGLY:
        plans += [("a calm day, polls alone", calm), ("the same beside bad neighbours", beside)]
    rows, failed = [], []
    for name, plan in plans:
        lived: list[DayReport] = []
        with Stopwatch() as watch:
            for seed in seeds:
                with Stopwatch() as one:
                    day = live_day(plan, seed=seed)
                lived.append(day)
                if len(lived) % TOLD_EVERY == 0:
                    print(f"{name}: {len(lived)} of {len(seeds)} days", file=sys.stderr, flush=True)
                if len(seeds) <= LISTED_SINGLY:
                    rows.append(_say_days(name, str(seed), [day], one.seconds, hours=hours))
                if not day.is_sound and not plan.neighbours:
                    failed.append(f"live_day({plan}, seed={seed}) left {day.never_mirrored} unread, {day.broken}")
                    print(failed[-1], file=sys.stderr, flush=True)
        if len(seeds) > LISTED_SINGLY:
            rows.append(_say_days(name, f"{seeds[0]}…{seeds[-1]}", lived, watch.seconds, hours=hours))
    columns = (
        "day",
        "seed",
        "changes",
        "age p50, p95, p99 (s)",
        "within 15 min",
        "failed",
        "calls/company",
        "100 companies, 30 days",
        "took (s)",
    )
    print_table(f"{hours} hours of {companies:,} companies, in virtual time", columns, rows)
    if failed:
        sys.exit(f"{len(failed)} days failed; each fails again in a shell:\n" + "\n".join(failed))


def _say_forecast(days: Sequence[DayReport]) -> str:
    """Metered calls of a month; only whole days tell, because comparisons and company records come once in them."""
    return f"{sum(day.forecast(companies=100) for day in days) // len(days):,}"


def _say_days(name: str, seed: str, days: Sequence[DayReport], seconds: float, *, hours: int) -> tuple[str, ...]:
    """One line for days of one kind; of ages, the median day."""
    changes = sum(day.changes for day in days)
    in_time = sum(day.within_15_minutes_permille * day.changes for day in days) // max(1, changes)
    ages = [sorted(getattr(day, age) for day in days)[len(days) // 2] for age in ("age_p50", "age_p95", "age_p99")]
    return (
        name,
        seed,
        f"{changes:,}",
        ", ".join(map(str, ages)),
        f"{in_time / 10:.1f} %",
        str(sum(not day.is_sound for day in days)),
        str(sum(day.calls_per_company for day in days) // len(days)),
        _say_forecast(days) if hours >= 24 else "–",
        f"{seconds:,.0f}",
    )
