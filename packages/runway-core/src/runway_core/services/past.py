"""A company as Runway knew it at a past moment: books, findings, position and papers, all from its log.

Checks and figures are today's: what is rebuilt is what they were given. When a finding was first seen is not logged, so
a past finding says the moment asked for; what people had decided about it is as it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from runway_core.calculators.hygiene.impact import find_weighed_findings
from runway_core.calculators.hygiene.rerun import run_checks
from runway_core.calculators.hygiene.tracking import track_findings
from runway_core.calculators.position import compute_position
from runway_core.domain.books import Books
from runway_core.domain.cash_changes import CashThen
from runway_core.domain.decisions import Decision
from runway_core.domain.findings import TrackedFinding
from runway_core.domain.forecasts import KeptForecast
from runway_core.domain.identity import CompanyId
from runway_core.domain.papers import PaperKind
from runway_core.domain.past import papers_of
from runway_core.domain.position import Position
from runway_core.domain.sent_digests import Delivery, SentDigest
from runway_core.services.books import BooksService
from runway_core.services.digests import find_last_told
from runway_core.services.findings import STANDING, FindingService
from runway_core.services.forecasts import FORECASTS_LOOKED_AT


@dataclass(frozen=True, slots=True)
class PastReading:
    """One company at one past moment. The company's name, zone and settings are those of then too."""

    known_at: datetime
    books: Books
    findings: Sequence[TrackedFinding]
    position: Position
    kept_forecasts: Sequence[KeptForecast]
    closed_decisions: Sequence[Decision]
    last_told: CashThen | None


class PastService:
    """Reads companies as they were known. Nothing of it is stored or held."""

    def __init__(self, books: BooksService, findings: FindingService) -> None:
        self._books = books
        self._findings = findings

    async def read_with_findings(
        self, company_id: CompanyId, known_at: datetime | None
    ) -> tuple[Books, Sequence[TrackedFinding]]:
        """Books and standing findings, as they are or as they were known at a moment.

        Raises:
            NotFound: no such company in this firm, or it was not known yet.
            InvalidRequest: the moment lies ahead.
            LogBroken: an entry of the log cannot be read.
        """
        if known_at is None:
            return await self._books.read(company_id), await self._findings.list(company_id)
        past = await self.read(company_id, known_at)
        return past.books, [one for one in past.findings if one.state in STANDING]

    async def read(self, company_id: CompanyId, known_at: datetime) -> PastReading:
        """A company at a moment: books, and what is computed and kept beside them.

        Raises:
            NotFound: no such company in this firm, or it was not known yet.
            InvalidRequest: the moment lies ahead.
            LogBroken: an entry of the log cannot be read.
        """
        books, past = await self._books.read_known(company_id, known_at)
        run = run_checks(books)
        decided = list(past.findings.values())
        tracked = track_findings(decided, find_weighed_findings(books, run), at=known_at, today=books.as_of)
        digests = cast("list[SentDigest]", papers_of(past, PaperKind.DIGEST))
        forecasts = cast("list[KeptForecast]", papers_of(past, PaperKind.FORECAST))[:FORECASTS_LOOKED_AT]
        sent = [digest for digest in digests if digest.delivery is Delivery.SENT]
        return PastReading(
            known_at=known_at,
            books=books,
            findings=sorted(tracked, key=lambda one: (one.finding.severity.rank, one.finding_id)),
            position=compute_position(
                books,
                tracked,
                computed_at=known_at,
                before=None,
                last_digest_on=max((digest.as_of for digest in sent), default=None),
            ),
            kept_forecasts=forecasts,
            closed_decisions=[
                paper for paper in cast("list[Decision]", papers_of(past, PaperKind.DECISION)) if paper.is_closed
            ],
            last_told=find_last_told(digests, forecasts, today=books.as_of),
        )
