"""Views of large companies are laid out when their position is, and shown for as long as they would be the same."""

import zlib
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from runway_core.domain.bank import BankBalance
from runway_core.domain.books import Books
from runway_core.domain.company import Company
from runway_core.domain.findings import FindingState
from runway_core.domain.identity import CompanyId
from runway_core.domain.people import GRANTS, Caller
from runway_core.domain.policy import Role
from runway_core.errors import NotFound, RailAccessLost
from runway_core.experiences.digest import DigestView
from runway_core.experiences.kept import KeptViews
from runway_core.experiences.view import CompanyView
from runway_core.runway import Runway
from runway_core.sync.health import ServiceSettings
from runway_testkit.sample import READ_AT

from tests.core.desk import FirmDesk, bank, bill

ALL_LARGE, NONE_LARGE = ServiceSettings(keep_views_from=1), ServiceSettings(keep_views_from=10**9)
VIEWS = ("DigestView", "ConsoleView", "OutlookView")


async def open_sample(*, at: datetime = READ_AT) -> tuple[FirmDesk, Company]:
    """The Sample company, pulled by a firm to which it is a large one."""
    desk = FirmDesk(at=at, service=ALL_LARGE)
    sample = await desk.connect_sample()
    await desk.runway.sync(sample.company_id)
    return desk, sample


def without_keeping(desk: FirmDesk) -> Runway:
    """Another process of the firm, which lays every view out anew."""
    return Runway.open(store=desk.store, rails=[desk.factory], clock=desk.clock, service=NONE_LARGE)


async def look(runway: Runway, company_id: CompanyId) -> tuple[CompanyView, ...]:
    """Digest, console and outlook of a company."""
    return await runway.digest(company_id), await runway.console(company_id), await runway.outlook(company_id)


async def mark(desk: FirmDesk, company_id: CompanyId) -> None:
    """Write into every kept view that it was kept: into the currency of its heading, which nothing else shows."""
    positions, firm_id = desk.store.positions, desk.runway.scope.firm_id
    for name in VIEWS:
        kept = await positions.view(firm_id, company_id, name)
        assert kept is not None
        document = zlib.decompress(kept.document).replace(b'"home_currency":"USD"', b'"home_currency":"XTS"', 1)
        await positions.save_view(kept._replace(document=zlib.compress(document)))


def were_kept(views: tuple[CompanyView, ...]) -> set[bool]:
    """Which of the views carry the mark."""
    return {view.company.home_currency == "XTS" for view in views}


async def test_what_is_kept_is_what_would_be_laid_out() -> None:
    desk, sample = await open_sample()
    desk.later(minutes=20)

    assert await look(desk.runway, sample.company_id) == await look(without_keeping(desk), sample.company_id)


async def test_a_pull_of_a_large_company_leaves_its_views_for_the_first_look() -> None:
    desk, sample = await open_sample()
    await mark(desk, sample.company_id)
    desk.later(minutes=20)
    views = await look(desk.runway, sample.company_id)

    assert were_kept(views) == {True}
    assert {view.books_read_at for view in views} == {desk.clock.now()}
    assert {view.freshness[0].note for view in views} == {"read 22 minutes ago"}


async def test_views_of_a_small_company_are_not_kept() -> None:
    desk = FirmDesk(service=ServiceSettings(keep_views_from=50))
    acme = await desk.connect("Acme", bank(5_000), bill("1"))
    await desk.runway.sync(acme.company_id)
    await look(desk.runway, acme.company_id)

    assert await desk.store.positions.view(desk.runway.scope.firm_id, acme.company_id, "DigestView") is None


async def change_books(desk: FirmDesk, sample: Company) -> None:
    """Pulled by a process that keeps nothing."""
    desk.ledger(sample.name).put(bank(77_000))
    await without_keeping(desk).sync(sample.company_id)


async def decide(desk: FirmDesk, sample: Company) -> None:
    (finding, *_) = await desk.runway.findings.list(sample.company_id)
    await desk.runway.findings.decide(
        sample.company_id, finding.finding_id, FindingState.ACCEPTED, reason="as agreed", actor="ann"
    )


async def let_an_hour_pass(desk: FirmDesk, _: Company) -> None:
    """Policy counts how old the books are in hours."""
    desk.later(minutes=59)


async def set_a_policy_of_the_firm(desk: FirmDesk, _: Company) -> None:
    await desk.runway.policies.change_firm({"payroll_cover_days": 40}, actor="ann")


async def plan_money(desk: FirmDesk, sample: Company) -> None:
    on = desk.clock.now().date() + timedelta(days=10)
    await desk.runway.planned_items.add(
        sample.company_id, label="Tax", on=on, amount=Decimal(9_000), actor="ann", owner="ann"
    )


async def lose_access(desk: FirmDesk, sample: Company) -> None:
    desk.ledger(sample.name).fail_next(RailAccessLost("memory: the grant is gone", rail="memory"))
    await without_keeping(desk).sync(sample.company_id)


@pytest.mark.parametrize(
    "act", [change_books, decide, let_an_hour_pass, set_a_policy_of_the_firm, plan_money, lose_access]
)
async def test_views_are_laid_out_anew_after(act: Callable[[FirmDesk, Company], Awaitable[None]]) -> None:
    desk, sample = await open_sample()
    await mark(desk, sample.company_id)
    await act(desk, sample)
    views = await look(desk.runway, sample.company_id)

    assert were_kept(views) == {False}
    assert views == await look(without_keeping(desk), sample.company_id)


async def test_a_view_of_yesterday_is_laid_out_anew_though_the_books_were_read_a_quarter_of_an_hour_ago() -> None:
    desk, sample = await open_sample(at=datetime(2026, 3, 3, 5, 50, tzinfo=UTC))  # ten minutes before midnight there
    await mark(desk, sample.company_id)
    before = await look(desk.runway, sample.company_id)
    desk.later(minutes=15)
    after = await look(desk.runway, sample.company_id)

    assert (were_kept(before), were_kept(after)) == ({True}, {False})
    assert {view.as_of for view in after} == {date(2026, 3, 3)}


async def test_a_view_is_laid_out_anew_when_a_rail_was_read_on_another_day() -> None:
    """What a card processor holds is told as of that day, by the rail's clock."""
    desk, sample = await open_sample(at=datetime(2026, 3, 2, 23, 50, tzinfo=UTC))
    await mark(desk, sample.company_id)
    desk.later(minutes=15)
    await without_keeping(desk).sync(sample.company_id)

    assert were_kept(await look(desk.runway, sample.company_id)) == {False}


async def test_a_position_that_is_computed_while_a_view_is_laid_out_leaves_the_view_behind() -> None:
    desk, sample = await open_sample()

    async def lay_out(company_id: CompanyId) -> tuple[DigestView, Books]:
        view, books = await desk.runway.digest(company_id), await desk.runway.books.read(company_id)
        desk.later(minutes=1)
        await without_keeping(desk).recompute(company_id)
        return view, books

    await KeptViews(desk.runway.scope, from_records=1).keep(sample.company_id, lay_out)
    await mark(desk, sample.company_id)

    assert were_kept((await desk.runway.digest(sample.company_id),)) == {False}


async def test_a_view_of_a_build_with_other_fields_is_laid_out_anew() -> None:
    desk, sample = await open_sample()
    positions, firm_id = desk.store.positions, desk.runway.scope.firm_id
    for name in VIEWS:
        kept = await positions.view(firm_id, sample.company_id, name)
        assert kept is not None
        await positions.save_view(kept._replace(document=zlib.compress(b'{"colour":"red"}')))

    assert await look(desk.runway, sample.company_id) == await look(without_keeping(desk), sample.company_id)


async def test_who_does_not_look_after_a_company_sees_no_kept_view_of_it() -> None:
    desk, sample = await open_sample()
    stranger = desk.runway.for_caller(Caller("eve", Role.BOOKKEEPER, GRANTS[Role.BOOKKEEPER], frozenset()))
    for view in (stranger.digest, stranger.console, stranger.outlook):
        with pytest.raises(NotFound):
            await view(sample.company_id)


async def test_a_view_holds_until_a_bank_balance_is_an_hour_older_by_the_banks_own_clock() -> None:
    desk, sample = await open_sample()
    view = await desk.runway.digest(sample.company_id)
    books, now = await desk.runway.books.read(sample.company_id), desk.clock.now()
    read = [
        BankBalance(account_id="1000", currency="USD", posted=Decimal(1), read_at=now - timedelta(minutes=minutes))
        for minutes in (15, 90, 200)
    ]

    async def lay_out(_: CompanyId) -> tuple[DigestView, Books]:
        return view, books.model_copy(update={"bank_balances": tuple(read)})

    await KeptViews(desk.runway.scope, from_records=1).keep(sample.company_id, lay_out)
    kept = await desk.store.positions.view(desk.runway.scope.firm_id, sample.company_id, "DigestView")

    assert kept is not None
    assert kept.holds_until == now + timedelta(minutes=30)

    await mark(desk, sample.company_id)
    before = await desk.runway.digest(sample.company_id)
    desk.later(minutes=30)
    assert were_kept((before,)) == {True}
    assert were_kept((await desk.runway.digest(sample.company_id),)) == {False}
