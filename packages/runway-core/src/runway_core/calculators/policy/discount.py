"""Discount: pay early where that earns more than the money costs, and minimum cash holds."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from runway_core.calculators.calendar import add_business_days, add_days, is_business_day, roll_forward
from runway_core.calculators.discounts import compute_discount_rate
from runway_core.calculators.payables import Payable
from runway_core.calculators.policy.case import PaymentCase
from runway_core.calculators.policy.ground import PolicyGround
from runway_core.calculators.policy.minimum_cash import judge_minimum_cash
from runway_core.calculators.policy.payment_calendar import find_payment_day_before
from runway_core.calculators.policy.wording import say_day, say_money
from runway_core.domain.decisions import RuleResult
from runway_core.domain.policy import RuleName, Ruling

_RULE = RuleName.DISCOUNT
_NONE_LEFT = RuleResult(rule=_RULE, ruling=Ruling.ALLOW, reason="No discount is left to take")


@dataclass(frozen=True, slots=True)
class Discount:
    """What paying early saves, while a payment day is left that reaches it."""

    on: date  # the last day it can arrive on a payment day's release, and earn it
    percent: Decimal
    yearly_rate: Decimal  # 0.3724 is 37.24 % a year
    saves: Decimal  # in the bill's currency


def find_discount(ground: PolicyGround, payable: Payable) -> Discount | None:
    """The discount that a bill's terms still offer; `None` without one, or when it is too late for it."""
    bill = payable.bill
    term = ground.books.term_by_id.get(bill.term_id or "")
    if term is None or not term.discount_percent or term.discount_days is None:
        return None
    rail_days = ground.rail_days_of(payable)
    arrives_by = add_days(bill.document_date, term.discount_days)
    while not is_business_day(arrives_by):
        arrives_by = add_days(arrives_by, -1)
    release_on = find_payment_day_before(
        ground.policy, add_business_days(arrives_by, -rail_days), not_before=ground.books.as_of
    )
    share, net_days = term.discount_percent / 100, (payable.due - bill.document_date).days
    rate = compute_discount_rate(share, discount_days=term.discount_days, net_days=net_days)
    if release_on is None or rate is None:
        return None
    return Discount(
        on=add_business_days(release_on, rail_days),
        percent=term.discount_percent,
        yearly_rate=rate,
        saves=payable.balance * share,
    )


def judge_discount(case: PaymentCase) -> RuleResult:
    """Propose the early day where the yearly rate reaches the hurdle and minimum cash holds on it."""
    policy, currency = case.ground.policy, case.payable.bill.currency
    offer = find_discount(case.ground, case.payable)
    if offer is None:
        return _NONE_LEFT
    rate = f"{(offer.yearly_rate * 100).quantize(Decimal('0.01'))} % a year"
    named = f"{offer.percent.normalize():f} % off, {say_money(offer.saves, currency)} or {rate}, by {say_day(offer.on)}"
    if offer.yearly_rate < policy.hurdle_rate:
        return RuleResult.told(_RULE, Ruling.ALLOW, reason=f"{named}: less than the hurdle")
    if case.on <= offer.on:
        return RuleResult.told(_RULE, Ruling.ALLOW, reason=f"Takes {named}")
    line = case.line.spend(roll_forward(case.on), -case.home).spend(offer.on, case.home)
    early = replace(case, on=offer.on, line=line)
    if judge_minimum_cash(early).ruling.rank > Ruling.WARN.rank:
        return RuleResult.told(_RULE, Ruling.ALLOW, reason=f"{named}: minimum cash would not hold")
    return RuleResult.told(
        _RULE,
        Ruling.WARN,
        reason=f"Loses {named}",
        remedy=f"Pay it by {say_day(offer.on)}",
        moves_to=offer.on,
    )
