"""What becomes of a decision: which approvals it lacks, whether what was approved still holds, what the books show.

Nothing here acts: every function says how a decision would stand.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.decisions import (
    DECISION_MOVES,
    Approval,
    BillFacts,
    Decision,
    DecisionState,
    DecisionStep,
    RuleResult,
)
from runway_core.domain.execution import RailPayment, RailPaymentState
from runway_core.domain.money import ZERO
from runway_core.domain.policy import Role, RuleName, Ruling
from runway_core.errors import InvalidRequest

OBSERVER = "runway"
"""Who saw it, where the books say so and no person does."""

_RANKS = {role: rank for rank, role in enumerate(Role)}
_WAITING = frozenset({DecisionState.DECIDED, DecisionState.APPROVED})
_RAIL_STATES = {
    RailPaymentState.SETTLED: DecisionState.SETTLED,
    RailPaymentState.FAILED: DecisionState.FAILED,
    RailPaymentState.CANCELLED: DecisionState.FAILED,
    RailPaymentState.RETURNED: DecisionState.RETURNED,
}
_CLOSED = frozenset({DecisionState.RECORDED, DecisionState.WITHDRAWN})


def move_decision(decision: Decision, state: DecisionState, *, at: datetime, by: str, note: str = "") -> Decision:
    """The decision one step on, with the step written down; recorded and withdrawn ones are closed.

    Raises:
        InvalidRequest: no decision goes from its state to `state`.
    """
    if state not in DECISION_MOVES[decision.state]:
        raise InvalidRequest(f"a decision that is {decision.state.value} cannot become {state.value}")
    step = DecisionStep(state=state, at=at, by=by, note=note)
    return decision.model_copy(update={"state": state, "steps": (*decision.steps, step), "is_closed": state in _CLOSED})


def read_facts(books: Books, bill: Bill) -> BillFacts:
    """What a decision about a bill rests on."""
    tails = sorted((d.rail, d.account_tail) for d in books.payment_details if d.vendor_id == bill.vendor_id)
    return BillFacts(
        vendor_id=bill.vendor_id,
        open_balance=bill.open_balance,
        currency=bill.currency,
        due_date=bill.due_date,
        payment_details=", ".join(f"{rail} {tail}" for rail, tail in tails) or None,
    )


def find_needs(results: Iterable[RuleResult], approvals: Sequence[Approval]) -> list[str]:
    """What is still wanting before a decision is approved, for a person; nothing when it is.

    Each rule wants each of its roles from another person, and a higher role stands for a lower one. A new vendor and
    changed payment details want a noted call-back besides.
    """
    needs: list[str] = []
    for result in results:
        if result.ruling is Ruling.BLOCK:
            needs.append(result.remedy or result.reason)
        elif result.ruling is Ruling.NEED_APPROVAL:
            needs += [f"approval by {role.value}" for role in _find_missing(result.roles, approvals)]
            if result.rule is RuleName.NEW_VENDOR:
                needs.append("a noted call-back")
    return list(dict.fromkeys(needs))


def _find_missing(roles: Sequence[Role], approvals: Sequence[Approval]) -> list[Role]:
    people: dict[str, int] = {}
    for approval in approvals:
        people[approval.by] = max(people.get(approval.by, 0), _RANKS[approval.role])
    ranks = sorted(people.values(), reverse=True)
    missing: list[Role] = []
    for role in sorted(roles, key=lambda role: -_RANKS[role]):
        if ranks and ranks[0] >= _RANKS[role]:
            ranks.pop(0)
        else:
            missing.append(role)
    return missing


def find_lapses(
    decision: Decision, facts: BillFacts | None, results: Sequence[RuleResult], approvals: Sequence[Approval]
) -> list[str]:
    """What is no longer as it was when the decision was made or approved, for a person.

    `facts` are those of the bill now, `None` when it is no longer open; `results` what the rules say now.
    """
    if facts is None:
        return ["the bill is no longer open"]
    before: Mapping[str, object] = decision.facts.__dict__
    now: Mapping[str, object] = facts.__dict__
    lapses = [
        f"{name.replace('_', ' ')} was {_say(before[name])}, is {_say(now[name])}"
        for name in BillFacts.model_fields
        if before[name] != now[name]
    ]
    return lapses + [
        f"{result.rule.value.replace('_', ' ')}: {result.reason}" for result in _find_unmet(results, approvals)
    ]


def _find_unmet(results: Iterable[RuleResult], approvals: Sequence[Approval]) -> list[RuleResult]:
    return [result for result in results if find_needs([result], approvals)]


def _say(value: object) -> str:
    if value is None:
        return "none"
    return f"{value:,.2f}" if isinstance(value, Decimal) else str(value)


def plan_observed(books: Books, decisions: Iterable[Decision], *, at: datetime) -> list[Decision]:
    """Decisions that the books have moved on: those that changed, as they stand now.

    A released one is settled, failed or returned as an execution rail shows it, and recorded once the ledger shows the
    bill paid by as much. One that was not released is withdrawn when the bill was paid or is gone without it. Planning
    twice plans nothing.
    """
    bills = {bill.external_id: bill for bill in books.bills}
    payments: dict[str, list[RailPayment]] = {}
    for payment in books.rail_payments:
        for bill_id in payment.bill_ids:
            payments.setdefault(bill_id, []).append(payment)
    changed: list[Decision] = []
    for decision in sorted(decisions, key=lambda decision: decision.paper_id):
        if not decision.is_closed:
            moved = _observe(decision, bills.get(decision.bill_id), payments.get(decision.bill_id, []), at)
            if moved is not decision:
                changed.append(moved)
    return changed


def _observe(decision: Decision, bill: Bill | None, payments: Sequence[RailPayment], at: datetime) -> Decision:
    if decision.state in _WAITING:
        if bill is not None and bill.open_balance > 0:
            return decision
        note = "the bill is no longer in the ledger" if bill is None else "the ledger shows it paid, without a release"
        return move_decision(decision, DecisionState.WITHDRAWN, at=at, by=OBSERVER, note=note)
    if decision.state is DecisionState.RELEASED:
        decision = _observe_rail(decision, payments, at)
    if decision.state in (DecisionState.RELEASED, DecisionState.SETTLED):
        paid = sum((part.amount for part in decision.payments), ZERO)
        if bill is not None and bill.open_balance <= decision.facts.open_balance - paid:
            note = f"the ledger shows {bill.open_balance:,.2f} {bill.currency} open"
            return move_decision(decision, DecisionState.RECORDED, at=at, by=OBSERVER, note=note)
        if bill is None and decision.state is DecisionState.RELEASED:
            note = "the bill is no longer in the ledger"
            return move_decision(decision, DecisionState.FAILED, at=at, by=OBSERVER, note=note)
    return decision


def _observe_rail(decision: Decision, payments: Sequence[RailPayment], at: datetime) -> Decision:
    released_on = decision.steps[-1].at.date()
    since = [p for p in payments if not p.is_inflow and (p.released_on is None or p.released_on >= released_on)]
    states = {_RAIL_STATES[p.state] for p in since if p.state in _RAIL_STATES}
    if len(states) != 1 or len(since) < len(decision.payments):
        return decision  # nothing is told yet, or several things are
    (state,) = states
    rails = " and ".join(sorted({payment.rail for payment in since}))
    return move_decision(decision, state, at=at, by=OBSERVER, note=f"as {rails} shows it")
