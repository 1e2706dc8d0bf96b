"""Why cash is not what it was: opening cash then, what moved since, and opening cash now."""

from datetime import date

from pydantic import AwareDatetime

from runway_core.domain.identity import Subject
from runway_core.domain.money import Money
from runway_core.domain.record import Value


class CashThen(Value):
    """Opening cash as it was told on an earlier day, and when the books were read for it."""

    as_of: date
    read_at: AwareDatetime
    opening: Money


class CashCause(Value):
    """One line of the explanation, positive when cash grew by it. `record` is given where it is one movement."""

    label: str
    amount: Money
    count: int
    record: Subject | None = None


class CashChange(Value):
    """From opening cash then to opening cash now: `before` + all causes + `unexplained` = `now`, to the cent."""

    since: date
    before: Money
    causes: tuple[CashCause, ...]  # the largest first
    unexplained: Money  # what no movement tells: changed entries, rates, other parts of opening cash
    now: Money

    @property
    def difference(self) -> Money:
        """By how much cash grew."""
        return self.now - self.before
