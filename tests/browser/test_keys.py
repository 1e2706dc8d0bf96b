"""A day at the keyboard: from the list of companies to a finding and a bill, without a mouse."""

from tests.app.firm import Firm
from tests.browser.conftest import Window


async def test_a_company_is_found_and_opened_by_keys(window: Window, firm: Firm) -> None:
    await window.go("/")
    await window.page.keyboard.press("/")
    assert await window.focused("id") == "search"
    await window.page.keyboard.type("sample")
    async with window.page.expect_navigation():
        await window.page.keyboard.press("Enter")
    await window.page.keyboard.press("j")
    async with window.page.expect_navigation():
        await window.page.keyboard.press("Enter")
    assert window.path == f"/companies/{firm.sample.company_id}"


async def test_two_keys_go_to_each_screen(window: Window, firm: Firm) -> None:
    base = f"/companies/{firm.sample.company_id}"
    await window.go(base)
    for keys, path in (("gt", "/tray"), ("gc", "/console"), ("go", "/outlook"), ("gd", "")):
        async with window.page.expect_navigation():
            for key in keys:
                await window.page.keyboard.press(key)
        assert window.path == f"{base}{path}"
    async with window.page.expect_navigation():
        await window.page.keyboard.press("g")
        await window.page.keyboard.press("p")
    assert window.path == "/"


async def test_keys_can_be_switched_off_for_good(window: Window, firm: Firm) -> None:
    await window.go("/")
    await window.page.keyboard.press("?")
    await window.page.get_by_label("Single-key shortcuts are on").uncheck()
    await window.page.keyboard.press("Escape")
    await window.go(f"/companies/{firm.sample.company_id}")
    await window.page.keyboard.press("?")

    assert not await window.page.locator("#keys").is_visible()
    await window.page.get_by_role("button", name="Keyboard shortcuts").click()
    assert await window.page.locator("#keys").is_visible()


async def test_letters_in_a_field_are_text(window: Window) -> None:
    await window.go("/")
    await window.page.keyboard.press("/")
    await window.page.keyboard.type("gt?")

    assert window.path == "/"
    assert await window.page.locator("#search").input_value() == "gt?"
    assert not await window.page.locator("#keys").is_visible()
