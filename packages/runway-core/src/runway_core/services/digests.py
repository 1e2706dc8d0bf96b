"""Digests that were sent: kept before they leave, with what became of them."""

from collections.abc import Sequence
from datetime import date

from runway_core.domain.cash_changes import CashThen
from runway_core.domain.forecasts import KeptForecast
from runway_core.domain.identity import CompanyId
from runway_core.domain.money import Money
from runway_core.domain.sent_digests import Delivery, SentDigest
from runway_core.services.papers import PaperDesk, name_by
from runway_core.services.scope import Scope, local_day

_LOOKED_AT = 20


class DigestService:
    """Keeps what was sent, and knows what was told last. It sends nothing."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._desk = PaperDesk(scope)

    async def list_sent(self, company_id: CompanyId, *, limit: int = 100) -> Sequence[SentDigest]:
        """The digests that were sent or refused, the newest first.

        Raises:
            NotFound: no such company in this firm.
        """
        return await self._desk.list(company_id, SentDigest, include_closed=True, limit=limit)

    async def get_sent(self, company_id: CompanyId, digest_id: str) -> SentDigest:
        """One digest as it was sent.

        Raises:
            NotFound: no such company in this firm, or no such digest.
        """
        return await self._desk.read(company_id, SentDigest, digest_id)

    async def keep(self, digest: SentDigest, company_id: CompanyId, *, actor: str) -> SentDigest:
        """Keep a digest that is about to be sent, or find it when the same one was kept before.

        The same note to the same people on one day is one message: whoever sends it again learns what became of the
        first. `paper_id`, `changed_at`, `changed_by` and `sent_at` of what is given are set here.

        Raises:
            NotFound: no such company in this firm.
        """
        paper_id = name_by(company_id, digest.as_of.isoformat(), digest.note, *sorted(digest.sent_to))
        held = await self._desk.find(company_id, SentDigest, paper_id)
        kept = digest.about_to_leave(paper_id, held=held, at=self._scope.clock.now())
        return held if held is not None and kept is held else await self._desk.save(company_id, kept, actor=actor)

    async def note_delivery(
        self, digest: SentDigest, company_id: CompanyId, delivery: Delivery, *, actor: str, error: str | None = None
    ) -> SentDigest:
        """Write down what became of a kept digest.

        Raises:
            NotFound: no such company in this firm.
            StaleRevision: somebody wrote it down meanwhile.
        """
        return await self._desk.save(company_id, digest.became(delivery, error), actor=actor)

    async def last_told(self, company_id: CompanyId) -> CashThen | None:
        """Opening cash as it was told last before today: by a digest that was sent, else by a kept forecast.

        Raises:
            NotFound: no such company in this firm.
        """
        company = await self._scope.company(company_id)
        today = local_day(self._scope.clock.now(), company)
        papers = self._scope.store.papers
        return find_last_told(
            await papers.papers(company_id, SentDigest, limit=_LOOKED_AT),
            await papers.papers(company_id, KeptForecast, limit=_LOOKED_AT),
            today=today,
        )


def find_last_told(digests: Sequence[SentDigest], forecasts: Sequence[KeptForecast], *, today: date) -> CashThen | None:
    """Opening cash as it was told last before `today`: by a digest that was sent, else by a kept forecast."""
    sent = [
        CashThen(as_of=digest.as_of, read_at=digest.books_read_at, opening=digest.opening)
        for digest in digests
        if digest.delivery is Delivery.SENT and digest.as_of < today
    ]
    kept = [
        CashThen(
            as_of=forecast.as_of,
            read_at=forecast.changed_at,
            opening=Money(amount=forecast.opening, currency=forecast.currency),
        )
        for forecast in forecasts
        if forecast.as_of < today
    ]
    return max(sent or kept, key=lambda told: told.read_at, default=None)
