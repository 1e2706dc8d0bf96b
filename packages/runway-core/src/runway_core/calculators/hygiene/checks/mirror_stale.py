"""SY01: the mirror is old, so that every figure is."""

from collections.abc import Iterable
from datetime import timedelta

from runway_core.calculators.hygiene.check import build_finding
from runway_core.domain.books import Books
from runway_core.domain.company import Connection, ConnectionState
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix


class MirrorStale:
    """A connection whose last whole pull is over 26 hours ago (a setting). One finding a company names them all."""

    id = "SY01"
    name = "mirror_stale"
    floor = Severity.HIGH
    effect = RunwayEffect.CONFIDENCE
    reads = frozenset({"connections", "read_at"})

    def find(self, books: Books) -> Iterable[Finding]:
        """At most one finding; connections that were switched off are left alone."""
        allowed = timedelta(hours=books.company.settings.stale_mirror_hours)
        stale = sorted(
            (
                connection
                for connection in books.connections
                if connection.state is not ConnectionState.DISCONNECTED
                and books.read_at - (connection.last_success_at or connection.created_at) > allowed
            ),
            key=lambda connection: (connection.rail, connection.connection_id),
        )
        if stale:
            rails = ", ".join(dict.fromkeys(connection.rail for connection in stale))
            yield build_finding(
                self,
                books,
                subjects=(),
                summary=f"Not read for over {books.company.settings.stale_mirror_hours} hours: {rails}",
                evidence=[evidence for connection in stale for evidence in _show(connection)],
                fixes=tuple(_suggest(connection) for connection in stale),
            )


def _show(connection: Connection) -> Iterable[Evidence]:
    read_at = connection.last_success_at
    said = "never" if read_at is None else read_at.isoformat()
    yield Evidence(name=f"{connection.rail} {connection.connection_id} last_success_at", value=said)
    if connection.last_error_code is not None:
        yield Evidence(
            name=f"{connection.rail} {connection.connection_id} last_error", value=connection.last_error_code
        )


def _suggest(connection: Connection) -> SuggestedFix:
    if connection.state is ConnectionState.RECONNECT_NEEDED:
        return SuggestedFix(label=f"Connect {connection.rail} again")
    return SuggestedFix(label=f"Read {connection.rail} again")
