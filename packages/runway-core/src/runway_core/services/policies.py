"""Policies: the rules under which money goes out, read and changed as data with a version.

A firm keeps one for all its companies, a company one of its own that says only what is different there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pydantic import TypeAdapter, ValidationError

from runway_core.calculators.outlook import HORIZON_DAYS
from runway_core.calculators.policy.survey import RuleSurvey, survey_rules
from runway_core.calculators.proposed_decisions import ProposedDecisions, propose_decisions
from runway_core.domain.bounds import MOST_BUSINESS_DAYS, MOST_DAYS, MOST_HOURS, MOST_RATE
from runway_core.domain.identity import CompanyId
from runway_core.domain.log_entry import LogEntry
from runway_core.domain.papers import PaperKey, PaperKind
from runway_core.domain.people import Need
from runway_core.domain.policy import (
    COMPANY_SETTINGS,
    DEFAULT_POLICY,
    POLICY_SETTINGS,
    AmountTier,
    Policy,
    as_stored,
    find_own,
    lay_over,
)
from runway_core.errors import InvalidRequest, NotFound
from runway_core.services.books import BooksService
from runway_core.services.companies import explain_invalid
from runway_core.services.findings import FindingService
from runway_core.services.house_papers import HouseDesk
from runway_core.services.papers import PaperDesk, demand_version
from runway_core.services.scope import Scope

POLICY_ID = DEFAULT_POLICY.paper_id
"""A company has one policy, and so has a firm."""

_KEY = PaperKey(PaperKind.POLICY, POLICY_ID)
_plain = TypeAdapter(dict[str, Any])

_MOST = {
    "minimum_cash_days": MOST_DAYS,
    "payroll_cover_days": MOST_DAYS,
    "changed_details_days": MOST_DAYS,
    "bank_warn_hours": MOST_HOURS,
    "bank_block_hours": MOST_HOURS,
    "mirror_warn_hours": MOST_HOURS,
    "rail_business_days": MOST_BUSINESS_DAYS,
}
"""Settings that count something from 0 on, and how far."""


@dataclass(frozen=True, slots=True)
class PolicySurvey:
    """What a policy says of a company's ready bills today."""

    policy: Policy
    rules: Sequence[RuleSurvey]
    proposed: ProposedDecisions


class PolicyService:
    """Keeps one policy a company over one a firm; where neither set anything, the default holds with version 0."""

    def __init__(self, scope: Scope, books: BooksService, findings: FindingService) -> None:
        self._scope = scope
        self._books = books
        self._findings = findings
        self._desk = PaperDesk(scope)
        self._house = HouseDesk(scope)

    async def read(self, company_id: CompanyId) -> Policy:
        """The policy that holds for a company.

        Raises:
            NotFound: no such company in this firm.
        """
        held = await self._desk.find(company_id, Policy, POLICY_ID)
        return lay_over(await self._house.find(Policy, POLICY_ID), held)

    async def read_firm(self) -> Policy:
        """The firm's policy; the default with version 0 until it set something."""
        return await self._house.find(Policy, POLICY_ID) or DEFAULT_POLICY

    async def change(
        self,
        company_id: CompanyId,
        changes: Mapping[str, Any],
        *,
        actor: str,
        follow_firm: Sequence[str] = (),
        version: int | None = None,
    ) -> Policy:
        """Change some settings and leave the others: a new version, which decisions from now on are held to.

        Values may be as JSON has them (amounts as text) or as the domain has them. Setting what holds already makes no
        new version. Settings in `follow_firm` are the company's own no longer: the firm's hold.

        Returns:
            The policy that holds from now on.

        Raises:
            NotFound: no such company in this firm.
            InvalidRequest: a setting that does not exist or cannot have this value.
            StaleRevision: the policy was changed since `version`, or meanwhile.
        """
        held = await self._desk.find(company_id, Policy, POLICY_ID)
        firm = await self.read_firm()
        demand_version(held or DEFAULT_POLICY, version)
        stored = plan_policy(held, changes, follow_firm=follow_firm, firm=firm)
        self._scope.demand(Need.MANAGE)
        if held is None and not find_own(stored):
            return lay_over(firm, None)
        return lay_over(firm, await self._desk.save(company_id, stored, actor=actor))

    async def change_firm(
        self,
        changes: Mapping[str, Any],
        *,
        actor: str,
        reset: Sequence[str] = (),
        version: int | None = None,
    ) -> Policy:
        """Change the firm's policy: it holds for every company that did not set the same itself. `reset`: the default.

        Raises:
            InvalidRequest: a setting that does not exist, cannot have this value, or names records of one company.
            StaleRevision: the policy was changed since `version`, or meanwhile.
        """
        held = await self._house.find(Policy, POLICY_ID)
        demand_version(held or DEFAULT_POLICY, version)
        alone = sorted(COMPANY_SETTINGS & set(changes))
        if alone:
            raise InvalidRequest(f"{', '.join(alone)}: names records of one company, so each company sets it itself")
        stored = plan_policy(held, changes, follow_firm=reset, firm=DEFAULT_POLICY)
        self._house.demand_whole_firm(Need.MANAGE)
        if held is None and not find_own(stored):
            return DEFAULT_POLICY
        return await self._house.save(stored, actor=actor)

    async def history(self, company_id: CompanyId) -> Sequence[LogEntry]:
        """Every change of the company's own policy as the log has it, oldest first.

        Raises:
            NotFound: no such company in this firm.
        """
        await self._scope.company(company_id)
        return await self._scope.store.log.history(company_id, _KEY)

    async def firm_history(self) -> Sequence[LogEntry]:
        """Every change of the firm's policy as the log has it, oldest first."""
        return await self._house.history(_KEY)

    async def revert(self, company_id: CompanyId, to_version: int, *, actor: str, version: int | None = None) -> Policy:
        """Set what an earlier version of the company's own policy said: a new version; 0 leaves all to the firm.

        Raises:
            NotFound: no such company in this firm, or the policy never had this version.
            InvalidRequest: that version says what cannot be set any more.
            StaleRevision: the policy was changed since `version`, or meanwhile.
        """
        held = await self._desk.find(company_id, Policy, POLICY_ID)
        demand_version(held or DEFAULT_POLICY, version)
        wanted = _find_version(await self.history(company_id), to_version)
        _demand_sound(wanted)
        firm = await self.read_firm()
        if held is None:
            return lay_over(firm, None)
        self._scope.demand(Need.MANAGE)
        again = as_stored(wanted, frozenset(find_own(wanted))).model_copy(update={"version": held.version})
        return lay_over(firm, await self._desk.save(company_id, again, actor=actor))

    async def revert_firm(self, to_version: int, *, actor: str, version: int | None = None) -> Policy:
        """The same for the firm's policy; 0 is the default.

        Raises:
            NotFound: the policy never had this version.
            InvalidRequest: that version says what cannot be set any more.
            StaleRevision: the policy was changed since `version`, or meanwhile.
        """
        held = await self._house.find(Policy, POLICY_ID)
        demand_version(held or DEFAULT_POLICY, version)
        wanted = _find_version(await self.firm_history(), to_version)
        _demand_sound(wanted)
        self._house.demand_whole_firm(Need.MANAGE)
        if held is None:
            return DEFAULT_POLICY
        again = as_stored(wanted, frozenset(find_own(wanted))).model_copy(update={"version": held.version})
        return await self._house.save(again, actor=actor)

    async def survey(self, company_id: CompanyId, changes: Mapping[str, Any] | None = None) -> PolicySurvey:
        """What each rule says of the ready bills today, with other settings where some are given. Writes nothing.

        Raises:
            NotFound: no such company in this firm.
            InvalidRequest: a setting that does not exist or cannot have this value.
        """
        books = await self._books.read(company_id)
        if changes:
            _demand_known(changes)
            books = books.model_copy(update={"policy": change_policy(books.policy, changes)})
        proposed = propose_decisions(books, await self._findings.list(company_id))
        return PolicySurvey(books.policy, survey_rules(proposed.proposal, books.policy), proposed)


def plan_policy(
    held: Policy | None, changes: Mapping[str, Any], *, follow_firm: Sequence[str] = (), firm: Policy
) -> Policy:
    """What is kept after a change: the settings that were set here, those that `changes` moves among them.

    Raises:
        InvalidRequest: a setting that does not exist or cannot have this value.
    """
    _demand_known({**changes, **dict.fromkeys(follow_firm)})
    holding = lay_over(firm, held)
    changed = change_policy(holding, changes)
    moved = {name for name in changes if getattr(changed, name) != getattr(holding, name)}
    own = (frozenset(find_own(held or DEFAULT_POLICY)) | moved) - frozenset(follow_firm)
    return as_stored(changed, own)


def _demand_known(settings: Mapping[str, Any]) -> None:
    unknown = sorted(set(settings) - set(POLICY_SETTINGS))
    if unknown:
        raise InvalidRequest(f"{', '.join(unknown)}: no setting of a policy; there are {', '.join(POLICY_SETTINGS)}")


def _find_version(history: Sequence[LogEntry], version: int) -> Policy:
    if version == 0:
        return DEFAULT_POLICY
    for entry in history:
        if entry.draft.revision == str(version):
            return Policy.model_validate_json(entry.draft.content)
    raise NotFound(f"the policy never had a version {version}: its history names those it had")


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
    _demand_sound(changed)
    return changed


def _demand_sound(policy: Policy) -> None:
    problems = _find_problems(policy)
    if problems:
        raise InvalidRequest("; ".join(problems))


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
    problems += [f"{name}: must be 0 to {most}" for name, most in _MOST.items() if not _fits(policy, name, most)]
    if policy.bank_block_hours < policy.bank_warn_hours:
        problems.append("bank_block_hours: must not be less than bank_warn_hours")
    if not all(0 <= rate <= MOST_RATE for rate in (policy.hurdle_rate, *policy.late_fee_monthly.values())):
        problems.append(f"hurdle_rate and late_fee_monthly: rates must be 0 to {MOST_RATE}; 0.015 is 1.5 %")
    if not all(0 <= days <= MOST_DAYS for days in policy.late_tolerance_days.values()):
        problems.append(f"late_tolerance_days: must be 0 to {MOST_DAYS}")
    if any(amount < 0 for amount in policy.account_budgets.values()):
        problems.append("account_budgets: must not be negative")
    if policy.told_bank_line is not None and policy.told_bank_line <= 0:
        problems.append("told_bank_line: must be more than nil, or null to be told of none")
    return problems


def _fits(policy: Policy, name: str, most: int) -> bool:
    count: int | None = getattr(policy, name)
    return count is None or 0 <= count <= most


def _is_rising(tiers: Sequence[AmountTier]) -> bool:
    limits = [tier.below for tier in tiers]
    if not limits or limits[-1] is not None or None in limits[:-1]:
        return False
    amounts = [limit for limit in limits if limit is not None]
    return all(low < high for low, high in pairwise(amounts)) and min(amounts, default=1) > 0
