"""What the sandbox planted between the ledger and the payer of bills is found by the checks, and nothing else is."""

from datetime import UTC, datetime
from typing import Any

import pytest
from runway_core.domain.books import Books
from runway_core.domain.execution import ExecutionBill, ExecutionPayment
from runway_core.domain.execution_links import link_bills, make_rail_bills, make_rail_payments
from runway_rail_ramp.mapping import to_bill, to_payments
from runway_sandbox.books import encode_wire
from runway_sandbox.economy import EconomyCompany, build_company
from runway_sandbox.ramp import shapes
from runway_sandbox.ramp.business import Business
from runway_sandbox.ramp.desk import RampDesk
from runway_sandbox.service import LedgerService
from runway_sandbox.settings import SandboxSettings
from runway_sandbox.world import World

from tests.core.hygiene.planted import AS_OF, Defects, found_in, read_books

NOW = datetime(AS_OF.year, AS_OF.month, AS_OF.day, 15, 0, tzinfo=UTC)
ACROSS = {"AP22", "SY02"}


def open_business(made: EconomyCompany) -> Business:
    world = World(SandboxSettings(start_at=NOW), companies=[made])
    return RampDesk(world, LedgerService(world)).business_of(world.desks[0])


def see_through_ramp(books: Books, business: Business) -> Books:
    """The books with what the rail would have mirrored of the vendor's own answers."""
    bills: list[Any] = []
    payments: list[Any] = []
    for one in business.held.bills.values():
        raw = encode_wire(shapes.bill(business.held, one, NOW))
        bills.append(to_bill(raw).record)
        payments += [change.record for change in to_payments(raw)]
    assert all(isinstance(one, ExecutionBill) for one in bills)
    assert all(isinstance(one, ExecutionPayment) for one in payments)
    links = link_bills(bills, books.bills)
    seen = {"rail_bills": make_rail_bills(bills, links), "rail_payments": make_rail_payments(payments, links)}
    return books.model_copy(update=seen)


def planted_in(business: Business) -> Defects:
    """What must be found: by SY02 the payment, which bears the bill's id, by AP22 the bill."""
    kinds = {"AP22": "rail_bill", "SY02": "rail_payment"}
    return {
        (one["check"], frozenset({("bill", here["id"]), (kinds[one["check"]], f"ramp:{there['id']}")}))
        for one in business.held.differences
        if one["check"] in kinds
        for here, there in [one["records"]]
    }


@pytest.mark.parametrize("index", range(6))
def test_what_was_planted_across_the_two_is_found_and_nothing_else(index: int) -> None:
    made = build_company(index=index, seed=7, bills=300, as_of=AS_OF)
    books, business = read_books(made), open_business(made)
    alone, together = found_in(books), found_in(see_through_ramp(books, business))

    assert {one for one in together if one[0] in ACROSS} == planted_in(business)
    assert {one for one in together if one[0] not in ACROSS} == alone


def test_the_companies_have_differences_of_both_kinds() -> None:
    made = [build_company(index=index, seed=7, bills=300, as_of=AS_OF) for index in range(6)]
    planted = [check for one in made for check, _ in planted_in(open_business(one))]

    assert planted.count("AP22") >= 4
    assert planted.count("SY02") >= 3
