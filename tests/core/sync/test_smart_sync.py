"""The one door to the rails: what people ask for together is done once, and what does not answer is left alone."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.domain.changes import Cause
from runway_core.domain.company import Company
from runway_core.domain.identity import RecordKind
from runway_core.errors import RailUnavailable
from runway_core.sync.freshness import CRITICAL_KINDS, HISTORY_KINDS, STANDARD_KINDS, Freshness, TimeToLive
from runway_core.sync.orchestrator import PullRequest

from tests.core.desk import FirmDesk, bank, bill

DOWN = RailUnavailable("memory: no answer", rail="memory")
BY_HAND = PullRequest(cause=Cause.PERSON, actor="ann")


async def pull(desk: FirmDesk, company: Company, *, times: int = 1, request: PullRequest | None = None) -> list[str]:
    """What became of pulls, a second apart."""
    outcomes = []
    for _ in range(times):
        report = await desk.runway.sync(company.company_id, request=request or PullRequest())
        outcomes += [run.error or "well" for run in report.runs]
        desk.later(seconds=1)
    return outcomes


async def count_runs(desk: FirmDesk, company: Company) -> int:
    return len(await desk.store.registry.runs(company.firm_id, company.company_id, limit=1000))


async def test_equal_requests_of_people_are_one_pull() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1"))
    reports = await asyncio.gather(
        *(desk.runway.sync(acme.company_id, request=PullRequest(cause=Cause.PERSON, actor=who)) for who in "abc")
    )

    assert len({run.run_id for report in reports for run in report.runs}) == 1
    assert await count_runs(desk, acme) == 1


async def test_who_goes_away_leaves_the_pull_to_the_others_and_the_last_one_stops_it() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1"))
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def hold(_: int) -> None:
        reached.set()
        await go_on.wait()

    desk.factory.hooks["Acme"] = hold
    first, second = (asyncio.create_task(desk.runway.sync(acme.company_id, request=BY_HAND)) for _ in range(2))
    await reached.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert not second.done()
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second

    (run,) = await desk.store.registry.runs(acme.firm_id, acme.company_id)
    assert run.ended_at is not None


async def test_who_comes_while_a_pull_is_being_stopped_is_not_stopped_with_it() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1"))
    reached, stopping, go_on = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def stop_slowly(_: int) -> None:
        reached.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopping.set()
            await go_on.wait()

    desk.factory.hooks["Acme"] = stop_slowly
    first = asyncio.create_task(desk.runway.sync(acme.company_id, request=BY_HAND))
    await reached.wait()
    first.cancel()
    await stopping.wait()
    del desk.factory.hooks["Acme"]
    second = asyncio.create_task(desk.runway.sync(acme.company_id, request=BY_HAND))
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await first
    report = await second

    assert [run.error_code for run in report.runs] == ["lease-held"]  # its news is on the way
    assert await pull(desk, acme, request=BY_HAND) == ["well"]


async def test_who_asks_for_a_comparison_does_not_get_a_mere_pull() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1"))
    reports = await asyncio.gather(
        *(desk.runway.sync(acme.company_id, request=replace(BY_HAND, sweep=sweep)) for sweep in (False, True))
    )

    assert len({run.run_id for report in reports for run in report.runs}) == 2


async def test_a_rail_that_keeps_not_answering_is_left_alone_and_the_labelled_mirror_answers() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1"))
    await pull(desk, acme)
    desk.ledger("Acme").fail_next(*[DOWN] * 5)
    await pull(desk, acme, times=5)
    runs = await count_runs(desk, acme)
    outcomes = await pull(desk, acme, times=3)
    digest = await desk.runway.digest(acme.company_id)

    assert await count_runs(desk, acme) == runs  # not even tried
    assert all("is left alone until" in outcome for outcome in outcomes)
    assert digest.freshness[0].source_read_at is not None


async def test_a_person_is_the_probe_and_its_success_lets_everybody_through() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1"))
    desk.ledger("Acme").fail_next(*[DOWN] * 5)
    await pull(desk, acme, times=5)

    assert await pull(desk, acme, request=BY_HAND) == ["well"]
    assert await pull(desk, acme) == ["well"]


async def test_a_reader_who_minds_has_only_old_data_pulled() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1"))
    runs = []
    for wait in (0, 10, 10):
        desk.later(minutes=wait)
        await desk.runway.digest(acme.company_id, freshness=Freshness.WITHIN_TTL)
        runs.append(await count_runs(desk, acme))

    assert runs == [1, 1, 2]  # read two minutes back by the rail's clock: 12, then 22 minutes old


@given(kinds=st.frozensets(st.sampled_from(RecordKind), min_size=1))
def test_the_most_urgent_kind_decides_how_old_data_may_be(kinds: frozenset[RecordKind]) -> None:
    usual = TimeToLive()
    expected = [
        length
        for members, length in (
            (CRITICAL_KINDS, usual.critical),
            (STANDARD_KINDS, usual.standard),
            (HISTORY_KINDS, usual.history),
        )
        if members & kinds
    ]

    assert usual.of(kinds) == min(expected)
