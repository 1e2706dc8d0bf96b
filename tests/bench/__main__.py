"""`make bench`: every measurement, large by default, small for CI with `--small`."""

import argparse
from collections.abc import Callable, Mapping

from runway_app_http.logs import configure_logs
from runway_sandbox.chaos import TO_SURVIVE

from tests.bench.backtest import measure_backtest, measure_backtests
from tests.bench.day import measure_day
from tests.bench.figures import measure_checks, measure_figures
from tests.bench.first_load import measure_first_load
from tests.bench.four_rails_day import measure_four_rails
from tests.bench.idle_tick import measure_idle_tick
from tests.bench.jobs import measure_jobs
from tests.bench.kills import measure_kills
from tests.bench.log_speed import measure_log
from tests.bench.matching import measure_money, measure_names
from tests.bench.pages import measure_pages
from tests.bench.position import measure_position
from tests.bench.scale import measure_scale
from tests.bench.walls import measure_walls
from tests.bench.webhooks import measure_webhooks
from tests.kills.broken import STORES

PARTS = (
    "first-load",
    "idle-tick",
    "log",
    "pages",
    "walls",
    "position",
    "names",
    "money",
    "figures",
    "checks",
    "backtest",
    "webhooks",
    "jobs",
    "day",
    "seeds",
    "kills",
    "scale",
    "four-rails",
)


def main() -> None:
    """Run what was asked for, in order."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("--small", action="store_true", help="sizes for CI: for crashes and call counts, not for speed")
    parser.add_argument("--only", choices=PARTS, action="append", help="one part; may be given again")
    parser.add_argument("--companies", type=int, default=100, help="companies of a simulated day; 1000 take minutes")
    parser.add_argument("--hours", type=int, default=24, help="hours of a simulated day")
    parser.add_argument("--seeds", type=int, default=5, help="simulated days of each kind")
    parser.add_argument("--seed", type=int, default=0, help="the first seed of days, the seed of kills")
    parser.add_argument("--chaos", choices=TO_SURVIVE, default="flaky", help="what vendors do to all four rails")
    parser.add_argument("--rounds", type=int, default=200, help="rounds of kills")
    parser.add_argument("--broken", choices=sorted(STORES), default="", help="use the database wrongly: kills find it")
    arguments = parser.parse_args()
    configure_logs(level="error", form="console")
    measurements = small_ones() if arguments.small else large_ones(arguments)
    for part in arguments.only or PARTS:
        measurements[part]()


def large_ones(arguments: argparse.Namespace) -> Mapping[str, Callable[[], None]]:
    """Every measurement, for its figures."""
    return {
        "first-load": lambda: measure_first_load(clients=4, bills=2500),
        "idle-tick": lambda: measure_idle_tick(clients=100, bills=60),
        "log": lambda: measure_log(entries=100_000, clients=2, bills=1500),
        "pages": lambda: measure_pages(companies=100, bills=10_000),
        "walls": lambda: measure_walls(companies=100, bills=10_000),
        "position": lambda: measure_position(bills=3_700, repeat=30),
        "names": lambda: measure_names(is_small=False),
        "money": lambda: measure_money(documents=10_000, movements=5_000),
        "figures": lambda: measure_figures(bills=3_700, repeat=30),
        "checks": lambda: measure_checks(companies=200, bills=200),
        "backtest": measure_backtests,
        "webhooks": lambda: measure_webhooks(seconds=20, per_second=200, storm=10_000),
        "jobs": lambda: measure_jobs(jobs=100_000),
        "day": lambda: measure_day(
            companies=arguments.companies,
            hours=arguments.hours,
            seeds=range(arguments.seed, arguments.seed + arguments.seeds),
        ),
        "seeds": lambda: measure_day(companies=10, hours=2, seeds=range(1_000)),
        "kills": lambda: measure_kills(rounds=arguments.rounds, seed=arguments.seed, broken=arguments.broken),
        "scale": lambda: measure_scale(sizes=(100, 200, 400)),
        "four-rails": lambda: measure_four_rails(
            companies=arguments.companies, hours=arguments.hours, profile=arguments.chaos
        ),
    }


def small_ones() -> Mapping[str, Callable[[], None]]:
    """Every measurement in a size for CI."""
    return {
        "first-load": lambda: measure_first_load(clients=2, bills=60),
        "idle-tick": lambda: measure_idle_tick(clients=3, bills=20),
        "log": lambda: measure_log(entries=2_000, clients=2, bills=60),
        "pages": lambda: measure_pages(companies=3, bills=50),
        "walls": lambda: measure_walls(companies=3, bills=400),
        "position": lambda: measure_position(bills=60, repeat=3),
        "names": lambda: measure_names(is_small=True),
        "money": lambda: measure_money(documents=500, movements=200),
        "figures": lambda: measure_figures(bills=100, repeat=3),
        "checks": lambda: measure_checks(companies=4, bills=60),
        "backtest": lambda: measure_backtest(companies=6, bills=1000, every=8),
        "webhooks": lambda: measure_webhooks(seconds=2, per_second=50, storm=100),
        "jobs": lambda: measure_jobs(jobs=500),
        "day": lambda: measure_day(companies=10, hours=2, seeds=[0]),
        "seeds": lambda: measure_day(companies=3, hours=1, seeds=range(11)),
        "kills": lambda: measure_kills(rounds=4, seed=0),
        "scale": lambda: measure_scale(sizes=(10, 20)),
        "four-rails": lambda: measure_four_rails(companies=3, hours=2, profile="hostile"),
    }


if __name__ == "__main__":
    main()
