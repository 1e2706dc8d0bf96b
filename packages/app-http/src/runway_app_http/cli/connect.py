"""`runway connect RAIL`: a sandbox portfolio, one company by consent, or any installed rail by its settings."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr, ValidationError
from rich.table import Table
from runway_core.domain.company import Company, Connection
from runway_core.errors import InvalidRequest
from runway_core.experiences.view import View
from runway_core.ports.ledger_rail import RailFactory
from runway_core.runway import Runway
from runway_core.services.companies import explain_invalid
from runway_core.sync.schedule import PULLABLE

from runway_app_http.api.companies import CompanySummary, ConnectionSummary
from runway_app_http.cli.failures import say_note
from runway_app_http.cli.session import Session, command
from runway_app_http.cli.tables import new_table
from runway_app_http.sandbox_portfolio import DEFAULT_CURRENCY, DEFAULT_ZONE, connect_portfolio, read_ready_file
from runway_app_http.settings import PREFIX
from runway_app_http.sign_in import Callback, Consent, check_keys, exchange_code

app = typer.Typer()

SCOPES = {"qbo": "com.intuit.quickbooks.accounting"}
"""Rails that are connected by consent, and what is asked for."""

COMPANY_MEMBERS = {"qbo": ("realm_id", "realmId")}
"""Where a rail's settings name the company, and what the vendor calls it when it sends the browser back."""

DEFAULT_REDIRECT = "http://localhost:8000/connect/qbo/callback"
CONSENT_SECONDS = 600


class Connected(View):
    """A company and its connection."""

    company: CompanySummary
    connection: ConnectionSummary


@command(app, "connect", example='runway connect qbo --company "Acme Hardware" --realm-id 9341457021722202')
def connect(
    session: Session,
    *,
    rail: Annotated[str, typer.Argument(metavar="RAIL", help="A rail that `runway rails` lists, or `sandbox`.")],
    company: Annotated[
        str | None, typer.Option("--company", help="Which company; an id, or a name's beginning.")
    ] = None,
    ready_file: Annotated[
        Path | None, typer.Option("--ready-file", help="sandbox: the file with its ready line.")
    ] = None,
    realm_id: Annotated[str | None, typer.Option("--realm-id", help="qbo: the company's id at the vendor.")] = None,
    client_id: Annotated[str | None, typer.Option("--client-id", help="qbo: the app's client id.")] = None,
    environment: Annotated[str | None, typer.Option("--environment", help="qbo: sandbox or production.")] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--setting", metavar="NAME=VALUE", help="A setting of the rail; may be repeated."),
    ] = None,
    redirect_uri: Annotated[str, typer.Option("--redirect-uri", help="qbo: where consent sends the browser.")] = (
        DEFAULT_REDIRECT
    ),
    wait_seconds: Annotated[int, typer.Option("--wait-seconds", min=1, help="How long to wait for consent.")] = (
        CONSENT_SECONDS
    ),
    currency: Annotated[str, typer.Option("--currency", help="sandbox: where its line names none.")] = DEFAULT_CURRENCY,
    time_zone: Annotated[str, typer.Option("--time-zone", help="sandbox: likewise.")] = DEFAULT_ZONE,
) -> None:
    """Connect a company to a rail, or again after access was lost. Nothing is pulled yet: `runway sync` does.

    Secrets have no flag. They come from RUNWAY_<RAIL>_<NAME> (such as RUNWAY_QBO_CLIENT_SECRET) or from a prompt. qbo
    without RUNWAY_QBO_REFRESH_TOKEN asks for consent: it prints an address, and waits for the browser to come back.
    """
    if rail == "sandbox":
        if ready_file is None:
            raise InvalidRequest(
                "name the file with the sandbox's ready line: `runway connect sandbox --ready-file FILE`"
            )
        line = read_ready_file(ready_file)
        pairs = session.run(
            lambda runway: connect_portfolio(runway, line, actor=session.actor, currency=currency, time_zone=time_zone)
        )
        _show(session, [_describe(*pair) for pair in pairs])
        verifier = line.qbo.webhook_verifier_token
        if verifier is not None and verifier != session.settings.qbo_webhook_verifier:
            variable = f"{PREFIX}QBO_WEBHOOK_VERIFIER"
            say_note(f"to hear its webhooks, serve with {variable} set to the line's webhook_verifier_token")
        return
    if company is None:
        raise InvalidRequest(f"say which company: `runway connect {rail} --company NAME`")
    given = read_assignments(setting or [])
    given |= {name: value for name, value in {"realm_id": realm_id, "environment": environment}.items() if value}

    async def act(runway: Runway) -> Connected:
        found = await runway.companies.find(company)
        factory = runway.rails.factory(rail)
        known = next((c for c in await runway.connections.list(found.company_id) if c.rail == rail), None)
        plan = ConnectionPlan(session, factory, given, known, client_id=client_id)
        settings, secrets = await plan.gather(redirect_uri=redirect_uri, wait_seconds=wait_seconds)
        if known is None:
            known = await runway.connections.add(
                found.company_id, rail=rail, settings=settings, secrets=secrets, actor=session.actor
            )
        else:
            _demand_same_books(found, known, settings, rail)
            await runway.connections.replace_secrets(found.company_id, rail, secrets, actor=session.actor)
            if known.state not in PULLABLE:
                await runway.sync(found.company_id, rail=rail)  # proves the access and ends the wait for a person
                (known,) = await runway.connections.of(found.company_id, rail)
        return _describe(found, known)

    _show(session, [session.run(act)])


def read_assignments(given: list[str]) -> dict[str, Any]:
    """Read `NAME=VALUE` texts.

    Raises:
        InvalidRequest: a text without a name or an equals sign.
    """
    read: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise InvalidRequest(f"--setting {text!r} is not NAME=VALUE")
        read[name.strip()] = value
    return read


def _demand_same_books(company: Company, known: Connection, settings: Mapping[str, Any], rail: str) -> None:
    name, _ = COMPANY_MEMBERS.get(rail, ("", ""))
    if name and str(known.settings.get(name)) != str(settings.get(name)):
        raise InvalidRequest(
            f"{company.name!r} is connected to the {rail} company {known.settings.get(name)}, not "
            f"{settings.get(name)}: allow the access to that one, or add another company"
        )


class ConnectionPlan:
    """Gathers what a rail needs to know: from flags and settings, then the environment, then a person."""

    def __init__(
        self,
        session: Session,
        factory: RailFactory,
        given: Mapping[str, Any],
        known: Connection | None,
        *,
        client_id: str | None,
    ) -> None:
        self._session = session
        self._factory = factory
        self._rail = factory.name
        self._client_id = client_id
        self._settings: dict[str, Any] = dict(known.settings) if known is not None else {}
        if known is None and self._rail == "qbo" and "base_url" not in given:
            self._settings["environment"] = session.settings.qbo_environment
        self._settings |= given

    async def gather(self, *, redirect_uri: str, wait_seconds: int) -> tuple[dict[str, Any], dict[str, SecretStr]]:
        """Settings and secrets, checked by the rail when the connection is added."""
        if self._rail not in SCOPES or self._find("refresh_token") is not None:
            return self._settings, self._gather_secrets()
        return await self._ask_consent(redirect_uri, wait_seconds)

    def _find(self, name: str) -> SecretStr | None:
        if name == "client_id" and self._client_id:
            return SecretStr(self._client_id)
        text = os.environ.get(f"{PREFIX}{self._rail.upper()}_{name.upper()}")
        if text:
            return SecretStr(text)
        held = getattr(self._session.settings, f"{self._rail}_{name}", None)
        return SecretStr(held) if isinstance(held, str) else held

    def _demand(self, name: str) -> SecretStr:
        found = self._find(name)
        if found is not None:
            return found
        variable = f"{PREFIX}{self._rail.upper()}_{name.upper()}"
        if not sys.stdin.isatty():
            raise InvalidRequest(f"{self._rail} needs {name}: set {variable}, or run this in a terminal to be asked")
        title = f"{self._rail} {name.replace('_', ' ')}"
        return SecretStr(typer.prompt(title, hide_input=name != "client_id", err=True))

    def _gather_secrets(self) -> dict[str, SecretStr]:
        secrets: dict[str, SecretStr] = {}
        for name, field in self._factory.secrets_model.model_fields.items():
            found = self._demand(name) if field.is_required() else self._find(name)
            if found is not None:
                secrets[name] = found
        return secrets

    async def _ask_consent(self, redirect_uri: str, wait_seconds: int) -> tuple[dict[str, Any], dict[str, SecretStr]]:
        name, member = COMPANY_MEMBERS[self._rail]
        consent = self.consent(redirect_uri)
        callback = Callback(redirect_uri)
        try:
            say_note(f"Open this address in a browser and allow the access:\n\n{consent.address(callback.state)}\n")
            brought = await callback.wait(seconds=wait_seconds)
        finally:
            callback.close()
        if "code" not in brought:
            raise InvalidRequest(
                f"the access was not allowed ({brought.get('error', 'no code came back')}): begin again"
            )
        allowed = brought.get(member)
        wanted = self._settings.get(name)
        if wanted and allowed and str(wanted) != allowed:
            raise InvalidRequest(f"the access was allowed for the company {allowed}, not {wanted}: begin again")
        if allowed:
            self._settings[name] = allowed
        return self._settings, await exchange_code(consent, brought["code"])

    def missing_keys(self) -> list[str]:
        """The variables of the app's keys that are not set."""
        prefix = f"{PREFIX}{self._rail.upper()}_"
        return [f"{prefix}{name.upper()}" for name in ("client_id", "client_secret") if self._find(name) is None]

    def consent(self, redirect_uri: str) -> Consent:
        """Where consent is asked, with the app's keys.

        Raises:
            InvalidRequest: a setting that cannot be, or a key that nobody told.
        """
        addresses = self._addresses(COMPANY_MEMBERS[self._rail][0])
        return Consent(
            rail=self._rail,
            authorize_url=addresses["authorize_url"],
            token_url=addresses["token_url"],
            scope=SCOPES[self._rail],
            client_id=self._demand("client_id").get_secret_value(),
            client_secret=self._demand("client_secret"),
            redirect_uri=redirect_uri,
        )

    def _addresses(self, company_member: str) -> dict[str, str]:
        """The rail's own addresses, filled in by its settings; which company it is comes with the consent."""
        placeholder = {company_member: self._settings.get(company_member) or "0"}
        try:
            checked = self._factory.settings_model.model_validate(self._settings | placeholder)
        except ValidationError as error:
            raise InvalidRequest(f"{self._rail}: {explain_invalid(error)}") from error
        return {name: str(value) for name, value in checked.model_dump(mode="json").items()}


def _describe(company: Company, connection: Connection) -> Connected:
    return Connected(company=CompanySummary.of(company), connection=ConnectionSummary.of(connection))


def _show(session: Session, connected: list[Connected]) -> None:
    def lay_out() -> Table:
        table = new_table("Connected", caption="next: `runway sync`")
        for title in ("Company", "Id", "Currency", "Time zone", "Rail"):
            table.add_column(title, overflow="fold")
        for one in connected:
            company = one.company
            table.add_row(
                company.name, company.company_id, company.home_currency, company.time_zone, one.connection.rail
            )
        return table

    session.show({"items": connected}, lay_out)


async def check_app_keys(session: Session, factory: RailFactory) -> str | None:
    """Prove the app's keys of a rail that is connected by consent; `None` where there is nothing to prove.

    Raises:
        RailMisconfigured: the vendor does not know the keys.
        RailUnavailable: it does not answer.
    """
    if factory.name not in SCOPES:
        return None
    plan = ConnectionPlan(session, factory, {}, None, client_id=None)
    missing = plan.missing_keys()
    if missing:
        return f"not set, and needed only to connect a company by consent: {', '.join(missing)}"
    consent = plan.consent(DEFAULT_REDIRECT)
    await check_keys(consent)
    return f"known at {consent.token_url}"
