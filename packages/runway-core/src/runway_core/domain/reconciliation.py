"""A company's rails side by side: how much of each is one thing, what is left over, and what differs."""

from datetime import date

from pydantic import AwareDatetime

from runway_core.domain.conflicts import ConflictState, TrackedConflict
from runway_core.domain.identity import CompanyId
from runway_core.domain.money import Money
from runway_core.domain.record import Value


class RailPair(Value):
    """Two sides, compared in one kind of record. `here` is the ledger, or the processor of payouts at the bank."""

    here: str
    there: str
    what: str  # "bills", "payouts", "bank lines"
    matched: int = 0
    suggested: int = 0  # may be one thing: a person must say
    left_here: int = 0
    left_there: int = 0
    differing: int = 0  # conflicts between the two that wait for someone


class AccountDrift(Value):
    """One account at the bank and in the ledger, in its own currency; outflows are negative.

    `bank` − `ledger` = `bank_not_in_ledger` − `ledger_not_at_bank` + `unexplained`, and the last must be nil.
    """

    account_id: str
    name: str
    rail: str
    bank: Money  # posted
    ledger: Money
    bank_not_in_ledger: Money
    ledger_not_at_bank: Money
    unexplained: Money
    lines: int  # at the bank and not in the ledger
    entries: int  # in the ledger and not at the bank
    oldest: date | None  # of both; None: nothing is left over
    read_at: AwareDatetime  # when the bank was read


class Reconciliation(Value):
    """What the rails of one company say of one another on a day. Conflicts stand worst first."""

    company_id: CompanyId
    as_of: date
    pairs: tuple[RailPair, ...]
    drifts: tuple[AccountDrift, ...]
    conflicts: tuple[TrackedConflict, ...]
    notes: tuple[str, ...] = ()  # where a search was given up, and why

    @property
    def waiting(self) -> tuple[TrackedConflict, ...]:
        """The conflicts that wait for someone."""
        return tuple(one for one in self.conflicts if one.state is not ConflictState.RESOLVED)
