"""Policies: data with a version, changed setting by setting."""

from decimal import Decimal
from typing import Any

import pytest
from runway_core.domain.policy import DEFAULT_POLICY, AmountTier, Role, RuleName, VendorTier
from runway_core.errors import InvalidRequest, StaleRevision

from tests.core.desk import FirmDesk, bank, bill


async def test_the_default_holds_until_something_is_set() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank())
    policies = desk.runway.policies

    assert await policies.read(acme.company_id) == DEFAULT_POLICY
    assert (await desk.runway.books.read(acme.company_id)).policy == DEFAULT_POLICY
    assert list(await policies.history(acme.company_id)) == []


async def test_a_change_is_a_new_version_and_leaves_the_rest() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank())
    policies = desk.runway.policies
    first = await policies.change(
        acme.company_id,
        {"vendor_tiers": {"V1": 1}, "hurdle_rate": "0.12", "payroll_cover_days": 21},
        actor="ada",
        version=0,
    )
    second = await policies.change(
        acme.company_id,
        {
            "amount_tiers": [AmountTier(below=None, roles=(Role.OWNER,))],
            "late_tolerance_days": {VendorTier.STANDARD: 5},
            "account_budgets": {"63": Decimal(900)},
        },
        actor="bob",
    )
    same = await policies.change(acme.company_id, {"payroll_cover_days": 21}, actor="eve")
    history = await policies.history(acme.company_id)

    assert (first.version, first.vendor_tiers, first.hurdle_rate) == (1, {"V1": VendorTier.CRITICAL}, Decimal("0.12"))
    assert (second.version, second.changed_by, second.payroll_cover_days) == (2, "bob", 21)
    assert second.amount_tiers == (AmountTier(below=None, roles=(Role.OWNER,)),)
    assert second.late_tolerance_days == {VendorTier.STANDARD: 5}
    assert second.account_budgets == {"63": Decimal("900.0000")}
    assert same == second == await policies.read(acme.company_id)
    assert (await desk.runway.books.read(acme.company_id)).policy == second
    assert [entry.draft.what for entry in history] == ["policy_added", "policy_updated"]
    assert b'"late_tolerance_days":[{"3":3,"4":7},{"3":5}]' in history[1].draft.changed


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"colour": "red"}, "colour: no setting"),
        ({"version": 7}, "version: no setting"),
        ({"rules": ["minimum_cash", "minimum_cash"]}, "named twice"),
        ({"rules": ["astrology"]}, "rules"),
        ({"payment_weekdays": [7]}, "0 \\(Monday\\) to 6"),
        ({"payment_weekdays": []}, "at least one"),
        ({"amount_tiers": [{"below": "10", "roles": ["owner"]}]}, "the last tier alone"),
        ({"amount_tiers": []}, "the last tier alone"),
        (
            {
                "amount_tiers": [
                    {"below": "10", "roles": ["bookkeeper"]},
                    {"below": "10", "roles": ["owner"]},
                    {"below": None, "roles": ["owner"]},
                ]
            },
            "must rise",
        ),
        ({"bank_block_hours": 5}, "less than bank_warn_hours"),
        ({"payroll_cover_days": -1}, "payroll_cover_days"),
        ({"hurdle_rate": "-0.1"}, "rates"),
        ({"late_tolerance_days": {"3": -1}}, "late_tolerance_days"),
        ({"changed_details_days": 10**12}, "changed_details_days: must be 0 to 3660"),
        ({"payroll_cover_days": 3_661}, "payroll_cover_days: must be 0 to 3660"),
        ({"minimum_cash_days": 3_661}, "minimum_cash_days: must be 0 to 3660"),
        ({"late_tolerance_days": {"3": 3_661}}, "late_tolerance_days: must be 0 to 3660"),
        ({"bank_block_hours": 87_601}, "bank_block_hours: must be 0 to 87600"),
        ({"mirror_warn_hours": 10**15}, "mirror_warn_hours: must be 0 to 87600"),
        ({"rail_business_days": 61}, "rail_business_days: must be 0 to 60"),
        ({"hurdle_rate": "10.01"}, "rates must be 0 to 10"),
        ({"late_fee_monthly": {"V1": "11"}}, "rates must be 0 to 10"),
        ({"vendor_tiers": {"V1": 9}}, "vendor_tiers"),
        ({"account_budgets": {"63": "-1"}}, "account_budgets"),
        ({"told_bank_line": "0"}, "told_bank_line: must be more than nil"),
    ],
)
async def test_what_cannot_be_is_refused_and_changes_nothing(changes: dict[str, Any], said: str) -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank())

    with pytest.raises(InvalidRequest, match=said):
        await desk.runway.policies.change(acme.company_id, changes, actor="ada")
    assert await desk.runway.policies.read(acme.company_id) == DEFAULT_POLICY


async def test_the_furthest_settings_leave_every_figure_computable() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1"))
    await desk.runway.sync(acme.company_id)
    furthest: dict[str, Any] = {
        "changed_details_days": 3_660,
        "payroll_cover_days": 3_660,
        "minimum_cash_days": 3_660,
        "bank_warn_hours": 87_600,
        "bank_block_hours": 87_600,
        "mirror_warn_hours": 87_600,
        "rail_business_days": 60,
        "hurdle_rate": "10",
        "late_tolerance_days": {"3": 3_660},
    }
    held = await desk.runway.policies.change(acme.company_id, furthest, actor="ada")
    survey = await desk.runway.policies.survey(acme.company_id)

    assert held.rail_business_days == 60
    assert survey.policy == held
    assert len(survey.proposed.readiness) == 1


async def test_what_an_earlier_release_let_through_is_computed_with_mended_and_not_taken_up_again() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1"))
    await desk.runway.sync(acme.company_id)
    days = {"changed_details_days": 10**12, "payroll_cover_days": 10**12}
    odd = DEFAULT_POLICY.model_copy(update={**days, "own": tuple(days)})
    await desk.store.papers.save_papers(
        acme.company_id, [odd], attribution=desk.runway.scope.by_owner("ada"), at=desk.later(minutes=1)
    )
    survey = await desk.runway.policies.survey(acme.company_id)
    await desk.runway.policies.change(
        acme.company_id, {"changed_details_days": 30, "payroll_cover_days": 14}, actor="ada"
    )

    assert len(survey.proposed.readiness) == 1
    with pytest.raises(InvalidRequest, match="must be 0 to 3660"):
        await desk.runway.policies.revert(acme.company_id, 1, actor="ada")
    assert (await desk.runway.policies.read(acme.company_id)).changed_details_days == 30


async def test_a_firm_cannot_set_what_no_company_could_compute_with() -> None:
    desk = FirmDesk()
    with pytest.raises(InvalidRequest, match="changed_details_days: must be 0 to 3660"):
        await desk.runway.policies.change_firm({"changed_details_days": 10**12}, actor="ada")

    assert await desk.runway.policies.read_firm() == DEFAULT_POLICY


async def test_a_change_on_an_old_version_is_refused() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank())
    await desk.runway.policies.change(acme.company_id, {"rules": list(RuleName)[:3]}, actor="ada", version=0)
    with pytest.raises(StaleRevision):
        await desk.runway.policies.change(acme.company_id, {"payroll_cover_days": 7}, actor="bob", version=0)

    assert (await desk.runway.policies.read(acme.company_id)).version == 1
