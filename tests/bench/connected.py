"""A Runway over a database, connected to every company of a sandbox's ready line."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from runway_core import Runway
from runway_store_sql import SqlStore

from tests.bench.machine import SECRET_KEY


@asynccontextmanager
async def connected(url: str, ready: dict[str, Any]) -> AsyncIterator[Runway]:
    """Open the store and connect the sandbox's companies, in the order of the ready line."""
    qbo = ready["qbo"]
    store = SqlStore(url, secret_key=SECRET_KEY)
    await store.upgrade()
    async with Runway.open(store=store) as runway:
        for entry in qbo["companies"]:
            company = await runway.companies.add(entry["name"], home_currency="USD", time_zone="America/Chicago")
            await runway.connections.add(
                company.company_id,
                rail="qbo",
                settings=qbo_settings(qbo, entry["realm_id"]),
                secrets={
                    "client_id": qbo["client_id"],
                    "client_secret": qbo["client_secret"],
                    "access_token": entry["access_token"],
                    "refresh_token": entry["refresh_token"],
                },
            )
        yield runway


def qbo_settings(qbo: dict[str, Any], realm_id: str) -> dict[str, Any]:
    """The settings of a connection to a sandbox company."""
    return {
        "environment": "custom",
        "realm_id": realm_id,
        "base_url": qbo["base_url"],
        "token_url": qbo["token_url"],
        "authorize_url": qbo["authorize_url"],
        "revoke_url": qbo["revoke_url"],
        "discovery_url": qbo["discovery_url"],
        "calls_per_second": 1_000,  # the sandbox is not throttled here, and the peers do not pace themselves
        "calls_per_minute": 60_000,
    }
