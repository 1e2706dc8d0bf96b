"""A process that writes a fix is killed at every point where it waits; another finds out, and writes nothing twice."""

import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from runway_core.domain.changes import Attribution, Change
from runway_core.domain.company import Company
from runway_core.domain.fixes import Fix, FixState
from runway_core.domain.identity import CompanyId, RecordKey
from runway_core.domain.papers import Paper
from runway_core.ports.ledger_rail import LedgerRail, RailContext, RecordFix
from runway_core.runway import Runway
from runway_core.services.fixes import SETTLING, FixChoice
from runway_testkit.clock import FixedClock
from runway_testkit.memory_papers import MemoryWorkingPapers
from runway_testkit.memory_rail import MemoryLedger, MemoryRail, MemoryRailFactory, MemorySettings
from runway_testkit.memory_store import MemoryStore
from runway_testkit.sample import READ_AT

from tests.core.desk import Killed, bank, bill

BILL = bill("B1").key


class Fate:
    """Counts the moments at which a process may die, and kills it at one of them."""

    def __init__(self) -> None:
        self.moment = 0
        self.dies_at: int | None = None

    def pass_by(self) -> None:
        if self.moment == self.dies_at:
            raise Killed
        self.moment += 1


class FatedPapers(MemoryWorkingPapers):
    """Papers whose saver may die before a transaction, or right after it."""

    def __init__(self, store: MemoryStore, fate: Fate) -> None:
        super().__init__(store.papers._states, store.papers._firms, store.subscriptions)
        self._fate = fate

    async def save_papers(
        self, company_id: CompanyId, papers: Sequence[Paper], *, attribution: Attribution, at: datetime
    ) -> Sequence[Paper]:
        self._fate.pass_by()
        saved = await super().save_papers(company_id, papers, attribution=attribution, at=at)
        self._fate.pass_by()
        return saved


class FatedRail(MemoryRail):
    """A rail whose caller may die before a call reaches it, or before its answer comes."""

    def __init__(self, ledger: MemoryLedger, fate: Fate) -> None:
        super().__init__(ledger)
        self._fate = fate

    async def apply_fix(self, fix: RecordFix, *, idempotency_key: str) -> Change:
        self._fate.pass_by()
        change = await super().apply_fix(fix, idempotency_key=idempotency_key)
        self._fate.pass_by()
        return change

    async def read_record(self, key: RecordKey) -> Change:
        self._fate.pass_by()
        return await super().read_record(key)

    async def aclose(self) -> None:
        self._fate.pass_by()


class FatedFactory(MemoryRailFactory):
    """Opens fated rails."""

    def __init__(self, fate: Fate) -> None:
        super().__init__()
        self._fate = fate

    def open(self, context: RailContext) -> LedgerRail:
        books = MemorySettings.model_validate(dict(context.settings)).books
        return FatedRail(self.ledgers.setdefault(books, MemoryLedger()), self._fate)


class FatedFirm:
    """A firm whose processes may die; the database and the vendor live on."""

    def __init__(self) -> None:
        self.fate = Fate()
        self.clock = FixedClock(READ_AT)
        self.store = MemoryStore(clock=self.clock)
        self.store.papers = FatedPapers(self.store, self.fate)
        self.factory = FatedFactory(self.fate)
        self.ledger = self.factory.ledgers["Acme"] = MemoryLedger(now=READ_AT - timedelta(hours=5))
        self.ledger.put(bank(), bill("B1", due_date=None))
        self.runway = Runway.open(store=self.store, rails=[self.factory], clock=self.clock)

    async def open(self) -> Company:
        company = await self.runway.companies.add("Acme", home_currency="USD", time_zone="America/Chicago")
        await self.runway.connections.add(company.company_id, rail="memory", settings={"books": "Acme"}, secrets={})
        await self.runway.sync(company.company_id)
        return company

    async def apply(self, company: Company) -> None:
        found = await self.runway.findings.list(company.company_id)
        choices = [FixChoice(t.finding_id) for t in found if t.finding.check == "AP01"]
        if choices:
            await self.runway.fixes.apply(company.company_id, choices, actor="ada")

    async def undo(self, company: Company) -> None:
        for fix in await self.fixes(company):
            if fix.undoes is None and fix.state in (FixState.WAITING, FixState.CONFIRMED):
                await self.runway.fixes.undo(company.company_id, fix.paper_id, actor="ada")

    async def fixes(self, company: Company) -> Sequence[Fix]:
        return await self.runway.fixes.list(company.company_id, include_closed=True)

    async def carry_on(self, company: Company) -> None:
        """Another process pulls, and pulls again once nothing can be on its way any more."""
        self.fate.dies_at = None
        for _ in range(3):
            self.pass_time(SETTLING)
            await self.runway.sync(company.company_id)

    def pass_time(self, by: timedelta) -> None:
        self.clock.advance(by)
        self.ledger.now += by


async def count_moments(*, undoing: bool) -> int:
    firm = FatedFirm()
    company = await firm.open()
    if undoing:
        await firm.apply(company)
        await firm.carry_on(company)
    start = firm.fate.moment
    await (firm.undo(company) if undoing else firm.apply(company))
    return firm.fate.moment - start


async def die_at(moment: int, *, undoing: bool = False) -> tuple[FatedFirm, Company]:
    """A firm in which the process that fixes, or takes a fix back, died at a moment."""
    firm = FatedFirm()
    company = await firm.open()
    if undoing:
        await firm.apply(company)
        await firm.carry_on(company)
    firm.fate.dies_at = firm.fate.moment + moment
    with pytest.raises(Killed):
        await (firm.undo(company) if undoing else firm.apply(company))
    firm.fate.dies_at = None
    return firm, company


async def test_there_are_moments_to_die_at() -> None:
    """Intent, call and answer, each before and after; closing the rail; a fix that is taken back alike."""
    assert await count_moments(undoing=False) == 7
    assert await count_moments(undoing=True) == 7


@pytest.mark.parametrize("moment", range(7))
@pytest.mark.parametrize("asks_again_at_once", [False, True])
async def test_a_killed_fix_is_written_once_and_confirmed(moment: int, asks_again_at_once: bool) -> None:
    firm, company = await die_at(moment)
    if asks_again_at_once:
        await firm.apply(company)
    await firm.carry_on(company)
    await firm.apply(company)  # whoever still sees the finding asks again
    await firm.carry_on(company)
    fixes = await firm.fixes(company)

    assert firm.ledger.revisions[BILL] == 1  # entered, and edited once
    assert [fix.state for fix in fixes if fix.state is not FixState.REFUSED] == [FixState.CONFIRMED]
    assert len(firm.ledger.written) == 1
    assert list(firm.ledger.written) == [fix.paper_id for fix in fixes if fix.state is FixState.CONFIRMED]
    assert list(await firm.runway.fixes.list(company.company_id)) == []


@pytest.mark.parametrize("moment", range(7))
async def test_a_killed_undoing_is_written_once_and_confirmed(moment: int) -> None:
    firm, company = await die_at(moment, undoing=True)
    await firm.carry_on(company)
    await firm.undo(company)
    await firm.carry_on(company)
    fixes = [fix for fix in await firm.fixes(company) if fix.state is not FixState.REFUSED]

    assert firm.ledger.revisions[BILL] == 2  # entered, mended, and put back once
    assert firm.ledger.bill(BILL.external_id).due_date is None
    assert {(fix.undoes is not None, fix.state) for fix in fixes} == {
        (False, FixState.UNDONE),
        (True, FixState.CONFIRMED),
    }


@pytest.mark.parametrize("moment", range(7))
async def test_whoever_finds_out_may_die_too(moment: int) -> None:
    """The pull after the kill is killed in its turn, at each moment it has."""
    for second in range(8):
        firm, company = await die_at(moment)
        firm.pass_time(SETTLING)
        firm.fate.dies_at = firm.fate.moment + second
        with contextlib.suppress(Killed):
            await firm.runway.sync(company.company_id)
        await firm.carry_on(company)
        await firm.apply(company)
        await firm.carry_on(company)

        assert firm.ledger.revisions[BILL] == 1
        states = [fix.state for fix in await firm.fixes(company) if fix.state is not FixState.REFUSED]
        assert states == [FixState.CONFIRMED]
