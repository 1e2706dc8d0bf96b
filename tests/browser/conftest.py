"""The pages in a real browser: Debian's Chromium, headless, before an app that is served on loopback."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright
from runway_app_http.web import create_app

from tests.app.conftest import firm, firm_template, own_logs
from tests.app.firm import Firm
from tests.app.people_desk import Reached

__all__ = ("firm", "firm_template", "own_logs")

PATIENCE_MS = 15_000  # three test processes share two cores


@dataclass
class Window:
    """One person's window, and what went wrong in it that she would not see."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    async def go(self, path: str) -> None:
        """Open a page by its address."""
        await self.page.goto(f"{self.address}{path}")

    @property
    def path(self) -> str:
        """Where she is, without the host."""
        return self.page.url.removeprefix(self.address)

    async def focused(self, attribute: str) -> str | None:
        """An attribute of what has the focus."""
        found: str | None = await self.page.evaluate(f"document.activeElement.getAttribute('{attribute}')")
        return found


async def let_in(context: BrowserContext, window: Window, person: Reached) -> None:
    """Sign somebody in, as if she had done so in this window."""
    await context.add_cookies([{"name": "runway_session", "value": person.session, "url": window.address}])


@pytest.fixture
def app(firm: Firm) -> FastAPI:
    return create_app(firm.runway, manages_runway=False)


@pytest.fixture
async def address(app: FastAPI) -> AsyncIterator[str]:
    """Where the app is served."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()  # who comes before the server is ready waits for it
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await serving
    listener.close()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    program = shutil.which("chromium")
    assert program is not None, "chromium is missing: `make test` installs it, or `apt install chromium`"
    async with async_playwright() as playwright:
        # Within a container there is no room to build the browser's own sandbox; it meets our pages alone.
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture
async def context(browser: Browser) -> BrowserContext:
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    return context


@pytest.fixture
async def window(context: BrowserContext, address: str) -> AsyncIterator[Window]:
    """A window in which nothing may go wrong unseen."""
    window = Window(await context.new_page(), address)
    yield window
    assert window.complaints == []
