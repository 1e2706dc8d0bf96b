"""Connecting a whole portfolio from the sandbox's ready line (design.md section 6)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError
from runway_core.domain.company import Company, Connection
from runway_core.errors import InvalidRequest
from runway_core.runway import Runway
from runway_core.services.companies import explain_invalid
from runway_core.sync.schedule import PULLABLE

DEFAULT_CURRENCY = "USD"
DEFAULT_ZONE = "America/New_York"
RAIL = "qbo"


class ReadyCompany(BaseModel):
    """One company of the line. Currency and zone are there when the sandbox tells them."""

    model_config = ConfigDict(frozen=True)

    realm_id: str
    name: str
    access_token: SecretStr
    refresh_token: SecretStr
    home_currency: str | None = None
    time_zone: str | None = None


class ReadyRail(BaseModel):
    """How the line says that a rail is reached."""

    model_config = ConfigDict(frozen=True)

    base_url: str
    discovery_url: str
    authorize_url: str
    token_url: str
    revoke_url: str
    client_id: str
    client_secret: SecretStr
    companies: tuple[ReadyCompany, ...]
    webhook_verifier_token: SecretStr | None = None


class ReadyLine(BaseModel):
    """What a sandbox prints when it serves; rails that are not read here are left alone."""

    model_config = ConfigDict(frozen=True)

    control_url: str
    qbo: ReadyRail


def parse_ready_line(text: str | bytes, *, source: str) -> ReadyLine:
    """Read a ready line.

    Raises:
        InvalidRequest: it is not one.
    """
    try:
        return ReadyLine.model_validate_json(text)
    except ValidationError as error:
        raise InvalidRequest(
            f"{source} is no ready line of `runway sandbox serve`: {explain_invalid(error)}; write its first line there"
        ) from error


def read_ready_file(file: Path) -> ReadyLine:
    """Read the ready line that was written to a file.

    Raises:
        InvalidRequest: the file cannot be read or holds something else.
    """
    try:
        text = file.read_bytes()
    except OSError as error:
        raise InvalidRequest(f"{str(file)!r} cannot be read: {error.strerror}") from error
    lines = text.splitlines()
    return parse_ready_line(lines[0] if lines else b"", source=repr(str(file)))


async def connect_portfolio(
    runway: Runway,
    line: ReadyLine,
    *,
    actor: str,
    currency: str = DEFAULT_CURRENCY,
    time_zone: str = DEFAULT_ZONE,
    pace: Mapping[str, int] | None = None,
) -> Sequence[tuple[Company, Connection]]:
    """Add and connect every company of a ready line, in its order. Nothing is asked of the rail.

    A company whose books are connected already keeps its connection and gets the line's fresh tokens and addresses, so
    that repeating after a restart of the sandbox mends what is there. `pace` is for a sandbox that limits no calls;
    without it the connection keeps to the vendor's limits.

    Raises:
        InvalidRequest: a company that the line describes wrongly, or books that are reached elsewhere by now.
    """
    held = {
        connection.settings.get("realm_id"): connection
        for connection in await runway.connections.list()
        if connection.rail == RAIL
    }
    connected: list[tuple[Company, Connection]] = []
    for entry in line.qbo.companies:
        known = held.get(entry.realm_id)
        if known is not None:
            connected.append(await _reconnect(runway, line.qbo, entry, known, actor=actor))
            continue
        company = await runway.companies.add(
            entry.name,
            home_currency=entry.home_currency or currency,
            time_zone=entry.time_zone or time_zone,
            actor=actor,
        )
        connection = await runway.connections.add(
            company.company_id,
            rail=RAIL,
            settings=connection_settings(line.qbo, entry.realm_id) | dict(pace or {}),
            secrets=_secrets(line.qbo, entry),
            actor=actor,
        )
        connected.append((company, connection))
    return connected


async def _reconnect(
    runway: Runway, rail: ReadyRail, entry: ReadyCompany, known: Connection, *, actor: str
) -> tuple[Company, Connection]:
    company = await runway.companies.get(known.company_id)
    addresses = connection_settings(rail, entry.realm_id)
    moved = {name: value for name, value in addresses.items() if str(known.settings.get(name, "")) != value}
    if moved:
        raise InvalidRequest(
            f"{company.name!r} is connected already, at {known.settings.get('base_url')!r} instead of "
            f"{rail.base_url!r}: use a fresh database, or serve the sandbox on the port it had"
        )
    await runway.connections.replace_secrets(company.company_id, RAIL, _secrets(rail, entry), actor=actor)
    if known.state not in PULLABLE:
        await runway.sync(company.company_id, rail=RAIL)  # proves the access and ends the wait for a person
        (known,) = await runway.connections.of(company.company_id, RAIL)
    return company, known


def connection_settings(rail: ReadyRail, realm_id: str) -> dict[str, Any]:
    """The settings of a connection to one company of the line."""
    return {
        "realm_id": realm_id,
        "environment": "custom",
        "base_url": rail.base_url,
        "discovery_url": rail.discovery_url,
        "authorize_url": rail.authorize_url,
        "token_url": rail.token_url,
        "revoke_url": rail.revoke_url,
    }


def _secrets(rail: ReadyRail, entry: ReadyCompany) -> dict[str, str | SecretStr]:
    return {
        "client_id": rail.client_id,
        "client_secret": rail.client_secret,
        "access_token": entry.access_token,
        "refresh_token": entry.refresh_token,
    }
