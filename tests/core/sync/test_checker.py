"""The checker finds nothing in a sound run full of kills, and each broken part by the invariant that it breaks."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr
from runway_core.domain.call_budget import SECOND, BudgetAsk, CallLimit, CallWindow
from runway_core.domain.changes import Attribution, Cause
from runway_core.domain.identity import CompanyId, ConnectionId, RecordKey, RecordKind
from runway_core.domain.jobs import Lane
from runway_core.domain.kinds import RECORD_CLASSES
from runway_core.domain.log_entry import LogDraft, from_microseconds, to_microseconds
from runway_core.domain.webhooks import DeliveryKey
from runway_core.errors import RailUnavailable
from runway_core.ports.mirror_store import Lease
from runway_core.sync.orchestrator import LEASE_SECONDS, PullRequest
from runway_core.sync.schedule import make_pull
from runway_testkit.invariants import (
    Version,
    Violation,
    find_broken_books,
    find_cursors_gone_back,
    find_differences,
    find_place,
    find_uncovered_cursors,
    name_broken,
    say,
)
from runway_testkit.invariants_of_edges import (
    compute_anew,
    find_inexact_amounts,
    find_overruns,
    find_secrets,
    find_strangers,
    find_unequal_totals,
    find_wrong_positions,
)
from runway_testkit.invariants_of_work import News, find_lost_jobs, find_lost_news, find_work_out_of_order
from runway_testkit.memory_calls import MemoryCallLedger
from runway_testkit.memory_inbox import MemoryInbox
from runway_testkit.memory_jobs import MemoryJobQueue
from runway_testkit.memory_outbox import MemoryOutbox
from runway_testkit.memory_webhooks import sign_webhook, write_webhook
from runway_testkit.remains import Remains, read_memory

from tests.core.broken_stores import (
    AnswerBeforeCommit,
    BlindClaims,
    CentsAreRounded,
    ChainHeadUnchecked,
    CursorInItsOwnTransaction,
    DoneBeforeWork,
    ForgetfulReaper,
    LogInItsOwnTransaction,
    MortalMirror,
    NoCompanyPredicate,
    NoFencing,
    NoVersionGuard,
    OutboxInItsOwnTransaction,
    PositionNotDue,
    RenewedUnseen,
    UnchangedRowsAreWritten,
)
from tests.core.desk import FirmDesk, Killed, bill

NAMES = ("Acme", "Bravo")
SECRET = "canary-token-5c1e"
PRICE: Any = Decimal("100.3500")
LATE = Attribution(cause=Cause.PULL, actor="runway", correlation_id="late")


@dataclass
class Trial:
    """Two connected companies, what was acknowledged to their rails, and what every look found broken."""

    desk: FirmDesk
    companies: dict[str, CompanyId]
    mortal: MortalMirror
    acknowledged: dict[DeliveryKey, News]
    found: list[Violation]
    before: Remains | None = None

    @classmethod
    async def begin(cls, mirror: type[MortalMirror], inbox: type[MemoryInbox], queue: type[MemoryJobQueue]) -> "Trial":
        desk = FirmDesk(page_size=2)
        store = desk.store
        mortal = store.mirror = mirror(store._states, store._firms)
        if mirror is NoFencing:
            store.registry = RenewedUnseen(store._states, desk.clock, store.subscriptions)
        store.jobs = queue(store._states)
        store.outbox, store.inbox = MemoryOutbox(store._states, store.jobs), inbox(store._states, store.jobs)
        companies = {}
        for name in NAMES:
            records = [bill(f"B{number}", PRICE, memo=f"canary of {name}") for number in range(3)]
            companies[name] = (await desk.connect(name, *records)).company_id
        trial = cls(desk, companies, mortal, {}, [])
        for name in NAMES:
            await trial.pull(name)
            await store.vault.save(await trial.connection_id(name), {"token": SecretStr(SECRET)})
        await trial.look()
        return trial

    async def connection_id(self, name: str) -> ConnectionId:
        (connection,) = await self.desk.runway.connections.of(self.companies[name])
        return connection.connection_id

    async def pull(self, name: str) -> None:
        await self.desk.runway.sync(self.companies[name])

    async def pull_until_killed(self, name: str, page: int, dies: str) -> None:
        async def doom(number: int) -> None:
            if number == page:
                self.mortal.dies = dies

        self.desk.factory.hooks[name] = doom
        with suppress(Killed):
            await self.pull(name)
        self.desk.factory.hooks.clear()
        self.mortal.dies = None
        await self.look()
        self.desk.later(seconds=LEASE_SECONDS + 1)

    def edit(self, name: str, *numbers: int, total: Any = PRICE) -> None:
        records = [bill(f"B{number}", total, memo=f"canary of {name}") for number in numbers]
        self.desk.ledger(name).put(*records)

    async def hear(self, name: str, number: int) -> None:
        """The rail says that a bill was edited, and is answered."""
        ledger, key = self.desk.ledger(name), RecordKey(RecordKind.BILL, f"B{number}")
        body = write_webhook(name, key, name=f"d{len(ledger.events)}")
        secret = SecretStr("signing")
        await self.desk.runway.webhooks.receive(
            "memory", sign_webhook(body, secret.get_secret_value()), body, secrets=[secret]
        )
        versions = {key: ledger.versions_at(len(ledger.events))[key]}
        self.acknowledged[DeliveryKey("memory", f"d{len(ledger.events)}")] = News(self.companies[name], versions)

    async def look(self) -> None:
        """Check all that holds at every moment."""
        remains = read_memory(self.desk.store)
        self.found += find_broken_books(remains)
        self.found += find_work_out_of_order(remains)
        self.found += find_lost_news(remains, self.acknowledged, self.was_deleted)
        self.found += find_inexact_amounts(remains)
        places = self.places(remains)
        self.found += find_uncovered_cursors(
            remains,
            {c: self.desk.ledger(name).versions_at(places[c]) for c, name in (await self.connection_names()).items()},
            self.was_deleted,
        )
        if self.before is not None:
            self.found += find_lost_jobs(self.before, remains)
            self.found += find_cursors_gone_back(self.places(self.before), places)
        self.found += find_strangers(
            {one: await self.show(one) for one in self.companies.values()},
            {one: f"canary of {name}".encode() for name, one in self.companies.items()},
        )
        self.found += find_secrets({one: await self.show(one) for one in self.companies.values()}, [SECRET.encode()])
        self.found += find_wrong_positions(remains, {one: await self.recompute(one) for one in remains.companies})
        self.before = remains

    def was_deleted(self, company_id: CompanyId, key: RecordKey, version: Version) -> bool:
        (name,) = (name for name, one in self.companies.items() if one == company_id)
        return self.desk.ledger(name).was_deleted(key, version)

    @staticmethod
    def places(remains: Remains) -> dict[ConnectionId, int]:
        tokens = [pair for company in remains.companies.values() for pair in company.cursors.items()]
        return {connection_id: find_place(token) or 0 for connection_id, token in tokens}

    async def connection_names(self) -> Mapping[ConnectionId, str]:
        return {await self.connection_id(name): name for name in NAMES}

    async def recompute(self, company_id: CompanyId) -> Any:
        held = await self.desk.runway.positions.current(company_id)
        books = await self.desk.runway.books.read(company_id, as_of=None if held is None else held.as_of)
        return compute_anew(books, await self.desk.store.positions.findings(company_id))

    async def show(self, company_id: CompanyId) -> bytes:
        """All that a company's readers are shown."""
        store, firm_id = self.desk.store, self.desk.runway.scope.firm_id
        found = [
            held for kind in RECORD_CLASSES for held in await store.mirror.find_records(company_id, kind, limit=1000)
        ]
        entries = [entry.canonical async for entry in store.log.entries(company_id)]
        told: Sequence[object] = (
            await store.registry.runs(firm_id, company_id),
            await store.registry.connections(firm_id, company_id),
            await store.positions.findings(company_id),
            await store.positions.position(firm_id, company_id),
        )
        texts = [held.record.content() for held in found] + [held.raw for held in found] + entries
        return b"\n".join([*texts, repr(told).encode()])

    async def settle(self) -> None:
        """Faults have stopped: pull once, and compare with the sources."""
        self.desk.later(seconds=LEASE_SECONDS + 1)
        await self.desk.runway.webhooks.give_out()
        for name in NAMES:
            await self.pull(name)
        await self.look()
        remains = read_memory(self.desk.store)
        ledgers = {one: self.desk.ledger(name) for name, one in self.companies.items()}
        self.found += find_differences(
            remains, {one: {k: r.content() for k, r in held.records.items()} for one, held in ledgers.items()}
        )
        self.found += find_unequal_totals(remains, {one: list(held.records.values()) for one, held in ledgers.items()})


# --- what happens to them ---


async def die_beside_a_commit(trial: Trial) -> None:
    """Killed before a commit, then behind one whose answer never came."""
    trial.edit("Acme", 0, 1, 2, total=200)
    await trial.pull_until_killed("Acme", 1, "before")
    trial.edit("Acme", 1, 2, total=300)
    await trial.pull_until_killed("Acme", 0, "behind")
    await trial.pull("Acme")
    await trial.look()


async def be_overtaken(trial: Trial) -> None:
    """A worker is so slow that its lease runs out and another pulls; then it goes on."""
    other = trial.desk.open(trial.desk.runway.scope.firm_id)
    trial.edit("Acme", 0, 1, 2, 0, 1, total=400)

    async def sleep(page: int) -> None:
        if page == 1:
            trial.desk.factory.hooks.clear()
            trial.desk.later(seconds=LEASE_SECONDS + 1)
            await other.sync(trial.companies["Acme"])
            trial.edit("Acme", 2, total=500)

    trial.desk.factory.hooks["Acme"] = sleep
    await trial.pull("Acme")
    await trial.look()


async def sweep_again_after_a_pull(trial: Trial) -> None:
    """A comparison is cut off, a poll comes in between, and the comparison is tried again under its own name."""
    sweep = PullRequest(cause=Cause.SWEEP, correlation_id="sweep-1", sweep=True, by_turn=True)

    async def die(page: int) -> None:
        if page == 2:
            trial.mortal.dies = "before"

    trial.edit("Acme", 0, 1, 2, total=410)
    trial.desk.factory.hooks["Acme"] = die
    with suppress(Killed):
        await trial.desk.runway.sync(trial.companies["Acme"], request=sweep)
    trial.desk.factory.hooks.clear()
    trial.mortal.dies = None
    trial.desk.later(seconds=LEASE_SECONDS + 1)
    trial.edit("Acme", 0, total=420)
    await trial.pull("Acme")
    trial.desk.later(seconds=60)
    trial.edit("Acme", 0, 1, 2, total=430)
    await trial.desk.runway.sync(trial.companies["Acme"], request=sweep)
    await trial.look()


async def bring_an_old_page(trial: Trial) -> None:
    """A page that was read long ago is committed under a lease of now."""
    (connection,) = await trial.desk.runway.connections.of(trial.companies["Acme"])
    store, now = trial.desk.store, trial.desk.clock.now()
    trial.edit("Acme", 0, total=600)
    cursor = await store.mirror.cursor(connection.connection_id, connection.company_id)
    context: Any = connection
    rail = trial.desk.factory.open(context)
    (old,) = [page async for page in rail.changes_since(cursor)]
    trial.edit("Acme", 0, total=700)
    await trial.pull("Acme")
    trial.before = None  # a cursor may go back here
    lease: Lease = await store.registry.take_lease(connection, holder="late", now=now, lasts_seconds=1)
    await store.mirror.commit_page(lease, old, run_id="late", attribution=LATE, seen_at=now)
    trial.desk.later(seconds=2)
    await trial.look()


async def read_all_again(trial: Trial) -> None:
    """Everything is read once more, and nothing is news."""
    await trial.desk.runway.sync(trial.companies["Acme"], request=PullRequest(full=True))
    trial.before = None  # a cursor may go back here
    await trial.look()


async def write_beside_a_pull(trial: Trial) -> None:
    """A person's act is logged while a pull is under way."""
    trial.edit("Acme", 0, 1, 2, total=800)

    async def note(page: int) -> None:
        if page == 1:
            draft = LogDraft(trial.desk.clock.now(), "", "note", "1", "noted", LATE)
            await trial.desk.store.log.append(trial.companies["Acme"], [draft])

    trial.desk.factory.hooks["Acme"] = note
    await trial.pull("Acme")
    trial.desk.factory.hooks.clear()
    await trial.look()


async def hear_and_die(trial: Trial) -> None:
    """News is acknowledged and given out; whoever takes its job dies, and so does the next."""
    trial.edit("Acme", 1, total=900)
    await trial.hear("Acme", 1)
    await trial.look()
    await trial.desk.runway.webhooks.give_out()
    trial.desk.later(seconds=5)
    await take_a_job(trial)
    (connection,) = await trial.desk.runway.connections.of(trial.companies["Acme"])
    job = make_pull(connection, lane=Lane.POLL, run_at=trial.desk.clock.now())
    await trial.desk.store.jobs.enqueue([job], now=trial.desk.clock.now())
    await take_a_job(trial)
    trial.desk.later(seconds=70)
    await trial.desk.store.jobs.reap(now=trial.desk.clock.now(), most_attempts=8)
    await trial.look()


async def take_a_job(trial: Trial) -> None:
    now = trial.desk.clock.now()
    await trial.desk.store.jobs.claim(worker="mortal", now=now, limit=5, lease_seconds=60)
    await trial.look()


async def be_refused_with_the_token(trial: Trial) -> None:
    """A careless rail puts the token into its error."""
    trial.desk.ledger("Acme").fail_next(RailUnavailable(f"401 for Bearer {SECRET}", rail="memory"))
    await trial.pull("Acme")
    await trial.look()


SOUND = (
    die_beside_a_commit,
    be_overtaken,
    sweep_again_after_a_pull,
    bring_an_old_page,
    read_all_again,
    write_beside_a_pull,
    hear_and_die,
)
Step = Callable[[Trial], Awaitable[None]]


def live(
    *steps: Step,
    mirror: type[MortalMirror] = MortalMirror,
    inbox: type[MemoryInbox] = MemoryInbox,
    queue: type[MemoryJobQueue] = MemoryJobQueue,
) -> list[Violation]:
    async def run() -> list[Violation]:
        trial = await Trial.begin(mirror, inbox, queue)
        for step in steps:
            await step(trial)
        await trial.settle()
        return trial.found

    return asyncio.run(run())


def test_a_sound_run_breaks_nothing() -> None:
    found = live(*SOUND)

    assert not found, say(found)


@pytest.mark.parametrize(
    ("mirror", "step", "broken"),
    [
        (LogInItsOwnTransaction, die_beside_a_commit, "I1"),
        (ChainHeadUnchecked, write_beside_a_pull, "I2"),
        (CursorInItsOwnTransaction, die_beside_a_commit, "I3"),
        (OutboxInItsOwnTransaction, die_beside_a_commit, "I5"),
        (NoVersionGuard, bring_an_old_page, "I7"),
        (NoFencing, be_overtaken, "G8"),
        (UnchangedRowsAreWritten, read_all_again, "G4"),
        (PositionNotDue, die_beside_a_commit, "I8"),
        (NoCompanyPredicate, die_beside_a_commit, "I9"),
        (CentsAreRounded, die_beside_a_commit, "I12"),
    ],
    ids=lambda one: getattr(one, "__name__", one),
)
def test_a_broken_mirror_is_found(mirror: type[MortalMirror], step: Step, broken: str) -> None:
    assert broken in name_broken(live(step, mirror=mirror))


@pytest.mark.parametrize(
    ("queue", "broken"),
    [(BlindClaims, "I6"), (ForgetfulReaper, "I6"), (DoneBeforeWork, "I4")],
    ids=lambda one: getattr(one, "__name__", one),
)
def test_a_broken_job_table_is_found(queue: type[MemoryJobQueue], broken: str) -> None:
    assert broken in name_broken(live(hear_and_die, queue=queue))


def test_an_answer_before_its_commit_is_found() -> None:
    assert "I4" in name_broken(live(hear_and_die, inbox=AnswerBeforeCommit))


def test_a_secret_in_an_error_is_found() -> None:
    assert name_broken(live(be_refused_with_the_token)) == ["I10"]


def test_cents_finer_than_four_places_are_found() -> None:
    async def run() -> Sequence[Violation]:
        trial = await Trial.begin(MortalMirror, MemoryInbox, MemoryJobQueue)
        state = trial.desk.store._states[trial.companies["Acme"]]
        key, held = next(iter(state.records.items()))
        values = held.record.__dict__ | {"open_balance": Decimal("0.1") + Decimal("1e-17")}
        remains = read_memory(trial.desk.store)
        rows = dict(remains.companies[trial.companies["Acme"]].rows)
        rows[key] = rows[key]._replace(record=type(held.record).trusted(values))
        company = type(remains.companies[trial.companies["Acme"]])(trial.companies["Acme"], rows)
        return list(find_inexact_amounts(Remains({company.company_id: company})))

    assert name_broken(asyncio.run(run())) == ["I12"]


LIMIT = CallLimit((CallWindow(10, 1_000), CallWindow(40, 10_000)), at_once=20)


async def call_for_a_while(ledgers: Sequence[MemoryCallLedger]) -> Sequence[int]:
    """Workers that use each permit as soon as it opens; each asks a ledger of its own, or all the same."""
    moments: list[int] = []
    start = to_microseconds(FirmDesk().clock.now())
    for tick in range(60):
        now = from_microseconds(start + tick * SECOND // 4)
        for number, ledger in enumerate(ledgers):
            lease = await ledger.lease(
                [BudgetAsk("memory/app", LIMIT)], holder=str(number), permits=5, at_once=2, is_live=False, now=now
            )
            moments += [batch.opens_at for batch in lease.batches for _ in range(batch.permits)]
            await ledger.release([BudgetAsk("memory/app", LIMIT)], holder=str(number), now=now)
    return moments


def test_workers_that_share_their_budget_overrun_nothing_and_others_are_found() -> None:
    shared = MemoryCallLedger()
    together = asyncio.run(call_for_a_while([shared, shared]))
    apart = asyncio.run(call_for_a_while([MemoryCallLedger(), MemoryCallLedger()]))

    assert len(together) > LIMIT.windows[1].calls
    assert not list(find_overruns({"memory/app": together}, LIMIT.windows))
    assert name_broken(find_overruns({"memory/app": apart}, LIMIT.windows)) == ["I11"]
