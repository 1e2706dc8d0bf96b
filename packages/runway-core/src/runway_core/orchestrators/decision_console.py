"""What the decision console needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from runway_core.calculators.proposed_decisions import ProposedDecisions, propose_decisions
from runway_core.domain.books import Books
from runway_core.domain.company import Connection
from runway_core.domain.decisions import Decision
from runway_core.domain.identity import CompanyId
from runway_core.services.books import BooksService
from runway_core.services.companies import ConnectionService
from runway_core.services.decisions import DecisionService
from runway_core.services.findings import FindingService
from runway_core.services.past import PastService

CLOSED_SHOWN = 20
"""So many recorded and withdrawn decisions are shown beside the open ones."""


@dataclass(frozen=True, slots=True)
class ConsoleData:
    """Books, what policy proposes for the ready bills, and what was decided."""

    books: Books
    connections: Sequence[Connection]
    proposed: ProposedDecisions
    closed: Sequence[Decision]  # the last ones


class DecisionConsoleDataOrchestrator:
    """Gathers books, proposal and decisions of one company. Proposes; pays nothing."""

    def __init__(
        self,
        books: BooksService,
        connections: ConnectionService,
        findings: FindingService,
        decisions: DecisionService,
        *,
        past: PastService,
    ) -> None:
        self._books = books
        self._connections = connections
        self._findings = findings
        self._decisions = decisions
        self._past = past

    async def gather(self, company_id: CompanyId, known_at: datetime | None = None) -> ConsoleData:
        """Read one company once, as it is or as it was known at a moment.

        Raises:
            NotFound: no such company in this firm, or it was not known yet.
            InvalidRequest: the moment lies ahead.
        """
        if known_at is not None:
            past = await self._past.read(company_id, known_at)
            return ConsoleData(
                books=past.books,
                connections=past.books.connections,
                proposed=propose_decisions(past.books, past.findings),
                closed=past.closed_decisions[:CLOSED_SHOWN],
            )
        books = await self._books.read(company_id)
        findings = await self._findings.list(company_id)
        connections = await self._connections.list(company_id)
        last = await self._decisions.list(company_id, include_closed=True, limit=CLOSED_SHOWN + len(books.decisions))
        closed = [decision for decision in last if decision.is_closed]
        return ConsoleData(
            books=books, connections=connections, proposed=propose_decisions(books, findings), closed=closed
        )
