"""BK02: the bank was not read lately, so that cash is yesterday's or older."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from runway_core.calculators.cash import BANK_FRESH, BANK_USABLE
from runway_core.calculators.hygiene.bank_evidence import find_newest_balances
from runway_core.calculators.hygiene.check import build_finding
from runway_core.domain.books import Books
from runway_core.domain.company import Connection, ConnectionState
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.identity import RecordKey, RecordKind


class BankConnectionStale:
    """A connection that reads a bank and last did so over 24 hours ago (over 72: high), or whose consent expired.

    Which connections read a bank is told by what they brought. Connections that were switched off are left alone; a
    balance that no connection stands behind came from a file and grows old by itself.
    """

    id = "BK02"
    name = "bank_connection_stale"
    floor = Severity.MEDIUM
    effect = RunwayEffect.CONFIDENCE
    reads = frozenset({"bank_balances", "bank_transactions", "connections", "read_at"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every such connection."""
        balances = find_newest_balances(books)
        last_read: dict[str, datetime] = {}
        for balance in balances.values():
            last_read[balance.rail] = max(last_read.get(balance.rail, balance.read_at), balance.read_at)
        rails = {line.rail for line in books.bank_transactions} | last_read.keys()
        for connection in books.connections:
            if connection.rail not in rails or connection.state is ConnectionState.DISCONNECTED:
                continue
            known = [at for at in (connection.last_success_at, last_read.get(connection.rail)) if at is not None]
            read_at = max(known, default=None)
            age = books.read_at - (read_at or connection.created_at)
            is_expired = connection.state is ConnectionState.RECONNECT_NEEDED
            if age > BANK_FRESH or is_expired:
                severity = Severity.HIGH if age > BANK_USABLE else self.floor
                yield self._report(books, connection, read_at, severity=severity, is_expired=is_expired)

    def _report(
        self, books: Books, connection: Connection, read_at: datetime | None, *, severity: Severity, is_expired: bool
    ) -> Finding:
        said = "never" if read_at is None else f"{read_at:%Y-%m-%d %H:%M} UTC"
        why = "must be authorised again" if is_expired else "was not read for over a day"
        label = f"Connect {connection.rail} again" if is_expired else f"Read {connection.rail} again, else reconnect it"
        return build_finding(
            self,
            books,
            subjects=(RecordKey(RecordKind.CONNECTION, connection.connection_id),),
            severity=severity,
            summary=f"The bank connection {connection.rail} {why}; last read: {said}",
            evidence=_show(connection, read_at),
            fixes=(SuggestedFix(label=label),),
        )


def _show(connection: Connection, read_at: datetime | None) -> Iterator[Evidence]:
    said = "never" if read_at is None else read_at.isoformat()
    yield Evidence(name="last_read", value=said, rail=connection.rail, read_at=read_at)
    yield Evidence(name="state", value=connection.state.value, rail=connection.rail)
    yield Evidence(name="last_error", value=connection.last_error_code or "none", rail=connection.rail)
