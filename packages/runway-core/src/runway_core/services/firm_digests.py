"""The firm's daily digests as they were sent: kept before they leave, one a day, with what they told."""

from collections.abc import Sequence

from runway_core.domain.firm_digests import FirmDigest
from runway_core.domain.people import Need
from runway_core.domain.sent_digests import Delivery
from runway_core.services.house_papers import HouseDesk
from runway_core.services.scope import Scope

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
        paper_id = f"daily-{digest.as_of.isoformat()}"
        held = await self._house.find(FirmDigest, paper_id)
        kept = digest.about_to_leave(paper_id, held=held, at=self._scope.clock.now())
        return held if held is not None and kept is held else await self._house.save(kept, actor=actor)

    async def note_delivery(
        self, digest: FirmDigest, delivery: Delivery, *, actor: str, error: str | None = None
    ) -> FirmDigest:
        """Write down what became of a kept digest.

        Raises:
            StaleRevision: somebody wrote it down meanwhile.
        """
        return await self._house.save(digest.became(delivery, error), actor=actor)
