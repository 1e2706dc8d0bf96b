"""`make bench`: every measurement, large by default, small for CI with `--small`."""

import argparse

from tests.bench.backtest import measure_backtest
from tests.bench.day import measure_day
from tests.bench.figures import measure_checks, measure_figures
from tests.bench.first_load import measure_first_load
from tests.bench.idle_tick import measure_idle_tick
from tests.bench.jobs import measure_jobs
from tests.bench.log_speed import measure_log
from tests.bench.matching import measure_money, measure_names
from tests.bench.pages import measure_pages
from tests.bench.webhooks import measure_webhooks

PARTS = (
    "first-load",
    "idle-tick",
    "log",
    "pages",
    "names",
    "money",
    "figures",
    "checks",
    "backtest",
    "webhooks",
    "jobs",
    "day",
)


def main() -> None:
    """Run what was asked for, in order."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("--small", action="store_true", help="sizes for CI: for crashes and call counts, not for speed")
    parser.add_argument("--only", choices=PARTS, action="append", help="one part; may be given again")
    parser.add_argument("--companies", type=int, default=100, help="companies of a simulated day; 1000 take minutes")
    parser.add_argument("--seeds", type=int, default=5, help="simulated days of each kind")
    arguments = parser.parse_args()
    parts = arguments.only or PARTS
    small = arguments.small
    if "first-load" in parts:
        measure_first_load(clients=2 if small else 4, bills=60 if small else 2500)
    if "idle-tick" in parts:
        measure_idle_tick(clients=3 if small else 100, bills=20 if small else 60)
    if "log" in parts:
        measure_log(entries=2_000 if small else 100_000, clients=2, bills=60 if small else 1500)
    if "pages" in parts:
        measure_pages(companies=3 if small else 100, bills=50 if small else 10_000)
    if "names" in parts:
        measure_names(is_small=small)
    if "money" in parts:
        measure_money(documents=500 if small else 10_000, movements=200 if small else 5_000)
    if "figures" in parts:
        measure_figures(bills=100 if small else 3_700, repeat=3 if small else 30)
    if "checks" in parts:
        measure_checks(companies=4 if small else 200, bills=60 if small else 200)
    if "backtest" in parts:
        measure_backtest(companies=6 if small else 50, bills=1000, every=8 if small else 4)
    if "webhooks" in parts:
        measure_webhooks(seconds=2 if small else 20, per_second=50 if small else 200, storm=100 if small else 10_000)
    if "jobs" in parts:
        measure_jobs(jobs=500 if small else 100_000)
    if "day" in parts:
        companies, hours = (10, 2) if small else (arguments.companies, 24)
        measure_day(companies=companies, hours=hours, seeds=1 if small else arguments.seeds)


if __name__ == "__main__":
    main()
