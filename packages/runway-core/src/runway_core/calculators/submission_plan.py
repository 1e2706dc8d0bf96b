"""What is put before the people who approve payments at a rail: a whole bill, as the ledger has it, or nothing."""

from decimal import Decimal

from runway_core.domain.bills import Bill
from runway_core.domain.decisions import Decision, DecisionState
from runway_core.domain.documents import LineKind
from runway_core.domain.submissions import BillSubmission, SubmittedLine
from runway_core.errors import InvalidRequest

_BOOKED = frozenset({LineKind.ACCOUNT, LineKind.ITEM})


def plan_submission(bill: Bill, decision: Decision) -> BillSubmission:
    """Turn a released decision about a bill into what is submitted.

    Lines are the ledger's where they add up to its total, else one line of the total.

    Raises:
        InvalidRequest: the decision was not released, or pays another amount than the whole bill, or the bill lacks
            what a rail must be told.
    """
    if decision.state is not DecisionState.RELEASED or not decision.approvals:
        raise InvalidRequest(
            f"only what was approved and released is submitted: this decision is {decision.state.value}"
        )
    amounts = [part.amount for part in decision.payments]
    if amounts != [bill.total] or bill.open_balance != bill.total:
        raise InvalidRequest(
            "a rail is given whole bills: this one is split, paid in part, or reduced by a credit; pay it by hand"
        )
    lacking = [
        name
        for name, value in (("vendor", bill.vendor_id), ("number", bill.number), ("due date", bill.due_date))
        if not value
    ]
    if lacking or bill.vendor_id is None or bill.number is None or bill.due_date is None:
        raise InvalidRequest(f"the bill has no {' and no '.join(lacking)}: enter it in the ledger first")
    lines = [
        SubmittedLine(line.amount, line.description) for line in bill.lines if line.line_kind in _BOOKED and line.amount
    ]
    if sum((line.amount for line in lines), Decimal(0)) != bill.total:
        lines = [SubmittedLine(bill.total, bill.memo)]
    return BillSubmission(
        ledger_bill_id=bill.external_id,
        ledger_vendor_id=bill.vendor_id,
        number=bill.number,
        document_date=bill.document_date,
        due_date=bill.due_date,
        currency=bill.currency,
        lines=lines,
        memo=bill.memo,
    )
