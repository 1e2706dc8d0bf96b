"""An execution rail: what pays bills, as far as it lets a program take part.

It is read like a ledger rail. What it adds is the smallest that no vendor refuses: to put a bill before the people who
approve payments there. Nothing in this port approves, releases or pays.
"""

from typing import Protocol, runtime_checkable

from runway_core.domain.changes import Change
from runway_core.domain.submissions import BillSubmission


@runtime_checkable
class ExecutionRail(Protocol):
    """What a rail of the execution role has besides being read."""

    async def submit_bill(self, bill: BillSubmission) -> Change:
        """Have a bill wait for approval at the rail, and return it as the rail then shows it: an `ExecutionBill`.

        One that the rail has already, however it came there, is returned as it is, and nothing is written. So repeating
        is harmless once it is known what became of the first.

        Raises:
            OutcomeUnknown: no answer came, and reading back did not show it: it may still appear; ask again later.
            RailRefused: the rail said no, or does not know the vendor: a person must change something there.
        """
        ...
