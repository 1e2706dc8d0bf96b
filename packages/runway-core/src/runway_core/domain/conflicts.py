"""Conflicts: where two rails do not tell the same of one thing, and what people decided about that."""

import hashlib
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import ClassVar

from pydantic import AwareDatetime

from runway_core.domain.amendments import Amendment
from runway_core.domain.findings import Evidence, Severity
from runway_core.domain.identity import CompanyId, RecordKey, Subject
from runway_core.domain.money import Money
from runway_core.domain.papers import PaperKind, WorkingPaper
from runway_core.domain.record import Value, encode_plain

LEDGER = "ledger"
"""The side of a comparison that is the books themselves."""


class ConflictKind(StrEnum):
    """In what two rails differ."""

    MISSING_IN_LEDGER = "missing_in_ledger"
    MISSING_AT_RAIL = "missing_at_rail"
    DUPLICATE = "duplicate"  # one thing stands on two rails more often than it should
    AMOUNT_DIFFERS = "amount_differs"
    DATE_DIFFERS = "date_differs"
    STATE_DIFFERS = "state_differs"  # paid on one side only
    NAME_DIFFERS = "name_differs"  # one vendor, written in two ways and not joined
    PAYOUT_SUM_WRONG = "payout_sum_wrong"
    BALANCE_DIFFERS = "balance_differs"  # by what no line and no entry explains
    AMBIGUOUS_MATCH = "ambiguous_match"  # may be one thing: a person must say


class ConflictState(StrEnum):
    """Where a conflict stands."""

    OPEN = "open"
    REOPENED = "reopened"  # a value changed on which a person's decision rests
    RESOLVED = "resolved"


class Resolution(StrEnum):
    """How a conflict ended."""

    MATCHED = "matched"  # a person said which records are one
    ALIAS = "alias"  # a person said whom a name means
    ACCEPTED = "accepted"  # it is right as it is, with a reason
    FIXED = "fixed"  # gone at the next read: mended on one side


class MatchSuggestion(Value):
    """Records of two sides that may be one thing. `tier` is that of the evidence, 1 the strongest."""

    tier: int
    there: tuple[Subject, ...]
    here: tuple[Subject, ...]
    evidence: tuple[str, ...]
    may_confirm: bool = False  # a person's yes makes them one; else something must be booked first


class Conflict(Value):
    """One difference between rails, as a comparison sees it in one state of the books.

    A conflict that a check raises as well is that finding: it has its id, and deciding one decides the other.
    """

    conflict_id: str
    kind: ConflictKind
    company_id: CompanyId
    records: tuple[Subject, ...]
    rails: tuple[str, ...]  # the sides: "ledger", and the names of rails
    severity: Severity
    summary: str  # one line a person understands
    suggested: str  # verb first
    amount: Money | None = None
    impact_days: int | None = None
    impact_low: Money | None = None
    since: date | None = None  # the day of the oldest of its records, where they tell one
    evidence: tuple[Evidence, ...] = ()
    amendments: tuple[Amendment, ...] = ()  # how expected cash would differ once it is mended; a finding has its own
    matches: tuple[MatchSuggestion, ...] = ()
    name: str | None = None  # as the other rail writes it, where that is the conflict
    finding_id: str | None = None

    @property
    def basis(self) -> str:
        """A hash of the values it rests on: a decided conflict returns when this changes."""
        values = [(one.name, one.value, one.record) for one in self.evidence]
        return hashlib.sha256(encode_plain([self.kind.value, values])).hexdigest()[:20]


def name_conflict(company_id: CompanyId, kind: ConflictKind, records: Iterable[RecordKey]) -> str:
    """The identity of a conflict that no check raises: the same difference keeps it over reads."""
    parts = [company_id, kind.value, *sorted(map(str, records))]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:20]


ConfirmedPair = tuple[Subject, Subject]
"""A record of another rail, and the ledger's or bank's that it is."""


class ConflictDecision(WorkingPaper):
    """What a person decided about one conflict; `paper_id` is the conflict's. Taken back, it is closed.

    `pairs` are proof for every later comparison, as long as this stands.
    """

    paper_kind: ClassVar[PaperKind] = PaperKind.CONFLICT

    resolution: Resolution
    reason: str = ""
    basis: str  # of the conflict as it was decided
    conflict: Conflict
    pairs: tuple[ConfirmedPair, ...] = ()
    alias_form: str | None = None  # of the name that was confirmed
    alias_meant: Subject | None = None  # whom it meant before, if anyone


class TrackedConflict(Value):
    """A conflict with where it stands. `version` is that of the decision, 0 while there is none."""

    conflict: Conflict
    state: ConflictState
    resolution: Resolution | None = None
    reason: str | None = None
    decided_by: str | None = None
    decided_at: AwareDatetime | None = None
    version: int = 0

    @property
    def conflict_id(self) -> str:
        """The conflict's identity."""
        return self.conflict.conflict_id
