"""Amount tiers: the larger a payment, the more people say yes to it."""

from runway_core.calculators.policy.case import PaymentCase
from runway_core.calculators.policy.wording import say_money
from runway_core.domain.decisions import RuleResult
from runway_core.domain.policy import RuleName, Ruling

_RULE = RuleName.AMOUNT_TIERS


def judge_amount(case: PaymentCase) -> RuleResult:
    """Name the roles that approve a payment of this size; the whole bill counts, so that a split saves nobody's yes."""
    home = case.ground.books.home
    size = max(case.home, case.payable.home or case.home)
    tier = next((t for t in case.ground.policy.amount_tiers if t.below is None or size < t.below), None)
    if tier is None or not tier.roles:
        return RuleResult.told(_RULE, Ruling.ALLOW, reason=f"{say_money(size, home)} needs nobody's approval")
    named = " and ".join(role.value for role in tier.roles)
    limit = "without limit" if tier.below is None else f"below {say_money(tier.below, home)}"
    return RuleResult.told(
        _RULE,
        Ruling.NEED_APPROVAL,
        reason=f"{say_money(size, home)} is {limit}"
        if tier.below is not None
        else f"{say_money(size, home)} is a large sum",
        remedy=f"Approved by {named}",
        roles=tier.roles,
    )
