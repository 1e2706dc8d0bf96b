"""On which days payments are released: the policy's weekdays, as far as banks move money on them."""

from datetime import date

from runway_core.calculators.calendar import ONE_DAY, is_business_day
from runway_core.domain.policy import Policy, RuleName


def is_payment_day(policy: Policy, day: date) -> bool:
    """Whether the policy releases payments on `day`."""
    if not is_business_day(day):
        return False
    if RuleName.PAYMENT_DAYS not in policy.rules or not policy.payment_weekdays:
        return True
    return day.weekday() in policy.payment_weekdays


def find_payment_day(policy: Policy, day: date) -> date:
    """`day` itself if payments are released on it, else the next day on which they are."""
    while not is_payment_day(policy, day) and day < date.max:
        day += ONE_DAY
    return day


def find_payment_day_before(policy: Policy, day: date, *, not_before: date) -> date | None:
    """The last payment day up to `day`; `None` where there is none from `not_before` on."""
    while day >= not_before:
        if is_payment_day(policy, day):
            return day
        day -= ONE_DAY
    return None
