"""Signing in and out in a browser: where people were going, and nothing left to go back to."""

from fastapi import FastAPI
from playwright.async_api import expect

from tests.app.firm import Firm
from tests.app.people_desk import PASSWORD, add_owner, set_password
from tests.browser.conftest import Window


async def test_people_get_where_they_were_going_and_leave_nothing_behind(
    window: Window, app: FastAPI, firm: Firm
) -> None:
    page = window.page
    await add_owner(firm.runway)
    await set_password(firm.runway, app, "ada")
    wanted = f"/companies/{firm.sample.company_id}/tray?state=all"
    await window.go(wanted)
    assert window.path.startswith("/sign-in?")
    assert await window.focused("name") == "email"
    await page.keyboard.type("ada@firm.example")
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{window.address}{wanted}")
    readable_by_script = await page.evaluate("document.cookie")
    await page.get_by_role("navigation", name="Account").get_by_role("link").click()
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    await page.go_back()
    await page.go_back()

    assert "runway_session" not in readable_by_script
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert "Sample" not in await page.content()


async def test_names_that_attack_are_only_text(window: Window, firm: Firm) -> None:
    """The vendors of this company are named like scripts; the browser runs none of them, and says so of none."""
    opened: list[str] = []
    window.page.on("dialog", lambda dialog: opened.append(dialog.message))
    for screen in ("", "/tray", "/console", "/outlook", "/history?kind=vendor&external_id=V1"):
        await window.go(f"/companies/{firm.hostile.company_id}{screen}")

    assert opened == []
