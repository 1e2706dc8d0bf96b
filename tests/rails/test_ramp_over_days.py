"""Days of work at the payer of bills, over a bad line: in the end the mirror is what is there, and nothing else."""

import random
from collections.abc import Iterator
from datetime import datetime

import pytest
from runway_core.domain.changes import Cursor
from runway_core.domain.execution import ExecutionBill, ExecutionState
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.errors import RailUnavailable
from runway_rail_kit import Pauses
from runway_rail_ramp import RampRailFactory
from runway_sandbox.serve import SandboxProcess, start_sandbox
from runway_testkit.rail_desk import Held, fold

from tests.rails.paper_qbo import no_sleep
from tests.rails.ramp_desk import DAY_S, PayerDesk

HOUR_S = 3_600
OPEN = frozenset(ExecutionState) - {ExecutionState.PAID}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with start_sandbox(clients=2, bills_per_client=300, rails="qbo,ramp", more_arguments=["--no-throttle"]) as running:
        yield running


async def work(desk: PayerDesk, draws: random.Random) -> None:
    """Let people do one thing that they may do with a bill."""
    change = {"rail": "ramp", "company": desk.name, "op": "", "id": "", "fields": {}}
    onlooker = PayerDesk(desk.ready, desk.factory, place=desk.place)
    bills = [
        record
        for page in await onlooker.pull()
        for record in (change.record for change in page.changes)
        if isinstance(record, ExecutionBill) and record.state in OPEN
    ]
    if not bills:
        return
    bill = draws.choice(sorted(bills, key=lambda one: one.external_id))
    op = draws.choice(
        ["approve", "reject", "schedule", "unschedule", "mark_paid", "hold", "release", "archive", "edit"]
    )
    fields = {"due_on": "2027-01-15"} if op == "edit" else {"fails": draws.random() < 0.3} if op == "schedule" else {}
    await desk.post("mutate", [{**change, "op": op, "id": bill.external_id, "fields": fields}])  # may be refused


async def read_news(desk: PayerDesk, cursor: Cursor | None, held: Held) -> tuple[Cursor | None, Held]:
    """One pull as the engine makes it: each page is kept as it comes, and a pull that breaks off goes on later."""
    try:
        async for page in desk.open().changes_since(cursor):
            held, cursor = fold([page], held), page.next_cursor
    except RailUnavailable:
        pass
    return cursor, held


@pytest.mark.parametrize(("place", "page_size"), [(0, 100), (1, 10)])
async def test_the_mirror_is_what_is_there_after_days_over_a_bad_line(
    sandbox: SandboxProcess, place: int, page_size: int
) -> None:
    factory = RampRailFactory(pauses=Pauses(attempts=3, sleep=no_sleep))
    desk = PayerDesk(sandbox.ready, factory, place=place, page_size=page_size)
    desk.clock.advance(datetime.fromisoformat((await desk.post("clock", {}))["now"]) - desk.clock.now())
    draws = random.Random(f"{place}:{page_size}")
    cursor, held = await read_news(desk, None, {})
    for _ in range(5):
        for _ in range(draws.randint(0, 3)):
            await work(desk, draws)
        await desk.advance(draws.choice([600, HOUR_S, 9 * HOUR_S, DAY_S]))
        await desk.post("chaos", {"profile": "flaky", "unavailable": 0.1, "expired": 0.05})
        cursor, held = await read_news(desk, cursor, held)
        await desk.chaos()
    await desk.advance(DAY_S + HOUR_S)
    cursor, held = await read_news(desk, cursor, held)
    there = fold(await desk.pull())
    await factory.aclose()

    assert held == there


async def test_what_is_open_is_true_at_every_pull_when_it_fits_on_a_page(sandbox: SandboxProcess) -> None:
    factory = RampRailFactory(pauses=Pauses(sleep=no_sleep))
    desk = PayerDesk(sandbox.ready, factory)
    desk.clock.advance(datetime.fromisoformat((await desk.post("clock", {}))["now"]) - desk.clock.now())
    draws = random.Random("open")
    cursor, held = await read_news(desk, None, {})
    for _ in range(4):
        await work(desk, draws)
        await desk.advance(600)
        cursor, held = await read_news(desk, cursor, held)
        there = fold(await desk.pull())

        assert bills_in(held) == bills_in(there)
    await factory.aclose()


def bills_in(held: Held) -> dict[RecordKey, bytes]:
    kinds = {RecordKind.RAIL_BILL, RecordKind.RAIL_PAYMENT}
    return {key: content for key, content in held.items() if key.kind in kinds}
