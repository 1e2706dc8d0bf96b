"""What could not be understood is read again once its cause is mended, or dropped with a reason."""

from dataclasses import dataclass

import pytest
from runway_core.domain.changes import Cause
from runway_core.domain.company import Company
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.errors import InvalidRequest, NotFound, RailThrottled
from runway_core.services.quarantine import Replay
from runway_testkit.memory_rail import MemoryLedger

from tests.core.desk import FirmDesk, bill

NAMES = ("B1", "B2", "B3")


@dataclass
class House:
    """A company two of whose three bills were not understood, and whose rail has no more news of them."""

    desk: FirmDesk
    company: Company
    ledger: MemoryLedger

    async def held(self) -> dict[str | None, str]:
        records = await self.desk.runway.quarantine(self.company.company_id)
        return {record.external_id: record.quarantine_id for record in records}

    async def replay(self, *ids: str) -> Replay:
        return await self.desk.runway.quarantines.replay(self.company.company_id, ids or None, actor="ada")

    async def mirrored(self) -> set[RecordKey]:
        return set(await self.desk.mirror(self.company))

    def mend(self, *names: str) -> None:
        """The program learns to read them: at the rail nothing happens."""
        for name in names:
            del self.ledger.unreadable[key(name)]


def key(name: str) -> RecordKey:
    return RecordKey(RecordKind.BILL, name)


@pytest.fixture
async def house() -> House:
    desk = FirmDesk()
    company = await desk.connect("Acme", *(bill(name) for name in NAMES))
    ledger = desk.ledger("Acme")
    for name in NAMES[:2]:
        ledger.spoil(key(name), reason="no date", raw=b"{}")
    await desk.runway.sync(company.company_id)
    return House(desk, company, ledger)


async def test_a_pull_does_not_bring_again_what_is_no_news_and_a_replay_does(house: House) -> None:
    house.mend("B1", "B2")
    await house.desk.runway.sync(house.company.company_id)
    before = set(await house.held())
    replayed = await house.replay()

    assert before == {"B1", "B2"}
    assert {record.external_id for record in replayed.mended} == {"B1", "B2"}
    assert (await house.held(), replayed.left) == ({}, ())
    assert await house.mirrored() == {key(name) for name in NAMES}
    [*_, last] = await house.desk.runway.history(house.company.company_id, key("B1"))
    assert (last.draft.what, last.draft.attribution.cause, last.draft.attribution.actor) == (
        "created",
        Cause.PERSON,
        "ada",
    )


async def test_what_is_still_not_understood_stays_and_keeps_nothing_back(house: House) -> None:
    house.mend("B1")
    replayed = await house.replay()

    assert [record.external_id for record in replayed.left] == ["B2"]
    assert key("B1") in await house.mirrored()


async def test_single_records_may_be_named_and_a_repeat_is_harmless(house: House) -> None:
    house.mend("B1", "B2")
    held = await house.held()
    await house.replay(held["B1"])
    left = set(await house.held())
    length = await house.desk.runway.log_length(house.company.company_id)
    with pytest.raises(NotFound):
        await house.replay(held["B1"])

    assert left == {"B2"}
    assert await house.desk.runway.log_length(house.company.company_id) == length


async def test_a_rail_that_gives_no_answer_leaves_all_in_quarantine(house: House) -> None:
    house.mend("B1", "B2")
    house.ledger.fail_next(RailThrottled("too many calls", rail="memory"))
    replayed = await house.replay()

    assert (len(replayed.left), replayed.mended) == (2, ())
    assert [run.error_code for run in replayed.runs] == [RailThrottled.code]


async def test_what_is_gone_at_the_rail_is_not_understood_by_that(house: House) -> None:
    house.mend("B1")
    del house.ledger.records[key("B1")]
    replayed = await house.replay((await house.held())["B1"])

    assert [record.external_id for record in replayed.left] == ["B1"]
    assert key("B1") not in await house.mirrored()


async def test_a_discard_wants_a_reason_and_is_logged_with_it(house: House) -> None:
    company_id, held = house.company.company_id, await house.held()
    quarantines = house.desk.runway.quarantines
    for reason in ("", "  ", "x" * 501):
        with pytest.raises(InvalidRequest):
            await quarantines.discard(company_id, held["B1"], reason=reason, actor="ada")
    await quarantines.discard(company_id, held["B1"], reason="a test  of theirs", actor="ada")
    with pytest.raises(NotFound):
        await quarantines.discard(company_id, held["B1"], reason="again", actor="ada")
    entries = [entry async for entry in house.desk.store.log.entries(company_id)]

    assert set(await house.held()) == {"B2"}
    assert entries[-1].draft.what == "quarantine_discarded"
    assert b"a test of theirs" in entries[-1].draft.content
    assert entries[-1].draft.attribution.actor == "ada"
