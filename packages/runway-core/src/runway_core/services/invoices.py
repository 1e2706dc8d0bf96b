"""Invoices: what is owed to the company, and what stands in the way of being paid."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from runway_core.domain.findings import TrackedFinding
from runway_core.domain.identity import CompanyId, RecordKind
from runway_core.domain.invoices import Invoice
from runway_core.services.bills import group_by_subject
from runway_core.services.books import BooksService
from runway_core.services.past import PastService


@dataclass(frozen=True, slots=True)
class InvoiceWithIssues:
    """An open invoice and the standing findings about it, worst first."""

    invoice: Invoice
    findings: tuple[TrackedFinding, ...]


class InvoiceService:
    """Answers questions about invoices from the mirror, or as it was known at a moment."""

    def __init__(self, books: BooksService, past: PastService) -> None:
        self._books = books
        self._past = past

    async def get_open_invoices(self, company_id: CompanyId, known_at: datetime | None = None) -> Sequence[Invoice]:
        """Invoices with an unpaid rest, by due date.

        Raises:
            NotFound: no such company in this firm.
        """
        return (await self._books.read(company_id, known_at=known_at)).open_invoices

    async def get_overdue_invoices(self, company_id: CompanyId, known_at: datetime | None = None) -> Sequence[Invoice]:
        """Open invoices whose due date has passed, longest overdue first.

        Raises:
            NotFound: no such company in this firm.
        """
        books = await self._books.read(company_id, known_at=known_at)
        return [i for i in books.open_invoices if i.due_date is not None and i.due_date < books.as_of]

    async def get_invoices_with_issues(
        self, company_id: CompanyId, known_at: datetime | None = None
    ) -> Sequence[InvoiceWithIssues]:
        """Open invoices that standing findings speak of, by due date.

        Raises:
            NotFound: no such company in this firm.
        """
        books, findings = await self._past.read_with_findings(company_id, known_at)
        by_invoice = group_by_subject(findings, RecordKind.INVOICE)
        return [
            InvoiceWithIssues(invoice=invoice, findings=tuple(by_invoice[invoice.external_id]))
            for invoice in books.open_invoices
            if invoice.external_id in by_invoice
        ]
