"""A sandbox's ready line becomes companies with connections: a card processor only where cards are taken."""

import json
from typing import Any

import pytest
from runway_app_http.sandbox_portfolio import connect_portfolio, parse_ready_line
from runway_core.errors import InvalidRequest
from runway_core.runway import Runway
from runway_testkit.memory_store import MemoryStore

NAMES = ("Acme Café", "Birch Electric", "Cedar Dental")
BASE = "http://127.0.0.1:9"


def write_line(*, key: str = "sk_test_1", names: tuple[str, ...] = NAMES) -> str:
    qbo: dict[str, Any] = {
        "base_url": f"{BASE}/qbo",
        **{name: f"{BASE}/qbo/{name}" for name in ("discovery_url", "authorize_url", "token_url", "revoke_url")},
        "client_id": "app",
        "client_secret": "secret",
        "companies": [
            {"realm_id": str(place), "name": name, "access_token": "at", "refresh_token": "rt"}
            for place, name in enumerate(NAMES)
        ],
    }
    stripe = {
        "base_url": f"{BASE}/stripe",
        "secret_key": key,
        "webhook_secret": "whsec_1",
        "companies": [
            {"name": name, "account_id": f"acct_{place}", "takes_cards": place != 1} for place, name in enumerate(names)
        ],
    }
    return json.dumps({"ready": True, "control_url": f"{BASE}/control", "qbo": qbo, "stripe": stripe})


async def test_companies_that_take_cards_get_their_processor_and_repeating_gives_it_the_new_key() -> None:
    async with Runway.open(store=MemoryStore()) as runway:
        first = await connect_portfolio(runway, parse_ready_line(write_line(), source="x"), actor="ada")
        again = await connect_portfolio(runway, parse_ready_line(write_line(key="sk_test_2"), source="x"), actor="ada")
        held = await runway.connections.list()
        processors = {one.company_id: one for one in held if one.rail == "stripe"}
        keys = [await runway.scope.store.vault.load(one.connection_id) for one in processors.values()]

    assert [(company.name, connection.rail) for company, connection in first] == [
        ("Acme Café", "qbo"),
        ("Acme Café", "stripe"),
        ("Birch Electric", "qbo"),
        ("Cedar Dental", "qbo"),
        ("Cedar Dental", "stripe"),
    ]
    assert [connection.rail for _, connection in again] == ["qbo"] * 3
    assert sorted(one.settings["account_id"] for one in processors.values()) == ["acct_0", "acct_2"]
    assert all(one.settings["through_platform"] is True for one in processors.values())
    assert {secrets["secret_key"].get_secret_value() for secrets in keys} == {"sk_test_2"}


def test_the_companies_of_all_rails_stand_in_one_order_and_the_line_tells_what_proves_events() -> None:
    line = parse_ready_line(write_line(), source="x")
    secret = line.webhook_settings()["stripe_webhook_secret"]
    with pytest.raises(InvalidRequest, match="one order"):
        parse_ready_line(write_line(names=NAMES[::-1]), source="x")

    assert secret is not None
    assert secret.get_secret_value() == "whsec_1"
