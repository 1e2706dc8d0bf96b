"""Data age: nobody pays on old figures."""

from datetime import datetime, timedelta

from runway_core.calculators.flows import find_cash_account_ids
from runway_core.calculators.freshness import TOO_OLD, find_source_read_at
from runway_core.calculators.policy.case import PaymentCase
from runway_core.domain.decisions import RuleResult
from runway_core.domain.policy import RuleName, Ruling

_RULE = RuleName.DATA_AGE


def judge_data_age(case: PaymentCase) -> RuleResult:
    """Warn when bank or ledger were not read lately, block when too long ago; without a bank rail only the ledger."""
    books, policy = case.ground.books, case.ground.policy
    read_at = find_source_read_at(books)
    if read_at is None:
        return RuleResult.told(_RULE, Ruling.BLOCK, reason="The ledger was never read", remedy="Read it: runway sync")
    counted = find_cash_account_ids(books)
    newest: dict[str, datetime] = {}
    for balance in books.bank_balances:
        if balance.account_id in counted:
            held = newest.get(balance.account_id, balance.read_at)
            newest[balance.account_id] = max(held, balance.read_at)
    ledger_age = books.read_at - read_at
    bank_age = books.read_at - min(newest.values(), default=books.read_at)
    if ledger_age > TOO_OLD or bank_age > timedelta(hours=policy.bank_block_hours):
        ruling = Ruling.BLOCK
    elif ledger_age > timedelta(hours=policy.mirror_warn_hours) or bank_age > timedelta(hours=policy.bank_warn_hours):
        ruling = Ruling.WARN
    else:
        ruling = Ruling.ALLOW
    reason = f"The ledger was read {_hours(ledger_age)} ago"
    if newest:
        reason += f", the bank {_hours(bank_age)} ago"
    remedy = "" if ruling is Ruling.ALLOW else "Read them again before paying: runway sync"
    return RuleResult.told(_RULE, ruling, reason=reason, remedy=remedy)


def _hours(age: timedelta) -> str:
    hours = max(age, timedelta(0)) // timedelta(hours=1)
    return f"{hours} hour" if hours == 1 else f"{hours} hours"
