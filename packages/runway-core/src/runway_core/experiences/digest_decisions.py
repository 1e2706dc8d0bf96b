"""What was decided about bills lately, and what waits."""

from datetime import date, timedelta

from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.decisions import Decision, DecisionOutcome, DecisionState
from runway_core.domain.money import Money
from runway_core.experiences.view import View
from runway_core.services.scope import local_day

TOLD_DAYS = 7


class DecisionLine(View):
    """One decision about one bill, as it stands."""

    decision_id: str
    bill_id: str
    number: str | None
    vendor_name: str
    amount: Money
    outcome: DecisionOutcome
    state: DecisionState
    pay_on: date | None  # the first payment; None when escalated
    by: str  # who moved it last
    on: date  # when
    is_open: bool  # it waits for somebody


OPEN_STATES = frozenset({DecisionState.DECIDED, DecisionState.APPROVED, DecisionState.FAILED, DecisionState.RETURNED})


def list_decisions(books: Books) -> tuple[DecisionLine, ...]:
    """Decisions that wait, by day of payment, then those that moved within seven days, the newest first."""
    since = books.as_of - timedelta(days=TOLD_DAYS)
    bills = {bill.external_id: bill for bill in books.bills} if books.decisions else {}
    lines = [_line(books, decision, bills.get(decision.bill_id)) for decision in books.decisions]
    waiting = [line for line in lines if line.is_open]
    taken = [line for line in lines if not line.is_open and line.on >= since]
    waiting.sort(key=lambda line: (line.pay_on or date.max, line.decision_id))
    taken.sort(key=lambda line: (-line.on.toordinal(), line.decision_id))
    return (*waiting, *taken)


def _line(books: Books, decision: Decision, bill: Bill | None) -> DecisionLine:
    return DecisionLine(
        decision_id=decision.paper_id,
        bill_id=decision.bill_id,
        number=None if bill is None else bill.number,
        vendor_name=(bill.vendor_name if bill is not None else None) or "an unknown vendor",
        amount=Money(amount=decision.facts.open_balance, currency=decision.facts.currency),
        outcome=decision.outcome,
        state=decision.state,
        pay_on=min((part.on for part in decision.payments), default=None),
        by=decision.changed_by,
        on=local_day(decision.changed_at, books.company),
        is_open=decision.state in OPEN_STATES,
    )
