"""What is stored about the service itself, in memory."""

from collections.abc import Mapping

from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.quotas import CallCount, name_month
from runway_core.domain.sync_run import SyncRun

from runway_testkit.memory_state import CompanyState


class MemoryHealthStore:
    """The `HealthStore` in memory."""

    def __init__(self, states: dict[CompanyId, CompanyState]) -> None:
        self._states = states

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


def count_calls(state: CompanyState, run: SyncRun, *, was_full: bool) -> None:
    """Add a run's calls to its month."""
    if run.calls:
        key = (run.rail, name_month(run.ended_at or run.started_at))
        new = CallCount(run.calls, 0 if was_full else 1, 0 if was_full else run.calls)
        state.call_counts[key] = state.call_counts.get(key, CallCount()) + new
