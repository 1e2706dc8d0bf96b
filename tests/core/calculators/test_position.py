from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.cleanness import compute_cleanness
from runway_core.calculators.hygiene.find import find_findings
from runway_core.calculators.hygiene.tracking import track_findings
from runway_core.calculators.position import compute_position
from runway_core.calculators.readiness import find_readiness
from runway_core.domain.books import Books
from runway_core.domain.findings import Finding, FindingState, RunwayEffect, Severity, TrackedFinding
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.ledger import AccountKind
from runway_core.domain.money import Money
from runway_core.domain.position import PastRunway, Position, PositionStatus
from runway_testkit.books_making import planned_item
from runway_testkit.books_strategies import books, shuffle_books
from runway_testkit.sample import amend_books, amend_settings, sample_books
from runway_testkit.sample_records import AS_OF, READ_AT


def tracked(sample: Books) -> list[TrackedFinding]:
    return track_findings([], find_findings(sample), at=READ_AT, today=AS_OF)


def position_of(sample: Books, **more: Any) -> Position:
    return compute_position(sample, tracked(sample), computed_at=READ_AT, **more)


def plain(money: Money) -> int:
    return int(money.amount)


def test_the_position_of_the_sample() -> None:
    position = position_of(sample_books())

    assert position.status is PositionStatus.AMBER
    assert position.status_reason == "The buffer of 10,000.00 USD is breached on 25 Mar 2026, in 23 days."
    assert (plain(position.opening_cash), plain(position.available_cash)) == (51_200, 41_200)
    assert (position.cash_buffer_days, position.burn_runway_days, position.weighted_burn_runway_days) == (20, 109, 100)
    assert (plain(position.open_bills), position.open_bill_count) == (36_000, 6)
    assert (plain(position.open_invoices), position.open_invoice_count) == (47_000, 3)
    assert (plain(position.overdue_bills), plain(position.overdue_invoices)) == (0, 12_000)
    assert (plain(position.due_7_days), plain(position.due_14_days)) == (6_000, 17_200)
    assert (plain(position.ar_at_risk), position.ar_at_risk_count) == (0, 0)
    assert (position.findings_critical, position.findings_open) == (1, 5)
    assert (position.ready_bill_count, position.held_bill_count) == (4, 2)
    assert position.next_payday is not None
    assert (position.next_payday.on, position.next_payday.is_covered) == (date(2026, 3, 6), True)
    assert len(position.weeks) == 13
    assert position.source_read_at == READ_AT


def test_past_weeks_lead_to_opening_cash() -> None:
    position = position_of(sample_books())

    assert [plain(money) for money in position.past_weeks[-3:]] == [79_200, 56_200, 51_200]
    assert len(position.past_weeks) == 8


@pytest.mark.parametrize(
    ("when", "amount", "status", "words"),
    [
        (10, -60_000, PositionStatus.RED, "Cash falls below nil on 12 Mar 2026, in 10 days."),
        (4, -60_000, PositionStatus.RED, "Payroll of 18,500.00 USD on 6 Mar 2026 is not covered."),
        (22, -60_000, PositionStatus.AMBER, "Cash falls below nil on 24 Mar 2026, in 22 days."),
        (0, 20_000, PositionStatus.GREEN, "Cash is covered through"),
        (0, 200_000, PositionStatus.GREEN, "Cash stays above nil for all 91 days looked at."),
    ],
)
def test_status_follows_runway_payroll_and_buffer(when: int, amount: int, status: PositionStatus, words: str) -> None:
    item = planned_item(abs(amount), on=when, is_inflow=amount > 0)

    position = position_of(amend_books(sample_books(), planned_items=(item,)))

    assert position.status_reason.startswith(words)
    assert position.status is status


def test_cash_below_nil_today_is_red_and_below_the_buffer_amber() -> None:
    sample = sample_books(with_bank=False)
    broke = tuple(a.model_copy(update={"balance": Decimal("-5.0000")}) for a in sample.accounts)
    thin = amend_settings(sample, buffer=Decimal("52000.0000"))

    assert position_of(amend_books(sample, accounts=broke)).status_reason == "Cash is below nil today."
    assert position_of(thin).status_reason == "Cash is below the buffer of 52,000.00 USD today."


def test_what_cannot_be_said_is_grey() -> None:
    sample = sample_books()
    (read,) = sample.connections
    old = read.model_copy(update={"source_read_at": READ_AT - timedelta(hours=73)})
    cashless = tuple(a for a in sample.accounts if a.account_kind is not AccountKind.BANK)

    reasons = [
        position_of(amend_books(sample, connections=())).status_reason,
        position_of(amend_books(sample, connections=(old,))).status_reason,
        position_of(amend_books(sample, accounts=cashless, bank_balances=())).status_reason,
    ]

    assert reasons == [
        "The books were never read, so nothing can be said yet.",
        "The books were last read on 27 Feb 2026, too long ago to say.",
        "The books show no bank account, so cash is not known.",
    ]


def test_readiness_of_the_sample() -> None:
    sample = sample_books()
    readiness = {r.bill_id: r for r in find_readiness(sample, tracked(sample))}

    assert [bill_id for bill_id, r in sorted(readiness.items()) if r.is_ready] == ["B1", "B2", "B3", "B5"]
    assert readiness["B4"].pay_by == date(2026, 3, 20)
    assert readiness["B6"].reasons == ("It has no due date; 2026-03-22 is assumed",)
    assert readiness["B4"].reasons[0].startswith("AP06: ")
    assert readiness["B4"].bill_key == RecordKey(RecordKind.BILL, "B4")


def test_an_accepted_finding_no_longer_holds_a_bill_back_but_a_snoozed_one_does() -> None:
    sample = sample_books()

    def held(state: FindingState) -> set[str]:
        findings = [t.model_copy(update={"state": state}) for t in tracked(sample)]
        return {r.bill_id for r in find_readiness(sample, findings) if not r.is_ready}

    assert held(FindingState.ACCEPTED) == held(FindingState.FIXED) == {"B6"}
    assert held(FindingState.SNOOZED) == held(FindingState.ASKED) == {"B4", "B6"}


def test_nothing_is_ready_on_old_data() -> None:
    sample = sample_books()
    (read,) = sample.connections
    old = amend_books(sample, connections=(read.model_copy(update={"source_read_at": READ_AT - timedelta(hours=27)}),))

    assert not any(r.is_ready for r in find_readiness(old, []))
    assert find_readiness(old, [])[0].reasons == ("The books were read over 26 hours ago",)


def doubt(kind: RecordKind, external_id: str, severity: Severity) -> TrackedFinding:
    finding = Finding(
        check="XX00",
        name="doubt",
        company_id=sample_books().company.company_id,
        subjects=(RecordKey(kind, external_id),),
        severity=severity,
        effect=RunwayEffect.CONFIDENCE,
        summary="doubt",
    )
    return TrackedFinding(finding=finding, first_seen_at=READ_AT, last_seen_at=READ_AT)


def test_cleanness_of_the_sample_with_every_finding_of_the_reference() -> None:
    """The findings of later checks stand in by hand: the deposit, the old cheque and the uncategorised purchases."""
    sample = sample_books()
    findings = [
        doubt(RecordKind.BILL, "B6", Severity.MEDIUM),
        doubt(RecordKind.BILL, "B4", Severity.CRITICAL),
        doubt(RecordKind.BILL, "B4", Severity.LOW),
        doubt(RecordKind.INVOICE, "I1", Severity.CRITICAL),
        doubt(RecordKind.CUSTOMER_PAYMENT, "CP-old", Severity.HIGH),
        doubt(RecordKind.BILL_PAYMENT, "BP-P14", Severity.LOW),
    ]

    assert compute_cleanness(sample, findings) == 88
    assert compute_cleanness(sample, tracked(sample)) == 94
    assert compute_cleanness(sample, []) == 100
    accepted = [t.model_copy(update={"state": FindingState.ACCEPTED}) for t in findings]
    assert compute_cleanness(sample, accepted) == 100


def test_books_without_money_are_clean() -> None:
    empty = Books(
        company=sample_books().company, as_of=AS_OF, read_at=READ_AT, history_from=AS_OF - timedelta(days=400)
    )
    position = compute_position(empty, [], computed_at=READ_AT)

    assert position.cleanness == 100
    assert position.past_weeks == ()
    assert position.status is PositionStatus.GREY


@given(books(), st.randoms(use_true_random=False))
def test_the_order_of_the_books_changes_no_position(any_books: Books, random: Random) -> None:
    shuffled = shuffle_books(any_books, random)
    findings = tracked(any_books)
    some_order = random.sample(findings, len(findings))

    assert compute_position(shuffled, some_order, computed_at=READ_AT) == compute_position(
        any_books, findings, computed_at=READ_AT
    )
    assert find_readiness(shuffled, some_order) == find_readiness(any_books, findings)


@given(books())
def test_figures_of_a_position_agree_with_one_another(any_books: Books) -> None:
    position = position_of(any_books)

    assert 0 <= position.cleanness <= 100
    assert position.ready_bill_count + position.held_bill_count == position.open_bill_count
    assert position.overdue_bills.amount <= position.due_7_days.amount <= position.due_14_days.amount
    assert position.due_14_days.amount <= position.open_bills.amount
    assert position.findings_critical <= position.findings_open
    assert position.status_reason.endswith(".")
    if position.status is PositionStatus.GREEN:
        assert position.runway_days is None or position.runway_days >= 30


def test_a_position_remembers_what_was_told_a_week_ago_and_since() -> None:
    today = compute_position(sample_books(), [], computed_at=READ_AT)
    told = [
        today.model_copy(update={"as_of": AS_OF - timedelta(days=back), "runway_days": 40 + back}) for back in (9, 8, 2)
    ]
    held: Position | None = None
    for earlier in told:
        past = () if held is None else (*held.past_runway, PastRunway(on=held.as_of, days=held.runway_days or 0))
        held = earlier.model_copy(update={"past_runway": past})
    now = compute_position(sample_books(), [], computed_at=READ_AT, before=held)

    assert [(past.on, past.days) for past in now.past_runway] == [
        (AS_OF - timedelta(days=8), 48),
        (AS_OF - timedelta(days=2), 42),
    ]
    assert now.runway_days is not None
    assert now.week_change_days == now.runway_days - 48
    assert today.week_change_days is None


def test_a_position_computed_twice_a_day_remembers_each_day_once() -> None:
    first = compute_position(sample_books(), [], computed_at=READ_AT)

    assert compute_position(sample_books(), [], computed_at=READ_AT, before=first).past_runway == ()
