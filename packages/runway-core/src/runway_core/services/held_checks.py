"""What checks found in each company when they ran last, held in memory so that only what changed is checked again."""

from collections import OrderedDict

from runway_core.calculators.hygiene.rerun import CheckRun
from runway_core.domain.identity import CompanyId

VALUES_HELD = 16_000
"""So many records are held on to; the companies looked at longest ago are let go first."""


class HeldChecks:
    """The last run of each company. Losing one costs time only: all of its checks run again."""

    def __init__(self, limit: int = VALUES_HELD) -> None:
        self._limit = limit
        self._size = 0
        self._held: OrderedDict[CompanyId, tuple[int, CheckRun]] = OrderedDict()

    def find(self, company_id: CompanyId) -> CheckRun | None:
        """The last run of a company, or `None`."""
        held = self._held.get(company_id)
        if held is None:
            return None
        self._held.move_to_end(company_id)
        return held[1]

    def keep(self, company_id: CompanyId, run: CheckRun) -> None:
        """Hold this run instead of the one before, and let go of the oldest beyond the limit."""
        before = self._held.pop(company_id, None)
        self._size -= before[0] if before is not None else 0
        size = sum(len(value) for value in run.inputs.values() if isinstance(value, tuple))
        self._held[company_id] = size, run
        self._size += size
        while self._size > self._limit:
            _, (gone, _) = self._held.popitem(last=False)
            self._size -= gone
