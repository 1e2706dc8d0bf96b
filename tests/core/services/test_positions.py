"""When a company's position is computed anew, and when nothing is done."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import pytest
from runway_core.calculators.hygiene.rerun import run_checks
from runway_core.domain.company import Company
from runway_core.domain.findings import FindingState
from runway_core.domain.identity import DEFAULT_FIRM, CompanyId
from runway_core.domain.position import Position
from runway_core.errors import NotFound, RailUnavailable
from runway_core.services.held_checks import HeldChecks
from runway_testkit.books_making import bill as making_bill
from runway_testkit.books_making import make_books
from runway_testkit.sample import READ_AT

from tests.core.desk import OTHERS, FirmDesk, bank, bill


async def pulled(desk: FirmDesk, company: Company) -> Position:
    """Pull, and return the position that is stored then."""
    await desk.runway.sync(company.company_id)
    position = await desk.runway.positions.current(company.company_id)
    assert position is not None
    return position


async def test_the_first_pull_computes_it_and_an_idle_one_does_not() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank())
    before = await desk.runway.positions.current(acme.company_id)
    first = await pulled(desk, acme)
    desk.later(minutes=15)
    idle = await pulled(desk, acme)

    assert before is None
    assert (first.computed_at, idle) == (READ_AT, first)


async def test_it_is_computed_when_the_mirror_moved() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(5_000))
    await pulled(desk, acme)
    desk.later(minutes=15)
    desk.ledger("Acme").put(bank(4_000))
    position = await pulled(desk, acme)

    assert position.opening_cash.amount == 4_000
    assert position.computed_at == READ_AT + timedelta(minutes=15)


@pytest.mark.parametrize(
    ("zone", "eve"),
    [
        ("America/Chicago", datetime(2026, 3, 3, 5, 59, tzinfo=UTC)),
        ("UTC", datetime(2026, 3, 2, 23, 59, tzinfo=UTC)),
        ("Asia/Kolkata", datetime(2026, 3, 2, 18, 29, tzinfo=UTC)),
        ("Pacific/Auckland", datetime(2026, 3, 2, 10, 59, tzinfo=UTC)),
    ],
)
async def test_it_is_computed_when_a_new_day_began_where_the_company_is(zone: str, eve: datetime) -> None:
    desk = FirmDesk(at=eve)
    acme = await desk.connect("Acme", bank(), time_zone=zone)
    on_the_eve = await pulled(desk, acme)
    desk.later(minutes=1)
    at_midnight = await pulled(desk, acme)

    assert at_midnight.as_of - on_the_eve.as_of == timedelta(days=1)
    assert at_midnight.computed_at == desk.clock.now()


async def test_a_new_day_is_computed_though_the_rail_is_down() -> None:
    """The data is labelled; days run on."""
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1"))
    first = await pulled(desk, acme)
    desk.later(days=1)
    desk.ledger("Acme").fail_next(RailUnavailable("memory: no answer", rail="memory"))
    second = await pulled(desk, acme)

    assert second.as_of == first.as_of + timedelta(days=1)


async def test_what_a_cut_off_pull_left_due_is_computed_after_the_next() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(5_000))
    await pulled(desk, acme)
    desk.ledger("Acme").put(bank(1_000))

    # Every page is committed, and the process is gone before the position was computed.
    connection = await desk.connection(acme)
    rail = desk.factory.open(_Context(connection.settings))  # type: ignore[arg-type] # all that the fake looks at
    cursor = await desk.store.mirror.cursor(connection.connection_id, acme.company_id)
    lease = await desk.store.registry.take_lease(connection, holder="x", now=desk.clock.now(), lasts_seconds=1)
    async for page in rail.changes_since(cursor):
        await desk.store.mirror.commit_page(
            lease, page, run_id="x", attribution=desk.runway.scope.by_person("x"), seen_at=desk.clock.now()
        )
    desk.later(seconds=1)
    due = await desk.store.mirror.companies_due()
    position = await pulled(desk, acme)

    assert due == [acme.company_id]
    assert position.opening_cash.amount == 1_000


class _Context:
    def __init__(self, settings: dict[str, str]) -> None:
        self.settings = settings


async def test_a_decision_is_counted_after_the_next_pull() -> None:
    desk = FirmDesk()
    sample = await desk.connect_sample()
    before = await pulled(desk, sample)
    finding = (await desk.runway.findings.list(sample.company_id))[0]
    await desk.runway.findings.decide(
        sample.company_id, finding.finding_id, FindingState.ACCEPTED, actor="ada", reason="two visits"
    )
    after = await pulled(desk, sample)

    assert before.findings_open - after.findings_open == 1
    assert after.cleanness > before.cleanness


async def test_a_policy_of_the_firm_is_counted_after_the_next_pull_of_each_company() -> None:
    desk = FirmDesk()
    companies = [await desk.connect(name, bank(), bill("B1")) for name in ("Acme", "Bolt")]
    for company in companies:
        await pulled(desk, company)
        await desk.runway.positions.recompute(
            company.company_id
        )  # has seen the week's forecast that the first one kept
    was_current = [await desk.runway.positions.is_current(company.company_id) for company in companies]
    await desk.runway.policies.change_firm({"rail_business_days": 9}, actor="ada")
    is_current = [await desk.runway.positions.is_current(company.company_id) for company in companies]
    after = [await pulled(desk, company) for company in companies]

    assert (was_current, is_current) == ([True, True], [False, False])
    assert [position.firm_policy_version for position in after] == [1, 1]
    assert await desk.runway.positions.recompute_due() == []


async def test_what_is_due_is_computed_for_ones_own_firm_only() -> None:
    desk = FirmDesk()
    others = desk.open(OTHERS)
    mine = await desk.connect("Acme", bank())
    theirs = await desk.connect("Zenith", bank(), runway=others)
    for runway, company in ((desk.runway, mine), (others, theirs)):
        await runway.sync(company.company_id)
        await runway.companies.change_settings(company.company_id, {"red_below_days": 20}, actor="ada")
    done = await desk.runway.positions.recompute_due()

    assert done == [mine.company_id]
    assert await desk.runway.positions.recompute_due() == []
    assert ids(await desk.runway.positions.all()) == [mine.company_id]
    with pytest.raises(NotFound):
        await desk.runway.positions.recompute(theirs.company_id)


def ids(positions: Iterable[Position]) -> list[str]:
    return [position.company_id for position in positions]


async def test_a_process_that_looked_before_finds_what_a_new_one_finds() -> None:
    """Checks whose inputs did not change are not run again; nothing may show."""
    desk = FirmDesk()
    sample = await desk.connect_sample()
    before = await pulled(desk, sample)
    desk.later(minutes=15)
    desk.ledger("Sample").put(bill("odd", total=75, document_date=date(2026, 3, 1), due_date=None))
    kept = await pulled(desk, sample)
    found = await desk.runway.findings.list(sample.company_id)
    anew = await desk.open(DEFAULT_FIRM).positions.recompute(sample.company_id)

    assert before.findings_open + 1 == kept.findings_open == anew.findings_open
    assert await desk.runway.findings.list(sample.company_id) == found


def test_the_companies_looked_at_longest_ago_are_let_go_first() -> None:
    runs = {CompanyId(name): run_checks(make_books(bills=(making_bill(name, 10),))) for name in "ABC"}
    size = sum(len(value) for value in runs[CompanyId("A")].inputs.values() if isinstance(value, tuple))
    held = HeldChecks(limit=2 * size)
    held.keep(CompanyId("A"), runs[CompanyId("A")])
    held.keep(CompanyId("B"), runs[CompanyId("B")])
    held.keep(CompanyId("A"), runs[CompanyId("A")])
    held.keep(CompanyId("C"), runs[CompanyId("C")])

    assert [held.find(company_id) for company_id in runs] == [runs[CompanyId("A")], None, runs[CompanyId("C")]]
