"""What is stored about the service itself: calls by month, samples of freshness, alerts."""

from collections.abc import Mapping
from typing import Protocol

from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.quotas import CallCount


class HealthStore(Protocol):
    """Keeps what is known about how well Runway works. Each question is one query, however many companies."""

    async def call_counts(self, month: str) -> Mapping[str, CallCount]:
        """Calls of a month by rail, all firms together: a vendor counts per app."""
        ...

    async def company_calls(self, firm_id: FirmId, month: str) -> Mapping[tuple[CompanyId, str], CallCount]:
        """Calls of a month by company and rail, for one firm."""
        ...
