"""The comparison as a whole: findings are taken over, decisions hold while their values do, order means nothing."""

import time
from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runway_core.calculators.hygiene.find import find_findings
from runway_core.calculators.hygiene.tracking import track_findings
from runway_core.calculators.reconciliation.compare import reconcile
from runway_core.calculators.reconciliation.confirmed import apply_confirmed_bills
from runway_core.domain.bank import BankBalance, BankTransaction
from runway_core.domain.bills import BillPayment, PaymentMethod
from runway_core.domain.books import Books
from runway_core.domain.conflicts import Conflict, ConflictDecision, ConflictKind, ConflictState, Resolution
from runway_core.domain.execution import ExecutionState, RailBill
from runway_core.domain.findings import FindingState, Severity, TrackedFinding
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.money import Money
from runway_core.domain.reconciliation import Reconciliation
from runway_testkit.books_making import AS_OF, READ_AT, amount, bill, day, make_books
from runway_testkit.books_strategies import books, shuffle_books


def shown(external_id: str = "R", **more: Any) -> RailBill:
    values: dict[str, Any] = {
        "rail": "ramp",
        "bill_id": None,
        "number": "B",
        "vendor_name": "Vendor 1 Ltd",
        "due_date": day(20),
        "currency": "USD",
        "total": amount(100),
        "document_date": day(-10),
        "state": ExecutionState.APPROVED,
        "rail_vendor_id": "RV1",
        "vendor_id": "V1",
    }
    return RailBill(external_id=external_id, **(values | more))


def line(external_id: str, value: int, on: int = -10) -> BankTransaction:
    return BankTransaction(
        external_id=external_id,
        account_id="bank",
        booked_on=day(on),
        currency="USD",
        amount=amount(value),
        text="ACH DEBIT VENDOR 1 LTD",
        rail="plaid",
    )


def paid(external_id: str, value: int, on: int = -10) -> BillPayment:
    return BillPayment(
        external_id=external_id,
        document_date=day(on),
        currency="USD",
        total=amount(value),
        method=PaymentMethod.TRANSFER,
        account_id="bank",
        vendor_id="V1",
    )


def tracked(made: Books, *, state: FindingState | None = None) -> list[TrackedFinding]:
    found = track_findings((), find_findings(made), at=made.read_at, today=made.as_of)
    return found if state is None else [one.model_copy(update={"state": state, "reason": "as agreed"}) for one in found]


def compare(made: Books, findings: Sequence[TrackedFinding] | None = None) -> Reconciliation:
    return reconcile(made, tracked(made) if findings is None else findings)


def with_bank(*lines: BankTransaction, payments: Sequence[BillPayment] = (), posted: int = 0, **more: Any) -> Books:
    balance = BankBalance(
        account_id="bank", currency="USD", posted=amount(posted), read_at=READ_AT - timedelta(hours=2), rail="plaid"
    )
    return make_books(
        bank_transactions=lines,
        bill_payments=tuple(payments),
        bank_balances=(balance,),
        **({"history_from": day(-400)} | more),
    )


def decide(conflict: Conflict, **more: Any) -> ConflictDecision:
    values: dict[str, Any] = {
        "paper_id": conflict.conflict_id,
        "version": 1,
        "changed_at": READ_AT,
        "changed_by": "ann",
        "resolution": Resolution.ACCEPTED,
        "reason": "entered next month",
        "basis": conflict.basis,
        "conflict": conflict,
    }
    return ConflictDecision(**(values | more))


def test_a_difference_that_a_check_raises_is_that_finding_and_no_second_thing() -> None:
    made = make_books(bills=(bill("B"),), rail_bills=(shown(bill_id="B", total=amount(90)),))
    (finding,) = [one for one in tracked(made) if one.finding.check == "AP22"]
    (only,) = compare(made).conflicts

    assert only.conflict_id == only.conflict.finding_id == finding.finding_id
    assert only.conflict.kind is ConflictKind.AMOUNT_DIFFERS
    assert only.conflict.evidence == finding.finding.evidence
    assert only.conflict.since == AS_OF  # a check that names no day: since it was first seen


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"total": amount(90), "due_date": day(1)}, ConflictKind.AMOUNT_DIFFERS),
        ({"due_date": day(1)}, ConflictKind.DATE_DIFFERS),
        ({"is_paid": True}, ConflictKind.STATE_DIFFERS),
    ],
)
def test_the_kind_says_what_differs(more: dict[str, Any], kind: ConflictKind) -> None:
    made = make_books(bills=(bill("B"),), rail_bills=(shown(bill_id="B", **more),))

    assert [one.conflict.kind for one in compare(made).conflicts] == [kind]


@pytest.mark.parametrize(
    ("state", "stands", "resolution"),
    [
        (FindingState.OPEN, ConflictState.OPEN, None),
        (FindingState.ASKED, ConflictState.OPEN, None),
        (FindingState.SNOOZED, ConflictState.OPEN, None),
        (FindingState.ACCEPTED, ConflictState.RESOLVED, Resolution.ACCEPTED),
        (FindingState.FIXED, ConflictState.RESOLVED, Resolution.FIXED),
    ],
)
def test_it_stands_where_the_finding_stands(
    state: FindingState, stands: ConflictState, resolution: Resolution | None
) -> None:
    made = make_books(bills=(bill("B"),), rail_bills=(shown(bill_id="B", total=amount(90)),))
    (only,) = compare(made, tracked(made, state=state)).conflicts

    assert (only.state, only.resolution) == (stands, resolution)


def test_a_bill_paid_within_the_ledger_alone_is_no_matter_between_rails() -> None:
    made = make_books(bills=(bill("B"), bill("B2", number="B")))

    assert any(one.finding.check == "AP06" for one in tracked(made))
    assert compare(made).conflicts == ()


def test_a_decision_holds_until_a_value_it_rests_on_changes() -> None:
    made = make_books(rail_bills=(shown(),))
    (found,) = compare(made).conflicts
    said = decide(found.conflict)
    (held,) = compare(made.model_copy(update={"conflict_decisions": (said,)})).conflicts
    more = make_books(rail_bills=(shown(total=amount(120)),), conflict_decisions=(said,))
    (back,) = compare(more).conflicts

    assert (found.state, found.version) == (ConflictState.OPEN, 0)
    assert (held.state, held.resolution, held.reason, held.decided_by, held.version) == (
        ConflictState.RESOLVED,
        Resolution.ACCEPTED,
        "entered next month",
        "ann",
        1,
    )
    assert back.conflict_id == found.conflict_id
    assert (back.state, back.reason) == (ConflictState.REOPENED, "entered next month")


def test_a_step_of_the_payment_at_the_rail_brings_nothing_back() -> None:
    (found,) = compare(make_books(rail_bills=(shown(),))).conflicts
    moved = shown(state=ExecutionState.SCHEDULED)
    (held,) = compare(make_books(rail_bills=(moved,), conflict_decisions=(decide(found.conflict),))).conflicts

    assert held.state is ConflictState.RESOLVED


def test_a_conflict_that_is_gone_is_shown_as_it_was_decided() -> None:
    (found,) = compare(make_books(rail_bills=(shown(),))).conflicts
    (held,) = compare(make_books(conflict_decisions=(decide(found.conflict),))).conflicts

    assert (held.conflict, held.state) == (found.conflict, ConflictState.RESOLVED)


def test_a_confirmed_bill_is_one_with_the_ledgers_and_is_compared_with_it() -> None:
    made = make_books(bills=(bill("B"),), rail_bills=(shown(number="77"),))
    (doubt,) = compare(made).conflicts
    pair = (RecordKey(RecordKind.RAIL_BILL, "ramp:R"), RecordKey(RecordKind.BILL, "B"))
    said = decide(doubt.conflict, resolution=Resolution.MATCHED, pairs=(pair,))
    later = apply_confirmed_bills(made.model_copy(update={"conflict_decisions": (said,)}))
    gone = apply_confirmed_bills(make_books(rail_bills=made.rail_bills, conflict_decisions=(said,)))

    assert doubt.conflict.kind is ConflictKind.AMBIGUOUS_MATCH
    assert [one.bill_id for one in later.rail_bills] == ["B"]
    assert [one.state for one in compare(later).conflicts] == [ConflictState.RESOLVED]
    assert [one.bill_id for one in gone.rail_bills] == [None]
    assert apply_confirmed_bills(made) is made


def test_lines_that_the_ledger_lacks_bring_what_they_may_be() -> None:
    """One line over two entries: nothing pairs, and a person's yes is enough."""
    whole = line("N", -150)
    made = with_bank(line("F", -1, -80), whole, payments=(paid("F", 1, -80), paid("P1", 100), paid("P2", 50)))
    bank = next(one for one in compare(made).conflicts if one.conflict.kind is ConflictKind.MISSING_IN_LEDGER)
    (match,) = bank.conflict.matches
    pairs = tuple((there, here) for there in match.there for here in match.here)
    said = decide(bank.conflict, resolution=Resolution.MATCHED, pairs=pairs)
    (rails,) = compare(made.model_copy(update={"conflict_decisions": (said,)})).pairs

    assert (match.tier, match.may_confirm) == (4, True)
    assert {record.external_id for record in match.here} == {"P1", "P2"}
    assert (rails.matched, rails.left_here, rails.left_there) == (2, 0, 0)


def test_a_line_that_may_pay_an_open_bill_wants_a_payment_and_no_yes() -> None:
    made = with_bank(line("F", -1, -80), line("N", -100), payments=(paid("F", 1, -80),), bills=(bill("B"),))
    bank = next(one for one in compare(made).conflicts if one.conflict.kind is ConflictKind.MISSING_IN_LEDGER)

    assert [(match.here, match.may_confirm) for match in bank.conflict.matches] == [
        ((RecordKey(RecordKind.BILL, "B"),), False)
    ]


def test_a_missing_bill_says_how_far_it_would_move_the_runway() -> None:
    """150 in the bank, nothing else: a bill of 200 due in ten days ends it then; paid already, it moves nothing."""
    cash = with_bank(line("F", -1, -80), payments=(paid("F", 1, -80),), posted=150, rail_bills=())
    due = shown(total=amount(200), due_date=day(10))
    (missing,) = compare(cash.model_copy(update={"rail_bills": (due,)}), ()).conflicts
    gone = due.model_copy(update={"is_paid": True, "state": ExecutionState.PAID})
    (left,) = compare(cash.model_copy(update={"rail_bills": (gone,)}), ()).conflicts

    assert missing.conflict.impact_days == 10 - 91
    assert missing.conflict.impact_low == Money(amount=amount(-200), currency="USD")
    assert missing.conflict.severity is Severity.CRITICAL
    assert (left.conflict.impact_days, left.conflict.severity) == (None, Severity.HIGH)


def test_drift_is_told_with_its_parts_which_add_up() -> None:
    made = with_bank(line("N1", -60), line("N2", -40), payments=(paid("P", 25, -9),), posted=-130)
    (drift,) = compare(made).drifts

    assert (drift.name, drift.rail, drift.lines, drift.entries, drift.oldest) == ("bank", "plaid", 2, 1, day(-10))
    assert drift.bank - drift.ledger == drift.bank_not_in_ledger - drift.ledger_not_at_bank + drift.unexplained
    assert drift.unexplained.amount == amount(-55)
    assert ConflictKind.BALANCE_DIFFERS in {one.conflict.kind for one in compare(made).conflicts}


def test_one_rail_alone_is_compared_with_nothing() -> None:
    compared = compare(make_books(bills=(bill("B"),)))

    assert (compared.pairs, compared.drifts, compared.conflicts) == ((), (), ())


@settings(max_examples=30)
@given(books(), st.randoms())
def test_no_order_of_the_books_changes_what_is_said(made: Books, random: Random) -> None:
    at_rail = tuple(
        shown(
            one.external_id, number=one.number, total=one.total, currency=one.currency, document_date=one.document_date
        )
        for one in made.bills
    )
    made = made.model_copy(update={"rail_bills": at_rail})
    mixed = shuffle_books(made, random).model_copy(update={"rail_bills": tuple(random.sample(at_rail, len(at_rail)))})
    findings = tracked(made)

    assert compare(mixed, random.sample(findings, len(findings))) == compare(made, findings)
    assert compare(made, findings) == compare(made, findings)


def test_a_company_of_ten_thousand_documents_is_compared_in_a_tenth_of_a_second() -> None:
    """Half the bills are at the rail, a hundred of them unknown there; every payment has its line at the bank."""
    count = 4_000
    bills = tuple(
        bill(f"B{n}", 50 + n % 977, number=f"N{n:05d}", vendor_id=f"V{n % 3 + 1}", document_date=day(-(n % 300)))
        for n in range(count)
    )
    at_rail = tuple(
        shown(f"R{n}", bill_id=None if n % 40 == 1 else f"B{n}", number=f"N{n:05d}", total=bills[n].total)
        for n in range(0, count, 1)
        if n % 2
    )
    payments = tuple(paid(f"P{n}", 50 + n % 977, -(n % 200)) for n in range(3_000))
    lines = tuple(line(f"L{n}", -(50 + n % 977), -(n % 200)) for n in range(3_000))
    made = with_bank(*lines, payments=payments, bills=bills, rail_bills=at_rail)
    times = []
    for _ in range(3):
        fresh = made.model_copy()
        began = time.process_time()
        compared = reconcile(fresh, with_impact=False)
        times.append(time.process_time() - began)

    assert sum(pair.matched for pair in compared.pairs) >= 4_900
    assert min(times) < 0.25, "a tenth is wanted; more on a busy machine"
    assert made.as_of == AS_OF
