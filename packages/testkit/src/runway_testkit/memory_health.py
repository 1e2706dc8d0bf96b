"""What is stored about the service itself, in memory."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from runway_core.domain.alerts import Alert, Condition, plan_alerts
from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.quotas import CallCount, name_month
from runway_core.domain.service_levels import FreshnessSample, SampleSum
from runway_core.domain.sync_run import RunOutcome, SyncRun
from runway_core.ports.health_store import RunRate

from runway_testkit.memory_state import CompanyState


class MemoryHealthStore:
    """The `HealthStore` in memory."""

    def __init__(self, states: dict[CompanyId, CompanyState]) -> None:
        self._states = states
        self._samples: dict[tuple[FirmId, datetime], FreshnessSample] = {}
        self._alerts: dict[tuple[FirmId, str], Alert] = {}
        self._telling: dict[tuple[FirmId, str], datetime] = {}

    async def call_counts(self, month: str) -> Mapping[str, CallCount]:
        """Calls of a month by rail, all firms together."""
        found: dict[str, CallCount] = {}
        for state in self._states.values():
            for (rail, counted_month), count in state.call_counts.items():
                if counted_month == month:
                    found[rail] = found.get(rail, CallCount()) + count
        return found

    async def company_calls(self, firm_id: FirmId, month: str) -> Mapping[tuple[CompanyId, str], CallCount]:
        """Calls of a month by company and rail, for one firm."""
        return {
            (company_id, rail): count
            for company_id, state in self._states.items()
            if state.company.firm_id == firm_id
            for (rail, counted_month), count in state.call_counts.items()
            if counted_month == month
        }

    async def add_calls(self, company_id: CompanyId, rail: str, calls: int, *, at: datetime) -> None:
        """Add calls that no pull made to their month."""
        counts, key = self._states[company_id].call_counts, (rail, name_month(at))
        counts[key] = counts.get(key, CallCount()) + CallCount(calls)

    async def run_rates(self, firm_id: FirmId, *, since: datetime) -> Mapping[tuple[CompanyId, str], RunRate]:
        """Pulls that began since a moment, by company and rail."""
        found: dict[tuple[CompanyId, str], RunRate] = {}
        for company_id, state in self._of(firm_id):
            for run in state.runs.values():
                if run.started_at >= since and run.outcome is not RunOutcome.RUNNING:
                    before = found.get((company_id, run.rail), RunRate())
                    failed = before.failed + (run.outcome is RunOutcome.FAILED)
                    found[company_id, run.rail] = RunRate(before.runs + 1, failed, before.calls + run.calls)
        return found

    async def quarantined(self, firm_id: FirmId) -> Mapping[tuple[CompanyId, str, str | None], int]:
        """Records in quarantine, by company, rail and kind."""
        found: dict[tuple[CompanyId, str, str | None], int] = {}
        for company_id, state in self._of(firm_id):
            for record in state.quarantine.values():
                place = (company_id, record.rail, record.kind)
                found[place] = found.get(place, 0) + 1
        return found

    async def add_sample(self, firm_id: FirmId, sample: FreshnessSample) -> bool:
        """Keep a sample, unless there is one of that moment."""
        return self._samples.setdefault((firm_id, sample.taken_at), sample) is sample

    async def sum_samples(self, firm_id: FirmId, *, since: Sequence[datetime]) -> Sequence[SampleSum]:
        """Add up the samples taken since each of these moments."""
        sums = []
        for moment in since:
            held = [s for (firm, taken_at), s in self._samples.items() if firm == firm_id and taken_at >= moment]
            sums.append(SampleSum(sum(sample.counted for sample in held), sum(sample.fresh for sample in held)))
        return sums

    async def prune_samples(self, *, before: datetime) -> int:
        """Forget samples taken before a moment."""
        gone = [key for key in self._samples if key[1] < before]
        for key in gone:
            del self._samples[key]
        return len(gone)

    async def prune_runs(self, *, before: datetime, since: datetime | None = None, limit: int = 50_000) -> int:
        """Forget pulls that brought nothing."""
        found = [
            (state, run)
            for state in self._states.values()
            for run in state.runs.values()
            if run.started_at < before
            and (since is None or run.started_at >= since)
            and _is_spare(run, state.runs.values())
        ]
        found = sorted(found, key=lambda one: (one[1].started_at, one[1].run_id))[:limit]
        for state, run in found:
            del state.runs[run.run_id]
        return len(found)

    async def alerts(self, firm_id: FirmId, *, resolved_since: datetime | None = None) -> Sequence[Alert]:
        """Open alerts, and those resolved since a moment when asked; the last raised first."""
        held = [alert for (firm, _), alert in sorted(self._alerts.items()) if firm == firm_id]
        found = [
            alert
            for alert in held
            if alert.resolved_at is None or (resolved_since is not None and alert.resolved_at >= resolved_since)
        ]
        return sorted(found, key=lambda alert: alert.raised_at, reverse=True)

    async def settle_alerts(
        self, firm_id: FirmId, conditions: Sequence[Condition], *, now: datetime
    ) -> Sequence[Alert]:
        """Raise and resolve."""
        changed = plan_alerts(await self.alerts(firm_id), conditions, now)
        for alert in changed:
            self._alerts[firm_id, alert.key] = alert
            self._telling.pop((firm_id, alert.key), None)
        return changed

    async def claim_untold(self, firm_id: FirmId, *, now: datetime, lasts_seconds: int = 120) -> Sequence[Alert]:
        """Take the alerts whose last change was not told."""
        claimed = []
        for key, alert in sorted(self._alerts.items()):
            if key[0] == firm_id and not alert.is_told and self._telling.get(key, now) <= now:
                self._telling[key] = now + timedelta(seconds=lasts_seconds)
                claimed.append(alert)
        return claimed

    async def note_told(self, firm_id: FirmId, told: Sequence[Alert], *, by: str) -> None:
        """One teller has told these as they are here."""
        for alert in told:
            held = self._alerts[firm_id, alert.key]
            if _is_same(held, alert) and by not in held.told_by:
                self._alerts[firm_id, alert.key] = held.model_copy(update={"told_by": (*held.told_by, by)})

    async def mark_told(self, firm_id: FirmId, told: Sequence[Alert]) -> None:
        """These were told as they are here; one that changed since stays to be told."""
        for alert in told:
            held = self._alerts[firm_id, alert.key]
            if _is_same(held, alert):
                self._alerts[firm_id, alert.key] = held.model_copy(update={"is_told": True})

    def _of(self, firm_id: FirmId) -> list[tuple[CompanyId, CompanyState]]:
        return [(key, state) for key, state in self._states.items() if state.company.firm_id == firm_id]


def _is_same(held: Alert, told: Alert) -> bool:
    """Whether an alert is still as it was told, whoever told it."""
    return held.model_copy(update={"told_by": told.told_by}) == told


def count_calls(state: CompanyState, run: SyncRun, *, was_full: bool) -> None:
    """Add a run's calls to its month."""
    if run.calls:
        key = (run.rail, name_month(run.ended_at or run.started_at))
        new = CallCount(run.calls, 0 if was_full else 1, 0 if was_full else run.calls)
        state.call_counts[key] = state.call_counts.get(key, CallCount()) + new


def _is_spare(run: SyncRun, runs: Iterable[SyncRun]) -> bool:
    """Whether a pull brought nothing and a later one of its connection says as much."""
    later = [
        one
        for one in runs
        if one.connection_id == run.connection_id and (one.started_at, one.run_id) > (run.started_at, run.run_id)
    ]
    if run.outcome is RunOutcome.SUCCEEDED:
        day = run.started_at.astimezone(UTC).date()
        later = [one for one in later if one.outcome is run.outcome and one.started_at.astimezone(UTC).date() == day]
    return bool(later) and not run.counts.changed and not run.counts.quarantined
