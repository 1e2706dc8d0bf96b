"""The proposal: what the Sample's bills come to, and what holds for any books."""

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from runway_core.calculators.policy.ground import PolicyGround, gather_ground
from runway_core.calculators.policy.judge import Payment, judge_payment, judge_payments
from runway_core.calculators.policy.rules import CASH_RULES
from runway_core.calculators.proposal import compute_proposal, plan_ground
from runway_core.calculators.readiness import find_readiness
from runway_core.domain.bills import PaymentMethod
from runway_core.domain.books import Books
from runway_core.domain.decisions import DecisionOutcome, Proposal, ProposedPayment
from runway_core.domain.parties import Term
from runway_core.domain.policy import DEFAULT_POLICY, RuleName, Ruling, VendorTier
from runway_testkit.books_strategies import amounts, books, shuffle_books
from runway_testkit.sample import AS_OF, amend_books, amend_settings, sample_books

from tests.core.policy.policy_making import amount, bill, books_with, day, ground_of, payroll

SAMPLE = sample_books()
ON_TIME, NOW, LATER = date(2026, 3, 25), AS_OF, date(2026, 4, 8)


def sample_ground() -> PolicyGround:
    return gather_ground(SAMPLE, ())


def propose(any_books: Books) -> tuple[PolicyGround, Proposal]:
    ground = ground_of(any_books)
    return ground, compute_proposal(ground, find_readiness(any_books, ()))


def placed(any_books: Books) -> dict[str, ProposedPayment]:
    return {payment.bill_id: payment for payment in propose(any_books)[1].payments}


def test_the_agencys_bill_is_released_by_friday_the_twentieth() -> None:
    (b4,) = [p for p in compute_proposal(sample_ground(), find_readiness(SAMPLE, ())).payments if p.bill_id == "B4"]

    assert b4.pay_by == date(2026, 3, 20)
    assert b4.tier is VendorTier.STANDARD


def test_the_sample_pays_what_cannot_wait_and_asks_about_what_would_take_the_buffer() -> None:
    proposal = compute_proposal(sample_ground(), find_readiness(SAMPLE, ()))

    assert [(p.bill_id, p.outcome.value, p.on) for p in proposal.payments] == [
        ("B1", "pay", date(2026, 3, 5)),
        ("B5", "pay", date(2026, 3, 31)),
        ("B2", "pay", date(2026, 3, 10)),
        ("B3", "escalate", None),
        ("B4", "escalate", None),
    ]
    assert proposal.before.runway_days == proposal.after.runway_days == 32
    assert proposal.before.buffer_breach_on == date(2026, 3, 25)


def test_the_rules_on_the_choices_about_the_agencys_bill() -> None:
    ground = sample_ground()

    def rulings(on: date) -> dict[RuleName, Ruling]:
        judged = judge_payment(ground, Payment("B4", on, amount(8000)))
        return {result.rule: result.ruling for result in judged.results}

    assert rulings(ON_TIME)[RuleName.MINIMUM_CASH] is Ruling.WARN  # low 8,700 without it too
    assert rulings(ON_TIME)[RuleName.PAYROLL_COVER] is Ruling.ALLOW
    assert rulings(LATER)[RuleName.MINIMUM_CASH] is Ruling.WARN
    assert rulings(LATER)[RuleName.LATE_TOLERANCE] is Ruling.NEED_APPROVAL
    assert rulings(NOW)[RuleName.PAYMENT_DAYS] is Ruling.WARN


def test_a_late_fee_is_told_with_the_delay() -> None:
    policy = DEFAULT_POLICY.model_copy(
        update={
            "late_fee_monthly": {"V1": Decimal("0.015")},
            "vendor_tiers": {"V1": VendorTier.STANDARD},
            "late_tolerance_days": {VendorTier.STANDARD: 14},
        }
    )
    short = books_with(7999, bill(total=8000, due_date=day(15)), policy=policy)

    found = placed(short)["B"]

    assert found.outcome is DecisionOutcome.DELAY
    assert found.on == day(29)  # released on Thursday 26 March, past the 28 days that must hold
    assert found.days_late == 14
    assert found.late_fee is not None
    assert str(found.late_fee) == "56.00 USD"


def test_those_who_cannot_wait_come_first_then_by_cost_day_and_amount() -> None:
    policy = DEFAULT_POLICY.model_copy(
        update={"vendor_tiers": {"V2": VendorTier.CRITICAL}, "late_fee_monthly": {"V3": Decimal("0.01")}}
    )
    bills = (
        bill("large", 300),
        bill("small", 100),
        bill("soon", 200, due_date=day(15)),
        bill("rent", 900, vendor_id="V2", due_date=day(25)),
        bill("fee", 900, vendor_id="V3", due_date=day(25)),
    )

    order = [p.bill_id for p in propose(books_with(9000, *bills, policy=policy))[1].payments]

    assert order == ["rent", "fee", "soon", "small", "large"]


def test_who_can_wait_yields_to_who_cannot() -> None:
    policy = DEFAULT_POLICY.model_copy(update={"vendor_tiers": {"V2": VendorTier.CRITICAL}})
    bills = (bill("paper", 600, due_date=day(8)), bill("rent", 600, vendor_id="V2", due_date=day(20)))

    found = placed(books_with(1000, *bills, policy=policy))

    assert found["rent"].outcome is DecisionOutcome.PAY
    assert found["paper"].outcome is DecisionOutcome.ESCALATE
    assert "below nil" in found["paper"].reason


def test_a_bill_is_put_off_within_tolerance_when_money_comes_in_time() -> None:
    wages = payroll(day(10), 950)
    bills = (bill(total=100, due_date=day(9)),)
    books_ = books_with(1000, *bills, series=(wages,))

    assert placed(books_)["B"].outcome is DecisionOutcome.ESCALATE
    helped = amend_settings(
        books_, series=(wages, payroll(day(10), 500, series_id="retainer", is_inflow=True, name="Retainer"))
    )

    found = placed(helped)["B"]

    assert (found.outcome, found.on, found.days_late) == (DecisionOutcome.DELAY, day(11), 2)


def test_a_card_is_released_on_the_day_it_arrives() -> None:
    policy = DEFAULT_POLICY.model_copy(update={"payment_methods": {"V1": PaymentMethod.CARD}})

    found = placed(books_with(5000, bill(due_date=day(10)), policy=policy))["B"]

    assert (found.release_on, found.on) == (day(10), day(10))  # Thursday 12 March


def test_an_overdue_bill_goes_on_the_next_payment_day() -> None:
    found = placed(books_with(5000, bill(due_date=day(-40))))["B"]

    assert (found.outcome, found.release_on) == (DecisionOutcome.PAY, day(1))
    assert "40 days past due" in found.reason


def test_a_discount_worth_taking_sets_the_day() -> None:
    term = Term(external_id="T", name="2/10", due_days=30, discount_percent=amount(2), discount_days=10)
    owed = bill(document_date=day(0), due_date=day(30), term_id="T")

    assert placed(books_with(5000, owed, terms=(term,)))["B"].on == day(8)
    assert placed(books_with(5000, owed))["B"].on == day(30 - 1)


def test_a_bill_that_a_rule_blocks_on_every_day_goes_to_a_person() -> None:
    old = books_with(5000, bill(), connections=())

    assert placed(old) == {}  # nothing is ready while the books were never read


def test_what_credits_cover_and_what_has_no_rate_is_not_paid() -> None:
    euros = books_with(5000, bill(currency="EUR"))

    found = placed(euros)["B"]

    assert (found.outcome, found.on) == (DecisionOutcome.ESCALATE, None)
    assert "no exchange rate" in found.reason


def comfortable(any_books: Books, cash: Decimal) -> Books:
    """Any books, read lately and with so much at the bank, under a policy with a few vendors of each tier."""
    tiers = {"V1": VendorTier.HELD_FOR_OTHERS, "V2": VendorTier.STANDARD, "V3": VendorTier.DISCRETIONARY}
    return amend_books(
        any_books,
        accounts=tuple(
            held.model_copy(update={"balance": cash}) if held.external_id == "bank" else held
            for held in any_books.accounts
        ),
        connections=tuple(c.model_copy(update={"source_read_at": any_books.read_at}) for c in any_books.connections),
        policy=DEFAULT_POLICY.model_copy(update={"vendor_tiers": tiers}),
    )


@settings(max_examples=50)
@given(books(), amounts(0, 20_000_000))
def test_together_the_proposed_payments_break_no_rule(any_books: Books, cash: Decimal) -> None:
    ground, proposal = propose(comfortable(any_books, cash))
    planned = plan_ground(ground, proposal)
    batch = [Payment(p.bill_id, p.on, p.amount) for p in proposal.payments if p.on is not None]

    judged = judge_payments(planned, batch)

    assert all(one.ruling is not Ruling.BLOCK for one in judged)
    for one in judged:
        for result in one.results:
            assert result.rule not in CASH_RULES or result.ruling.rank <= Ruling.WARN.rank


@settings(max_examples=50)
@given(books(), amounts(0, 20_000_000))
def test_one_payment_of_a_plan_is_judged_as_in_the_plan(any_books: Books, cash: Decimal) -> None:
    ground, proposal = propose(comfortable(any_books, cash))
    planned = plan_ground(ground, proposal)

    for payment in proposal.payments:
        if payment.on is not None:
            alone = judge_payment(planned, Payment(payment.bill_id, payment.on, payment.amount))
            assert alone.ruling is not Ruling.BLOCK


@settings(max_examples=50)
@given(books(), amounts(0, 20_000_000))
def test_money_held_for_others_is_never_proposed_for_delay(any_books: Books, cash: Decimal) -> None:
    _, proposal = propose(comfortable(any_books, cash))

    assert all(
        p.outcome is not DecisionOutcome.DELAY for p in proposal.payments if p.tier is VendorTier.HELD_FOR_OTHERS
    )


@settings(max_examples=50)
@given(books(), amounts(0, 20_000_000), st.randoms(use_true_random=False))
def test_same_books_same_proposal(any_books: Books, cash: Decimal, random: Random) -> None:
    same = comfortable(any_books, cash)

    assert propose(shuffle_books(same, random))[1] == propose(same)[1]


@settings(max_examples=50)
@given(books(), amounts(0, 20_000_000))
def test_every_ready_bill_is_proposed_once_on_a_day_to_come(any_books: Books, cash: Decimal) -> None:
    held = comfortable(any_books, cash)
    ready = {readiness.bill_id for readiness in find_readiness(held, ()) if readiness.is_ready}

    found = propose(held)[1].payments

    assert sorted(p.bill_id for p in found) == sorted(ready)
    assert all(p.release_on >= held.as_of and p.on >= p.release_on for p in found if p.on and p.release_on)
    assert all(p.on - p.pay_by < timedelta(days=60) for p in found if p.on and p.pay_by >= held.as_of)
