"""What is to be done for a company: decide about a bill, mend the books, call somebody. Kept with its position."""

from datetime import date
from enum import StrEnum

from runway_core.domain.identity import Subject
from runway_core.domain.money import Money
from runway_core.domain.record import Value

MOST_TASKS = 8
"""So many of a kind are kept with a position, the most pressing first; how many there are is kept too."""


class TaskKind(StrEnum):
    """The three kinds of work."""

    DECIDE = "decide"  # a ready bill, an approval, a release
    MEND = "mend"  # a finding
    CALL = "call"  # a customer past his habit, a vendor whose payment details changed


class Task(Value):
    """One thing to do. `on` is the last day on which it is still in time; `None`: it has none."""

    task_kind: TaskKind
    what: str  # verb first, as a person says it
    detail: str  # why, in one sentence
    record: Subject | None = None
    on: date | None = None
    amount: Money | None = None
    impact_days: int | None = None  # of a finding: days of runway that hang on it
    finding_id: str | None = None


class TaskCounts(Value):
    """How many tasks of each kind there are, those that are not kept among them."""

    decide: int = 0
    mend: int = 0
    call: int = 0
