"""Outlook: "what is coming?" Thirteen weeks of cash by week and day, each figure open to its parts."""

from datetime import datetime

from runway_core.calculators.aging import compute_payables_aging, compute_receivables_aging
from runway_core.calculators.burn import compute_burn
from runway_core.calculators.cash import compute_cash
from runway_core.calculators.outlook_lines import compute_outlook_lines, read_line_figures
from runway_core.domain.books import Books
from runway_core.domain.identity import CompanyId
from runway_core.domain.outlook import Aging, Burn, Cash, LineFigures, Outlook, OutlookLine
from runway_core.experiences.kept import KeptViews
from runway_core.experiences.view import CompanyHeading, CompanyView
from runway_core.experiences.wording import say_reach
from runway_core.orchestrators.digest import DigestDataOrchestrator
from runway_core.orchestrators.gathered import CompanyData
from runway_core.sync.freshness import label_freshness


class OutlookView(CompanyView):
    """The page."""

    policy_version: int
    headline: str
    line: OutlookLine  # what `outlook` supposes; the headline speaks of it
    lines: tuple[LineFigures, ...]  # every line in its figures, the expected one first
    outlook: Outlook
    cash: Cash
    burn: Burn
    payables: Aging
    receivables: Aging


class OutlookExperience:
    """Shows one company's outlook from its mirrored books."""

    def __init__(self, data: DigestDataOrchestrator, kept: KeptViews) -> None:
        self._data = data
        self._kept = kept

    async def show(
        self, company_id: CompanyId, line: OutlookLine = OutlookLine.EXPECTED, known_at: datetime | None = None
    ) -> OutlookView:
        """The outlook of one company by one line, and the figures of all.

        Raises:
            NotFound: no such company in this firm.
        """
        if known_at is not None or line is not OutlookLine.EXPECTED:
            return lay_out_outlook(await self._data.gather(company_id, known_at), line)
        return await self._kept.show(company_id, OutlookView, self._lay_out)

    async def keep(self, company_id: CompanyId) -> None:
        """Lay out the expected outlook of a large company before someone asks."""
        await self._kept.keep(company_id, self._lay_out)

    async def _lay_out(self, company_id: CompanyId) -> tuple[OutlookView, Books]:
        data = await self._data.gather(company_id)
        return lay_out_outlook(data, OutlookLine.EXPECTED), data.books


def lay_out_outlook(data: CompanyData, line: OutlookLine) -> OutlookView:
    """Turn one reading of a company into its outlook."""
    books = data.books
    lines = compute_outlook_lines(books)
    outlook = lines[line]
    return OutlookView(
        company=CompanyHeading.of(books.company),
        as_of=books.as_of,
        books_read_at=books.read_at,
        freshness=label_freshness(data.connections, books.read_at),
        policy_version=books.policy.version,
        headline=say_reach(books, outlook),
        line=line,
        lines=read_line_figures(lines),
        outlook=outlook,
        cash=books.derive(compute_cash),
        burn=compute_burn(books),
        payables=compute_payables_aging(books),
        receivables=compute_receivables_aging(books),
    )
