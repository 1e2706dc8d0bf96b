"""Worker, scheduler, Redis and PostgreSQL are killed under load, and every guarantee holds.

`make bench ARGS="--only kills"` has 200 rounds; `RUNWAY_KILL_ROUNDS` sets how many these are.
"""

import os
from pathlib import Path

from runway_testkit.invariants import say

from tests.kills.trial import VICTIMS, Trial

ROUNDS = int(os.environ.get("RUNWAY_KILL_ROUNDS", "4"))
SEED = int(os.environ.get("RUNWAY_KILL_SEED", "0"))


def test_whatever_is_killed_every_guarantee_holds(tmp_path: Path) -> None:
    trial = Trial(tmp_path, seed=SEED, companies=4, nap_seconds=0.5)
    trial.run(ROUNDS, settle_every=ROUNDS)

    assert not trial.violations, say(trial.violations)
    assert trial.figures.acknowledged
    assert trial.figures.kills.total() == ROUNDS
    assert len(trial.figures.kills) == min(ROUNDS, len(VICTIMS))
