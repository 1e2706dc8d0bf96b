"""A person agrees at Intuit's page, and the company is connected."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr
from runway_core.errors import RailAccessLost, RailMisconfigured
from runway_rail_kit import HttpTransport
from runway_rail_qbo import QboSecrets, QboSettings
from runway_rail_qbo.consent import build_consent_url, complete_consent
from runway_sandbox.serve import SandboxProcess, start_sandbox

BACK = "http://localhost:8000/connect/qbo/callback"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with start_sandbox(clients=1, bills_per_client=5) as running:
        yield running


@pytest.fixture
def settings(sandbox: SandboxProcess) -> QboSettings:
    qbo = sandbox.ready["qbo"]
    names = ("base_url", "token_url", "authorize_url")
    return QboSettings.model_validate(
        {"realm_id": qbo["companies"][0]["realm_id"], **{name: qbo[name] for name in names}}
    )


async def agree(url: str) -> dict[str, str]:
    """Agree at the consent page and read the address that the browser is sent back to."""
    async with httpx.AsyncClient(follow_redirects=False) as browser:
        answer = await browser.get(url)
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


async def test_a_company_is_connected(sandbox: SandboxProcess, settings: QboSettings) -> None:
    qbo = sandbox.ready["qbo"]
    keys = {"client_id": SecretStr(qbo["client_id"]), "client_secret": SecretStr(qbo["client_secret"])}
    back = await agree(build_consent_url(settings, client_id=qbo["client_id"], redirect_uri=BACK, state="s-1"))
    http = HttpTransport()
    consent = await complete_consent(http, settings, code=SecretStr(back["code"]), redirect_uri=BACK, **keys)
    with pytest.raises(RailAccessLost, match="begin connecting"):
        await complete_consent(http, settings, code=SecretStr(back["code"]), redirect_uri=BACK, **keys)
    await http.aclose()

    assert back["state"] == "s-1"
    assert back["realmId"] == settings.realm_id
    assert QboSettings.model_validate(consent.settings) == settings
    assert QboSecrets.model_validate(consent.secrets).refresh_token.get_secret_value()


async def test_wrong_keys_are_told(settings: QboSettings) -> None:
    http = HttpTransport()
    with pytest.raises(RailMisconfigured, match="check client id"):
        await complete_consent(
            http,
            settings,
            code=SecretStr("x"),
            redirect_uri=BACK,
            client_id=SecretStr("wrong"),
            client_secret=SecretStr("wrong"),
        )
    await http.aclose()
