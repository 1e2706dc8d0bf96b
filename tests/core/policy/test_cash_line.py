"""The cash line: a payment that is tried leaves the same lows as one that was made, whatever was asked before."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from runway_core.calculators.policy.case import PaymentCase
from runway_core.calculators.policy.line import CashLine, Low, Movement
from runway_core.calculators.policy.rules import CASH_RULES, RULES
from runway_core.domain.books import Books
from runway_core.domain.policy import DEFAULT_POLICY, Earmark, Ruling
from runway_testkit.books_strategies import amounts, books
from runway_testkit.sample import AS_OF, amend_books

from tests.core.policy.policy_making import READ_AT, ground_of

LOWS = st.lists(amounts(-500, 500), min_size=1, max_size=20).map(tuple)
DAYS = st.integers(-3, 25).map(lambda days: AS_OF + timedelta(days=days))
PAYMENTS = st.lists(st.tuples(DAYS, amounts(-300, 300)), max_size=4)


def spell_out(lows: tuple[Decimal, ...], payments: list[Movement]) -> list[Decimal]:
    return [
        low - sum((amount for on, amount in payments if max(on, AS_OF) <= AS_OF + timedelta(days=at)), Decimal(0))
        for at, low in enumerate(lows)
    ]


@given(LOWS, PAYMENTS, st.integers(1, 30))
def test_the_lowest_day_is_that_of_the_lows_after_each_payment(
    lows: tuple[Decimal, ...], payments: list[Movement], days: int
) -> None:
    line = CashLine(AS_OF, lows)
    for on, amount in payments:
        line.spend(on, amount).lowest(AS_OF, days)  # tried, and not made
        line = line.spend(on, amount)
    left = spell_out(lows, payments)

    assert [line.low_on(AS_OF + timedelta(days=at)) for at in range(len(lows))] == left
    for at in range(-1, len(lows) + 2):
        span = [(low, AS_OF + timedelta(days=d)) for d, low in enumerate(left) if max(at, 0) <= d < days]
        lowest = min(span, default=None)
        assert line.lowest(AS_OF + timedelta(days=at), days) == (None if lowest is None else Low(*lowest))


@given(LOWS, PAYMENTS)
def test_payments_together_are_payments_one_by_one(lows: tuple[Decimal, ...], payments: list[Movement]) -> None:
    one_by_one = line = CashLine(AS_OF, lows)
    for on, amount in payments:
        one_by_one = one_by_one.spend(on, amount)

    assert one_by_one.settle().lows == line.spend_all(payments).lows


@settings(max_examples=25)
@given(books(), amounts(0, 20_000_000), st.integers(0, 40))
def test_a_cash_rule_holds_exactly_when_it_lets_the_payment_go(any_books: Books, kept: Decimal, ahead: int) -> None:
    policy = DEFAULT_POLICY.model_copy(update={"minimum_cash_days": 30})
    ids = [bill.external_id for bill in any_books.open_bills[:1]]
    earmarks = tuple(
        Earmark(paper_id=bill_id, changed_at=READ_AT, changed_by="dana", bill_id=bill_id, amount=kept)
        for bill_id in ids
    )
    ground = ground_of(amend_books(any_books, policy=policy, earmarks=earmarks))

    for payable in ground.payables.values():
        on = any_books.as_of + timedelta(days=ahead)
        home = payable.home or Decimal(0)
        case = PaymentCase(
            ground=ground, payable=payable, on=on, amount=payable.balance, home=home,
            line=ground.line.spend(on, home), line_without=ground.line,
        )  # fmt: skip
        for name, holds in CASH_RULES.items():
            assert holds(case) == (RULES[name](case).ruling.rank <= Ruling.WARN.rank)
