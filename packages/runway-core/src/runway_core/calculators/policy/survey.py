"""What each rule of a policy says of the bills that are ready: how often it lets one go, and why not."""

from collections import Counter
from collections.abc import Sequence

from runway_core.domain.decisions import Proposal, RuleResult
from runway_core.domain.policy import Policy, RuleName, Ruling
from runway_core.domain.record import Value

MOST_REASONS = 3


class RuleSurvey(Value):
    """One rule on all ready bills, each on the day that is proposed for it."""

    rule: RuleName
    is_on: bool
    counts: dict[Ruling, int]  # only those that came up
    strictest: Ruling
    reasons: tuple[RuleResult, ...] = ()  # the strictest first, at most three


def survey_rules(proposal: Proposal, policy: Policy) -> Sequence[RuleSurvey]:
    """One line a rule: those that are on in the order of the policy, then those that are off."""
    said: dict[RuleName, list[RuleResult]] = {}
    for payment in proposal.payments:
        for result in payment.results:
            said.setdefault(result.rule, []).append(result)
    on = tuple(dict.fromkeys(policy.rules))
    off = tuple(rule for rule in RuleName if rule not in on)
    return [_survey(rule, said.get(rule, ()), is_on=True) for rule in on] + [
        _survey(rule, (), is_on=False) for rule in off
    ]


def _survey(rule: RuleName, results: Sequence[RuleResult], *, is_on: bool) -> RuleSurvey:
    counts = Counter(result.ruling for result in results)
    told = sorted(
        (result for result in results if result.ruling is not Ruling.ALLOW),
        key=lambda result: (-result.ruling.rank, result.reason),
    )
    return RuleSurvey(
        rule=rule,
        is_on=is_on,
        counts={ruling: counts[ruling] for ruling in Ruling if counts[ruling]},
        strictest=max(counts, key=lambda ruling: ruling.rank, default=Ruling.ALLOW),
        reasons=tuple(told[:MOST_REASONS]),
    )
