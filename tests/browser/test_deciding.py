"""Work on bills, findings and companies in a browser: by keys, by mouse, and where script is switched off."""

import re

from playwright.async_api import Browser, expect
from runway_core.domain.findings import FindingState

from tests.app.firm import Firm
from tests.browser.conftest import PATIENCE_MS, Window

ACCEPTED = frozenset({FindingState.ACCEPTED})


def base(firm: Firm) -> str:
    return f"/companies/{firm.sample.company_id}"


async def test_a_moved_bill_redraws_the_line_and_decides_nothing(window: Window, firm: Firm) -> None:
    page = window.page
    await window.go(f"{base(firm)}/console")
    drawn = await page.locator("#cash-line").inner_html()
    await page.locator("form.move [name=bill]").select_option("B4")
    await page.locator("form.move [name=on]").fill("2026-04-08")

    await expect(page.locator("#asked")).to_contain_text("Pay INV-BA1042 on Wed 8 Apr: +5 days")
    await expect(page.locator("#moves tr", has_text="Runway").locator("[data-asked]")).to_have_text("37 days")
    assert await page.locator("#cash-line svg").count() == 1
    assert await page.locator("#cash-line").inner_html() != drawn
    assert window.path == f"{base(firm)}/console"
    assert await firm.runway.decisions.list(firm.sample.company_id) == []


async def test_a_bill_is_paid_by_keys(window: Window, firm: Firm) -> None:
    page = window.page
    await window.go(f"{base(firm)}/console")
    await page.keyboard.press("j")
    await page.keyboard.press("p")
    assert await window.focused("value") == "pay"
    async with page.expect_navigation():
        await page.keyboard.press("Enter")
    [decision] = await firm.runway.decisions.list(firm.sample.company_id)

    assert decision.outcome.value == "pay"
    assert await page.locator(f"form[action$='/console/decisions/{decision.paper_id}']").count() > 0


async def test_a_finding_is_accepted_by_keys_and_reopened(window: Window, firm: Firm) -> None:
    page, findings, company_id = window.page, firm.runway.findings, firm.sample.company_id
    before = len(await findings.list(company_id))
    await window.go(f"{base(firm)}/tray")
    await page.keyboard.press("j")
    await page.keyboard.press("a")
    assert await window.focused("name") == "reason"
    await page.keyboard.type("The client told us")
    async with page.expect_navigation():
        await page.keyboard.press("Enter")
    [accepted] = await findings.list(company_id, states=ACCEPTED)
    await page.get_by_role("link", name=re.compile("^Accepted")).click()
    await page.locator("summary", has_text="Decide").first.click()
    async with page.expect_navigation():
        await page.get_by_role("button", name="Reopen").click()

    assert accepted.reason == "The client told us"
    assert await findings.list(company_id, states=ACCEPTED) == []
    assert len(await findings.list(company_id)) == before


async def test_a_ticked_company_is_assigned_after_a_look_and_put_back(window: Window, firm: Firm) -> None:
    page, companies = window.page, firm.runway.companies
    await window.go("/?search=sample")
    await page.keyboard.press("j")
    await page.keyboard.press("x")
    await page.get_by_label("Assign the ticked companies to").fill("bo")
    await page.get_by_role("button", name="Assign: see first").click()
    await expect(page.get_by_role("heading", level=2)).to_have_text("Assign 1 company to bo")
    looked_at = await companies.get(firm.sample.company_id)
    await page.get_by_role("button", name="Do it").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Assigned")
    assigned = await companies.get(firm.sample.company_id)
    await page.get_by_role("button", name="Undo all of it").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Assigned, then undone")

    assert [looked_at.owner, assigned.owner] == ["ada", "bo"]
    assert (await companies.get(firm.sample.company_id)).owner == "ada"


async def test_everything_works_without_script(browser: Browser, address: str, firm: Firm) -> None:
    context = await browser.new_context(java_script_enabled=False)
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    await page.goto(f"{address}/?search=sample")
    await page.locator("[data-open]", has_text="Sample").click()
    await page.locator(".tabs").get_by_role("link", name="tray").click()
    await page.locator("summary", has_text="Decide").first.click()
    await page.locator("form[data-finding] [name=reason]").first.fill("Agreed on the phone")
    await page.get_by_role("button", name="Accept").first.click()
    await expect(page.get_by_role("link", name=re.compile("^Accepted"))).to_contain_text("1")
    [accepted] = await firm.runway.findings.list(firm.sample.company_id, states=ACCEPTED)

    assert accepted.reason == "Agreed on the phone"
    await expect(page.locator("#keys-open")).to_be_hidden()
