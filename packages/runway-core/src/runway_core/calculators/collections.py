"""Whom to remind: overdue invoices against each customer's own habit, and what is next with each.

Nobody is chased before the day on which four of five of his invoices were paid. Past it come letters, friendly, firm
and final, then people: a plan, stopping work, writing off. Money or a credit stops the stage at the next read.
"""

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from runway_core.calculators.burn import compute_outflow_per_day
from runway_core.calculators.calendar import add_days, roll_forward
from runway_core.calculators.receivables import (
    PaymentHabits,
    Receivable,
    compute_payment_habits,
    compute_receivables,
)
from runway_core.domain.books import Books
from runway_core.domain.collections import (
    CollectionCase,
    CollectionNote,
    CollectionOutcome,
    CollectionStage,
    CollectionStep,
)
from runway_core.domain.identity import RecordKind
from runway_core.domain.money import Money

FIRM_FROM = 31
FINAL_FROM = 61

_LETTERS = ((FINAL_FROM, CollectionStage.FINAL), (FIRM_FROM, CollectionStage.FIRM), (1, CollectionStage.FRIENDLY))
_BY_PEOPLE = frozenset({CollectionStage.PLAN, CollectionStage.STOP_WORK, CollectionStage.WRITE_OFF})
_TENTH = Decimal("0.1")


def compute_collections(books: Books) -> list[CollectionCase]:
    """Overdue invoices with an open rest: those past the customer's habit first, then by what they would fund."""
    overdue = [r for r in books.derive(compute_receivables) if r.due < books.as_of and r.balance > 0]
    if not overdue:
        return []
    habits = books.derive(compute_payment_habits)
    per_day = compute_outflow_per_day(books)
    notes = _find_newest_notes(books)
    received = _find_last_receipts(books)
    cases = [
        _describe(
            books,
            receivable,
            habits=habits,
            per_day=per_day,
            note=notes.get(receivable.invoice.external_id),
            received_on=received.get(receivable.invoice.external_id),
        )
        for receivable in overdue
    ]
    worth = {r.invoice.external_id: r.home or Decimal(0) for r in overdue}
    return sorted(cases, key=lambda case: (case.surprise <= 0, -worth[case.invoice_id], case.due, case.invoice_id))


def find_letter_stage(days_late: int) -> CollectionStage:
    """How firm a letter is, by days late: friendly to 30, firm to 60, final from 61."""
    return next((stage for first, stage in _LETTERS if days_late >= first), CollectionStage.NONE)


def _describe(
    books: Books,
    receivable: Receivable,
    *,
    habits: PaymentHabits,
    per_day: Decimal | None,
    note: CollectionNote | None,
    received_on: date | None,
) -> CollectionCase:
    invoice, as_of = receivable.invoice, books.as_of
    days_late = (as_of - receivable.due).days
    p80 = habits.late_days_p80(invoice.customer_id)
    usually_within = p80 if p80 is not None else habits.late_days(None)
    is_stopped = note is not None and received_on is not None and received_on >= note.contacted_on
    stage, since = _find_stage(receivable.due, days_late, usually_within, None if is_stopped else note)
    promised_on = note.promised_on if note is not None and note.outcome is CollectionOutcome.PROMISED else None
    is_broken = promised_on is not None and roll_forward(promised_on) < as_of and not is_stopped
    is_personal = invoice.customer_id in books.policy.personal_customer_ids
    step, advice = _advise(
        note=None if is_stopped and note is not None and note.outcome is not CollectionOutcome.DISPUTED else note,
        received_on=received_on if is_stopped else None,
        is_broken=is_broken,
        is_personal=is_personal,
        stage=stage,
        late=(days_late, usually_within),
    )
    customer = books.customer_by_id.get(invoice.customer_id or "")
    return CollectionCase(
        invoice_id=invoice.external_id,
        number=invoice.number,
        customer_id=invoice.customer_id,
        customer_name=customer.name if customer is not None else invoice.customer_name or "no customer",
        owed=Money(amount=receivable.balance, currency=invoice.currency),
        due=receivable.due,
        days_late=days_late,
        usually_within=usually_within,
        is_habit_known=p80 is not None,
        surprise=days_late - usually_within,
        funds_days=_count_funded(receivable.home, per_day),
        stage=stage,
        stage_since=since,
        next_stage_on=_find_next_stage(receivable.due, days_late, stage),
        person=books.company.owner,
        is_personal=is_personal,
        last_contact_on=note.contacted_on if note is not None else None,
        promised_on=promised_on,
        is_promise_broken=is_broken,
        dispute=(note.reason or "no reason noted")
        if note is not None and note.outcome is CollectionOutcome.DISPUTED
        else None,
        step=step,
        advice=advice,
    )


def _find_stage(
    due: date, days_late: int, usually_within: int, note: CollectionNote | None
) -> tuple[CollectionStage, date | None]:
    if note is not None and note.stage in _BY_PEOPLE:
        return note.stage, note.contacted_on
    if days_late <= usually_within:
        return CollectionStage.NONE, None
    stage = find_letter_stage(days_late)
    first = next(first for first, named in _LETTERS if named is stage)
    return stage, add_days(due, max(first, usually_within + 1))


def _find_next_stage(due: date, days_late: int, stage: CollectionStage) -> date | None:
    if stage in _BY_PEOPLE:
        return None
    return next((add_days(due, first) for first, _ in reversed(_LETTERS) if first > days_late), None)


def _advise(
    *,
    note: CollectionNote | None,
    received_on: date | None,
    is_broken: bool,
    is_personal: bool,
    stage: CollectionStage,
    late: tuple[int, int],
) -> tuple[CollectionStep, str]:
    days_late, usually_within = late
    if note is not None and note.outcome is CollectionOutcome.DISPUTED:
        return CollectionStep.SETTLE, f"Settle the dispute first: {note.reason or 'no reason noted'}"
    if received_on is not None:
        return CollectionStep.LOOK, f"Money or a credit came on {received_on}: see what is left before you write"
    if note is not None and note.outcome is CollectionOutcome.PAID:
        return CollectionStep.LOOK, f"Said to be paid on {note.contacted_on}: look for it at the bank"
    if is_broken and note is not None:
        return CollectionStep.CALL, f"Call: the payment promised for {note.promised_on} did not come"
    if note is not None and note.outcome is CollectionOutcome.PROMISED and note.promised_on is not None:
        return CollectionStep.WAIT, f"Wait for {note.promised_on}, as promised"
    if stage in _BY_PEOPLE:
        return CollectionStep.CALL, f"Agreed step: {stage.value.replace('_', ' ')}"
    if days_late <= usually_within:
        early = usually_within - days_late
        return CollectionStep.WAIT, f"Wait: four of five come within {usually_within} days, {early} are left"
    if is_personal:
        return CollectionStep.CALL, f"Call, no letter: {days_late - usually_within} days later than usual"
    return CollectionStep.REMIND, f"Send the {stage.value} letter: {days_late - usually_within} days later than usual"


def _count_funded(home: Decimal | None, per_day: Decimal | None) -> Decimal | None:
    if home is None or not per_day:
        return None
    return (home / per_day).quantize(_TENTH, rounding=ROUND_HALF_UP)


def _find_newest_notes(books: Books) -> Mapping[str, CollectionNote]:
    ordered = sorted(books.collection_notes, key=lambda note: (note.contacted_on, note.changed_at, note.paper_id))
    return {note.invoice_id: note for note in ordered if not note.is_closed}


def _find_last_receipts(books: Books) -> Mapping[str, date]:
    """The last day on which a payment or credit was applied to each invoice."""
    found: dict[str, date] = {}
    payments = books.customer_payment_columns
    paid = zip(payments.document_day, payments.applied, payments.is_void, strict=True)
    given = [(date.fromordinal(day), applied) for day, applied, is_void in paid if not is_void]
    given += [(memo.document_date, memo.links) for memo in books.credit_memos if not memo.is_void]
    for on, links in given:
        if on <= books.as_of:
            for link in links:
                if link.kind is RecordKind.INVOICE:
                    found[link.external_id] = max(found.get(link.external_id, on), on)
    return found
