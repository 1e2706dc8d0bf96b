"""Findings: single defects in the books, each with its evidence and what would mend it."""

import hashlib
from datetime import date
from enum import StrEnum

from pydantic import AwareDatetime, Field

from runway_core.domain.amendments import Amendment
from runway_core.domain.identity import CompanyId, Subject
from runway_core.domain.money import Money
from runway_core.domain.record import Value, encode_plain


class Severity(StrEnum):
    """How much a finding matters, the worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for critical up to 3 for low: the order of lists."""
        return _RANKS[self]


_RANKS = {Severity.CRITICAL: 0, Severity.HIGH: 1, Severity.MEDIUM: 2, Severity.LOW: 3}


class FindingState(StrEnum):
    """Where a finding stands."""

    OPEN = "open"
    FIXED = "fixed"  # gone at the next read
    ACCEPTED = "accepted"  # a person says it is right, with a reason
    SNOOZED = "snoozed"  # until a day
    ASKED = "asked"  # a question is out to the company


WAITING = frozenset({FindingState.OPEN, FindingState.ASKED})
"""A finding in one of these waits for somebody: in any other it is mended, accepted, or put off to a day."""


class RunwayEffect(StrEnum):
    """Which way mending a finding moves the runway, by the catalogue."""

    LENGTHENS = "+"
    SHORTENS = "-"
    MOVES_DATES = "±"
    CONFIDENCE = "c"


class Evidence(Value):
    """One value a check compared. `value` is text ready to read; dates are ISO, amounts plain decimals."""

    name: str
    value: str
    record: Subject | None = None
    rail: str | None = None  # which rail said so, where it is not the ledger
    read_at: AwareDatetime | None = None  # when that rail was read, where it matters


class SuggestedFix(Value):
    """What would mend a finding.

    `fields` names the new values of `record` where the fix is a plain write to the ledger, else it is empty.
    `amendments` say how expected cash would differ once it is done: a plausible resolution, of which the finding's
    impact is computed. Fixes that leave expected cash as it is have none.
    """

    label: str  # verb first: "Set due date to 2026-03-22"
    record: Subject | None = None
    fields: dict[str, str] = Field(default_factory=dict)
    amendments: tuple[Amendment, ...] = ()


class Finding(Value):
    """One defect, as a check sees it in one state of the books."""

    check: str  # "AP06"
    name: str  # "bill_duplicate"
    company_id: CompanyId
    subjects: tuple[Subject, ...]
    severity: Severity
    effect: RunwayEffect
    summary: str  # one line a person understands
    amount: Money | None = None
    impact_days: int | None = None  # runway(resolved) − runway(as booked); None: not computed, or no resolution
    impact_low: Money | None = None  # the change of the 28-day low under the same resolution
    evidence: tuple[Evidence, ...] = ()
    fixes: tuple[SuggestedFix, ...] = ()

    @property
    def finding_id(self) -> str:
        """Check and subjects, hashed: the same defect keeps its id over reads, whatever its evidence."""
        parts = [
            self.company_id,
            self.check,
            *sorted(f"{s.kind.value}:{s.external_id}" for s in self.subjects),
        ]
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:20]

    @property
    def basis(self) -> str:
        """A hash of the values it rests on: an accepted finding returns when this changes."""
        # Not when a rail was read: that moves with every read, and the values do not.
        return hashlib.sha256(encode_plain([(e.name, e.value, e.record) for e in self.evidence])).hexdigest()[:20]


class TrackedFinding(Value):
    """A finding with its history."""

    finding: Finding
    state: FindingState = FindingState.OPEN
    first_seen_at: AwareDatetime
    last_seen_at: AwareDatetime
    reason: str | None = None
    snoozed_until: date | None = None
    decided_by: str | None = None
    decided_at: AwareDatetime | None = None
    accepted_basis: str | None = None
    answer: str | None = None  # what the company said when it was asked

    @property
    def finding_id(self) -> str:
        """The finding's identity."""
        return self.finding.finding_id
