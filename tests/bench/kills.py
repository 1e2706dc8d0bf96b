"""Rounds of kills under load, of worker, scheduler, Redis and PostgreSQL: what they came to, and what they broke."""

import sys
import tempfile
from pathlib import Path

from runway_testkit.invariants import say

from tests.bench.machine import print_table
from tests.kills.trial import Trial

COMPANIES = 12
SETTLE_EVERY = 10


def measure_kills(*, rounds: int, seed: int, broken: str = "") -> None:
    """Live through rounds of kills; status 1 when a guarantee was broken. With `broken`, until that is found."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        trial = Trial(Path(folder), seed=seed, companies=COMPANIES, broken=broken)
        teller = _Teller(rounds)
        trial.run(rounds, settle_every=SETTLE_EVERY, on_round=lambda number, victim: teller.tell(number, victim, trial))
    figures = trial.figures
    rows = [(f"kills: {victim}", str(count)) for victim, count in sorted(figures.kills.items())]
    rows += [
        ("of them while jobs ran", str(figures.kills_under_load)),
        ("workers that slept beyond their leases", str(figures.sleeps)),
        ("looks at everything", str(figures.checks)),
        ("changes at the sources", f"{figures.changes:,}"),
        ("deliveries acknowledged", f"{figures.acknowledged:,}"),
        ("deliveries that met no database", f"{figures.unanswered:,}"),
        ("calls to the sources", f"{figures.calls:,}"),
        ("entries of the logs", f"{figures.entries:,}"),
        ("jobs", f"{figures.jobs:,}"),
        ("jobs that were taken again", f"{figures.retaken:,}"),
        ("processes that ended by themselves", str(figures.revived)),
        ("dead letters", str(figures.dead)),
        ("until all was done, median and longest", _say_drains(figures.drains)),
        ("took", f"{figures.seconds:,.0f} s"),
        ("guarantees broken", str(len(trial.violations))),
    ]
    print_table(f"{rounds} rounds of kills, {COMPANIES} companies, seed {seed}", ("what", "count"), rows)
    if trial.violations:
        sys.exit(say(trial.violations[:50]))


def _say_drains(drains: list[float]) -> str:
    ordered = sorted(drains)
    return f"{ordered[len(ordered) // 2]:.1f} s, {ordered[-1]:.1f} s"


class _Teller:
    """Says how far a trial is, and what is broken as soon as it is found."""

    def __init__(self, rounds: int) -> None:
        self._rounds = rounds
        self._told = 0

    def tell(self, number: int, victim: str, trial: Trial) -> None:
        news, self._told = trial.violations[self._told :], len(trial.violations)
        if news:
            print(f"round {number}, {victim} was killed:\n{say(news)}", file=sys.stderr, flush=True)
        if number % SETTLE_EVERY == 0:
            print(f"{number} of {self._rounds} rounds, {self._told} broken", file=sys.stderr, flush=True)
