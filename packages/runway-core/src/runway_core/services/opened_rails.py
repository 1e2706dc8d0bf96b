"""The rails of one company for one piece of work: opened when first asked for, closed together, their calls counted."""

import contextlib
from typing import Self

from runway_core.domain.company import Company
from runway_core.errors import NotFound, StoreError
from runway_core.ports.ledger_rail import LedgerRail, RailCatalog, RailContext
from runway_core.services.scope import Scope


class OpenedRails:
    """The rails of one company, opened when they are asked for and closed together."""

    def __init__(self, scope: Scope, catalog: RailCatalog, company: Company) -> None:
        self._scope = scope
        self._catalog = catalog
        self._company = company
        self._opened: dict[str, LedgerRail] = {}

    async def open(self, name: str) -> LedgerRail:
        """The rail of that name.

        Raises:
            NotFound: the company is not connected to it, or no such rail is installed.
        """
        if name not in self._opened:
            company, scope = self._company, self._scope
            held = await scope.connections(company.company_id)
            connection = next((one for one in held if one.rail == name), None)
            if connection is None:
                raise NotFound(f"{company.name!r} has no connection to {name!r}: connect it with `runway connect`")
            self._opened[name] = self._catalog.factory(name).open(
                RailContext(
                    company_id=company.company_id,
                    connection_id=connection.connection_id,
                    home_currency=company.home_currency,
                    settings=connection.settings,
                    vault=scope.store.vault,
                    clock=scope.clock,
                    calls=scope.store.calls,
                    is_live=True,
                )
            )
        return self._opened[name]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        scope = self._scope
        for name, rail in self._opened.items():
            await rail.aclose()
            if rail.calls:
                with contextlib.suppress(StoreError):  # what was done stands, whether or not its calls are counted
                    await scope.store.health.add_calls(self._company.company_id, name, rail.calls, at=scope.clock.now())
