"""What the decision console needs."""

from collections.abc import Sequence
from dataclasses import dataclass

from runway_core.domain.books import Books
from runway_core.domain.company import Connection
from runway_core.domain.identity import CompanyId
from runway_core.services.bills import BillForDecision, split_by_readiness
from runway_core.services.books import BooksService
from runway_core.services.companies import ConnectionService
from runway_core.services.findings import FindingService


@dataclass(frozen=True, slots=True)
class ConsoleData:
    """Books, and the open bills split into those ready for a decision and those held back."""

    books: Books
    connections: Sequence[Connection]
    ready: Sequence[BillForDecision]
    held: Sequence[BillForDecision]


class DecisionConsoleDataOrchestrator:
    """Gathers books and the readiness of bills of one company. Proposes; pays nothing."""

    def __init__(self, books: BooksService, connections: ConnectionService, findings: FindingService) -> None:
        self._books = books
        self._connections = connections
        self._findings = findings

    async def gather(self, company_id: CompanyId) -> ConsoleData:
        """Read one company once.

        Raises:
            NotFound: no such company in this firm.
        """
        books = await self._books.read(company_id)
        ready, held = split_by_readiness(books, await self._findings.list(company_id))
        connections = await self._connections.list(company_id)
        return ConsoleData(books=books, connections=connections, ready=ready, held=held)
