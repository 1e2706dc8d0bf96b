"""Companies and connections of a firm."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import SecretStr, ValidationError

from runway_core.domain.bounds import MOST_DAYS, MOST_HOURS
from runway_core.domain.company import Company, CompanySettings, Connection
from runway_core.domain.identity import CompanyId, ConnectionId
from runway_core.domain.log_entry import LogDraft
from runway_core.domain.people import Need
from runway_core.errors import InvalidRequest, NotFound
from runway_core.ports.ledger_rail import CompanyProfile, RailCatalog, RailContext
from runway_core.ports.webhooks import find_webhook_reader
from runway_core.services.scope import Scope


def explain_invalid(error: ValidationError) -> str:
    """Say in one line which values cannot be, without repeating them: one of them may be a secret."""
    parts = (f"{'.'.join(str(p) for p in e['loc']) or 'value'}: {e['msg']}" for e in error.errors(include_input=False))
    return "; ".join(parts)


_MOST_UNITS = 1_000_000_000
"""Home units for one foreign unit; the widest rate between currencies in use is a few million."""

_MOST = {
    "red_below_days": MOST_DAYS,
    "amber_below_days": MOST_DAYS,
    "ledger_outflow_days": MOST_DAYS,
    "stale_mirror_hours": MOST_HOURS,
}
"""Settings that count something from 0 on, and how far."""


def _demand_sound(settings: CompanySettings) -> None:
    """Refuse settings under which figures cannot be computed. What is stored already is read all the same."""
    problems = [
        f"{name}: must be 0 to {most}" for name, most in _MOST.items() if not 0 <= getattr(settings, name) <= most
    ]
    if not all(0 < rate <= _MOST_UNITS for rate in settings.exchange_rates.values()):
        problems.append(f"exchange_rates: must be more than 0, and {_MOST_UNITS} at most")
    if problems:
        raise InvalidRequest("; ".join(problems))


class CompanyService:
    """Adds, lists and settles companies."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def add(
        self,
        name: str,
        *,
        home_currency: str,
        time_zone: str,
        owner: str | None = None,
        tags: Sequence[str] = (),
        settings: CompanySettings | None = None,
        actor: str = "runway",
    ) -> Company:
        """Add a company to the firm.

        Raises:
            InvalidRequest: an empty name, a currency or zone that does not exist, or a setting that cannot be.
        """
        if not name.strip():
            raise InvalidRequest("a company needs a name")
        _demand_sound(settings or CompanySettings())
        try:
            company = Company(
                company_id=CompanyId(self._scope.new_id()),
                firm_id=self._scope.firm_id,
                name=name.strip(),
                home_currency=home_currency,
                time_zone=time_zone,
                created_at=self._scope.clock.now(),
                owner=owner,
                tags=tuple(tags),
                settings=settings or CompanySettings(),
            )
        except ValidationError as error:
            raise InvalidRequest(explain_invalid(error)) from error
        await self._scope.store.registry.add_company(company, attribution=self._scope.by_manager(actor))
        return company

    async def get(self, company_id: CompanyId, *, or_erased: bool = False) -> Company:
        """One company of the firm.

        Raises:
            NotFound: no such company in this firm.
            CompanyErased: it was erased, and what is left of it was not asked for.
        """
        return await self._scope.company(company_id, or_erased=or_erased)

    async def list(self, *, with_erased: bool = False) -> Sequence[Company]:
        """All companies of the firm, by name; erased ones, of which a log is left, on request."""
        return await self._scope.companies(with_erased=with_erased)

    async def find(self, wanted: str, *, or_erased: bool = False) -> Company:
        """The company with this id, or the only one whose name is or begins like `wanted`, whatever its case.

        Raises:
            NotFound: none is meant, or several could be.
        """
        companies = await self.list(with_erased=or_erased)
        folded = wanted.casefold()
        for matches in (
            [c for c in companies if c.company_id == wanted],
            [c for c in companies if c.name.casefold() == folded],
            [c for c in companies if c.name.casefold().startswith(folded)],
        ):
            if len(matches) == 1:
                return matches[0]
            if len(matches) > 1:
                names = ", ".join(f"{c.name} ({c.company_id})" for c in matches[:5])
                raise NotFound(f"{wanted!r} could be {names}: give the id")
        raise NotFound(f"no company {wanted!r}: `runway companies list` shows those there are")

    async def change_settings(self, company_id: CompanyId, changes: Mapping[str, Any], *, actor: str) -> Company:
        """Change some of a company's settings, leaving the others.

        Raises:
            InvalidRequest: a setting that does not exist or cannot have this value.
            NotFound: no such company in this firm.
        """
        company = await self._scope.company(company_id)
        merged = {name: getattr(company.settings, name) for name in CompanySettings.model_fields} | dict(changes)
        try:
            settings = CompanySettings.model_validate(merged)
        except ValidationError as error:
            raise InvalidRequest(explain_invalid(error)) from error
        _demand_sound(settings)
        changed = company.model_copy(update={"settings": settings})
        await self._scope.store.registry.update_company(changed, attribution=self._scope.by_manager(actor))
        return changed

    async def change_details(
        self,
        company_id: CompanyId,
        *,
        name: str | None = None,
        time_zone: str | None = None,
        owner: str | None = None,
        tags: Sequence[str] | None = None,
        actor: str,
    ) -> Company:
        """Change a company's name, zone, owner or tags; `None` leaves what is there, an empty owner removes it.

        Raises:
            InvalidRequest: an empty name, or a zone that does not exist.
            NotFound: no such company in this firm.
        """
        company = await self._scope.company(company_id)
        if name is not None and not name.strip():
            raise InvalidRequest("a company needs a name")
        values = {field: getattr(company, field) for field in Company.model_fields}
        values |= {} if name is None else {"name": name.strip()}
        values |= {} if time_zone is None else {"time_zone": time_zone}
        values |= {} if owner is None else {"owner": owner.strip() or None}
        values |= {} if tags is None else {"tags": tuple(tags)}
        try:
            changed = Company.model_validate(values)
        except ValidationError as error:
            raise InvalidRequest(explain_invalid(error)) from error
        await self._scope.store.registry.update_company(changed, attribution=self._scope.by_manager(actor))
        return changed


class ConnectionService:
    """Connects companies to rails."""

    def __init__(self, scope: Scope, rails: RailCatalog) -> None:
        self._scope = scope
        self._rails = rails

    async def add(
        self,
        company_id: CompanyId,
        *,
        rail: str,
        settings: Mapping[str, Any],
        secrets: Mapping[str, str | SecretStr],
        actor: str = "runway",
    ) -> Connection:
        """Connect a company to a rail. Nothing is asked of the rail yet.

        The connection comes first: the vault seals secrets to the connection that owns them.

        Raises:
            NotFound: no such company in this firm, or no such rail installed.
            InvalidRequest: settings or secrets that the rail does not take, or a second connection to one rail.
            NotAllowed: the caller does not settle how companies are connected.
        """
        company = await self._scope.company(company_id)
        self._scope.demand(Need.MANAGE)
        factory = self._rails.factory(rail)
        try:
            checked = factory.settings_model.model_validate(dict(settings))
            factory.secrets_model.model_validate(dict(secrets))
        except ValidationError as error:
            raise InvalidRequest(f"{rail}: {explain_invalid(error)}") from error
        sealed = {name: v if isinstance(v, SecretStr) else SecretStr(v) for name, v in secrets.items()}
        for held in await self.list(company_id):
            if held.rail != rail:
                continue
            if await self._scope.store.vault.load(held.connection_id):
                raise InvalidRequest(f"{company.name!r} is connected to {rail!r} already: reconnect it instead")
            await self._scope.store.vault.save(held.connection_id, sealed)
            return held
        reader = find_webhook_reader(factory)
        held_settings = checked.model_dump(mode="json")
        connection = Connection(
            connection_id=ConnectionId(self._scope.new_id()),
            company_id=company.company_id,
            firm_id=company.firm_id,
            rail=rail,
            settings=held_settings,
            created_at=self._scope.clock.now(),
            rail_account=None if reader is None else reader.account_of(held_settings),
        )
        await self._scope.store.registry.add_connection(connection, attribution=self._scope.by_manager(actor))
        await self._scope.store.vault.save(connection.connection_id, sealed)
        return connection

    async def replace_secrets(
        self, company_id: CompanyId, rail: str, secrets: Mapping[str, str | SecretStr], *, actor: str
    ) -> Connection:
        """Give a connection new secrets, as after a person has authorised again; the next pull uses them.

        Raises:
            NotFound: no such company in this firm, or it has no connection to that rail.
            InvalidRequest: secrets that the rail does not take.
        """
        (connection,) = await self.of(company_id, rail)
        self._scope.demand(Need.MANAGE)
        try:
            self._rails.factory(rail).secrets_model.model_validate(dict(secrets))
        except ValidationError as error:
            raise InvalidRequest(f"{rail}: {explain_invalid(error)}") from error
        sealed = {name: v if isinstance(v, SecretStr) else SecretStr(v) for name, v in secrets.items()}
        await self._scope.store.vault.save(connection.connection_id, sealed)
        await self._scope.store.log.append(
            company_id,
            [
                LogDraft(
                    seen_at=self._scope.clock.now(),
                    rail=rail,
                    kind="connection",
                    external_id=connection.connection_id,
                    what="secrets_replaced",
                    attribution=self._scope.by_manager(actor),
                )
            ],
        )
        return connection

    async def check(self, company_id: CompanyId, rail: str) -> CompanyProfile:
        """Ask a rail who the company behind a connection is: the cheapest call that proves the access.

        Raises:
            NotFound: no such company, it has no connection to that rail, or no such rail is installed.
            RailError: the rail's trouble.
        """
        company = await self._scope.company(company_id)
        (connection,) = await self.of(company_id, rail)
        opened = self._rails.factory(rail).open(
            RailContext(
                company_id=company_id,
                connection_id=connection.connection_id,
                home_currency=company.home_currency,
                settings=connection.settings,
                vault=self._scope.store.vault,
                clock=self._scope.clock,
                calls=self._scope.store.calls,
                is_live=True,
            )
        )
        try:
            return await opened.check_connection()
        finally:
            await opened.aclose()

    async def list(self, company_id: CompanyId | None = None) -> Sequence[Connection]:
        """The connections of one company, or of the whole firm."""
        return await self._scope.connections(company_id)

    async def of(self, company_id: CompanyId, rail: str | None = None) -> Sequence[Connection]:
        """A company's connections, or the one to `rail`.

        Raises:
            NotFound: no such company, or it has no connection (to that rail).
        """
        company = await self._scope.company(company_id)
        held = [c for c in await self.list(company_id) if rail is None or c.rail == rail]
        if not held:
            wanted = f"to {rail!r}" if rail else "to any rail"
            raise NotFound(f"{company.name!r} has no connection {wanted}: connect it with `runway connect`")
        return held
