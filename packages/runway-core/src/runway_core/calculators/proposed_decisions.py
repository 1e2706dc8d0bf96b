"""What policy would do with the open bills of a company, and payments judged beside it, from one reading."""

from collections.abc import Sequence
from dataclasses import dataclass

from runway_core.calculators.policy.ground import PolicyGround, gather_ground
from runway_core.calculators.policy.judge import JudgedPayment, Payment, find_strictest, judge_payments
from runway_core.calculators.proposal import compute_proposal, plan_ground
from runway_core.calculators.readiness import find_readiness
from runway_core.calculators.what_if import amend_outlook, read_figures
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.books import Books
from runway_core.domain.decisions import BillReadiness, Figures, Proposal
from runway_core.domain.findings import TrackedFinding
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.outlook import Outlook
from runway_core.domain.policy import Ruling


@dataclass(frozen=True, slots=True)
class ProposedDecisions:
    """What policy would do with the open bills of one company, from one reading."""

    books: Books
    ground: PolicyGround  # as booked
    planned: PolicyGround  # with every ready bill as proposed: where one payment is judged
    readiness: Sequence[BillReadiness]
    proposal: Proposal


@dataclass(frozen=True, slots=True)
class BatchCheck:
    """Payments judged as a whole, and the figures with all of them."""

    proposed: ProposedDecisions
    judged: Sequence[JudgedPayment]
    before: Figures
    after: Figures
    outlook: Outlook  # with all of them

    @property
    def ruling(self) -> Ruling:
        """The strictest ruling on any of them."""
        return find_strictest([result for judged in self.judged for result in judged.results])


def propose_decisions(books: Books, findings: Sequence[TrackedFinding]) -> ProposedDecisions:
    """Ground, readiness and proposal from one reading."""
    ground = gather_ground(books, findings)
    readiness = find_readiness(books, findings)
    proposal = compute_proposal(ground, readiness)
    return ProposedDecisions(
        books=books,
        ground=ground,
        planned=plan_ground(ground, proposal),
        readiness=readiness,
        proposal=proposal,
    )


def check_batch(proposed: ProposedDecisions, payments: Sequence[Payment]) -> BatchCheck:
    """Judge payments together on the plan.

    Raises:
        InvalidRequest: a payment cannot be.
    """
    ground = proposed.ground
    judged = judge_payments(proposed.planned, payments)
    amendments = [_move(ground, payment) for payment in payments]
    outlook = amend_outlook(proposed.books, ground.cash, ground.outlook, amendments)
    return BatchCheck(
        proposed=proposed,
        judged=judged,
        before=read_figures(ground.outlook),
        after=read_figures(outlook),
        outlook=outlook,
    )


def _move(ground: PolicyGround, payment: Payment) -> Amendment:
    whole = payment.amount >= ground.payables[payment.bill_id].balance
    return Amendment(
        action=AmendmentAction.PAY_ON,
        record=RecordKey(RecordKind.BILL, payment.bill_id),
        on=payment.on,
        amount=None if whole else payment.amount,
    )
