"""Two people: who entered or changed a bill or payment details does not approve it alone."""

from runway_core.calculators.policy.case import PaymentCase
from runway_core.domain.decisions import RuleResult
from runway_core.domain.policy import RuleName, Ruling

_RULE = RuleName.TWO_PEOPLE
_NOBODY_KNOWN = RuleResult(rule=_RULE, ruling=Ruling.ALLOW, reason="No change of the bill by a named person is known")


def judge_two_people(case: PaymentCase) -> RuleResult:
    """Block while only the people who wrote the bill said yes. Where no rail says who did, the rule is silent."""
    authors = case.ground.authors.get(case.bill_id, frozenset())
    if not authors:
        return _NOBODY_KNOWN
    named = " and ".join(sorted(authors))
    if not case.approvers:
        return RuleResult.told(
            _RULE, Ruling.ALLOW, reason=f"{named} changed it, so somebody else must be among the approvers"
        )
    if set(case.approvers) <= authors:
        return RuleResult.told(
            _RULE,
            Ruling.BLOCK,
            reason=f"{named} changed the bill or how its vendor is paid, and nobody else approved it",
            remedy=f"Somebody other than {named} approves it too",
        )
    return RuleResult.told(_RULE, Ruling.ALLOW, reason=f"Somebody other than {named} approved it")
