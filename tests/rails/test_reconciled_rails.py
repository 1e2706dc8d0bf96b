"""What the sandbox made to differ between its four windows is what reconciling tells, kind by kind, nothing else."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from runway_core.domain.conflicts import ConflictKind, TrackedConflict
from runway_core.services.conflicts import ConflictService
from runway_sandbox.serve import SandboxProcess, start_sandbox

from tests.rails.four_rails import World, open_firm

KINDS = {
    "missing in the ledger": ConflictKind.MISSING_IN_LEDGER,
    "missing there": ConflictKind.MISSING_IN_LEDGER,
    "duplicate across rails": ConflictKind.DUPLICATE,
    "vendor spelled differently": ConflictKind.NAME_DIFFERS,
    "payout sum wrong": ConflictKind.PAYOUT_SUM_WRONG,
    "fee not recorded": ConflictKind.AMOUNT_DIFFERS,
    "payout booked as income": ConflictKind.AMOUNT_DIFFERS,
    "amount off": ConflictKind.AMOUNT_DIFFERS,
    "dates off": ConflictKind.DATE_DIFFERS,
    "paid here, open there": ConflictKind.STATE_DIFFERS,
    "open here, paid there": ConflictKind.STATE_DIFFERS,
    "paid by card, open": ConflictKind.STATE_DIFFERS,
}
"""What `/truth` calls each difference, and what it is to whoever reconciles."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    at = ["--no-throttle", "--start-at", "2026-05-05T15:00:00Z", "--seed", "7"]
    with start_sandbox(clients=1, bills_per_client=120, rails="qbo,plaid,ramp,stripe", more_arguments=at) as running:
        yield running


def ids_of(one: TrackedConflict) -> set[str]:
    """The vendors' own ids of the records that a conflict is about."""
    return {key.external_id.removeprefix("ramp:") for key in one.conflict.records}


def pair_up(
    planted: list[dict[str, Any]], waiting: list[TrackedConflict]
) -> tuple[list[str], list[TrackedConflict], list[tuple[str, ConflictKind]]]:
    """What was planted and not told, what was told and not planted, and what was told of another kind.

    The last record of a difference is the one that the other rail shows. Each conflict tells one difference.
    """
    left, missed, mistaken = list(waiting), [], []
    for one in planted:
        told = next((other for other in left if one["records"][-1]["id"] in ids_of(other)), None)
        if told is None:
            missed.append(one["what"])
            continue
        left.remove(told)
        if told.conflict.kind is not KINDS[one["what"]]:
            mistaken.append((one["what"], told.conflict.kind))
    return missed, left, mistaken


async def test_every_planted_difference_is_a_conflict_of_its_kind_and_nothing_else_is(sandbox: SandboxProcess) -> None:
    world = World(sandbox.ready, seed=1)
    seen: set[str] = set()
    async with open_firm(sandbox.ready, at=await world.now()) as firm, httpx.AsyncClient(timeout=60) as client:
        await firm.pull()
        truth = {one["name"]: one for one in (await client.get(f"{sandbox.control_url}/truth")).json()["companies"]}
        connected = {(one.company_id, one.rail) for one in await firm.runway.connections.list()}
        conflicts: ConflictService = firm.runway.conflicts
        for company in firm.companies:
            rails = {rail for company_id, rail in connected if company_id == company.company_id}
            planted = [
                one for one in truth[company.name]["differences"] if {r["rail"] for r in one["records"]} <= rails
            ]
            compared = await conflicts.reconcile(company.company_id)
            again = await conflicts.reconcile(company.company_id)
            missed, beyond, mistaken = pair_up(planted, list(compared.waiting))
            seen |= {one["what"] for one in planted}

            assert missed == []
            assert [one.conflict.summary for one in beyond] == []
            assert mistaken == []
            assert again == compared
            assert all(not drift.unexplained.amount for drift in compared.drifts)

    assert seen == KINDS.keys()
