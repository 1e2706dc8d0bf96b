"""Bills: what is owed, what is ready to be decided, and what stands in the way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from runway_core.calculators.readiness import find_readiness
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.decisions import BillReadiness
from runway_core.domain.findings import TrackedFinding
from runway_core.domain.identity import CompanyId, RecordKind
from runway_core.services.books import BooksService
from runway_core.services.past import PastService


@dataclass(frozen=True, slots=True)
class BillWithIssues:
    """An open bill and the standing findings about it, worst first."""

    bill: Bill
    findings: tuple[TrackedFinding, ...]


@dataclass(frozen=True, slots=True)
class BillForDecision:
    """An open bill with its readiness."""

    bill: Bill
    readiness: BillReadiness


class BillService:
    """Answers questions about bills from the mirror, or as it was known at a moment. Nothing here pays a bill."""

    def __init__(self, books: BooksService, past: PastService) -> None:
        self._books = books
        self._past = past

    async def get_open_bills(self, company_id: CompanyId, known_at: datetime | None = None) -> Sequence[Bill]:
        """Bills with an unpaid rest, by due date.

        Raises:
            NotFound: no such company in this firm.
        """
        return (await self._books.read(company_id, known_at=known_at)).open_bills

    async def get_bills_with_issues(
        self, company_id: CompanyId, known_at: datetime | None = None
    ) -> Sequence[BillWithIssues]:
        """Open bills that standing findings speak of, by due date.

        Raises:
            NotFound: no such company in this firm.
        """
        books, findings = await self._past.read_with_findings(company_id, known_at)
        by_bill = group_by_subject(findings, RecordKind.BILL)
        return [
            BillWithIssues(bill=bill, findings=tuple(by_bill[bill.external_id]))
            for bill in books.open_bills
            if bill.external_id in by_bill
        ]

    async def get_bills_ready_for_decision(
        self, company_id: CompanyId, known_at: datetime | None = None
    ) -> Sequence[BillForDecision]:
        """Open bills that nothing stands in the way of, by the day on which they must be released.

        Raises:
            NotFound: no such company in this firm.
        """
        books, findings = await self._past.read_with_findings(company_id, known_at)
        ready, _ = split_by_readiness(books, findings)
        return ready


def group_by_subject(findings: Sequence[TrackedFinding], kind: RecordKind) -> dict[str, list[TrackedFinding]]:
    """Findings by the external id of each subject of one kind, in the order given."""
    groups: dict[str, list[TrackedFinding]] = {}
    for tracked in findings:
        for subject in tracked.finding.subjects:
            if subject.kind is kind:
                groups.setdefault(subject.external_id, []).append(tracked)
    return groups


def split_by_readiness(
    books: Books, findings: Sequence[TrackedFinding]
) -> tuple[list[BillForDecision], list[BillForDecision]]:
    """Open bills that are ready, and those held back, each by pay-by day, then id."""
    readiness = {r.bill_id: r for r in find_readiness(books, findings)}
    paired = [BillForDecision(bill=bill, readiness=readiness[bill.external_id]) for bill in books.open_bills]
    paired.sort(key=lambda p: (p.readiness.pay_by, p.bill.due_date or p.readiness.pay_by, p.bill.external_id))
    return [p for p in paired if p.readiness.is_ready], [p for p in paired if not p.readiness.is_ready]
