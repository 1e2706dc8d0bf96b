"""What a person may enter, and what they are told when it cannot be."""

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from runway_core.domain.identity import CompanyId, ConnectionId, RecordKey, RecordKind
from runway_core.errors import RailMisconfigured
from runway_core.plugins.registry import RailRegistry
from runway_core.ports.ledger_rail import RailContext
from runway_core.ports.record_links import find_record_link
from runway_rail_qbo import QboRailFactory, QboSecrets, QboSettings

from tests.rails.paper_qbo import DrawerVault, StillClock


def test_a_realm_is_enough_for_production() -> None:
    settings = QboSettings(realm_id="9341457021722202")

    assert settings.environment == "production"
    assert settings.company_url == "https://quickbooks.api.intuit.com/v3/company/9341457021722202"
    assert settings.token_url == "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"
    assert settings.discovery_url == "https://developer.api.intuit.com/.well-known/openid_configuration/"


def test_the_sandbox_environment_has_its_own_address() -> None:
    settings = QboSettings(realm_id="1", environment="sandbox")

    assert settings.base_url == "https://sandbox-quickbooks.api.intuit.com"
    assert "openid_sandbox" in settings.discovery_url


def test_a_base_url_makes_the_environment_custom() -> None:
    settings = QboSettings.model_validate(
        {"realm_id": "1", "base_url": "http://127.0.0.1:8700/qbo/", "token_url": "http://127.0.0.1:8700/token"}
    )

    assert settings.environment == "custom"
    assert settings.company_url == "http://127.0.0.1:8700/qbo/v3/company/1"


def test_settings_survive_being_stored() -> None:
    settings = QboSettings(realm_id="1", environment="sandbox")

    assert QboSettings.model_validate(settings.model_dump(mode="json")) == settings


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "realm_id"),
        ({"realm_id": "Acme"}, "company id in digits"),
        ({"realm_id": "1/../2"}, "company id in digits"),
        ({"realm_id": "1", "base_url": "127.0.0.1:8700", "token_url": "http://127.0.0.1/t"}, "not a web address"),
        ({"realm_id": "1", "base_url": "http://books.example.com", "token_url": "https://x.example"}, "use https"),
        ({"realm_id": "1", "environment": "custom"}, "needs token_url and base_url"),
        ({"realm_id": "1", "base_url": "http://127.0.0.1:1"}, "needs token_url and base_url"),
        ({"realm_id": "1", "environment": "production", "base_url": "https://x.example"}, "must be 'custom'"),
        ({"realm_id": "1", "environment": "prod"}, "'production', 'sandbox' or 'custom'"),
        ({"realm_id": "1", "page_size": 1001}, "less than or equal to 1000"),
        ({"realm_id": "1", "minor_version": 65}, "greater than or equal to 75"),
        ({"realm_id": "1", "realmid": "2"}, "Extra inputs"),
        ("9341", "valid dictionary"),
    ],
)
def test_wrong_settings_are_told(values: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        QboSettings.model_validate(values)


def test_an_empty_secret_is_told_and_none_is_shown() -> None:
    with pytest.raises(ValidationError, match=r"copy it from the app's Keys page"):
        QboSecrets(client_id=SecretStr(" "), client_secret=SecretStr("s"), refresh_token=SecretStr("r"))
    secrets = QboSecrets(client_id=SecretStr("app"), client_secret=SecretStr("hush"), refresh_token=SecretStr("r"))

    assert "hush" not in repr(secrets)


def test_opening_with_wrong_settings_says_what_is_wrong() -> None:
    context = RailContext(
        company_id=CompanyId("c"),
        connection_id=ConnectionId("k"),
        home_currency="USD",
        settings={"realm_id": "Acme"},
        vault=DrawerVault({}),
        clock=StillClock(),
    )

    with pytest.raises(RailMisconfigured, match=r"realm_id: realm_id must be the company id in digits"):
        QboRailFactory().open(context)


def test_the_rail_is_found_as_a_plugin() -> None:
    installed = RailRegistry.from_installed_plugins().installed["qbo"]

    assert installed.factory.title == "QuickBooks Online"
    assert installed.factory.abilities.has_change_feed
    assert len(installed.factory.abilities.kinds) == 16


@pytest.mark.parametrize(
    ("settings", "key", "address"),
    [
        (
            {"realm_id": "934"},
            RecordKey(RecordKind.BILL, "145"),
            "https://qbo.intuit.com/app/login?pagereq=bill%3FtxnId%3D145&deeplinkcompanyid=934",
        ),
        (
            {"realm_id": "934", "environment": "sandbox"},
            RecordKey(RecordKind.VENDOR, "7"),
            "https://sandbox.qbo.intuit.com/login?pagereq=vendordetail%3FnameId%3D7&deeplinkcompanyid=934",
        ),
        ({"realm_id": "934"}, RecordKey(RecordKind.BILL, "145&x=1"), None),
        ({"realm_id": "934"}, RecordKey(RecordKind.SERIES, "1"), None),
        (
            {"realm_id": "1", "base_url": "http://127.0.0.1:8700/qbo/", "token_url": "http://127.0.0.1:8700/token"},
            RecordKey(RecordKind.BILL, "145"),
            None,
        ),
    ],
)
def test_a_record_is_opened_in_its_own_company_and_only_where_there_is_one(
    settings: dict[str, Any], key: RecordKey, address: str | None
) -> None:
    assert find_record_link(QboRailFactory(), settings, key) == address
