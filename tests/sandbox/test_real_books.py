"""The economy's companies behind the wire, and the recorded answers of a real sandbox company where they are kept."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from runway_sandbox.books import Book, decode_wire
from runway_sandbox.economy import build_company
from runway_sandbox.kinds import KINDS
from runway_sandbox.measure import measure_memory, measure_pages_alone
from runway_sandbox.mutations import apply_mutations
from runway_sandbox.plaid.desk import PlaidDesk
from runway_sandbox.query_run import run_query
from runway_sandbox.ramp.desk import RampDesk
from runway_sandbox.service import LedgerService
from runway_sandbox.settings import SandboxSettings, WireRules
from runway_sandbox.stripe.desk import StripeDesk
from runway_sandbox.world import World

SAMPLES = Path("/work/shared/samples/qbo")


def _total(book: Book, kind: str, field: str, **only: str) -> Decimal:
    rows = [row.parse() for row in book.shelf(kind).rows.values()]
    chosen = [row for row in rows if all(row.get(name) == value for name, value in only.items())]
    return sum((Decimal(row.get(field, 0)) for row in chosen), Decimal(0))


def test_the_economys_control_sums_outlive_changes() -> None:
    company = build_company(index=1, seed=5, bills=120, as_of=date(2026, 5, 5))
    world = World(SandboxSettings(), companies=[company])
    book = world.book(world.desks[0])
    open_bills = [row.id for row in book.shelf("Bill").rows.values() if row.parse()["Balance"] > 0]
    open_invoices = [row.id for row in book.shelf("Invoice").rows.values() if row.parse()["Balance"] > 0]
    head = {"company": company.realm_id, "op": "pay"}
    changes: list[dict[str, Any]] = [
        *({**head, "kind": "Bill", "id": one} for one in open_bills[:5]),
        *({**head, "kind": "Invoice", "id": one, "fields": {"amount": "1.00"}} for one in open_invoices[:5]),
    ]

    service = LedgerService(world)
    ramp = RampDesk(world, service)
    results = apply_mutations(
        world, service, changes, plaid=PlaidDesk(world), ramp=ramp, stripe=StripeDesk(world, service)
    )

    refused = {result["fault"]["Error"][0]["code"] for result in results if not result["ok"]}
    assert refused <= {"610"}  # a bill of a vendor that was retired
    assert sum(result["ok"] for result in results) >= 8
    payable = _total(book, "Account", "CurrentBalance", AccountType="Accounts Payable")
    receivable = _total(book, "Account", "CurrentBalance", AccountType="Accounts Receivable")
    assert _total(book, "Vendor", "Balance") == -payable
    assert _total(book, "Customer", "Balance") == receivable


def test_pages_are_no_bottleneck_and_records_stay_small() -> None:
    world = World(SandboxSettings(clients=1, bills_per_client=1000))
    rows = measure_pages_alone(world, world.desks[0], bills=1000, seconds=0.2)
    taken, wire = measure_memory(bills=200)

    assert rows > 50_000
    assert taken < wire + 600


def _sample(name: str) -> Any:
    answer = decode_wire((SAMPLES / name).read_bytes())
    return answer.get("response", answer)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="recorded payloads are not kept in the repository")
@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.glob("query_*.json")))
def test_recorded_pages_come_back_in_their_recorded_order(name: str) -> None:
    response = _sample(name)["QueryResponse"]
    kinds = [kind for kind in response if kind in KINDS]
    if not kinds:
        assert response == {}
        return
    recorded = response[kinds[0]]
    book = Book("1", "Recorded", home_currency="USD")
    book.fill({kinds[0]: recorded})

    page = run_query(
        book,
        f"SELECT * FROM {kinds[0]} MAXRESULTS 1000",
        rules=WireRules(),
        now=World(SandboxSettings(clients=1)).clock.now(),
    )
    answered = [decode_wire(row) for row in page.rows]

    assert {row["Id"]: row for row in answered} == {row["Id"]: row for row in recorded}
    times = [row["MetaData"]["LastUpdatedTime"] for row in answered]
    if KINDS[kinds[0]].is_transaction:
        assert times == [row["MetaData"]["LastUpdatedTime"] for row in recorded]
