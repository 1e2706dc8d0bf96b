"""Our own first load, mirror and log, in a process of its own; what is computed from it afterwards is told apart."""

import json
import sys
from time import process_time

from runway_app_http.collector import tune_allocator, tune_collector
from runway_app_http.loops import run_async
from runway_core.domain.identity import CompanyId
from runway_core.domain.log_entry import ChainHead, LogDraft, LogEntry
from runway_core.sync.orchestrator import SyncOrchestrator
from runway_core.sync.smart_sync import SmartSyncService
from runway_store_sql import page
from runway_store_sql.bulk import insert_rows
from runway_store_sql.rows import encode_moment
from runway_store_sql.tables import log_entries
from sqlalchemy import Connection

from tests.bench.connected import connected
from tests.bench.machine import Stopwatch, peak_mib


async def load(arguments: dict[str, object]) -> dict[str, object]:
    """Connect every company, pull everything, then compute every position; connecting is not counted.

    The peers load rows and compute nothing, so the load ends when all rows, log and cursors are committed. Findings and
    positions are timed by themselves.
    """
    lighter = _LIGHTER.get(str(arguments.get("log", "")))
    if lighter is not None:
        page.append_entries = lighter  # type: ignore[attr-defined]  # for this process alone
    async with connected(str(arguments["url"]), dict(arguments["ready"])) as runway:  # type: ignore[call-overload]  # JSON
        scope = runway.scope
        if lighter is not None:
            await scope.store.database.migrate(_free_chains)  # type: ignore[attr-defined]  # a store of SQL
        orchestrator = SyncOrchestrator(scope.store, runway.rails, scope.clock, scope.new_id)
        pulls = SmartSyncService(orchestrator, scope.clock, scope.new_id, _leave_positions)
        companies = await runway.companies.list()
        work = [(company, await runway.connections.list(company.company_id)) for company in companies]
        began = process_time()
        with Stopwatch() as loading:
            reports = await pulls.sync_companies(work)
        working = process_time() - began
        with Stopwatch() as computing:
            done = await runway.positions.recompute_due()
        for report in reports:
            assert not report.failed, [run.error for run in report.failed]
        assert len(done) == len(companies)
        return {
            "rows": sum(report.counts.created for report in reports),
            "seconds": loading.seconds,
            "positions_seconds": computing.seconds,
            "processor_seconds": working,
            "peak_mib": peak_mib(),
        }


def _number_entries(
    connection: Connection, company_id: CompanyId, head: ChainHead, drafts: list[LogDraft]
) -> tuple[list[LogEntry], ChainHead]:
    """What a load without a log would do in place of sealing and writing entries: count them."""
    del connection
    entries = [
        LogEntry(company_id, head.sequence + place, draft, b"", b"", b"") for place, draft in enumerate(drafts, start=1)
    ]
    return entries, ChainHead(sequence=head.sequence + len(drafts), hash=head.hash)


def _write_plainly(
    connection: Connection, company_id: CompanyId, head: ChainHead, drafts: list[LogDraft]
) -> tuple[list[LogEntry], ChainHead]:
    """The same rows without chain and seals: what an entry says, as it is, and no hash."""
    if not drafts:
        return [], head
    entries = [
        LogEntry(company_id, head.sequence + place, one, b"", b"", b"".join((one.content, one.raw, one.changed)))
        for place, one in enumerate(drafts, start=1)
    ]
    seen_at, by = encode_moment(drafts[0].seen_at), drafts[0].attribution.correlation_id
    rows = [
        (company_id, number, seen_at, one.rail, one.kind, one.external_id, one.what, by, b"", b"", held)
        for _, number, one, _, _, held in entries
    ]
    insert_rows(connection, log_entries, rows)
    return entries, ChainHead(sequence=head.sequence + len(drafts), hash=head.hash)


_LIGHTER = {"none": _number_entries, "plain": _write_plainly}


def _free_chains(connection: Connection) -> None:
    """PostgreSQL moves heads with entries alone, and takes no entry that does not follow its head."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("ALTER TABLE log_heads DISABLE TRIGGER log_heads_keep")
        connection.exec_driver_sql("ALTER TABLE log_entries DISABLE TRIGGER log_entries_follow")


async def _leave_positions(company_id: CompanyId, has_moved: bool) -> None:
    """Positions are computed once all rows are there."""
    del company_id, has_moved


if __name__ == "__main__":
    tune_allocator()  # as the app does
    tune_collector()
    print(json.dumps(run_async(load(json.loads(sys.argv[1])))))
