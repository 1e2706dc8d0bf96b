"""A company whose bills are paid through a rail of its own: what differs there is found in the books, end to end."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from runway_app_http.sandbox_portfolio import ReadyLine, connect_portfolio
from runway_core.domain.identity import RecordKind
from runway_core.runway import Runway
from runway_rail_qbo import QboRailFactory
from runway_rail_ramp import RampRailFactory
from runway_sandbox.serve import SandboxProcess, start_sandbox
from runway_store_sql import SqlStore

ACROSS = {"AP22", "SY02"}


@pytest.fixture
def sandbox() -> Iterator[SandboxProcess]:
    with start_sandbox(clients=1, bills_per_client=300, rails="qbo,ramp", more_arguments=["--no-throttle"]) as running:
        yield running


def planted(truth: Any) -> set[tuple[str, str]]:
    """Check and the ledger's bill of each difference that a check is to find."""
    return {(one["check"], one["records"][0]["id"]) for one in truth["differences"] if one["check"] is not None}


async def test_what_differs_at_the_payer_is_found_and_what_is_paid_there_is_paid_in_the_books(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    store = SqlStore(f"sqlite:///{tmp_path / 'books.db'}")
    await store.upgrade()
    line = ReadyLine.model_validate(sandbox.ready)
    control = httpx.AsyncClient(base_url=sandbox.control_url)
    async with Runway.open(store=store, rails=[QboRailFactory(), RampRailFactory()]) as runway, control:
        connected = await connect_portfolio(runway, line, actor="ada", pace={"calls_per_minute": 60_000})
        company_id = connected[0][0].company_id
        await runway.sync(company_id)
        (truth,) = (await control.get("/truth")).json()["companies"]
        found = [tracked.finding for tracked in await runway.findings.list(company_id)]
        across = {
            (one.check, key.external_id)
            for one in found
            for key in one.subjects
            if one.check in ACROSS and key.kind is RecordKind.BILL
        }
        counts = await store.mirror.count_records(company_id)

        assert [connection.rail for _, connection in connected] == ["qbo", "ramp"]
        assert across == planted(truth)
        assert across
        held = {kind: counts[kind] for kind in (RecordKind.RAIL_BILL, RecordKind.RAIL_VENDOR)}
        same = [one["records"][1]["kind"] for one in truth["same"] if one["records"][1]["rail"] == "ramp"]
        assert held[RecordKind.RAIL_VENDOR] == same.count("vendor")
        assert held[RecordKind.RAIL_BILL] >= same.count("bill") > 10
        assert counts[RecordKind.CARD_TRANSACTION] > 10
