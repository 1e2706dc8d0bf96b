"""The firm's daily digests as they were sent: kept before they leave, one a day, with what they told."""

from collections.abc import Sequence
from datetime import date, timedelta

from runway_core.domain.firm_digests import FirmDigest
from runway_core.domain.people import Need
from runway_core.domain.sent_digests import Delivery
from runway_core.errors import StaleRevision
from runway_core.services.house_papers import HouseDesk
from runway_core.services.scope import Scope

TRIED_AGAIN_AFTER = timedelta(minutes=15)
"""So long a mail that is under way is left to whoever sends it, and one that was refused is left alone."""

_LOOKED_AT = 10


class FirmDigestService:
    """Keeps what was sent, and knows what was told last. It sends nothing."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._house = HouseDesk(scope)

    async def list(self, *, limit: int = 100) -> Sequence[FirmDigest]:
        """The digests that were sent or refused, the newest first.

        Raises:
            NotAllowed: the caller sees some companies only, and a digest names all.
        """
        self._house.demand_whole_firm(Need.READ)
        return await self._house.list(FirmDigest, include_closed=True, limit=limit)

    async def last_sent(self) -> FirmDigest | None:
        """The last one that the mail server took."""
        held = await self._house.list(FirmDigest, include_closed=True, limit=_LOOKED_AT)
        return next((digest for digest in held if digest.delivery is Delivery.SENT), None)

    async def keep(self, digest: FirmDigest, *, actor: str) -> FirmDigest:
        """Keep the digest of a day before it is sent, or find it when it was kept before and not refused.

        Raises:
            NotAllowed: the caller may only look, or sees some companies only.
        """
        self._house.demand_whole_firm(Need.DECIDE)
        paper_id = _name_of(digest.as_of)
        held = await self._house.find(FirmDigest, paper_id)
        kept = digest.about_to_leave(paper_id, held=held, at=self._scope.clock.now())
        return held if held is not None and kept is held else await self._house.save(kept, actor=actor)

    async def of_day(self, day: date) -> FirmDigest | None:
        """The digest of a day where the firm is, whatever became of it; `None` when there is none yet."""
        return await self._house.find(FirmDigest, _name_of(day))

    async def claim(self, digest: FirmDigest, *, actor: str) -> FirmDigest | None:
        """Keep the digest of a day for one process alone, which then sends it; `None`: it is sent, or another's.

        A try that was refused, or of which nobody knows how it ended, may be claimed again after `TRIED_AGAIN_AFTER`:
        with the same words and the same id, by which mail programs know a second copy.

        Raises:
            NotAllowed: the caller may only look, or sees some companies only.
        """
        self._house.demand_whole_firm(Need.DECIDE)
        now = self._scope.clock.now()
        held = await self.of_day(digest.as_of)
        if held is not None and (held.delivery is Delivery.SENT or now - held.sent_at < TRIED_AGAIN_AFTER):
            return None
        kept = digest.about_to_leave(_name_of(digest.as_of), held=held, at=now)
        try:
            claimed = kept.model_copy(update={"sent_at": now, "claim": self._scope.new_id()})
            return await self._house.save(claimed, actor=actor)
        except StaleRevision:  # whoever was first sends it
            return None

    async def note_delivery(
        self, digest: FirmDigest, delivery: Delivery, *, actor: str, error: str | None = None
    ) -> FirmDigest:
        """Write down what became of a kept digest.

        Raises:
            StaleRevision: somebody wrote it down meanwhile.
        """
        return await self._house.save(digest.became(delivery, error), actor=actor)


def _name_of(day: date) -> str:
    return f"daily-{day.isoformat()}"
