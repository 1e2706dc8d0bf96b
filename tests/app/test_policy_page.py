"""The pages of policy: what each rule says, settings tried and kept, versions gone back to, vendors, and the firm's."""

import re
from collections.abc import Sequence

import httpx
import pytest
from runway_app_http.ui.policy_fields import FIELDS, FieldKind, write_field
from runway_core.domain.policy import DEFAULT_POLICY, RuleName, VendorTier

from tests.app.firm import HOSTILE, Firm


def base(firm: Firm) -> str:
    return f"/companies/{firm.sample.company_id}/policy"


Fields = dict[str, str | Sequence[str]]


def form(**changes: str | Sequence[str]) -> Fields:
    """The form as the page shows it where nothing was set, with what a person changed."""
    shown: Fields = {f"order.{rule.value}": str(at) for at, rule in enumerate(RuleName, start=1)}
    for field in FIELDS:
        shown[field.name] = ["1", "3"] if field.kind is FieldKind.WEEKDAYS else write_field(DEFAULT_POLICY, field)
    return {**shown, "version": "0", "action": "save", **{k.replace("__", "."): v for k, v in changes.items()}}


async def send(client: httpx.AsyncClient, address: str, fields: Fields, end: str = "") -> httpx.Response:
    page = (await client.get(address)).text
    token = re.search(r'name="form_token" value="([^"]+)"', page)
    assert token is not None
    return await client.post(f"{address}{end}", data={"form_token": token[1], **fields})


async def test_every_rule_says_what_it_does_to_the_ready_bills(client: httpx.AsyncClient, firm: Firm) -> None:
    text = (await client.get(base(firm))).text

    assert [rule.value for rule in RuleName if f'name="order.{rule.value}"' not in text] == []
    assert "3,200.00 USD is below 10,000.00 USD" in text
    assert "wants approval" in text
    assert "Nothing is set for this company" in text


async def test_settings_are_kept_as_a_version_and_say_whose_they_are(client: httpx.AsyncClient, firm: Firm) -> None:
    changed = form(
        payroll_cover_days="21",
        hurdle_rate="12.5",
        amount_tiers="below 5,000: bookkeeper\nabove: controller, owner",
        payment_weekdays=["0", "4"],
        order__earmark="",
        order__data_age="1",
        account_budgets="63: 1,200.50",
        told_bank_line="12,500",
        by=HOSTILE,
    )
    kept = await send(client, base(firm), changed)
    page = (await client.get(base(firm))).text
    policy = await firm.runway.policies.read(firm.sample.company_id)

    assert kept.status_code == 303
    assert policy.own is not None
    assert set(policy.own) == {
        "rules", "payroll_cover_days", "hurdle_rate", "amount_tiers", "payment_weekdays", "account_budgets",
        "told_bank_line",
    }  # fmt: skip
    assert (policy.payroll_cover_days, f"{policy.hurdle_rate}", policy.payment_weekdays) == (21, "0.125", (0, 4))
    assert RuleName.EARMARK not in policy.rules
    assert set(policy.rules[:2]) == {RuleName.MINIMUM_CASH, RuleName.DATA_AGE}
    assert [tier.below for tier in policy.amount_tiers] == [5000, None]
    assert f"{policy.account_budgets['63']}" == "1200.5000"
    assert policy.told_bank_line == 12_500
    assert 'name="told_bank_line" inputmode="decimal" autocomplete="off" value="12,500"' in page
    assert "A new version" in page
    assert HOSTILE not in page


async def test_what_is_tried_is_shown_and_not_kept(client: httpx.AsyncClient, firm: Firm) -> None:
    tried = await send(client, base(firm), form(action="try", amount_tiers="above: owner"))

    assert tried.status_code == 200
    assert "This is tried" in tried.text
    assert "Approved by owner" in tried.text
    assert "above: owner" in tried.text
    assert (await firm.runway.policies.read(firm.sample.company_id)).version == 0


async def test_an_earlier_version_holds_again(client: httpx.AsyncClient, firm: Firm) -> None:
    await send(client, base(firm), form(payroll_cover_days="21"))
    await send(client, base(firm), form(version="1", payroll_cover_days="7"))
    back = await send(client, base(firm), {"action": "revert", "to": "1", "version": "2"})
    page = (await client.get(base(firm))).text
    policy = await firm.runway.policies.read(firm.sample.company_id)

    assert back.status_code == 303
    assert (policy.version, policy.payroll_cover_days) == (3, 21)
    assert "<b>payroll cover days</b>: 21 → 7" in page


async def test_a_setting_follows_the_firm_again(client: httpx.AsyncClient, firm: Firm) -> None:
    await firm.runway.policies.change_firm({"payroll_cover_days": 28}, actor="ada")
    await send(client, base(firm), form(payroll_cover_days="21"))
    page = (await client.get(base(firm))).text
    await send(client, base(firm), form(version="1", payroll_cover_days="21", follow="payroll_cover_days"))
    policy = await firm.runway.policies.read(firm.sample.company_id)

    assert 'name="follow" value="payroll_cover_days"' in page
    assert (policy.payroll_cover_days, policy.own) == (28, ())


async def test_the_order_of_rules_follows_the_firm_again(client: httpx.AsyncClient, firm: Firm) -> None:
    await send(client, base(firm), form(order__earmark=""))
    page = (await client.get(base(firm))).text
    await send(client, base(firm), form(version="1", order__earmark="", follow="rules"))
    policy = await firm.runway.policies.read(firm.sample.company_id)

    assert 'name="follow" value="rules"' in page
    assert (policy.rules, policy.own) == (tuple(RuleName), ())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"payroll_cover_days": "soon"}, "is no whole number"),
        ({"hurdle_rate": "much"}, "is no number"),
        ({"hurdle_rate": "NaN"}, "is no number"),
        ({"amount_tiers": "everybody"}, "says nobody"),
        ({"amount_tiers": "below 10: owner"}, "the last tier alone"),
        ({"amount_tiers": "above: emperor"}, "amount_tiers"),
        ({"payment_weekdays": []}, "name at least one day"),
        ({"late_tolerance_days": "long"}, "is no pair"),
        ({"bank_block_hours": "1"}, "must not be less"),
        ({"action": "burn"}, "say what is to be done"),
        ({"version": "7"}, "changed to version 0"),
    ],
)
async def test_what_cannot_be_set_is_said_and_nothing_is_kept(
    client: httpx.AsyncClient, firm: Firm, changes: Fields, said: str
) -> None:
    refused = await send(client, base(firm), form(**changes))

    assert refused.status_code == 422
    assert said in refused.text
    assert (await firm.runway.policies.read(firm.sample.company_id)).version == 0


async def test_a_vendor_is_put_in_its_tier_and_taken_out_again(client: httpx.AsyncClient, firm: Firm) -> None:
    vendor: Fields = {"action": "set", "vendor_id": "V2", "version": "0"}
    await send(client, base(firm), vendor | {"tier": "1", "method": "card", "late_fee": "1.5"}, "/vendors")
    policy = await firm.runway.policies.read(firm.sample.company_id)
    page = (await client.get(base(firm))).text
    await send(client, base(firm), vendor | {"version": "1", "tier": "", "method": "", "late_fee": ""}, "/vendors")
    after = await firm.runway.policies.read(firm.sample.company_id)
    strange = await send(client, base(firm), vendor | {"version": "2", "tier": "9"}, "/vendors")

    assert policy.vendor_tiers == {"V2": VendorTier.CRITICAL}
    assert f"{policy.late_fee_monthly['V2']}" == "0.015"
    assert "late fee 1.5 % a month" in page
    assert (after.vendor_tiers, after.payment_methods, after.late_fee_monthly) == ({}, {}, {})
    assert strange.status_code == 422


async def test_a_call_about_payment_details_is_noted_and_shown(client: httpx.AsyncClient, firm: Firm) -> None:
    call: Fields = {"action": "call", "vendor_id": "V2", "number_called": "+1 312 555 0100", "details_tail": "4711"}
    noted = await send(client, base(firm), call | {"spoke_to": HOSTILE, "by": "ada"}, "/vendors")
    page = (await client.get(base(firm))).text
    nobody = await send(client, base(firm), call | {"spoke_to": " "}, "/vendors")
    unknown = await send(client, base(firm), call | {"spoke_to": "x", "vendor_id": "V99"}, "/vendors")
    (held,) = await firm.runway.call_backs.list(firm.sample.company_id)

    assert (noted.status_code, nobody.status_code, unknown.status_code) == (303, 422, 422)
    assert "account ends in 4711" in page
    assert HOSTILE not in page
    assert (held.vendor_id, held.changed_by) == ("V2", "ada")


async def test_call_backs_are_noted_over_the_api(client: httpx.AsyncClient, firm: Firm) -> None:
    address = f"/v1/companies/{firm.sample.company_id}/call-backs"
    call = {"vendor_id": "V2", "spoke_to": "Ms Elm", "number_called": "+1 312 555 0100"}
    noted = await client.post(address, json=call)
    again = await client.post(address, json=call | {"details_tail": "4711"}, headers={"Idempotency-Key": "k1"})
    listed = (await client.get(address)).json()

    assert (noted.status_code, noted.headers["etag"]) == (200, '"1"')
    assert (again.json()["changed_by"], [one["details_tail"] for one in listed["items"]]) == ("api:k1", ["4711"])


async def test_the_firms_policy_is_kept_on_a_page_of_its_own(client: httpx.AsyncClient, firm: Firm) -> None:
    kept = await send(client, "/policy", form(payroll_cover_days="28", by="bo"))
    page = (await client.get("/policy")).text
    late = await send(client, "/policy", form(payroll_cover_days="7"))
    theirs = (await client.get(base(firm))).text
    reset = await send(client, "/policy", form(version="1", payroll_cover_days="28", follow="payroll_cover_days"))
    back = await send(client, "/policy", {"action": "revert", "to": "1", "version": "2"})
    forged = await client.post("/policy", data=form())

    assert [a.status_code for a in (kept, late, reset, back, forged)] == [303, 422, 303, 303, 403]
    assert "Version 1, by bo" in page
    assert "A new version" in page
    assert "the firm’s" in theirs
    assert (await firm.runway.policies.read(firm.sample.company_id)).payroll_cover_days == 28
    assert (await firm.runway.policies.read_firm()).version == 3


async def test_each_form_shows_every_setting_that_it_keeps(client: httpx.AsyncClient, firm: Firm) -> None:
    """What a form does not show would be set back to nothing by whoever saves it."""
    of_company, of_firm = (await client.get(base(firm))).text, (await client.get("/policy")).text

    assert [field.name for field in FIELDS if f' name="{field.name}"' not in of_company] == []
    assert [field.name for field in FIELDS if not field.is_of_company and f' name="{field.name}"' not in of_firm] == []


async def test_the_firms_policy_over_the_api(client: httpx.AsyncClient, firm: Firm) -> None:
    company = f"/v1/companies/{firm.sample.company_id}/policy"
    kept = await client.post("/v1/policy", json={"settings": {"payroll_cover_days": 28}}, headers={"If-Match": '"0"'})
    late = await client.post("/v1/policy", json={"settings": {"payroll_cover_days": 7}}, headers={"If-Match": '"0"'})
    alone = await client.post("/v1/policy", json={"settings": {"vendor_tiers": {"V2": 1}}})
    theirs = (await client.get(company)).json()
    tried = (await client.post(f"{company}/rules", json={"settings": {"rules": ["amount_tiers"]}})).json()
    back = await client.post("/v1/policy/revert", json={"version": 0})
    history = (await client.get("/v1/policy/history")).json()

    assert [a.status_code for a in (kept, late, alone, back)] == [200, 412, 422, 200]
    assert (theirs["version"], theirs["firm_version"], theirs["payroll_cover_days"], theirs["own"]) == (0, 1, 28, [])
    assert [line["rule"] for line in tried["rules"] if line["is_on"]] == ["amount_tiers"]
    assert (history["company"], [item["what"] for item in history["items"]]) == (
        None,
        ["policy_added", "policy_updated"],
    )
