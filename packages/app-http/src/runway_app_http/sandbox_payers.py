"""Connecting what pays the bills of some of the sandbox's companies."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr
from runway_core.domain.company import Company, Connection
from runway_core.runway import Runway

PAYER_RAIL = "ramp"
PAYER_EVERY = 3
"""Every third company pays its bills through a rail of its own, the first among them."""
UNPACED_CALLS = 100_000


class ReadyPayer(BaseModel):
    """One company's own app at what pays its bills."""

    model_config = ConfigDict(frozen=True)

    name: str
    client_id: SecretStr
    client_secret: SecretStr
    business_id: str


class ReadyPayerRail(BaseModel):
    """How the line says that what pays bills is reached."""

    model_config = ConfigDict(frozen=True)

    base_url: str
    webhook_secret: SecretStr
    companies: tuple[ReadyPayer, ...]


async def connect_payer(
    runway: Runway,
    rail: ReadyPayerRail,
    place: int,
    company: Company,
    *,
    is_known: bool,
    is_unpaced: bool,
    actor: str,
) -> Sequence[tuple[Company, Connection]]:
    """Connect what pays the bills of the company at `place` of the line, or give its connection the line's keys."""
    if place % PAYER_EVERY:
        return []
    entry = rail.companies[place]
    secrets: dict[str, str | SecretStr] = {"client_id": entry.client_id, "client_secret": entry.client_secret}
    if is_known:
        await runway.connections.replace_secrets(company.company_id, PAYER_RAIL, secrets, actor=actor)
        return []
    settings: dict[str, Any] = {"base_url": rail.base_url, "business_id": entry.business_id}
    if is_unpaced:
        settings["calls_per_ten_seconds"] = UNPACED_CALLS
    connection = await runway.connections.add(
        company.company_id, rail=PAYER_RAIL, settings=settings, secrets=secrets, actor=actor
    )
    return [(company, connection)]
