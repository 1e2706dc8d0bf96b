"""The firm's tray: findings that wait at all companies, counted by check or by company, and those of one check."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from pydantic import AwareDatetime

from runway_core.calculators.hygiene.checks import CHECKS
from runway_core.domain.company import Company
from runway_core.domain.findings import WAITING, Severity, TrackedFinding
from runway_core.domain.identity import CompanyId
from runway_core.domain.money import ZERO
from runway_core.experiences.view import View
from runway_core.ports.position_store import FindingCount
from runway_core.services.companies import CompanyService
from runway_core.services.findings import FindingService
from runway_core.services.scope import Scope

_NAMES = {check.id: check.name for check in CHECKS}
_CRITICAL = Severity.CRITICAL.rank


class CheckLine(View):
    """The findings of one check over all companies."""

    check: str
    name: str
    worst: Severity
    findings: int
    companies: int


class CompanyLine(View):
    """The findings of one company over all checks."""

    company_id: CompanyId
    name: str
    owner: str | None
    findings: int
    critical: int


class FirmFinding(View):
    """One finding of the check that was asked for."""

    company_id: CompanyId
    company_name: str
    owner: str | None
    tracked: TrackedFinding


class FirmTrayView(View):
    """The page. `items` are those of one check, where one was asked for: by |days|, then money."""

    generated_at: AwareDatetime
    findings: int
    critical: int
    companies: int  # that have any
    checks: tuple[CheckLine, ...]  # worst first, then the most
    by_company: tuple[CompanyLine, ...]  # most critical first, then the most
    check: str | None
    items: tuple[FirmFinding, ...]


class FirmTrayExperience:
    """Shows what waits at all companies, in three queries whatever their number."""

    def __init__(self, scope: Scope, companies: CompanyService, findings: FindingService) -> None:
        self._scope = scope
        self._companies = companies
        self._findings = findings

    async def show(self, check: str | None = None) -> FirmTrayView:
        """The counts, and with a check its findings."""
        counts = await self._findings.count(states=WAITING)
        companies = await self._companies.list()
        found = [] if check is None else await self._findings.of_firm(check, states=WAITING)
        by_id = {company.company_id: company for company in companies}
        held = [count for count in counts if count.company_id in by_id]
        return FirmTrayView(
            generated_at=self._scope.clock.now(),
            findings=sum(count.findings for count in held),
            critical=sum(count.findings for count in held if count.severity_rank == _CRITICAL),
            companies=len({count.company_id for count in held}),
            checks=_sum_checks(held),
            by_company=_sum_companies(held, companies),
            check=check,
            items=tuple(
                FirmFinding(
                    company_id=company_id,
                    company_name=by_id[company_id].name,
                    owner=by_id[company_id].owner,
                    tracked=tracked,
                )
                for company_id, tracked in sorted(found, key=_row_order)
                if company_id in by_id
            ),
        )


def _sum_checks(counts: Sequence[FindingCount]) -> tuple[CheckLine, ...]:
    findings: Counter[str] = Counter()
    ranks: dict[str, int] = {}
    owners: dict[str, set[CompanyId]] = {}
    for count in counts:
        findings[count.check] += count.findings
        ranks[count.check] = min(count.severity_rank, ranks.get(count.check, count.severity_rank))
        owners.setdefault(count.check, set()).add(count.company_id)
    by_rank = {severity.rank: severity for severity in Severity}
    return tuple(
        CheckLine(
            check=check,
            name=_NAMES.get(check, check),
            worst=by_rank[ranks[check]],
            findings=findings[check],
            companies=len(owners[check]),
        )
        for check in sorted(findings, key=lambda check: (ranks[check], -findings[check], check))
    )


def _sum_companies(counts: Sequence[FindingCount], companies: Sequence[Company]) -> tuple[CompanyLine, ...]:
    findings: Counter[CompanyId] = Counter()
    critical: Counter[CompanyId] = Counter()
    for count in counts:
        findings[count.company_id] += count.findings
        critical[count.company_id] += count.findings if count.severity_rank == _CRITICAL else 0
    lines = [
        CompanyLine(
            company_id=company.company_id,
            name=company.name,
            owner=company.owner,
            findings=findings[company.company_id],
            critical=critical[company.company_id],
        )
        for company in companies
        if findings[company.company_id]
    ]
    return tuple(
        sorted(lines, key=lambda line: (-line.critical, -line.findings, line.name.casefold(), line.company_id))
    )


def _row_order(found: tuple[CompanyId, TrackedFinding]) -> tuple[int, Decimal, str, str]:
    company_id, tracked = found
    finding = tracked.finding
    amount = ZERO if finding.amount is None else abs(finding.amount.amount)
    return -abs(finding.impact_days or 0), -amount, company_id, tracked.finding_id
