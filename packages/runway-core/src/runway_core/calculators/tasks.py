"""What is to be done for a company this week, from one reading: bills to decide, findings to mend, people to call."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from runway_core.calculators.collections import compute_collections
from runway_core.calculators.decided import find_needs
from runway_core.calculators.payables import compute_pay_by
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.collections import CollectionCase, CollectionStep
from runway_core.domain.decisions import BillReadiness, Decision, DecisionOutcome, DecisionState
from runway_core.domain.findings import FindingState, TrackedFinding
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.money import ZERO, Money
from runway_core.domain.tasks import MOST_TASKS, Task, TaskCounts, TaskKind

DECIDE_WITHIN_DAYS = 7
"""A ready bill is work once its release is so near; before that nothing is late."""

_CHANGED_DETAILS = "AP19"
_TO_CALL = frozenset({CollectionStep.CALL, CollectionStep.REMIND, CollectionStep.SETTLE})


def find_tasks(
    books: Books, findings: Sequence[TrackedFinding], readiness: Sequence[BillReadiness]
) -> tuple[tuple[Task, ...], TaskCounts]:
    """The most pressing tasks of each kind, and how many there are of each.

    Bills come by the day on which they must be released, findings by the days of runway that hang on them, calls as the
    console ranks them.
    """
    bills = {bill.external_id: bill for bill in books.bills}
    standing = sorted((one for one in findings if one.state is FindingState.OPEN), key=_press)
    to_decide = [*_find_bills(books, readiness, bills), *_find_steps(books, bills)]
    to_decide.sort(key=lambda task: (task.on or date.max, task.what, task.record or ()))
    to_mend = [_mend(one) for one in standing if one.finding.check != _CHANGED_DETAILS]
    to_call = [_call_back(one) for one in standing if one.finding.check == _CHANGED_DETAILS]
    to_call += [
        _call(case) for case in books.derive(compute_collections) if case.step in _TO_CALL and case.surprise > 0
    ]
    kept = (*to_decide[:MOST_TASKS], *to_mend[:MOST_TASKS], *to_call[:MOST_TASKS])
    return kept, TaskCounts(decide=len(to_decide), mend=len(to_mend), call=len(to_call))


def _press(tracked: TrackedFinding) -> tuple[object, ...]:
    finding = tracked.finding
    amount = 0 if finding.amount is None else abs(finding.amount.amount)
    return (finding.severity.rank, -abs(finding.impact_days or 0), -amount, finding.check, tracked.finding_id)


def _find_bills(books: Books, readiness: Sequence[BillReadiness], bills: Mapping[str, Bill]) -> Iterable[Task]:
    decided = {decision.bill_id for decision in books.decisions}
    horizon = books.as_of + timedelta(days=DECIDE_WITHIN_DAYS)
    for one in readiness:
        if one.is_ready and one.bill_id not in decided and one.pay_by <= horizon:
            bill = bills[one.bill_id]
            late = one.pay_by < books.as_of
            yield Task(
                task_kind=TaskKind.DECIDE,
                what=f"Decide about {_name(bill, one.bill_id)}",
                detail="Its release is late already" if late else "It is ready, and to be released by this day",
                record=one.bill_key,
                on=one.pay_by,
                amount=Money(amount=bill.open_balance, currency=bill.currency),
            )


def _find_steps(books: Books, bills: Mapping[str, Bill]) -> Iterable[Task]:
    """Decisions that wait for a person: an approval, a release, or an answer of whom it was escalated to."""
    for decision in books.decisions:
        bill = bills.get(decision.bill_id)
        name = _name(bill, decision.bill_id)
        if decision.outcome is DecisionOutcome.ESCALATE and decision.state is DecisionState.DECIDED:
            yield _step(books, decision, f"Ask {decision.escalated_to} about {name}", decision.reason)
        elif decision.state is DecisionState.DECIDED:
            needs = ", ".join(find_needs(decision.results, decision.approvals))
            yield _step(books, decision, f"Approve {name}", f"It needs {needs}" if needs else "It waits for a yes")
        elif decision.state is DecisionState.APPROVED:
            yield _step(books, decision, f"Release {name}", "It is approved: tell the client to pay it")


def _step(books: Books, decision: Decision, what: str, detail: str) -> Task:
    first = min((part.on for part in decision.payments), default=None)
    days = books.policy.rail_business_days
    whole = sum((part.amount for part in decision.payments), ZERO)
    return Task(
        task_kind=TaskKind.DECIDE,
        what=what,
        detail=detail,
        record=RecordKey(RecordKind.BILL, decision.bill_id),
        on=None if first is None else compute_pay_by(first, rail_business_days=days),
        amount=Money(amount=whole, currency=decision.facts.currency) if decision.payments else None,
    )


def _name(bill: Bill | None, bill_id: str) -> str:
    if bill is None:
        return f"bill {bill_id}"
    return f"{bill.vendor_name or 'a bill without vendor'}, {bill.number or bill_id}"


def _mend(tracked: TrackedFinding) -> Task:
    finding = tracked.finding
    return Task(
        task_kind=TaskKind.MEND,
        what=finding.fixes[0].label if finding.fixes else "Look it over",
        detail=finding.summary,
        record=finding.subjects[0] if finding.subjects else None,
        amount=finding.amount,
        impact_days=finding.impact_days,
        finding_id=tracked.finding_id,
    )


def _call_back(tracked: TrackedFinding) -> Task:
    finding = tracked.finding
    return Task(
        task_kind=TaskKind.CALL,
        what="Call a number known from before, and note it",
        detail=finding.summary,
        record=finding.subjects[0] if finding.subjects else None,
        amount=finding.amount,
        finding_id=tracked.finding_id,
    )


def _call(case: CollectionCase) -> Task:
    verb = "Remind" if case.step is CollectionStep.REMIND else "Call"
    return Task(
        task_kind=TaskKind.CALL,
        what=f"{verb} {case.customer_name} about {case.number or case.invoice_id}",
        detail=case.advice,
        record=case.invoice_key,
        on=case.promised_on,
        amount=case.owed,
    )
