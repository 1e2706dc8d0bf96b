"""Unusual amount and category budget: what stands out is told, and not held up."""

from runway_core.calculators.calendar import first_of_month
from runway_core.calculators.policy.case import PaymentCase
from runway_core.calculators.policy.wording import say_money
from runway_core.domain.decisions import RuleResult
from runway_core.domain.money import ZERO
from runway_core.domain.policy import RuleName, Ruling

_RULE = RuleName.UNUSUAL_AMOUNT
_UNUSUAL = "AP20"
_USUAL = RuleResult(rule=_RULE, ruling=Ruling.ALLOW, reason="The amount is not called unusual, no budget is exceeded")


def judge_unusual_amount(case: PaymentCase) -> RuleResult:
    """Warn where a finding calls the amount unusual, or where the month's budget of an account is used up."""
    ground, bill = case.ground, case.payable.bill
    for finding in ground.findings.get(case.bill_id, ()):
        if finding.check == _UNUSUAL:
            return RuleResult.told(
                _RULE, Ruling.WARN, reason=f"{_UNUSUAL}: {finding.summary}", remedy="Confirm the amount"
            )
    if not ground.policy.account_budgets:
        return _USUAL
    month = first_of_month(bill.document_date)
    for account_id in dict.fromkeys(line.account_id for line in bill.lines):
        budget = ground.policy.account_budgets.get(account_id or "")
        booked = ground.budgeted.get((account_id or "", month), ZERO)
        if budget is not None and booked > budget:
            account = ground.books.account_by_id.get(account_id or "")
            home = ground.books.home
            return RuleResult.told(
                _RULE,
                Ruling.WARN,
                reason=f"{account.name if account else account_id}: {say_money(booked, home)} booked in {month:%b %Y}, "
                f"the budget is {say_money(budget, home)}",
                remedy="Raise the budget, or book the bill elsewhere",
            )
    return _USUAL
