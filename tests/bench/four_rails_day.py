"""A day of companies on all four rails whose vendors are in trouble: is the mirror what a first reading would be?"""

from runway_app_http.loops import run_async
from runway_sandbox.serve import start_sandbox
from runway_testkit.invariants import find_broken_books

from tests.bench.machine import Stopwatch, print_table
from tests.rails.four_rails import live_through

ACTING_SHARE = 0.2  # of the companies, each hour
SEED = 11


def measure_four_rails(*, companies: int, hours: int, profile: str) -> None:
    """Live through a day in a chaos profile with hourly pulls, and compare with everything read anew."""
    with (
        start_sandbox(
            clients=companies, bills_per_client=60, rails="qbo,plaid,stripe,ramp", more_arguments=["--no-throttle"]
        ) as sandbox,
        Stopwatch() as watch,
    ):
        outcome = run_async(live_through(sandbox.ready, hours=hours, profile=profile, seed=SEED, share=ACTING_SHARE))
    done = ", ".join(f"{count} {change}" for change, count in sorted(outcome.done.items()))
    rows = [
        ("records at the end, of all rails", f"{len(outcome.truth):,}"),
        ("lost or otherwise", f"{len(outcome.lost):,}"),
        ("held beyond", f"{len(outcome.beyond):,}"),
        ("doubled in the log, or broken otherwise", f"{len(find_broken_books(outcome.remains)):,}"),
        ("pulls that failed", f"{outcome.failed_pulls:,}"),
        ("connections tried again by a person", f"{outcome.reconnected:,}"),
        ("what people did", done),
        ("seconds", f"{watch.seconds:.0f}"),
    ]
    print_table(f"{companies} companies on four rails, {hours} hours, {profile}", ("what", "figure"), rows)
