"""What is stored about the service itself: calls by month, samples of freshness, alerts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from runway_core.domain.alerts import Alert, Condition
from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.quotas import CallCount
from runway_core.domain.service_levels import FreshnessSample, SampleSum


@dataclass(frozen=True, slots=True)
class RunRate:
    """Pulls of one connection that ended since a moment."""

    runs: int = 0
    failed: int = 0
    calls: int = 0


class HealthStore(Protocol):
    """Keeps what is known about how well Runway works. Each question is one query, however many companies.

    Every method may raise StoreUnavailable and SchemaMismatch.
    """

    async def call_counts(self, month: str) -> Mapping[str, CallCount]:
        """Calls of a month by rail, all firms together: a vendor counts per app."""
        ...

    async def company_calls(self, firm_id: FirmId, month: str) -> Mapping[tuple[CompanyId, str], CallCount]:
        """Calls of a month by company and rail, for one firm."""
        ...

    async def add_calls(self, company_id: CompanyId, rail: str, calls: int, *, at: datetime) -> None:
        """Add calls that no pull made, such as those of a fix, to their month. Pulls add their own as they end."""
        ...

    async def run_rates(self, firm_id: FirmId, *, since: datetime) -> Mapping[tuple[CompanyId, str], RunRate]:
        """Pulls that began since a moment, by company and rail; those that run are not counted."""
        ...

    async def quarantined(self, firm_id: FirmId) -> Mapping[tuple[CompanyId, str, str | None], int]:
        """Records in quarantine, by company, rail and kind (`None` where it is not known); others are absent."""
        ...

    async def add_sample(self, firm_id: FirmId, sample: FreshnessSample) -> bool:
        """Keep a sample; false when there is one of that moment already."""
        ...

    async def sum_samples(self, firm_id: FirmId, *, since: Sequence[datetime]) -> Sequence[SampleSum]:
        """Add up the samples taken since each of these moments, in one query."""
        ...

    async def prune_samples(self, *, before: datetime) -> int:
        """Forget samples taken before a moment; returns how many."""
        ...

    async def prune_runs(self, *, before: datetime, since: datetime | None = None, limit: int = 50_000) -> int:
        """Forget pulls that brought nothing, at most `limit` of those that began before a moment and `since` another.

        Of each connection the last that succeeded on a day (UTC) stays, so that it can be told when books of the past
        were read, and its last of all. Whatever brought, changed, removed or could not read a record stays.

        Returns:
            How many went.
        """
        ...

    async def alerts(self, firm_id: FirmId, *, resolved_since: datetime | None = None) -> Sequence[Alert]:
        """Open alerts, and those resolved since a moment when asked; the last raised first."""
        ...

    async def settle_alerts(
        self, firm_id: FirmId, conditions: Sequence[Condition], *, now: datetime
    ) -> Sequence[Alert]:
        """Raise alerts for new conditions and resolve those whose condition is gone, in one transaction.

        Returns those that changed. Whoever settles the same conditions beside or after changes nothing.
        """
        ...

    async def claim_untold(self, firm_id: FirmId, *, now: datetime, lasts_seconds: int = 120) -> Sequence[Alert]:
        """Take the alerts whose last change was not told; nobody else gets them while this lasts.

        One that was raised and resolved before anyone was told is told as what it is now.
        """
        ...

    async def note_told(self, firm_id: FirmId, alerts: Sequence[Alert], *, by: str) -> None:
        """One teller has told these as they are here (`told_by`); one that changed since is told anew by all."""
        ...

    async def mark_told(self, firm_id: FirmId, alerts: Sequence[Alert]) -> None:
        """These were told as they are here; one that changed since stays to be told."""
        ...
