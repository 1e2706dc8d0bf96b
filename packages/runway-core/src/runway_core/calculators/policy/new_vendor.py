"""New vendor and changed payment details: a call to a number known from before comes first."""

from runway_core.calculators.calendar import add_days
from runway_core.calculators.policy.case import PaymentCase
from runway_core.calculators.policy.wording import say_day
from runway_core.domain.decisions import RuleResult
from runway_core.domain.policy import Role, RuleName, Ruling

_RULE = RuleName.NEW_VENDOR
_DETAILS_CHANGED = "AP19"


def judge_new_vendor(case: PaymentCase) -> RuleResult:
    """Ask for approval with a noted call-back at the first payment, and after payment details changed."""
    ground, vendor_id = case.ground, case.payable.bill.vendor_id or ""
    details, call = ground.details.get(vendor_id), ground.call_backs.get(vendor_id)
    since = add_days(ground.books.as_of, -ground.policy.changed_details_days)
    changed_on = details.changed_on if details is not None else None
    changed = (changed_on is not None and changed_on >= since) or any(
        finding.check == _DETAILS_CHANGED for finding in ground.findings.get(case.bill_id, ())
    )
    is_first = vendor_id not in ground.paid_vendor_ids
    if not changed and not is_first:
        return RuleResult.told(_RULE, Ruling.ALLOW, reason=f"{case.vendor_name} was paid before, as now")
    tail = details.account_tail if details is not None else ""
    is_called = (
        call is not None
        and (changed_on is None or call.changed_at.date() >= changed_on)
        and (not changed or not tail or not call.details_tail or call.details_tail == tail)
    )
    if is_called and call is not None:
        reason = f"{call.spoke_to} confirmed the payment details on {say_day(call.changed_at.date())}"
        return RuleResult.told(_RULE, Ruling.ALLOW, reason=reason)
    what = "Payment details changed" if changed else f"It is the first payment to {case.vendor_name}"
    when = f" on {say_day(changed_on)}" if changed and changed_on is not None else ""
    return RuleResult.told(
        _RULE,
        Ruling.NEED_APPROVAL,
        reason=f"{what}{when}, and no call-back is noted",
        remedy="Call a number known from before and note the call-back",
        roles=(Role.CONTROLLER,),
    )
