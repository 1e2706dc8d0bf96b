"""A desk at the sandbox's bank: one company's money, moved as people and days would, and rails opened on it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
from pydantic import SecretStr
from runway_core.domain.changes import ChangePage, Cursor
from runway_core.domain.identity import CompanyId, ConnectionId
from runway_core.ports.ledger_rail import LedgerRail, RailAbilities, RailContext
from runway_rail_plaid import PlaidRailFactory
from runway_testkit.clock import FixedClock
from runway_testkit.memory_calls import MemoryCallLedger

from tests.rails.sandbox_desk import DictVault

DAY_S = 86_400


class BankDesk:
    """One company's bank at the sandbox, and rails opened on it."""

    def __init__(self, ready: dict[str, Any], factory: PlaidRailFactory, **settings: Any) -> None:
        plaid = ready["plaid"]
        held = plaid["companies"][0]
        self.control_url = ready["control_url"]
        self.realm_id = ready["qbo"]["companies"][0]["realm_id"]
        self.books = {"base_url": ready["qbo"]["base_url"], "token": ready["qbo"]["companies"][0]["access_token"]}
        self.factory = factory
        self.settings = {"item_id": held["item_id"], "base_url": plaid["base_url"], "page_size": 100, **settings}
        self.vault = DictVault(
            {name: SecretStr(plaid[name]) for name in ("client_id", "secret")}
            | {"access_token": SecretStr(held["access_token"])}
        )
        self.clock = FixedClock(datetime.now(UTC))
        self.calls: MemoryCallLedger | None = None

    @property
    def abilities(self) -> RailAbilities:
        return self.factory.abilities

    @property
    def secrets(self) -> list[str]:
        return [secret.get_secret_value() for secret in self.vault.secrets.values()]

    async def add_line(self) -> None:
        """A payment by bank transfer, seen a week later when it has surely posted."""
        await self.pay_bill()
        await self.advance(7 * DAY_S)
        await self.bank("fetch")

    async def lose_access(self) -> None:
        await self.bank("lose_login")

    def open(self) -> LedgerRail:
        return self.factory.open(
            RailContext(
                company_id=CompanyId("acme"),
                connection_id=ConnectionId("acme-bank"),
                home_currency="USD",
                settings=self.settings,
                vault=self.vault,
                clock=self.clock,
                calls=self.calls,
            )
        )

    async def sign_in_anew(self) -> None:
        """The owner signs in at the bank through the vendor's own page; nothing was fetched for that login yet."""
        keys = {name: self.vault.secrets[name].get_secret_value() for name in ("client_id", "secret")}
        wanted = {"institution_id": "ins_109508", "initial_products": ["transactions"]}
        async with httpx.AsyncClient(base_url=self.settings["base_url"]) as client:
            made = (await client.post("/sandbox/public_token/create", json={**keys, **wanted})).json()
            login = await client.post(
                "/item/public_token/exchange", json={**keys, "public_token": made["public_token"]}
            )
        self.settings["item_id"] = login.json()["item_id"]
        self.vault.secrets = {**self.vault.secrets, "access_token": SecretStr(login.json()["access_token"])}

    async def post(self, path: str, body: Any) -> Any:
        async with httpx.AsyncClient() as client:
            answer = await client.post(f"{self.control_url}/{path}", json=body)
            answer.raise_for_status()
            return answer.json()

    async def advance(self, seconds: float) -> None:
        await self.post("clock", {"advance_seconds": seconds})
        self.clock.advance(timedelta(seconds=seconds))

    async def bank(self, op: str) -> None:
        await self.post("mutate", [{"rail": "plaid", "company": self.realm_id, "op": op}])

    async def pay_bill(self) -> Decimal:
        """A person of the company pays an open bill by bank transfer today; returns what leaves."""
        url = f"{self.books['base_url']}/v3/company/{self.realm_id}/query"
        headers = {"authorization": f"Bearer {self.books['token']}", "accept": "application/json"}
        query = {"query": "SELECT * FROM Bill WHERE Balance > '0' MAXRESULTS 1000"}
        async with httpx.AsyncClient() as client:
            answer = await client.get(url, params=query, headers=headers)
        bill = min(answer.json()["QueryResponse"]["Bill"], key=lambda one: one["Balance"])
        day = (await self.post("clock", {}))["now"][:10]
        change = {"rail": "qbo", "company": self.realm_id, "op": "pay", "kind": "Bill", "id": bill["Id"]}
        (done,) = (await self.post("mutate", [{**change, "fields": {"TxnDate": day}}]))["results"]
        assert done["ok"], done
        return Decimal(str(done["record"]["TotalAmt"]))

    async def pull(self, cursor: Cursor | None = None) -> list[ChangePage]:
        return [page async for page in self.open().changes_since(cursor)]
