"""Cascades: what one rail brings has others read again, once for each cause and never round in circles."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from runway_core.domain.changes import Cause
from runway_core.domain.company import Connection, ConnectionState
from runway_core.domain.identity import DEFAULT_FIRM, CompanyId, ConnectionId, RecordKind
from runway_core.domain.jobs import Job, Lane
from runway_core.domain.sync_run import OutboxEvent
from runway_core.ports.cascades import Dependency
from runway_core.ports.ledger_rail import RailRole
from runway_core.ports.outbox import PendingEvent
from runway_core.runway import Runway
from runway_core.services.cascades import NEWS_FOR
from runway_core.sync.cascades import DEEPEST, DEPENDENCIES, SETTLING, plan_cascade
from runway_core.sync.schedule import make_pull
from runway_testkit.memory_rail import MemoryLedger, MemoryRailFactory
from runway_testkit.memory_store import MemoryStore
from runway_testkit.store_desk import make_bill
from runway_testkit.virtual_time import VirtualClock, pass_time, run_virtual

START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
ROLES = {
    "books": {RailRole.LEDGER},
    "payer": {RailRole.EXECUTION},
    "bank": {RailRole.VERIFICATION},
    "shop": {RailRole.INSIGHTS},
}


def make_connection(rail: str, *, company: str = "acme", state: ConnectionState = ConnectionState.ACTIVE) -> Connection:
    return Connection(
        connection_id=ConnectionId(f"{company}-{rail}"),
        company_id=CompanyId(company),
        firm_id=DEFAULT_FIRM,
        rail=rail,
        settings={},
        state=state,
        created_at=START,
    )


def make_event(rail: str, *kinds: str, company: str = "acme", depth: int = 0) -> PendingEvent:
    event = OutboxEvent(
        event_id="7-records_changed",
        company_id=CompanyId(company),
        name="records_changed",
        created_at=START,
        correlation_id="chain",
        payload={"rail": rail, "kinds": ",".join(kinds)},
    )
    return PendingEvent(event, DEFAULT_FIRM, depth)


def follow(event: PendingEvent, connections: Sequence[Connection]) -> list[str]:
    jobs = plan_cascade([event], connections, roles_of=lambda rail: ROLES.get(rail, ()), dependencies={})
    return [str(job.rail) for job in jobs]


ALL = [make_connection(rail) for rail in ROLES]


def test_a_payment_there_has_ledger_and_bank_read_again() -> None:
    assert follow(make_event("payer", "rail_payment"), ALL) == ["books", "bank"]
    assert follow(make_event("payer", "rail_bill"), ALL) == ["books"]
    assert follow(make_event("books", "bill", "vendor"), ALL) == ["payer"]
    assert follow(make_event("shop", "payout"), ALL) == ["bank"]


def test_news_that_nobody_depends_on_has_nothing_read_again() -> None:
    assert follow(make_event("books", "term"), ALL) == []
    assert follow(make_event("bank", "bank_transaction"), ALL) == []
    assert follow(make_event("gone", "bill"), ALL) == []


def test_other_companies_and_connections_that_wait_for_a_person_are_left_alone() -> None:
    parked = make_connection("payer", state=ConnectionState.RECONNECT_NEEDED)

    assert follow(make_event("books", "bill"), [parked, make_connection("payer", company="brick")]) == []


def test_a_chain_ends_at_the_fourth_link() -> None:
    assert follow(make_event("books", "bill", depth=DEEPEST - 1), ALL) == ["payer"]
    assert follow(make_event("books", "bill", depth=DEEPEST), ALL) == []


def test_what_follows_names_its_cause_and_waits_for_the_other_pages() -> None:
    (job,) = plan_cascade(
        [make_event("books", "bill", depth=1)],
        ALL,
        roles_of=lambda rail: ROLES[rail],
        dependencies={"books": DEPENDENCIES},
    )

    assert (job.cause_id, job.correlation_id, job.depth) == ("7-records_changed", "chain", 2)
    assert (job.run_at, job.lane, job.dedupe_key) == (START + SETTLING, Lane.WEBHOOK, "pull:acme-payer")


# --- with the engine ---


class PayerFactory(MemoryRailFactory):
    """A rail that pays the ledger's bills, and says itself what depends on it."""

    name = "payer"
    roles = frozenset({RailRole.EXECUTION})
    dependencies = (
        Dependency("what is paid there changes", RailRole.EXECUTION, frozenset({RecordKind.BILL}), RailRole.LEDGER),
    )


@dataclass
class Desk:
    """One company with a ledger and a rail that pays."""

    runway: Runway
    store: MemoryStore
    books: MemoryLedger
    payer: MemoryLedger
    company_id: CompanyId

    async def tell_of_news(self) -> None:
        """A webhook of the ledger, and a while for what follows from it."""
        (connection,) = await self.runway.connections.of(self.company_id, "memory")
        now = self.runway.scope.clock.now()
        job = make_pull(connection, lane=Lane.WEBHOOK, run_at=now, cause_id="delivery-1", correlation_id="chain")
        await self.store.jobs.enqueue([job], now=now)
        engine = self.runway.engine("w", plans=False)
        engine.beats = self.runway.cascades.beats()
        await engine.start()
        await pass_time(120)
        await engine.stop()


@asynccontextmanager
async def open_desk() -> AsyncIterator[Desk]:
    store = MemoryStore()
    books, payer = MemoryLedger(now=START), MemoryLedger(now=START)
    factories = [MemoryRailFactory({"acme": books}), PayerFactory({"acme": payer})]
    async with Runway.open(store=store, rails=factories, clock=VirtualClock(START)) as runway:
        company = await runway.companies.add("acme", home_currency="USD", time_zone="America/Chicago")
        for rail in ("memory", "payer"):
            await runway.connections.add(company.company_id, rail=rail, settings={"books": "acme"}, secrets={})
        yield Desk(runway, store, books, payer, company.company_id)


def test_one_webhook_has_each_rail_read_once_and_the_chain_can_be_seen() -> None:
    async def main() -> tuple[int, int, Sequence[Job], list[Cause]]:
        async with open_desk() as desk:
            desk.books.put(make_bill("145"))
            await desk.tell_of_news()
            runs = await desk.store.registry.runs(DEFAULT_FIRM, desk.company_id)
            chain = await desk.runway.dead_letters.chain("chain")
            return desk.books.calls, desk.payer.calls, chain, [run.cause for run in runs]

    books, payer, chain, causes = run_virtual(main())

    assert [(job.rail, job.depth, job.cause_id.partition("-")[2]) for job in chain] == [
        ("memory", 0, "1"),
        ("payer", 1, "records_changed"),
    ]
    assert causes == [Cause.CASCADE, Cause.WEBHOOK]
    assert (books, payer) == (2, 1)  # a whole reading of a ledger with records takes two pages


def test_rails_that_always_have_news_for_one_another_do_not_go_round_for_ever() -> None:
    async def main() -> list[int]:
        async with open_desk() as desk:
            numbers = iter(range(1000))
            for ledger in (desk.books, desk.payer):
                ledger.on_page = lambda held: held.put(make_bill(f"b{next(numbers)}"))
            await desk.tell_of_news()
            return [job.depth for job in await desk.runway.dead_letters.chain("chain")]

    depths = run_virtual(main())

    assert sorted(set(depths)) == [0, 1, 2, 3, 4]
    assert len(depths) <= 2 * (DEEPEST + 1)


def test_an_engine_that_plans_tells_events_and_forgets_those_that_were_told() -> None:
    async def main() -> tuple[set[str], set[str], list[Cause]]:
        async with open_desk() as desk:
            engine = desk.runway.engine("w")
            await engine.run_due()  # both are read whole
            desk.books.put(make_bill("145"))
            await desk.runway.sync(desk.company_id, rail="memory")
            await engine.run_due()
            await pass_time(SETTLING.total_seconds())
            await engine.run_due()
            runs = await desk.store.registry.runs(DEFAULT_FIRM, desk.company_id)
            worker = desk.runway.engine("w2", plans=False)
            return (
                {beat.name for beat in engine.beats},
                {beat.name for beat in worker.beats},
                [one.cause for one in runs],
            )

    planning, working, causes = run_virtual(main())

    assert {"cascades", "told events"} <= planning
    assert working == set()
    assert causes == [Cause.CASCADE, Cause.PULL, Cause.PULL, Cause.PULL]


def test_a_backlog_of_old_events_is_settled_and_causes_no_storm() -> None:
    async def main() -> tuple[int, int, int]:
        async with open_desk() as desk:
            desk.books.put(make_bill("145"))
            await desk.runway.sync(desk.company_id, rail="memory")
            await pass_time((NEWS_FOR + timedelta(seconds=1)).total_seconds())
            stale = await desk.runway.cascades.tell()
            left = await desk.store.outbox.pending(DEFAULT_FIRM)
            desk.books.put(make_bill("146"))
            await desk.runway.sync(desk.company_id, rail="memory")
            await pass_time((NEWS_FOR - timedelta(seconds=1)).total_seconds())
            return stale, len(left), await desk.runway.cascades.tell()

    assert run_virtual(main()) == (0, 0, 1)


def test_an_event_is_told_by_one_engine_alone() -> None:
    async def main() -> tuple[list[int], int]:
        async with open_desk() as desk:
            desk.books.put(make_bill("145"))
            await desk.runway.sync(desk.company_id, rail="memory")
            told = await asyncio.gather(*(desk.runway.cascades.tell() for _ in range(3)))
            await pass_time(timedelta(days=3).total_seconds())
            return list(told), await desk.runway.cascades.forget()

    told, forgotten = run_virtual(main())

    assert sorted(told) == [0, 0, 1]
    assert forgotten >= 1
