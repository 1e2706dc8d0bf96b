"""A business lets a partner's app in: over the consent page, once, and from then on by tokens that rotate."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime

import httpx
import pytest
from pydantic import SecretStr
from runway_core.errors import RailAccessLost
from runway_rail_kit import HttpTransport, Pauses
from runway_rail_ramp import RampRailFactory, RampSettings
from runway_rail_ramp.consent import Consent, build_consent_url, complete_consent
from runway_rail_ramp.settings import PRODUCTION_URL, SCOPES
from runway_sandbox.serve import SandboxProcess, start_sandbox

from tests.rails.paper_qbo import no_sleep
from tests.rails.ramp_desk import DAY_S, PayerDesk
from tests.rails.sandbox_desk import DictVault

BACK = "http://localhost/back"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with start_sandbox(clients=1, bills_per_client=60, rails="qbo,ramp", more_arguments=["--no-throttle"]) as running:
        yield running


@pytest.fixture
async def desk(sandbox: SandboxProcess) -> AsyncIterator[PayerDesk]:
    factory = RampRailFactory(pauses=Pauses(sleep=no_sleep))
    desk = PayerDesk(sandbox.ready, factory)
    desk.clock.advance(datetime.fromisoformat((await desk.post("clock", {}))["now"]) - desk.clock.now())
    yield desk
    await factory.aclose()


def settings_of(desk: PayerDesk) -> RampSettings:
    ramp = desk.ready["ramp"]
    return RampSettings(base_url=ramp["base_url"], authorize_url=ramp["authorize_url"])


async def ask_owner(desk: PayerDesk) -> SecretStr:
    url = build_consent_url(settings_of(desk), client_id=desk.ready["ramp"]["client_id"], redirect_uri=BACK, state="s1")
    async with httpx.AsyncClient() as client:
        back = httpx.URL((await client.get(url)).headers["location"]).params
    assert back["state"] == "s1"
    return SecretStr(back["code"])


async def complete(desk: PayerDesk, code: SecretStr) -> Consent:
    ramp, http = desk.ready["ramp"], HttpTransport()
    try:
        return await complete_consent(
            http,
            settings_of(desk),
            code=code,
            redirect_uri=BACK,
            client_id=SecretStr(ramp["client_id"]),
            client_secret=SecretStr(ramp["client_secret"]),
        )
    finally:
        await http.aclose()


async def test_an_owner_lets_the_app_in_and_its_tokens_outlive_their_ten_days(desk: PayerDesk) -> None:
    consent = await complete(desk, await ask_owner(desk))
    desk.vault = DictVault(dict(consent.secrets))
    desk.settings = dict(consent.settings)
    cursor = (await desk.pull())[-1].next_cursor
    first = desk.vault.secrets["refresh_token"]
    await desk.advance(11 * DAY_S)
    await desk.pull(cursor)

    assert (await desk.open().check_connection()).external_id == desk.business_id
    assert desk.vault.secrets["refresh_token"] != first  # it changes with each use


async def test_a_code_works_once(desk: PayerDesk) -> None:
    code = await ask_owner(desk)
    await complete(desk, code)
    with pytest.raises(RailAccessLost, match="begin connecting"):
        await complete(desk, code)


def test_the_page_is_ramps_own_unless_another_is_given() -> None:
    url = httpx.URL(build_consent_url(RampSettings(), client_id="app", redirect_uri=BACK, state="x"))

    assert url.host == "app.ramp.com"
    assert url.params["scope"] == " ".join(SCOPES)
    assert RampSettings().base_url == PRODUCTION_URL


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "http://ramp.example"},
        {"base_url": "ramp.example"},
        {"environment": "production", "base_url": "https://elsewhere.example"},
        {"page_size": 101},
        {"api_key": "x"},
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        RampSettings.model_validate(wrong)
