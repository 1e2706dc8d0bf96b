"""Every page that links lead to: by day and by night, on a narrow screen, and for who cannot see it."""

import re
from collections import deque
from collections.abc import AsyncIterator

from axe_playwright_python.async_playwright import Axe
from fastapi import FastAPI
from playwright.async_api import BrowserContext, Page
from runway_core.domain.policy import Role

from tests.app.firm import Firm
from tests.app.people_desk import add_owner, reach
from tests.app.test_needs import addresses_of
from tests.browser.conftest import Window, let_in

NO_PAGES = re.compile(r"\.(csv|eml|html)$|^/(v1|static|errors)/|^/(openapi.json|metrics|healthz|readyz)$|/what-if$")
LED_TO_OTHERWISE = {
    # After a form, from a mail, or before anybody is signed in.
    "/across/{act_id}", "/sign-in", "/sign-in/code", "/sign-in/again", "/sign-in/with",
    "/sign-in/with/back", "/welcome", "/companies/{company_id}/digests/{digest_id}", "/hooks/{subscription_id}",
}  # fmt: skip
WCAG: dict[str, object] = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
CONTRAST: dict[str, object] = {"type": "rule", "values": ["color-contrast"]}
# A caption belongs into a table (WAI-ARIA 1.2, role "caption"), and axe takes it for a stranger there.
RULES = {"aria-required-children": {"enabled": False}}
FIND = """async options => (await axe.run(document, options)).violations.flatMap(
    violation => violation.nodes.slice(0, 2).map(node => `${violation.id}: ${node.html.slice(0, 200)}`))"""
IS_TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


async def walk(window: Window, app: FastAPI) -> AsyncIterator[str]:
    """Go from the first page to one page of each of the app's addresses; no address may be without a link to it."""
    templates = {path for method, path in addresses_of(app) if method == "GET" and not NO_PAGES.search(path)}
    patterns = {path: re.compile(re.sub(r"\{\w+\}", "[^/]+", path)) for path in sorted(templates)}
    waiting, met = deque(["/"]), {"/"}
    while waiting:
        path = waiting.popleft()
        await window.go(path)
        yield path
        for link in await window.page.eval_on_selector_all("a[href]", "all => all.map(a => a.href)"):
            target = link.removeprefix(window.address).partition("#")[0]
            for template in patterns.keys() - met:
                if patterns[template].fullmatch(target.partition("?")[0]):
                    met.add(template)
                    waiting.append(target)
    assert templates - met == LED_TO_OTHERWISE


async def find_barriers(page: Page, rules: dict[str, object]) -> list[str]:
    """What keeps somebody from using the page, as far as a program can tell."""
    options = {"runOnly": rules, "rules": RULES, "resultTypes": ["violations"]}
    found: list[str] = await page.evaluate(FIND, options)
    return found


async def test_everybody_can_use_every_page(context: BrowserContext, window: Window, app: FastAPI, firm: Firm) -> None:
    """WCAG 2.2 AA by day, contrast by night too, and no page that is wider than a narrow screen."""
    await context.add_init_script(Axe().axe_script)
    await add_owner(firm.runway)
    await let_in(context, window, await reach(app, firm.runway, Role.OWNER))
    found = []
    async for path in walk(window, app):
        await window.page.eval_on_selector_all("details", "all => all.forEach(part => { part.open = true; })")
        barriers = await find_barriers(window.page, WCAG)
        await window.page.emulate_media(color_scheme="dark")
        barriers += [f"by night, {barrier}" for barrier in await find_barriers(window.page, CONTRAST)]
        await window.page.set_viewport_size({"width": 320, "height": 640})
        barriers += ["wider than 320 pixels"] if await window.page.evaluate(IS_TOO_WIDE) else []
        await window.page.emulate_media(color_scheme="light")
        await window.page.set_viewport_size({"width": 1280, "height": 900})
        found += [f"{path}: {barrier}" for barrier in barriers]

    assert not found, "\n".join(found)
