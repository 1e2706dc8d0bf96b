"""What every store promises of what is known about the service itself."""

import asyncio
from datetime import UTC, datetime, timedelta

from runway_core.domain.alerts import AlertKind, Condition, Severity
from runway_core.domain.changes import RejectedRecord
from runway_core.domain.company import ConnectionState
from runway_core.domain.identity import CompanyId, FirmId, RecordKind
from runway_core.domain.quotas import CallCount
from runway_core.domain.service_levels import FreshnessSample, SampleSum
from runway_core.domain.sync_run import RunOutcome
from runway_core.ports.health_store import RunRate
from runway_core.ports.store import Store

from runway_testkit.store_desk import BY, StoreDesk, make_bill

OWN = FirmId("own")
LATER = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
SILENT = Condition("rail:qbo", AlertKind.RAIL_SILENT, Severity.PAGE, "qbo gives no answer", rail="qbo")


async def end_run(
    desk: StoreDesk,
    *,
    run: str,
    calls: int,
    at: datetime,
    was_full: bool = False,
    outcome: RunOutcome = RunOutcome.SUCCEEDED,
) -> None:
    """Let one pull end that made so many calls."""
    registry = desk.store.registry
    lease = await registry.take_lease(desk.connection, holder=run, now=at, lasts_seconds=60)
    begun = desk.make_run().model_copy(update={"run_id": run, "started_at": at})
    await registry.begin_run(lease, begun)
    ended = begun.model_copy(update={"ended_at": at, "outcome": outcome, "calls": calls})
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
        await store.health.add_calls(other.id, "qbo", 2, at=march)

        assert await store.health.call_counts("2026-03") == {"qbo": CallCount(28, 2, 6)}
        assert await store.health.company_calls(FirmId("own"), "2026-03") == {
            (CompanyId("acme"), "qbo"): CallCount(21, 1, 1)
        }
        assert await store.health.call_counts("2026-04") == {"qbo": CallCount(2, 1, 2)}

    async def test_pulls_that_ended_are_counted_by_how_they_ended(self, store: Store) -> None:
        desk = await StoreDesk(store).open()
        await StoreDesk(store, firm="other", company="zeta").open()
        await end_run(desk, run="a", calls=3, at=LATER)
        await end_run(desk, run="b", calls=1, at=LATER + timedelta(hours=1), outcome=RunOutcome.FAILED)
        rates = await store.health.run_rates(OWN, since=LATER)

        assert rates == {(CompanyId("acme"), "qbo"): RunRate(2, 1, 4)}
        assert await store.health.run_rates(OWN, since=LATER + timedelta(hours=2)) == {}

    async def test_records_in_quarantine_are_counted_by_rail_and_kind(self, store: Store) -> None:
        desk = await StoreDesk(store).open()
        bills = [RejectedRecord(RecordKind.BILL, name, "no date", b"{}") for name in ("7", "8")]
        nobody_knows = RejectedRecord(None, None, "no kind", b"{?}")
        await desk.commit(desk.make_page(rejected=[*bills, nobody_knows]))

        assert await store.health.quarantined(OWN) == {
            (CompanyId("acme"), "qbo", "bill"): 2,
            (CompanyId("acme"), "qbo", None): 1,
        }
        assert await store.health.quarantined(FirmId("other")) == {}

    async def test_quarantine_of_several_companies_is_read_together_the_newest_first(self, store: Store) -> None:
        acme = await StoreDesk(store).open()
        zeta = await StoreDesk(store, firm="other", company="zeta").open()
        for desk, ids in ((acme, ("1", "2")), (zeta, ("3",)), (acme, ("4",))):
            rejected = [RejectedRecord(RecordKind.BILL, external_id, "odd", b"{}") for external_id in ids]
            await desk.commit(desk.make_page(rejected=rejected))
        mirror = store.mirror
        both = await mirror.quarantine_of([acme.id, zeta.id], limit=10)

        assert {(held.company_id, held.external_id) for held in both} == {
            (acme.id, "1"), (acme.id, "2"), (acme.id, "4"), (zeta.id, "3"),
        }  # fmt: skip
        assert [held.last_seen_at for held in both] == sorted((held.last_seen_at for held in both), reverse=True)
        assert list(await mirror.quarantine_of([acme.id], limit=10)) == list(await mirror.quarantine(acme.id))
        assert list(await mirror.quarantine_of([acme.id, zeta.id], limit=2)) == list(both[:2])
        assert list(await mirror.quarantine_of([acme.id], rail="elsewhere", limit=10)) == []
        assert list(await mirror.quarantine_of([], limit=10)) == []

    async def test_samples_are_added_up_by_window_once_a_moment(self, store: Store) -> None:
        for minute, fresh in ((0, 10), (1, 8), (2, 0)):
            sample = FreshnessSample(
                taken_at=LATER + timedelta(minutes=minute), counted=10, fresh=fresh, oldest_seconds=60
            )
            assert await store.health.add_sample(OWN, sample)
            assert not await store.health.add_sample(OWN, sample.model_copy(update={"fresh": 3}))
        windows = [LATER + timedelta(minutes=minute) for minute in (2, 0, 3)]

        assert await store.health.sum_samples(OWN, since=windows) == [
            SampleSum(10, 0),
            SampleSum(30, 18),
            SampleSum(0, 0),
        ]
        assert await store.health.prune_samples(before=LATER + timedelta(minutes=2)) == 2
        assert await store.health.sum_samples(OWN, since=[LATER]) == [SampleSum(10, 0)]

    async def test_old_pulls_that_brought_nothing_are_forgotten_but_the_days_last(self, store: Store) -> None:
        """If this fails: each connection is pulled a hundred times a day, and each time leaves a row."""
        desk = await StoreDesk(store).open()
        await desk.put(make_bill())  # by the first run, which stays
        midnight = LATER.replace(hour=0)
        hours = {"yesterday": -1, "early": 0, "failed": 1, "noon": 12, "last": 23, "next": 24, "young": 48}
        for name, hour in hours.items():
            failed = RunOutcome.FAILED if name == "failed" else RunOutcome.SUCCEEDED
            await end_run(desk, run=name, calls=1, at=midnight + timedelta(hours=hour), outcome=failed)
        before = midnight + timedelta(hours=48)
        one = await store.health.prune_runs(before=before, limit=1)
        rest = await store.health.prune_runs(before=before)
        again = await store.health.prune_runs(before=before)
        kept = [run.run_id for run in await store.registry.runs(OWN, desk.id)]

        assert (one, rest, again) == (1, 2, 0)
        assert kept == ["young", "next", "last", "yesterday", "run-1"]

    async def test_a_connections_last_pull_stays_and_what_was_pruned_is_not_looked_at(self, store: Store) -> None:
        desk = await StoreDesk(store).open()
        for hour, name in enumerate(("a", "b", "c")):
            at = LATER + timedelta(hours=hour)
            await end_run(desk, run=name, calls=1, at=at, outcome=RunOutcome.FAILED)
        gone = await store.health.prune_runs(before=LATER + timedelta(days=9), since=LATER + timedelta(hours=1))

        assert gone == 1
        assert [run.run_id for run in await store.registry.runs(OWN, desk.id)] == ["c", "a", "run-1"]

    async def test_an_alert_is_raised_once_and_resolved_once(self, store: Store) -> None:
        raised = await store.health.settle_alerts(OWN, [SILENT], now=LATER)
        again = await store.health.settle_alerts(OWN, [SILENT], now=LATER + timedelta(minutes=1))
        resolved = await store.health.settle_alerts(OWN, [], now=LATER + timedelta(minutes=2))
        after = await store.health.settle_alerts(OWN, [], now=LATER + timedelta(minutes=3))

        assert [(alert.key, alert.raised_at, alert.resolved_at) for alert in raised] == [("rail:qbo", LATER, None)]
        assert [alert.resolved_at for alert in resolved] == [LATER + timedelta(minutes=2)]
        assert list(again) == list(after) == []
        assert await store.health.alerts(OWN) == []
        assert len(await store.health.alerts(OWN, resolved_since=LATER)) == 1
        assert await store.health.alerts(FirmId("other"), resolved_since=LATER) == []

    async def test_processes_that_settle_side_by_side_raise_one(self, store: Store) -> None:
        settled = await asyncio.gather(*(store.health.settle_alerts(OWN, [SILENT], now=LATER) for _ in range(4)))

        assert sum(len(changed) for changed in settled) == 1

    async def test_what_changed_is_told_once_and_again_when_the_teller_died(self, store: Store) -> None:
        await store.health.settle_alerts(OWN, [SILENT], now=LATER)
        claims = await asyncio.gather(*(store.health.claim_untold(OWN, now=LATER) for _ in range(3)))
        (claimed,) = (claim for claim in claims if claim)
        later = await store.health.claim_untold(OWN, now=LATER + timedelta(seconds=120))
        await store.health.mark_told(OWN, later)

        assert list(later) == list(claimed)
        assert list(await store.health.claim_untold(OWN, now=LATER + timedelta(hours=1))) == []

    async def test_it_is_remembered_which_teller_told_what_until_it_changes(self, store: Store) -> None:
        await store.health.settle_alerts(OWN, [SILENT], now=LATER)
        claimed = await store.health.claim_untold(OWN, now=LATER)
        await asyncio.gather(
            *(store.health.note_told(OWN, claimed, by=name) for name in ("mail", "webhook", "mail", "pager"))
        )
        (again,) = await store.health.claim_untold(OWN, now=LATER + timedelta(hours=1))
        await store.health.settle_alerts(OWN, [], now=LATER + timedelta(hours=2))
        await store.health.note_told(OWN, [again], by="horn")
        (resolved,) = await store.health.claim_untold(OWN, now=LATER + timedelta(hours=2))
        await store.health.note_told(OWN, [resolved], by="mail")
        await store.health.mark_told(OWN, [resolved])

        assert (sorted(again.told_by), resolved.told_by) == (["mail", "pager", "webhook"], ())
        assert list(await store.health.claim_untold(OWN, now=LATER + timedelta(hours=9))) == []

    async def test_an_alert_that_changed_while_it_was_told_is_told_again(self, store: Store) -> None:
        await store.health.settle_alerts(OWN, [SILENT], now=LATER)
        claimed = await store.health.claim_untold(OWN, now=LATER)
        await store.health.settle_alerts(OWN, [], now=LATER + timedelta(seconds=5))
        await store.health.mark_told(OWN, claimed)
        (resolved,) = await store.health.claim_untold(OWN, now=LATER + timedelta(seconds=6))

        assert resolved.resolved_at == LATER + timedelta(seconds=5)
