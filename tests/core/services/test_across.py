"""Work across companies: shown first, done company by company, and taken back once."""

from datetime import timedelta
from typing import Any

import pytest
from runway_core.domain.across import AcrossAct, AcrossKind, AcrossOutcome
from runway_core.domain.company import Company
from runway_core.domain.findings import FindingState, TrackedFinding
from runway_core.domain.identity import CompanyId
from runway_core.domain.people import GRANTS, Caller
from runway_core.domain.policy import Role
from runway_core.errors import InvalidRequest, NotAllowed, NotFound, StaleRevision
from runway_core.services.across import AcrossService, AcrossWish
from runway_core.services.companies import CompanyService
from runway_core.services.findings import FindingService
from runway_testkit.sample import AS_OF

from tests.core.desk import FirmDesk, bank, bill

ALL = frozenset(FindingState)


async def two_companies() -> tuple[FirmDesk, Company, Company]:
    """Acme has two bills without a due date, Zenith one."""
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1", due_date=None), bill("B2", due_date=None))
    zenith = await desk.connect("Zenith", bank(), bill("B1", due_date=None))
    for company in (acme, zenith):
        await desk.runway.sync(company.company_id)
    return desk, acme, zenith


async def due_dates(desk: FirmDesk, *companies: Company) -> list[TrackedFinding]:
    return [
        tracked
        for company in companies
        for tracked in await desk.runway.findings.list(company.company_id, states=ALL)
        if tracked.finding.check == "AP01"
    ]


async def missing_due_dates(desk: FirmDesk, *companies: Company) -> tuple[str, ...]:
    return tuple([tracked.finding_id for tracked in await due_dates(desk, *companies)])


async def states_of(desk: FirmDesk, *companies: Company) -> list[str]:
    return [tracked.state.value for tracked in await due_dates(desk, *companies)]


async def do(desk: FirmDesk, wish: AcrossWish) -> AcrossAct:
    plan = await desk.runway.across.plan(wish)
    return await desk.runway.across.do(wish, seal=plan.seal, actor="ada")


def outcomes(act: AcrossAct) -> list[AcrossOutcome]:
    return [item.outcome for item in act.items]


async def test_like_findings_of_two_companies_are_accepted_and_put_back() -> None:
    desk, acme, zenith = await two_companies()
    ids = await missing_due_dates(desk, acme, zenith)
    await desk.runway.findings.decide(zenith.company_id, ids[2], FindingState.ASKED, actor="bo")
    wish = AcrossWish(AcrossKind.ACCEPT, check="AP01", finding_ids=ids, reason="paid on demand")
    plan = await desk.runway.across.plan(wish)
    before = await states_of(desk, acme, zenith)
    act = await desk.runway.across.do(wish, seal=plan.seal, actor="ada")
    accepted = await desk.runway.findings.list(acme.company_id, states=frozenset({FindingState.ACCEPTED}))
    undone = await desk.runway.across.undo(act.paper_id, actor="bo")

    assert before == ["open", "open", "asked"]
    assert [(part.company.name, part.before, part.after) for part in plan.parts] == [
        ("Acme", "open", "accepted"), ("Acme", "open", "accepted"), ("Zenith", "asked", "accepted"),
    ]  # fmt: skip
    assert outcomes(act) == [AcrossOutcome.DONE] * 3
    assert {(one.reason, one.decided_by) for one in accepted} == {("paid on demand", "ada")}
    assert outcomes(undone) == [AcrossOutcome.UNDONE] * 3
    assert await states_of(desk, acme, zenith) == ["open", "open", "asked"]


async def test_an_act_is_undone_once() -> None:
    desk, acme, zenith = await two_companies()
    act = await do(desk, AcrossWish(AcrossKind.ASSIGN, (acme.company_id, zenith.company_id), owner="cy"))
    await desk.runway.across.undo(act.paper_id, actor="ada")
    await desk.runway.companies.change_details(acme.company_id, owner="cy", actor="ada")

    with pytest.raises(InvalidRequest, match="undone before"):
        await desk.runway.across.undo(act.paper_id, actor="ada")
    with pytest.raises(StaleRevision):
        await desk.runway.across.undo(act.paper_id, actor="ada", version=act.version)
    assert (await desk.runway.companies.get(acme.company_id)).owner == "cy"


async def test_what_somebody_changed_since_is_left_as_it_is() -> None:
    desk, acme, zenith = await two_companies()
    await desk.runway.companies.change_details(acme.company_id, owner="bo", actor="ada")
    act = await do(desk, AcrossWish(AcrossKind.ASSIGN, (zenith.company_id, acme.company_id), owner="cy"))
    await desk.runway.companies.change_details(zenith.company_id, owner="di", actor="di")
    undone = await desk.runway.across.undo(act.paper_id, actor="ada")
    owners = [company.owner for company in await desk.runway.companies.list()]

    assert [item.before for item in act.items] == ["bo", ""]
    assert outcomes(undone) == [AcrossOutcome.UNDONE, AcrossOutcome.KEPT]
    assert owners == ["bo", "di"]


class Killed(BaseException):
    """The process ends here."""


class MortalCompanies(CompanyService):
    """Lives for so many changes."""

    changes = 1

    async def change_details(self, company_id: CompanyId, **details: Any) -> Company:
        if not self.changes:
            raise Killed
        self.changes -= 1
        return await super().change_details(company_id, **details)


def mortal(desk: FirmDesk) -> AcrossService:
    scope = desk.runway.scope
    return AcrossService(scope, MortalCompanies(scope), FindingService(scope))


async def test_an_act_that_was_cut_off_is_undone_as_far_as_it_went() -> None:
    desk, acme, zenith = await two_companies()
    wish = AcrossWish(AcrossKind.ASSIGN, (acme.company_id, zenith.company_id), owner="cy")
    plan = await desk.runway.across.plan(wish)
    with pytest.raises(Killed):
        await mortal(desk).do(wish, seal=plan.seal, actor="ada")
    (act,) = await desk.runway.across.list()
    cut_off = [company.owner for company in await desk.runway.companies.list()]
    undone = await desk.runway.across.undo(act.paper_id, actor="ada")

    assert (cut_off, outcomes(act), act.is_undoable) == (["cy", None], [AcrossOutcome.INTENDED] * 2, True)
    assert (outcomes(undone), undone.is_undoable) == ([AcrossOutcome.UNDONE] * 2, False)
    assert not any(company.owner for company in await desk.runway.companies.list())


async def test_an_undoing_that_was_cut_off_goes_on() -> None:
    desk, acme, zenith = await two_companies()
    act = await do(desk, AcrossWish(AcrossKind.ASSIGN, (acme.company_id, zenith.company_id), owner="cy"))
    with pytest.raises(Killed):
        await mortal(desk).undo(act.paper_id, actor="ada")
    undone = await desk.runway.across.undo(act.paper_id, actor="ada")

    assert outcomes(undone) == [AcrossOutcome.UNDONE] * 2
    assert not any(company.owner for company in await desk.runway.companies.list())


async def test_undoing_leaves_out_a_company_that_was_erased_since() -> None:
    desk, acme, zenith = await two_companies()
    ids = await missing_due_dates(desk, acme, zenith)
    wish = AcrossWish(AcrossKind.SNOOZE, check="AP01", finding_ids=ids, until=AS_OF + timedelta(days=7))
    act = await do(desk, wish)
    await desk.runway.erasures.erase(acme.company_id, confirmed=acme.name, actor="ada")
    undone = await desk.runway.across.undo(act.paper_id, actor="ada")

    assert outcomes(undone) == [AcrossOutcome.KEPT, AcrossOutcome.KEPT, AcrossOutcome.UNDONE]
    assert await states_of(desk, zenith) == ["open"]


async def test_what_changed_since_it_was_shown_is_not_done() -> None:
    desk, acme, zenith = await two_companies()
    wish = AcrossWish(AcrossKind.ASSIGN, (acme.company_id, zenith.company_id), owner="cy")
    plan = await desk.runway.across.plan(wish)
    await desk.runway.companies.change_details(acme.company_id, owner="bo", actor="ada")

    with pytest.raises(StaleRevision, match="look again"):
        await desk.runway.across.do(wish, seal=plan.seal, actor="ada")
    assert [company.owner for company in await desk.runway.companies.list()] == ["bo", None]


async def test_what_is_so_already_is_shown_and_not_done_again() -> None:
    desk, acme, zenith = await two_companies()
    await desk.runway.companies.change_details(acme.company_id, owner="cy", actor="ada")
    plan = await desk.runway.across.plan(
        AcrossWish(AcrossKind.ASSIGN, (acme.company_id, zenith.company_id), owner=" cy ")
    )
    act = await do(desk, plan.wish)
    with pytest.raises(InvalidRequest, match="nothing to do"):
        await do(desk, plan.wish)

    assert [part.problem for part in plan.parts] == ["so already", ""]
    assert [item.company_id for item in act.items] == [zenith.company_id]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"finding_ids": ()}, "tick the findings"),
        ({"reason": ""}, "needs a reason"),
        ({"act": AcrossKind.SNOOZE, "until": AS_OF}, "a day after today"),
        ({"finding_ids": ("gone",)}, "wait for nobody any more"),
        ({"check": "AP06"}, "wait for nobody any more"),
        ({"finding_ids": tuple(str(number) for number in range(101))}, "at most 100"),
        ({"act": AcrossKind.ASSIGN}, "tick the companies"),
        ({"act": AcrossKind.ASSIGN, "company_ids": (CompanyId("x"),), "owner": "o" * 201}, "at most 200"),
    ],
)
async def test_what_cannot_be_done_is_said_before_anything_is_done(changes: dict[str, Any], said: str) -> None:
    desk, acme, zenith = await two_companies()
    values: dict[str, Any] = {"act": AcrossKind.ACCEPT, "check": "AP01", "reason": "right"}
    wish = AcrossWish(**values | {"finding_ids": await missing_due_dates(desk, acme, zenith)} | changes)

    with pytest.raises(InvalidRequest, match=said):
        await desk.runway.across.plan(wish)
    assert await desk.runway.across.list() == []


async def test_people_act_within_their_role_and_their_companies() -> None:
    desk, acme, zenith = await two_companies()
    ids = await missing_due_dates(desk, acme, zenith)
    hers = frozenset({acme.company_id})
    bo = desk.runway.for_caller(Caller("bo", Role.BOOKKEEPER, GRANTS[Role.BOOKKEEPER], hers))
    act = await do(desk, AcrossWish(AcrossKind.ASK, check="AP01", finding_ids=ids))
    seen = await bo.across.get(act.paper_id)

    assert {item.company_id for item in seen.items} == hers
    with pytest.raises(NotAllowed):
        await bo.across.plan(AcrossWish(AcrossKind.ASSIGN, (acme.company_id,), owner="bo"))
    with pytest.raises(InvalidRequest, match="wait for nobody"):
        await bo.across.plan(AcrossWish(AcrossKind.ACCEPT, check="AP01", finding_ids=ids, reason="right"))
    with pytest.raises(InvalidRequest, match="not yours"):
        await bo.across.undo(act.paper_id, actor="bo")
    nobody = desk.runway.for_caller(Caller("di", Role.BOOKKEEPER, GRANTS[Role.BOOKKEEPER], frozenset()))
    with pytest.raises(NotFound):
        await nobody.across.get(act.paper_id)


async def test_the_firms_tray_counts_by_check_and_by_company() -> None:
    desk, _, _ = await two_companies()
    view = await desk.runway.firm_tray("AP01")
    line = next(line for line in view.checks if line.check == "AP01")

    assert (line.findings, line.companies, line.name) == (3, 2, "bill_due_date_missing")
    assert [item.company_name for item in view.items] == sorted(item.company_name for item in view.items)
    assert sum(one.findings for one in view.by_company) == view.findings == sum(one.findings for one in view.checks)
    assert view.by_company[0].name == "Acme"
