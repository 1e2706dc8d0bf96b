"""Decisions about bills: what is ready for one, what was decided, and what became of it."""

from datetime import date
from enum import StrEnum
from typing import ClassVar, Self

from pydantic import AwareDatetime

from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.money import Amount, Currency, Money
from runway_core.domain.papers import PaperKind, WorkingPaper
from runway_core.domain.policy import Role, RuleName, Ruling, VendorTier
from runway_core.domain.record import Value


class BillReadiness(Value):
    """Whether an open bill may be decided about now."""

    bill_id: str
    is_ready: bool
    reasons: tuple[str, ...] = ()  # what holds it back, for a person; empty when it is ready
    pay_by: date  # the last day to release it so that it arrives in time; in the past when that is too late
    pay_date: date  # the business day the outlook has it leave on

    @property
    def bill_key(self) -> RecordKey:
        """The bill's kind and id."""
        return RecordKey(RecordKind.BILL, self.bill_id)


class DecisionOutcome(StrEnum):
    """What a person decided about a bill."""

    PAY = "pay"
    DELAY = "delay"
    ESCALATE = "escalate"
    SPLIT = "split"


class DecisionState(StrEnum):
    """Where a bill stands between its entry and the record of its payment."""

    NEEDS_DATA = "needs_data"
    READY = "ready"
    DECIDED = "decided"
    APPROVED = "approved"
    RELEASED = "released"
    SETTLED = "settled"
    FAILED = "failed"
    RETURNED = "returned"
    RECORDED = "recorded"
    WITHDRAWN = "withdrawn"


DECISION_MOVES: dict[DecisionState, frozenset[DecisionState]] = {
    DecisionState.NEEDS_DATA: frozenset({DecisionState.READY}),
    DecisionState.READY: frozenset({DecisionState.DECIDED, DecisionState.NEEDS_DATA}),
    DecisionState.DECIDED: frozenset({DecisionState.DECIDED, DecisionState.APPROVED, DecisionState.WITHDRAWN}),
    DecisionState.APPROVED: frozenset({DecisionState.RELEASED, DecisionState.DECIDED, DecisionState.WITHDRAWN}),
    # The ledger may show a payment that no rail saw settle, such as one made by hand.
    DecisionState.RELEASED: frozenset(
        {DecisionState.SETTLED, DecisionState.FAILED, DecisionState.RETURNED, DecisionState.RECORDED}
    ),
    DecisionState.SETTLED: frozenset({DecisionState.RECORDED, DecisionState.RETURNED}),
    DecisionState.FAILED: frozenset({DecisionState.DECIDED, DecisionState.WITHDRAWN}),
    DecisionState.RETURNED: frozenset({DecisionState.DECIDED, DecisionState.WITHDRAWN}),
    DecisionState.RECORDED: frozenset(),
    DecisionState.WITHDRAWN: frozenset(),
}
"""What may follow each state. `NEEDS_DATA` and `READY` are computed from the books; the others are kept."""


class RuleResult(Value):
    """What one rule said of one payment, and what would make it pass."""

    rule: RuleName
    ruling: Ruling
    reason: str  # one sentence, with the values compared
    remedy: str = ""  # what would make it pass; empty when it passes
    roles: tuple[Role, ...] = ()  # who must approve, for `NEED_APPROVAL`
    moves_to: date | None = None  # payment days and discounts propose another day

    @classmethod
    def told(
        cls,
        rule: RuleName,
        ruling: Ruling,
        *,
        reason: str,
        remedy: str = "",
        roles: tuple[Role, ...] = (),
        moves_to: date | None = None,
    ) -> Self:
        """Build what a rule says. Nothing is checked: a console of some hundred bills holds thousands of them."""
        return cls.trusted(
            {"rule": rule, "ruling": ruling, "reason": reason, "remedy": remedy, "roles": roles, "moves_to": moves_to}
        )


class Figures(Value):
    """The figures that a decision moves, home currency; compare one with another."""

    runway_days: int | None  # None: 91+
    buffer_breach_on: date | None
    low_28_days: Money
    low_28_days_on: date


class PaymentPart(Value):
    """One payment of a bill: all of it, or a part."""

    on: date
    amount: Amount  # in the bill's currency


class ProposedPayment(Value):
    """What policy would do with one ready bill, and why. Nothing is decided by it."""

    bill_id: str
    outcome: DecisionOutcome  # pay, delay or escalate
    tier: VendorTier
    amount: Amount  # open, less the vendor's credits; in the bill's currency
    currency: Currency
    pay_by: date  # the last day to release it so that it arrives in time
    release_on: date | None  # None when escalated
    on: date | None  # the day it arrives and its cash is gone; None when escalated
    days_late: int = 0  # after its due date, as proposed
    late_fee: Money | None = None  # what that delay costs, where the vendor charges it
    reason: str  # one sentence
    results: tuple[RuleResult, ...]  # in the policy's order
    ruling: Ruling  # the strictest of them

    @property
    def bill_key(self) -> RecordKey:
        """The bill's kind and id."""
        return RecordKey(RecordKind.BILL, self.bill_id)


class Proposal(Value):
    """Every ready bill in the order in which policy would pay them, and what that does to cash.

    Escalated bills stay in the figures `after` on the day they are expected: they are still owed.
    """

    payments: tuple[ProposedPayment, ...]
    before: Figures
    after: Figures


class BillFacts(Value):
    """What a decision was made on; release stops when one of them is no longer so."""

    vendor_id: str | None
    open_balance: Amount
    currency: Currency
    due_date: date | None
    payment_details: str | None = None  # the end of the account number, where a rail tells it


class Approval(Value):
    """One person's yes."""

    by: str
    role: Role
    at: AwareDatetime
    note: str = ""


class DecisionStep(Value):
    """One dated step that a reader can audit."""

    state: DecisionState
    at: AwareDatetime
    by: str
    note: str = ""


class Decision(WorkingPaper):
    """What was decided about one bill. `paper_id` names the decision; a bill has at most one that is not closed."""

    paper_kind: ClassVar[PaperKind] = PaperKind.DECISION

    bill_id: str
    outcome: DecisionOutcome
    payments: tuple[PaymentPart, ...] = ()  # none when escalated
    reason: str = ""
    escalated_to: str | None = None
    state: DecisionState = DecisionState.DECIDED
    facts: BillFacts
    before: Figures
    after: Figures
    results: tuple[RuleResult, ...]
    policy_version: int
    firm_policy_version: int = 0  # of the firm's policy below it
    log_sequence: int  # the state of the books it was made on
    approvals: tuple[Approval, ...] = ()
    steps: tuple[DecisionStep, ...] = ()
    told_client: bool = False  # done in the ledger by hand, not through an execution rail

    @property
    def bill_key(self) -> RecordKey:
        """The bill's kind and id."""
        return RecordKey(RecordKind.BILL, self.bill_id)
