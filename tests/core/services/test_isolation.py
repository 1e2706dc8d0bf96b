"""A company of another firm does not exist: not for any method, whatever it does."""

import inspect
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from runway_core.calculators.policy.judge import Payment
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.decisions import DecisionOutcome
from runway_core.domain.findings import FindingState
from runway_core.domain.identity import CompanyId, RecordKey, RecordKind
from runway_core.domain.people import GRANTS, Caller
from runway_core.domain.policy import Role
from runway_core.errors import NotFound, RunwayError
from runway_core.runway import Runway
from runway_core.services.decision_batches import BillChoice
from runway_core.services.fixes import FixChoice
from runway_testkit.sample import AS_OF, READ_AT

from tests.core.desk import OTHERS, FirmDesk, bank, bill

SERVICES = (
    "companies", "connections", "books", "findings", "positions", "balances", "bills", "invoices", "planned_items",
    "policies", "scenarios", "aliases", "earmarks", "call_backs", "decisions", "decision_batches", "collections",
    "fixes", "questions", "erasures",
)  # fmt: skip
ARGUMENTS: dict[str, Any] = {
    "account_id": "A1",
    "actor": "mallory",
    "amendments": (Amendment(action=AmendmentAction.REMOVE, record=RecordKey(RecordKind.BILL, "B1")),),
    "amount": Decimal(100),
    "answers": {"any": "yes"},
    "bill_id": "B1",
    "bills": [BillChoice("B1")],
    "changes": {"red_below_days": 1},
    "confirmed": "Acme",
    "decision_id": "any",
    "choices": [FixChoice("any")],
    "finding_id": "any",
    "finding_ids": ["any"],
    "fix_id": "any",
    "first_day": AS_OF - timedelta(days=9),
    "has_moved": False,
    "invoice_id": "I1",
    "item_id": "any",
    "key": RecordKey(RecordKind.BILL, "B1"),
    "known_at": READ_AT,
    "label": "Rent",
    "last_day": AS_OF,
    "moment": READ_AT,
    "name": "Late customer",
    "note_id": "any",
    "number_called": "555-0100",
    "on": AS_OF,
    "outcome": DecisionOutcome.PAY,
    "party": RecordKey(RecordKind.VENDOR, "V1"),
    "payments": [Payment("B1", AS_OF, Decimal(1))],
    "quarantine_id": "any",
    "question_id": "any",
    "rail": "memory",
    "role": Role.OWNER,
    "record": RecordKey(RecordKind.BILL, "B1"),
    "scenario_id": "any",
    "secrets": {"token": "stolen"},
    "sent_to": "Ed",
    "settings": {"books": "Acme"},
    "spoke_to": "Ed Norton",
    "state": FindingState.ASKED,
    "text": "NORTON LUMBER",
    "to_version": 1,
    "vendor_id": "V1",
}
PREVIEWS = {"questions.preview"}  # names who would ask, and keeps nothing
READS_RAIL = {"connections.check"}  # the cheapest call that proves the access
ANSWERS_EMPTY = {"connections.list"}  # a list of one's own firm, narrowed to a company that is not in it


def methods() -> list[str]:
    """Every public method that takes a company's id, as `service.method`."""
    runway = FirmDesk().runway
    owners = {"": runway} | {name: getattr(runway, name) for name in SERVICES}
    return [
        f"{owner}.{name}".lstrip(".")
        for owner, service in owners.items()
        for name, method in inspect.getmembers(service, inspect.iscoroutinefunction)
        if not name.startswith("_") and "company_id" in inspect.signature(method).parameters
    ]


def find_method(runway: Runway, path: str) -> Callable[..., Awaitable[object]]:
    owner, _, name = path.rpartition(".")
    method: Callable[..., Awaitable[object]] = getattr(getattr(runway, owner) if owner else runway, name)
    return method


async def two_firms() -> tuple[FirmDesk, Runway, CompanyId]:
    """A desk, another firm's view of its database, and a company of the first."""
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1", due_date=None))
    await desk.runway.sync(acme.company_id)
    return desk, desk.open(OTHERS), acme.company_id


def test_there_are_methods_to_try() -> None:
    found = methods()

    assert {"sync", "digest", "companies.get", "findings.decide", "balances.get_closes"} <= set(found)
    assert len(found) >= 30


def view_of(runway: Runway, role: Role, *companies: CompanyId) -> Runway:
    """The firm as somebody sees it to whom these companies are assigned."""
    return runway.for_caller(Caller("cy", role, GRANTS[role], frozenset(companies)))


@pytest.mark.parametrize("whose", ["another firm's", "an unassigned one"])
@pytest.mark.parametrize("path", methods())
async def test_a_company_beyond_ones_reach_is_not_found(path: str, whose: str) -> None:
    desk, others, company_id = await two_firms()
    if whose == "an unassigned one":
        others = view_of(desk.runway, Role.OWNER)
    length, calls = await desk.runway.log_length(company_id), desk.ledger("Acme").calls
    method = find_method(others, path)
    given = {
        name: ARGUMENTS[name]
        for name, parameter in inspect.signature(method).parameters.items()
        if name != "company_id" and parameter.default is inspect.Parameter.empty
    }
    if path in ANSWERS_EMPTY:
        assert await method(company_id) == []
    else:
        with pytest.raises(NotFound):
            await method(company_id, **given)

    assert await desk.runway.log_length(company_id) == length
    assert desk.ledger("Acme").calls == calls


@pytest.mark.parametrize("path", [path for path in methods() if path not in ANSWERS_EMPTY])
async def test_a_viewer_leaves_the_log_as_it_was(path: str) -> None:
    """Whatever a viewer calls, with whatever it is given: nothing is read from a rail, and nothing is written."""
    desk, _, company_id = await two_firms()
    length, calls = await desk.runway.log_length(company_id), desk.ledger("Acme").calls
    method = find_method(view_of(desk.runway, Role.VIEWER, company_id), path)
    parameters = inspect.signature(method).parameters
    given = {
        name: ARGUMENTS[name]
        for name, parameter in parameters.items()
        if name != "company_id" and parameter.default is inspect.Parameter.empty
    }
    try:
        await method(company_id, **given)
    except RunwayError:
        pass
    else:
        assert "actor" not in parameters or path in PREVIEWS, path

    assert desk.ledger("Acme").calls == calls or path in READS_RAIL
    changed = [entry.draft.what for entry in await desk.runway.log_entries(company_id, after=length)]
    assert set(changed) <= {"forecast_added"}


@pytest.mark.parametrize("whose", ["another firm's", "unassigned"])
async def test_what_is_beyond_ones_reach_is_in_no_list(whose: str) -> None:
    desk, others, company_id = await two_firms()
    if whose == "unassigned":
        others = view_of(desk.runway, Role.OWNER)
    name = (await desk.runway.companies.get(company_id)).name
    seen: list[object] = [
        await others.companies.list(),
        await others.connections.list(),
        await others.positions.all(),
        await others.health(),
        await others.sync_all(),
        await others.sync_all(only=frozenset({company_id})),
        await others.positions.recompute_due(),
        list((await others.portfolio()).rows),
    ]

    assert seen == [[]] * len(seen)
    with pytest.raises(NotFound):
        await others.companies.find(name)
