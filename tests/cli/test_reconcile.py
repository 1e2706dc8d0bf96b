"""`runway reconcile` and `runway conflicts`, over a company whose payer shows what its ledger lacks."""

import asyncio
import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from runway_core.domain.bills import Bill
from runway_core.domain.execution import ExecutionBill, ExecutionState
from runway_core.domain.identity import CompanyId
from runway_core.domain.parties import Vendor
from runway_core.runway import Runway
from runway_store_sql import SqlStore
from runway_testkit.memory_rail import MemoryLedger, MemoryRailFactory

from tests.cli.conftest import Run

NOW = datetime.now(UTC)
DAY = NOW.date() - timedelta(days=20)


def at_rail(external_id: str, number: str, total: int, **more: Any) -> ExecutionBill:
    values: dict[str, Any] = {
        "feed": "ramp",
        "vendor_id": "RV1",
        "vendor_name": "Norton Lumber",
        "ledger_vendor_id": "V1",
        "document_date": DAY,
        "currency": "USD",
        "total": Decimal(total),
        "open_balance": Decimal(total),
        "state": ExecutionState.APPROVED,
    }
    return ExecutionBill(external_id=external_id, number=number, **(values | more))


def entered(external_id: str, total: int, on: date = DAY) -> Bill:
    return Bill(
        external_id=external_id,
        number=f"N-{external_id}",
        vendor_id="V1",
        vendor_name="Norton Lumber",
        document_date=on,
        due_date=on + timedelta(days=40),
        currency="USD",
        total=Decimal(total),
        open_balance=Decimal(total),
    )


@pytest.fixture
def payer(run: Run, acme: str) -> str:
    """Acme with two bills at a payer that stand for nothing there: one may be B1, one is missing."""
    ledger = MemoryLedger(now=NOW - timedelta(minutes=5))
    vendor = Vendor(external_id="V1", name="Norton Lumber", currency="USD", balance=Decimal(0))
    ledger.put(vendor, entered("B1", 100), at_rail("R1", "9917", 100), at_rail("R2", "RX1", 70))

    async def fill() -> None:
        rails = [MemoryRailFactory({"acme": ledger})]
        async with Runway.open(store=SqlStore("sqlite:///runway.db"), rails=rails) as runway:
            await runway.connections.add(CompanyId(acme), rail="memory", settings={"books": "acme"}, secrets={})
            await runway.sync(CompanyId(acme))

    asyncio.run(fill())
    return acme


def test_all_companies_stand_in_one_table_and_one_in_its_own(run: Run, payer: str) -> None:
    every = run("reconcile")
    one = run("reconcile", payer, "--json").document
    listed = run("reconcile", "--json").document["items"]

    assert "Acme Hardware" in every.out
    assert "Unexplained drift" in every.out
    assert [(pair["there"], pair["suggested"], pair["left_there"]) for pair in one["pairs"]] == [("ramp", 1, 1)]
    assert [view["company"]["company_id"] for view in listed] == [payer]
    assert "ledger and ramp" in run("reconcile", payer).out


def test_the_exit_code_says_whether_something_so_severe_waits(run: Run, payer: str) -> None:
    """The worst that waits is high."""
    for least, code in (("critical", 0), ("high", 1), ("low", 1)):
        assert run("reconcile", payer, "--fail-on", least).code == code
        assert run("conflicts", "list", "--fail-on", least).code == code
    assert run("reconcile", payer).code == 0


def test_conflicts_are_listed_by_kind_and_state_and_as_csv(run: Run, payer: str) -> None:
    missing = run("conflicts", "list", payer, "--kind", "missing_in_ledger", "--json").document["items"]
    rows = list(csv.DictReader(io.StringIO(run("conflicts", "list", "--csv").out)))

    assert [item["tracked"]["conflict"]["amount"]["amount"] for item in missing] == ["70.00"]
    assert {row["tracked.conflict.kind"] for row in rows} == {"missing_in_ledger", "ambiguous_match"}
    assert {row["company.name"] for row in rows} == {"Acme Hardware"}
    assert run("conflicts", "list", "--state", "resolved", "--json").document["items"] == []
    assert run("conflicts", "list", "--csv", "--json").code == 2


def test_a_conflict_is_shown_side_by_side_resolved_and_taken_back(run: Run, payer: str) -> None:
    (doubt,) = run("conflicts", "list", payer, "--kind", "ambiguous_match", "--json").document["items"]
    conflict_id = doubt["conflict_id"]
    shown = run("conflicts", "show", conflict_id[:8])
    matched = run("conflicts", "resolve", conflict_id[:8], "--as", "matched", "--because", "seen it", "--json").document
    stale = run("conflicts", "resolve", conflict_id, "--as", "matched", "--version", "0")
    whole = run("reconcile", payer, "--json").document
    back = run("conflicts", "reopen", conflict_id, "--company", payer, "--json").document

    assert "Side by side" in shown.out
    assert "What may be one" in shown.out
    assert (matched["state"], matched["resolution"], matched["reason"]) == ("resolved", "matched", "seen it")
    assert "stale-revision" in stale.err
    assert (whole["matched"], whole["waiting"]) == (1, 1)
    assert back["state"] == "open"


def test_wrong_use_says_what_to_do(run: Run, payer: str) -> None:
    (missing,) = run("conflicts", "list", payer, "--kind", "missing_in_ledger", "--json").document["items"]
    conflict_id = missing["conflict_id"]

    assert "the reason is missing" in run("conflicts", "resolve", conflict_id, "--as", "accepted").err
    assert "nothing that could be confirmed" in run("conflicts", "resolve", conflict_id, "--as", "matched").err
    assert "ends at the next read" in run("conflicts", "resolve", conflict_id, "--as", "fixed").err
    assert "no conflict 'zz'" in run("conflicts", "show", "zz").err
    assert "begins 2 ids" in run("conflicts", "show", "").err
