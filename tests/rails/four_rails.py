"""Companies on all four rails, and hours in which people, customers and banks move their books while calls fail."""

import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from runway_app_http.demo import UNPACED
from runway_app_http.sandbox_portfolio import ReadyLine, connect_portfolio
from runway_core.domain.company import Company, ConnectionState
from runway_core.domain.identity import RecordKey
from runway_core.domain.record import Record
from runway_core.plugins.registry import RailRegistry
from runway_core.runway import Runway
from runway_core.sync.reports import SyncReport
from runway_testkit.clock import FixedClock
from runway_testkit.memory_store import MemoryStore
from runway_testkit.remains import Remains, read_memory
from runway_testkit.survival_desk import without_looks

HOUR_S = 3600
RENEWALS = {"plaid": "repair_login", "stripe": "restore"}  # how the owner renews an access that ended
SETTLING_PULLS = 4  # with a well-behaved vendor, until a pull brings nothing

Shown = Mapping[tuple[str, str, RecordKey], Record]
"""Live records by company, rail and key."""


@dataclass
class Firm:
    """One `Runway` on a store of its own, with every company of the sandbox connected."""

    runway: Runway
    store: MemoryStore
    clock: FixedClock
    companies: list[Company] = field(default_factory=list)

    async def pull(self) -> list[SyncReport]:
        """Pull everything once."""
        return list(await self.runway.sync_all())

    async def reconnect(self, world: "World") -> int:
        """People give access again where it was lost, and the connections are tried; how many they were."""
        lost = [c for c in await self.runway.connections.list() if c.state is ConnectionState.RECONNECT_NEEDED]
        names = {company.company_id: company for company in self.companies}
        for one in lost:
            if one.rail in RENEWALS:
                await world.post("mutate", [_at(one.rail, names[one.company_id], RENEWALS[one.rail])])
            await self.runway.sync(one.company_id, rail=one.rail)
        return len(lost)

    @property
    def remains(self) -> Remains:
        """What the store holds."""
        return read_memory(self.store)

    @property
    def shown(self) -> Shown:
        """Every live record, without what only says when it was read."""
        names = {company.company_id: company.name for company in self.companies}
        return {
            (names[company_id], row.rail, key): without_looks(row.record)
            for company_id, company in self.remains.companies.items()
            for key, row in company.rows.items()
            if not row.is_deleted
        }


@asynccontextmanager
async def open_firm(ready: dict[str, Any], *, at: datetime, secrets_of: Firm | None = None) -> AsyncIterator[Firm]:
    """Connect every company of the line; with `secrets_of`, by the secrets that another firm holds by now."""
    clock = FixedClock(at)
    store = MemoryStore(clock=clock)
    async with Runway.open(store=store, rails=RailRegistry.from_installed_plugins(), clock=clock) as runway:
        made = await connect_portfolio(runway, ReadyLine.model_validate(ready), actor="ann", pace=UNPACED)
        firm = Firm(runway, store, clock, list({company.company_id: company for company, _ in made}.values()))
        if secrets_of is not None:
            await _take_over_secrets(firm, secrets_of)
        yield firm


async def _take_over_secrets(firm: Firm, other: Firm) -> None:
    """Refresh tokens turn: those of the ready line are old by now."""
    names = {company.company_id: company.name for company in (*firm.companies, *other.companies)}
    held = {(names[one.company_id], one.rail): one for one in await other.runway.connections.list()}
    for connection in await firm.runway.connections.list():
        theirs = held[names[connection.company_id], connection.rail]
        secrets = await other.store.vault.load(theirs.connection_id)
        await firm.store.vault.save(connection.connection_id, secrets)


class World:
    """The sandbox's other side: its clock, its trouble, and what people do."""

    def __init__(self, ready: dict[str, Any], *, seed: int) -> None:
        self.ready = ready
        self.done: Counter[str] = Counter()
        self.dice = random.Random(seed)
        self._charges: dict[str, list[str]] = {}

    async def post(self, path: str, body: Any) -> Any:
        """Ask the sandbox for something."""
        async with httpx.AsyncClient(timeout=60) as client:
            answer = await client.post(f"{self.ready['control_url']}/{path}", json=body)
            answer.raise_for_status()
            return answer.json()

    async def now(self) -> datetime:
        """The sandbox's clock."""
        return datetime.fromisoformat((await self.post("clock", {}))["now"]).astimezone(UTC)

    async def live_an_hour(self, firm: Firm, *, share: float) -> None:
        """Let people do things in so large a share of the companies, then let an hour pass for all."""
        for company in firm.companies:
            if self.dice.random() < share:
                await self._act(firm, company)
        await self.post("clock", {"advance_seconds": HOUR_S})
        firm.clock.advance(timedelta(seconds=HOUR_S))

    async def _act(self, firm: Firm, company: Company) -> None:
        open_bills = [bill.external_id for bill in (await firm.runway.books.read(company.company_id)).open_bills]
        charges = self._charges.setdefault(company.name, [])
        changes = [self._charge(company)]
        if charges and self.dice.random() < 0.4:
            changes.append(_at("stripe", company, "refund", fields={"id": charges.pop(0)}))
        if self.dice.random() < 0.1:
            changes.append(_at("stripe", company, "pay_out"))
        if open_bills:
            bill_id = self.dice.choice(open_bills)
            day = firm.clock.now().date().isoformat()
            in_books = [
                _at("qbo", company, "update", "Bill", bill_id, fields={"PrivateNote": f"note {bill_id}"}),
                _at("qbo", company, "pay", "Bill", bill_id, fields={"TxnDate": day}),
                _at("qbo", company, "delete", "Bill", bill_id),
            ]
            changes.append(self.dice.choice(in_books))
            for other in self.dice.sample(open_bills, min(3, len(open_bills))):
                operation = self.dice.choice(("approve", "schedule", "edit", "archive"))
                changes.append(_at("ramp", company, operation, identifier=other, fields={"memo": "as agreed"}))
        changes.append(_at("plaid", company, "fetch"))
        for change, told in zip(changes, (await self.post("mutate", changes))["results"], strict=True):
            if told["ok"]:
                self.done[f"{change['rail']} {change['op']}"] += 1
                if change["op"] == "charge":
                    charges.append(str(told["id"]))

    def _charge(self, company: Company) -> dict[str, Any]:
        return _at("stripe", company, "charge", fields={"amount": self.dice.randrange(500, 90_000)})


def _at(
    rail: str, company: Company, op: str, kind: str = "", identifier: str = "", *, fields: Any = None
) -> dict[str, Any]:
    return {"rail": rail, "company": company.name, "op": op, "kind": kind, "id": identifier, "fields": fields or {}}


async def live_through(ready: dict[str, Any], *, hours: int, profile: str, seed: int, share: float = 1.0) -> "Outcome":
    """Live so many hours in a profile, pull hourly, settle in peace, and read everything anew beside it."""
    world = World(ready, seed=seed)
    async with open_firm(ready, at=await world.now()) as firm:
        await firm.pull()
        await world.post("chaos", {"profile": profile})
        failed = reconnected = 0
        for _ in range(hours):
            await world.live_an_hour(firm, share=share)
            failed += sum(len(report.failed) for report in await firm.pull())
            reconnected += await firm.reconnect(world)
        await world.post("chaos", {"profile": "none"})
        for _ in range(SETTLING_PULLS):
            firm.clock.advance(timedelta(seconds=HOUR_S))  # a breaker that opened has closed by then
            await world.post("clock", {"advance_seconds": HOUR_S})
            reconnected += await firm.reconnect(world)
            await firm.pull()
        async with open_firm(ready, at=await world.now(), secrets_of=firm) as fresh:
            await fresh.pull()
            return Outcome(firm.shown, fresh.shown, firm.remains, world.done, failed, reconnected)


@dataclass(frozen=True)
class Outcome:
    """What the mirror holds at the end, and what a first reading shows then."""

    held: Shown
    truth: Shown
    remains: Remains
    done: Counter[str]
    failed_pulls: int
    reconnected: int  # connections for which a person was needed

    @property
    def lost(self) -> list[str]:
        """What a first reading shows and the mirror lacks, or has otherwise."""
        return [
            f"{name} {rail} {key}"
            for (name, rail, key), one in self.truth.items()
            if self.held.get((name, rail, key)) != one
        ]

    @property
    def beyond(self) -> list[str]:
        """What the mirror holds and is not there any more."""
        return [f"{name} {rail} {key}" for name, rail, key in self.held.keys() - self.truth.keys()]
