"""Positions: computing them from books, and reading the stored ones."""

from collections.abc import Sequence
from datetime import date

from runway_core.calculators.hygiene.impact import find_weighed_findings
from runway_core.calculators.hygiene.rerun import run_checks
from runway_core.calculators.hygiene.tracking import track_findings
from runway_core.calculators.position import compute_position
from runway_core.domain.identity import CompanyId
from runway_core.domain.policy import DEFAULT_POLICY, Policy
from runway_core.domain.position import Position
from runway_core.domain.sent_digests import Delivery, SentDigest
from runway_core.services.books import BooksService
from runway_core.services.forecasts import ForecastService
from runway_core.services.held_checks import HeldChecks
from runway_core.services.house_papers import HouseDesk
from runway_core.services.scope import Scope, local_day

DIGESTS_LOOKED_AT = 5


class PositionService:
    """Keeps the read model of the portfolio in step with the mirror."""

    def __init__(
        self, scope: Scope, books: BooksService, forecasts: ForecastService, checks: HeldChecks | None = None
    ) -> None:
        self._scope = scope
        self._books = books
        self._forecasts = forecasts
        self._checks = checks or HeldChecks()
        self._house = HouseDesk(scope)

    async def recompute(self, company_id: CompanyId) -> Position:
        """Compute a company's findings and position from its mirrored books and store both.

        Only those checks run whose inputs changed since this process ran them last. The first outlook of a week is
        kept, to be judged later.

        Safe to run twice, at once or late: a position that saw less of the log than the stored one is not kept.

        Raises:
            NotFound: no such company in this firm.
        """
        books = await self._books.read(company_id)
        held = await self._scope.store.positions.findings(company_id)
        run = run_checks(books, self._checks.find(company_id))
        self._checks.keep(company_id, run)
        tracked = track_findings(held, find_weighed_findings(books, run), at=books.read_at, today=books.as_of)
        position = compute_position(
            books,
            tracked,
            computed_at=books.read_at,
            before=await self._scope.position(company_id),
            last_digest_on=await self._find_last_digest(company_id),
        )
        await self._scope.store.positions.save_position(position, tracked)
        await self._forecasts.keep_first_of_week(books, position.status)
        return position

    async def _find_last_digest(self, company_id: CompanyId) -> date | None:
        sent = await self._scope.store.papers.papers(company_id, SentDigest, limit=DIGESTS_LOOKED_AT)
        return max((digest.as_of for digest in sent if digest.delivery is Delivery.SENT), default=None)

    async def keep_in_step(self, company_id: CompanyId, has_moved: bool) -> None:
        """After a pull: recompute when the mirror moved, when there is no position yet, or when a new day began.

        Also when the position is due from before: a pull was cut off behind its last page, or a person decided about a
        finding.
        """
        if has_moved or not await self.is_current(company_id):
            await self.recompute(company_id)

    async def is_current(self, company_id: CompanyId) -> bool:
        """Whether the stored position is of today and saw all that mirror, decisions and the firm's policy changed.

        It is not after a pull that was cut off behind its last page.

        Raises:
            NotFound: no such company in this firm.
        """
        company = await self._scope.company(company_id)
        held = await self._scope.position(company_id)
        if held is None or held.as_of != local_day(self._scope.clock.now(), company):
            return False
        # A log that has not grown is the common case, and cheaper to see than what is due in the whole firm.
        if (await self._scope.store.log.head(company_id)).sequence <= held.log_sequence:
            firm = await self._house.find(Policy, DEFAULT_POLICY.paper_id)
            return firm is None or firm.version <= held.firm_policy_version
        return company_id not in await self._scope.companies_due()

    async def current(self, company_id: CompanyId) -> Position | None:
        """The stored position, or `None` before the first pull.

        Raises:
            NotFound: no such company in this firm.
        """
        await self._scope.company(company_id)
        return await self._scope.position(company_id)

    async def all(self) -> Sequence[Position]:
        """The stored positions of the firm: one query, one row a company."""
        return await self._scope.positions()

    async def recompute_due(self) -> Sequence[CompanyId]:
        """Recompute every company of the firm whose position is due: its mirror or the firm's policy moved since.

        Returns:
            The companies that were recomputed.
        """
        due = await self._scope.companies_due()
        for company_id in due:
            await self.recompute(company_id)
        return due
