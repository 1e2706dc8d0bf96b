"""Which function judges which rule: the one table."""

from collections.abc import Callable, Mapping

from runway_core.calculators.policy.amount_tiers import judge_amount
from runway_core.calculators.policy.case import PaymentCase
from runway_core.calculators.policy.discount import judge_discount
from runway_core.calculators.policy.duplicate import judge_duplicate
from runway_core.calculators.policy.earmark import judge_earmark, keeps_earmark
from runway_core.calculators.policy.late_tolerance import judge_late_tolerance
from runway_core.calculators.policy.minimum_cash import judge_minimum_cash, keeps_minimum_cash
from runway_core.calculators.policy.new_vendor import judge_new_vendor
from runway_core.calculators.policy.payment_days import judge_payment_day
from runway_core.calculators.policy.payroll_cover import judge_payroll_cover, keeps_payroll_cover
from runway_core.calculators.policy.reading_age import judge_data_age
from runway_core.calculators.policy.tax_reserve import judge_tax_reserve, keeps_tax_reserve
from runway_core.calculators.policy.two_people import judge_two_people
from runway_core.calculators.policy.unusual_amount import judge_unusual_amount
from runway_core.domain.decisions import RuleResult
from runway_core.domain.policy import RuleName

Rule = Callable[[PaymentCase], RuleResult]

RULES: Mapping[RuleName, Rule] = {
    RuleName.MINIMUM_CASH: judge_minimum_cash,
    RuleName.PAYROLL_COVER: judge_payroll_cover,
    RuleName.TAX_RESERVE: judge_tax_reserve,
    RuleName.EARMARK: judge_earmark,
    RuleName.AMOUNT_TIERS: judge_amount,
    RuleName.TWO_PEOPLE: judge_two_people,
    RuleName.NEW_VENDOR: judge_new_vendor,
    RuleName.DUPLICATE: judge_duplicate,
    RuleName.UNUSUAL_AMOUNT: judge_unusual_amount,
    RuleName.PAYMENT_DAYS: judge_payment_day,
    RuleName.DATA_AGE: judge_data_age,
    RuleName.DISCOUNT: judge_discount,
    RuleName.LATE_TOLERANCE: judge_late_tolerance,
}
"""Every rule of `RuleName`."""

CASH_RULES: Mapping[RuleName, Callable[[PaymentCase], bool]] = {
    RuleName.MINIMUM_CASH: keeps_minimum_cash,
    RuleName.PAYROLL_COVER: keeps_payroll_cover,
    RuleName.TAX_RESERVE: keeps_tax_reserve,
    RuleName.EARMARK: keeps_earmark,
}
"""Those that look at the cash line, so that what one payment does depends on the others.

Each with the question whether it lets the payment go by itself, which is when it allows or warns: a day that is only
tried does not need the rule's sentence, and that is most of its cost.
"""
