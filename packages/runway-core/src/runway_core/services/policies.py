"""Policies: the rules under which a company's money goes out, read and changed as data with a version."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from pydantic import TypeAdapter, ValidationError

from runway_core.calculators.outlook import HORIZON_DAYS
from runway_core.domain.identity import CompanyId
from runway_core.domain.log_entry import LogEntry
from runway_core.domain.papers import PaperKey, PaperKind, WorkingPaper
from runway_core.domain.people import Need
from runway_core.domain.policy import DEFAULT_POLICY, AmountTier, Policy
from runway_core.errors import InvalidRequest
from runway_core.services.companies import explain_invalid
from runway_core.services.papers import PaperDesk, demand_version
from runway_core.services.scope import Scope

POLICY_ID = DEFAULT_POLICY.paper_id
"""A company has one policy."""

SETTINGS = tuple(name for name in Policy.model_fields if name not in WorkingPaper.model_fields)
"""What can be changed of a policy."""

_plain = TypeAdapter(dict[str, Any])


class PolicyService:
    """Keeps one policy a company; where none was set, the default holds with version 0."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._desk = PaperDesk(scope)

    async def read(self, company_id: CompanyId) -> Policy:
        """The policy that holds for a company.

        Raises:
            NotFound: no such company in this firm.
        """
        return await self._desk.find(company_id, Policy, POLICY_ID) or DEFAULT_POLICY

    async def change(
        self, company_id: CompanyId, changes: Mapping[str, Any], *, actor: str, version: int | None = None
    ) -> Policy:
        """Change some settings and leave the others: a new version, which decisions from now on are held to.

        Values may be as JSON has them (amounts as text) or as the domain has them. Setting what is set already
        makes no new version.

        Raises:
            NotFound: no such company in this firm.
            InvalidRequest: a setting that does not exist or cannot have this value.
            StaleRevision: the policy was changed since `version`, or meanwhile.
        """
        policy = await self.read(company_id)
        demand_version(policy, version)
        unknown = sorted(set(changes) - set(SETTINGS))
        if unknown:
            raise InvalidRequest(f"{', '.join(unknown)}: no setting of a policy; there are {', '.join(SETTINGS)}")
        self._scope.demand(Need.MANAGE)
        return await self._desk.save(company_id, change_policy(policy, changes), actor=actor)

    async def history(self, company_id: CompanyId) -> Sequence[LogEntry]:
        """Every change of the policy as the log has it, oldest first.

        Raises:
            NotFound: no such company in this firm.
        """
        await self._scope.company(company_id)
        return await self._scope.store.log.history(company_id, PaperKey(PaperKind.POLICY, POLICY_ID))


def change_policy(policy: Policy, changes: Mapping[str, Any]) -> Policy:
    """The policy with other settings, checked; its version stays.

    Raises:
        InvalidRequest: a setting cannot have this value.
    """
    plain = _plain.dump_python(policy.__dict__ | dict(changes), mode="json")
    try:
        changed = Policy.model_validate_json(_plain.dump_json(plain))
    except ValidationError as error:
        raise InvalidRequest(explain_invalid(error)) from error
    problems = list(_find_problems(changed))
    if problems:
        raise InvalidRequest("; ".join(problems))
    return changed


def _find_problems(policy: Policy) -> Sequence[str]:
    problems = []
    if len(set(policy.rules)) < len(policy.rules):
        problems.append("rules: a rule is named twice")
    if not set(policy.payment_weekdays) <= set(range(7)):
        problems.append("payment_weekdays: days are 0 (Monday) to 6 (Sunday)")
    if not policy.payment_weekdays:
        problems.append("payment_weekdays: name at least one day")
    if not _is_rising(policy.amount_tiers):
        problems.append("amount_tiers: amounts must rise, and the last tier alone has no limit (`below` is null)")
    if not 1 <= policy.minimum_cash_window_days <= HORIZON_DAYS:
        problems.append(f"minimum_cash_window_days: must be 1 to {HORIZON_DAYS}")
    if policy.minimum_cash_days is not None and policy.minimum_cash_days < 0:
        problems.append("minimum_cash_days: must not be negative")
    counts = (
        "changed_details_days",
        "payroll_cover_days",
        "bank_warn_hours",
        "bank_block_hours",
        "mirror_warn_hours",
        "rail_business_days",
    )
    problems += [f"{name}: must not be negative" for name in counts if getattr(policy, name) < 0]
    if policy.bank_block_hours < policy.bank_warn_hours:
        problems.append("bank_block_hours: must not be less than bank_warn_hours")
    if policy.hurdle_rate < 0 or any(rate < 0 for rate in policy.late_fee_monthly.values()):
        problems.append("hurdle_rate and late_fee_monthly: rates must not be negative")
    if any(days < 0 for days in policy.late_tolerance_days.values()):
        problems.append("late_tolerance_days: must not be negative")
    if any(amount < 0 for amount in policy.account_budgets.values()):
        problems.append("account_budgets: must not be negative")
    return problems


def _is_rising(tiers: Sequence[AmountTier]) -> bool:
    limits = [tier.below for tier in tiers]
    if not limits or limits[-1] is not None or None in limits[:-1]:
        return False
    amounts = [limit for limit in limits if limit is not None]
    return all(low < high for low, high in pairwise(amounts)) and min(amounts, default=1) > 0
