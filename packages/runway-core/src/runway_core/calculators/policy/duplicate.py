"""Duplicate or paid elsewhere: money is not sent twice."""

from runway_core.calculators.policy.case import PaymentCase
from runway_core.domain.decisions import RuleResult
from runway_core.domain.policy import Role, RuleName, Ruling

_RULE = RuleName.DUPLICATE
_BLOCKING = ("AP06", "AP08")
_DOUBTFUL = "AP07"
_NONE_FOUND = RuleResult(rule=_RULE, ruling=Ruling.ALLOW, reason="No double and no other payment of it was found")


def judge_duplicate(case: PaymentCase) -> RuleResult:
    """Block while a finding says that the bill is there twice or paid already; a likely double needs approval."""
    findings = case.ground.findings.get(case.bill_id, ())
    for finding in findings:
        if finding.check in _BLOCKING:
            return RuleResult.told(
                _RULE,
                Ruling.BLOCK,
                reason=f"{finding.check}: {finding.summary}",
                remedy="Mend the books, or accept the finding with a reason",
            )
    for finding in findings:
        if finding.check == _DOUBTFUL:
            return RuleResult.told(
                _RULE,
                Ruling.NEED_APPROVAL,
                reason=f"{finding.check}: {finding.summary}",
                remedy="A controller compares the two and approves",
                roles=(Role.CONTROLLER,),
            )
    return _NONE_FOUND
