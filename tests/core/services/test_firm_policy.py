"""A firm's policy: it holds wherever a company set nothing itself, and is kept and logged like one of a company."""

import pytest
from runway_core.domain.identity import FirmId
from runway_core.domain.people import firm_chain
from runway_core.domain.policy import DEFAULT_POLICY, Policy, RuleName, lay_over
from runway_core.errors import InvalidRequest, NotFound, StaleRevision
from runway_core.runway import Runway
from runway_core.sync.verification import verify_log

from tests.core.desk import FirmDesk, bank, bill


async def test_what_a_company_did_not_set_is_the_firms() -> None:
    desk = FirmDesk()
    acme, zeta = await desk.connect("Acme", bank()), await desk.connect("Zeta", bank())
    policies = desk.runway.policies
    await policies.change(acme.company_id, {"payroll_cover_days": 7}, actor="ada")
    firm = await policies.change_firm({"payroll_cover_days": 21, "hurdle_rate": "0.12"}, actor="bob", version=0)
    first, second = [await policies.read(company.company_id) for company in (acme, zeta)]
    books = await desk.runway.books.read(zeta.company_id)

    assert (firm.version, firm.own) == (1, ("payroll_cover_days", "hurdle_rate"))
    assert (first.payroll_cover_days, f"{first.hurdle_rate}", first.own) == (7, "0.12", ("payroll_cover_days",))
    assert (second.payroll_cover_days, f"{second.hurdle_rate}", second.own) == (21, "0.12", ())
    assert [(p.version, p.firm_version) for p in (first, second)] == [(1, 1), (0, 1)]
    assert books.policy == second


async def test_a_setting_that_is_given_back_follows_the_firm_again() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank())
    policies = desk.runway.policies
    await policies.change_firm({"payroll_cover_days": 21}, actor="ada")
    pinned = await policies.change(acme.company_id, {"payroll_cover_days": 7, "bank_warn_hours": 12}, actor="ada")
    back = await policies.change(acme.company_id, {}, follow_firm=["payroll_cover_days"], actor="ada", version=1)

    assert pinned.own == ("payroll_cover_days", "bank_warn_hours")
    assert (back.payroll_cover_days, back.bank_warn_hours, back.own) == (21, 12, ("bank_warn_hours",))


async def test_setting_what_holds_already_pins_nothing() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank())
    policies = desk.runway.policies
    await policies.change_firm({"payroll_cover_days": 21}, actor="ada")
    same = await policies.change(acme.company_id, {"payroll_cover_days": 21}, actor="ada")
    again = await policies.change_firm({"payroll_cover_days": 21}, actor="bob")

    assert (same.version, same.own, again.version) == (0, (), 1)


async def test_the_firms_policy_is_refused_on_an_old_version_and_for_what_one_company_alone_can_say() -> None:
    desk = FirmDesk()
    policies = desk.runway.policies
    await policies.change_firm({"payroll_cover_days": 21}, actor="ada")

    with pytest.raises(StaleRevision):
        await policies.change_firm({"payroll_cover_days": 7}, actor="bob", version=0)
    with pytest.raises(InvalidRequest, match="vendor_tiers: names records of one company"):
        await policies.change_firm({"vendor_tiers": {"V1": 1}}, actor="ada")
    with pytest.raises(InvalidRequest, match="no setting"):
        await policies.change_firm({}, reset=["colour"], actor="ada")


async def test_an_earlier_version_holds_again_as_a_new_one() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank())
    policies = desk.runway.policies
    await policies.change_firm({"payroll_cover_days": 21}, actor="ada")
    await policies.change_firm({"payroll_cover_days": 7, "bank_warn_hours": 12}, actor="ada")
    firm = await policies.revert_firm(1, actor="bob", version=2)
    await policies.change(acme.company_id, {"payroll_cover_days": 3}, actor="ada")
    mine = await policies.revert(acme.company_id, 0, actor="bob", version=1)
    with pytest.raises(NotFound, match="never had a version 9"):
        await policies.revert(acme.company_id, 9, actor="bob")

    assert (firm.version, firm.payroll_cover_days, firm.bank_warn_hours) == (3, 21, 24)
    assert (mine.version, mine.payroll_cover_days, mine.own) == (2, 21, ())
    assert [entry.draft.what for entry in await policies.firm_history()] == ["policy_added"] + ["policy_updated"] * 2


async def test_the_firms_papers_have_a_sound_chain_and_are_no_company_nor_another_firms() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank())
    await desk.runway.policies.change_firm({"payroll_cover_days": 21}, actor="ada")
    house = firm_chain(desk.runway.scope.firm_id)
    others = Runway(
        store=desk.store, rails=desk.runway.rails, clock=desk.clock, firm_id=FirmId("others"), new_id=lambda: "1"
    )

    assert (await verify_log(desk.store.log, house)).entries == 1
    assert [company.company_id for company in await desk.runway.companies.list()] == [acme.company_id]
    assert await others.policies.read_firm() == DEFAULT_POLICY
    with pytest.raises(NotFound):
        await desk.runway.policies.read(house)


async def test_a_policy_from_before_firms_had_one_keeps_what_differs_from_the_default() -> None:
    old = DEFAULT_POLICY.model_copy(update={"payroll_cover_days": 7, "version": 4})
    firm = DEFAULT_POLICY.model_copy(update={"payroll_cover_days": 21, "bank_warn_hours": 12, "version": 2})
    holds = lay_over(firm, Policy.model_validate_json(old.model_dump_json(exclude={"own", "firm_version"})))

    assert (holds.payroll_cover_days, holds.bank_warn_hours, holds.version, holds.firm_version) == (7, 12, 4, 2)


async def test_each_rule_says_what_it_does_to_the_ready_bills_with_other_settings_too() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1"))
    await desk.runway.sync(acme.company_id)
    policies = desk.runway.policies
    now = await policies.survey(acme.company_id)
    tried = await policies.survey(acme.company_id, {"rules": ["amount_tiers"]})

    assert [line.rule for line in now.rules] == list(RuleName)
    assert [line.rule for line in tried.rules if line.is_on] == [RuleName.AMOUNT_TIERS]
    assert all(sum(line.counts.values()) == len(now.proposed.proposal.payments) for line in now.rules)
    assert (await policies.read(acme.company_id)).version == 0
