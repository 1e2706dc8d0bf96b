"""Connecting a whole portfolio from the sandbox's ready line (design.md section 6)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError, model_validator
from runway_core.domain.company import Company, Connection
from runway_core.errors import InvalidRequest
from runway_core.runway import Runway
from runway_core.services.companies import explain_invalid
from runway_core.sync.schedule import PULLABLE

from runway_app_http.sandbox_payers import PAYER_RAIL, ReadyPayerRail, connect_payer

DEFAULT_CURRENCY = "USD"
DEFAULT_ZONE = "America/New_York"
RAIL = "qbo"
BANK_RAIL = "plaid"
PROCESSOR_RAIL = "stripe"
UNPACED = {"calls_per_second": 10_000, "calls_at_once": 8}
UNPACED_BANK = {"calls_per_minute": 60_000}


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


class ReadyBank(BaseModel):
    """One company's login at its bank."""

    model_config = ConfigDict(frozen=True)

    name: str
    access_token: SecretStr
    item_id: str


class ReadyBankRail(BaseModel):
    """How the line says that the reader of banks is reached."""

    model_config = ConfigDict(frozen=True)

    base_url: str
    client_id: SecretStr
    secret: SecretStr
    companies: tuple[ReadyBank, ...]


class ReadyProcessor(BaseModel):
    """One company's account at its card processor; one that takes no cards has nothing in it."""

    model_config = ConfigDict(frozen=True)

    name: str
    account_id: str
    takes_cards: bool = True


class ReadyProcessorRail(BaseModel):
    """How the line says that the card processor is reached."""

    model_config = ConfigDict(frozen=True)

    base_url: str
    secret_key: SecretStr
    webhook_secret: SecretStr | None = None
    companies: tuple[ReadyProcessor, ...]


class ReadyLine(BaseModel):
    """What a sandbox prints when it serves; rails that are not read here are left alone."""

    model_config = ConfigDict(frozen=True)

    control_url: str
    qbo: ReadyRail
    plaid: ReadyBankRail | None = None
    stripe: ReadyProcessorRail | None = None
    ramp: ReadyPayerRail | None = None

    def webhook_settings(self) -> dict[str, Any]:
        """What the app must know to prove what these rails send, by setting."""
        held: dict[str, Any] = {"qbo_webhook_verifier": self.qbo.webhook_verifier_token}
        if self.plaid is not None:
            keys = (self.plaid.client_id.get_secret_value(), self.plaid.secret.get_secret_value())
            held["plaid_webhook_keys"] = SecretStr(":".join((*keys, self.plaid.base_url)))
        if self.stripe is not None:
            held["stripe_webhook_secret"] = self.stripe.webhook_secret
        if self.ramp is not None:
            held["ramp_webhook_secrets"] = (self.ramp.webhook_secret,)
        return held

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        names = [entry.name for entry in self.qbo.companies]
        others = [rail.companies for rail in (self.plaid, self.stripe, self.ramp) if rail is not None]
        if any([entry.name for entry in companies] != names for companies in others):
            raise ValueError("the companies of all rails must stand in one order")
        return self


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
    connections = await runway.connections.list()
    held = {one.settings.get("realm_id"): one for one in connections if one.rail == RAIL}
    banked = {one.company_id for one in connections if one.rail == BANK_RAIL}
    processed = {one.company_id for one in connections if one.rail == PROCESSOR_RAIL}
    paying = {one.company_id for one in connections if one.rail == PAYER_RAIL}
    connected: list[tuple[Company, Connection]] = []
    for place, entry in enumerate(line.qbo.companies):
        known = held.get(entry.realm_id)
        if known is not None:
            company, connection = await _reconnect(runway, line.qbo, entry, known, actor=actor)
        else:
            company, connection = await _connect_books(
                runway, line.qbo, entry, actor=actor, currency=currency, time_zone=time_zone, pace=pace
            )
        connected.append((company, connection))
        if line.plaid is not None:
            is_known = company.company_id in banked
            bank_pace = UNPACED_BANK if pace else {}
            connected += await _connect_bank(
                runway, line.plaid, place, company, is_known=is_known, pace=bank_pace, actor=actor
            )
        if line.stripe is not None and line.stripe.companies[place].takes_cards:
            held_pace = None if company.company_id in processed else UNPACED if pace else {}
            connected += await _connect_processor(runway, line.stripe, place, company, pace=held_pace, actor=actor)
        if line.ramp is not None:
            is_known, is_unpaced = company.company_id in paying, pace is not None
            connected += await connect_payer(
                runway, line.ramp, place, company, is_known=is_known, is_unpaced=is_unpaced, actor=actor
            )
    return connected


async def _connect_books(
    runway: Runway,
    rail: ReadyRail,
    entry: ReadyCompany,
    *,
    actor: str,
    currency: str,
    time_zone: str,
    pace: Mapping[str, int] | None,
) -> tuple[Company, Connection]:
    company = await runway.companies.add(
        entry.name,
        home_currency=entry.home_currency or currency,
        time_zone=entry.time_zone or time_zone,
        actor=actor,
    )
    connection = await runway.connections.add(
        company.company_id,
        rail=RAIL,
        settings=connection_settings(rail, entry.realm_id) | dict(pace or {}),
        secrets=_secrets(rail, entry),
        actor=actor,
    )
    return company, connection


async def _connect_bank(
    runway: Runway,
    rail: ReadyBankRail,
    place: int,
    company: Company,
    *,
    is_known: bool,
    pace: Mapping[str, int],
    actor: str,
) -> Sequence[tuple[Company, Connection]]:
    """Connect the bank of the company at `place` of the line, or give its connection the line's token."""
    entry = rail.companies[place]
    secrets = {"client_id": rail.client_id, "secret": rail.secret, "access_token": entry.access_token}
    if is_known:
        await runway.connections.replace_secrets(company.company_id, BANK_RAIL, secrets, actor=actor)
        return []
    connection = await runway.connections.add(
        company.company_id,
        rail=BANK_RAIL,
        settings={"item_id": entry.item_id, "environment": "custom", "base_url": rail.base_url, **pace},
        secrets=secrets,
        actor=actor,
    )
    return [(company, connection)]


async def _connect_processor(
    runway: Runway,
    rail: ReadyProcessorRail,
    place: int,
    company: Company,
    *,
    pace: Mapping[str, int] | None,
    actor: str,
) -> Sequence[tuple[Company, Connection]]:
    """Connect the card processor of the company at `place` of the line; without `pace` it is, and gets a new key."""
    secrets = {"secret_key": rail.secret_key}
    if pace is None:
        await runway.connections.replace_secrets(company.company_id, PROCESSOR_RAIL, secrets, actor=actor)
        return []
    connection = await runway.connections.add(
        company.company_id,
        rail=PROCESSOR_RAIL,
        settings={
            "account_id": rail.companies[place].account_id,
            "through_platform": True,
            "base_url": rail.base_url,
            **pace,
        },
        secrets=secrets,
        actor=actor,
    )
    return [(company, connection)]


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
