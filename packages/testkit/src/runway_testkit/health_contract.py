"""What every store promises of what is known about the service itself."""

from datetime import UTC, datetime

from runway_core.domain.company import ConnectionState
from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.quotas import CallCount
from runway_core.domain.sync_run import RunOutcome
from runway_core.ports.store import Store

from runway_testkit.store_desk import BY, StoreDesk


async def end_run(desk: StoreDesk, *, run: str, calls: int, at: datetime, was_full: bool = False) -> None:
    """Let one pull end that made so many calls."""
    registry = desk.store.registry
    lease = await registry.take_lease(desk.connection, holder=run, now=at, lasts_seconds=60)
    begun = desk.make_run().model_copy(update={"run_id": run, "started_at": at})
    await registry.begin_run(lease, begun)
    ended = begun.model_copy(update={"ended_at": at, "outcome": RunOutcome.SUCCEEDED, "calls": calls})
    await registry.end_run(
        lease, ended, state=ConnectionState.ACTIVE, source_read_at=at, was_full=was_full, attribution=BY
    )


class HealthStoreContract:
    """Promises of the health store."""

    async def test_calls_are_counted_by_rail_company_and_month_as_runs_end(self, store: Store) -> None:
        own = await StoreDesk(store).open()
        other = await StoreDesk(store, firm="other", company="zeta").open()
        march, april = datetime(2026, 3, 31, 23, 59, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
        await end_run(own, run="a", calls=20, at=march, was_full=True)
        await end_run(own, run="b", calls=1, at=march)
        await end_run(own, run="c", calls=2, at=april)
        await end_run(other, run="d", calls=5, at=march)

        assert await store.health.call_counts("2026-03") == {"qbo": CallCount(26, 2, 6)}
        assert await store.health.company_calls(FirmId("own"), "2026-03") == {
            (CompanyId("acme"), "qbo"): CallCount(21, 1, 1)
        }
        assert await store.health.call_counts("2026-04") == {"qbo": CallCount(2, 1, 2)}
