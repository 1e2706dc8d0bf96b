"""Simulated days: how fresh companies are, what that costs in calls, and how fast a day passes."""

import logging

import structlog
from runway_testkit.simulated_day import BAD_NEIGHBOURS, DayPlan, live_day

from tests.bench.machine import Stopwatch, print_table


def measure_day(*, companies: int, hours: int, seeds: int) -> None:
    """Live through days with and without webhooks, and one with bad neighbours."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    plans = [(f"{lost} % of webhooks lost", DayPlan(companies, hours, webhooks_lost_percent=lost)) for lost in (0, 100)]
    calm = DayPlan(companies, hours, webhooks_lost_percent=100, has_trouble=False)
    beside = DayPlan(companies, hours, webhooks_lost_percent=100, has_trouble=False, neighbours=BAD_NEIGHBOURS)
    rows = []
    for name, plan in (*plans, ("a calm day, polls alone", calm), ("the same beside bad neighbours", beside)):
        for seed in range(seeds):
            with Stopwatch() as watch:
                day = live_day(plan, seed=seed)
            rows.append(
                (
                    name,
                    str(seed),
                    f"{day.changes:,}",
                    f"{day.age_p50}, {day.age_p95}, {day.age_p99}",
                    f"{day.within_15_minutes_permille / 10:.1f} %",
                    str(day.never_mirrored),
                    str(day.calls_per_company),
                    f"{watch.seconds:,.0f}",
                )
            )
    columns = ("day", "seed", "changes", "age p50, p95, p99 (s)", "within 15 min", "never", "calls/company", "took (s)")
    print_table(f"{hours} hours of {companies:,} companies, in virtual time", columns, rows)
