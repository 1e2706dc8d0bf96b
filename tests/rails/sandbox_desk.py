"""A desk at the sandbox: one company's books, edited as a person at the vendor would, and rails opened on them."""

from typing import Any

import httpx
from pydantic import SecretStr
from runway_core.domain.changes import ChangePage, Cursor
from runway_core.domain.identity import CompanyId, ConnectionId, RecordKey, RecordKind
from runway_core.ports.clock import SystemClock
from runway_core.ports.ledger_rail import LedgerRail, RailAbilities, RailContext
from runway_rail_qbo import QboRailFactory


class DictVault:
    """Secrets in a dictionary."""

    def __init__(self, secrets: dict[str, SecretStr]) -> None:
        self.secrets = secrets

    async def load(self, connection_id: ConnectionId) -> dict[str, SecretStr]:
        return dict(self.secrets)

    async def save(self, connection_id: ConnectionId, secrets: Any) -> None:
        self.secrets = dict(secrets)

    async def forget(self, connection_id: ConnectionId) -> None:
        self.secrets = {}


class SandboxDesk:
    """Edits one company of the sandbox through its control address."""

    def __init__(self, ready: dict[str, Any], *, company: int, factory: QboRailFactory, **settings: Any) -> None:
        qbo = ready["qbo"]
        held = qbo["companies"][company]
        self.company = company
        self.control_url = ready["control_url"]
        self.realm_id = held["realm_id"]
        self.factory = factory
        self.settings = {
            "realm_id": self.realm_id,
            "environment": "custom",
            "base_url": qbo["base_url"],
            "token_url": qbo["token_url"],
            **settings,
        }
        names = ("client_id", "client_secret")
        self.vault = DictVault(
            {name: SecretStr(qbo[name]) for name in names}
            | {name: SecretStr(held[name]) for name in ("access_token", "refresh_token")}
        )

    def hand_on(self, ready: dict[str, Any]) -> None:
        """Put the tokens of now into the ready line, for the next desk: refresh tokens turn."""
        for name in ("access_token", "refresh_token"):
            ready["qbo"]["companies"][self.company][name] = self.vault.secrets[name].get_secret_value()

    @property
    def abilities(self) -> RailAbilities:
        return self.factory.abilities

    def open(self) -> LedgerRail:
        return self.factory.open(
            RailContext(
                company_id=CompanyId(self.realm_id),
                connection_id=ConnectionId(self.realm_id),
                home_currency="USD",
                settings=self.settings,
                vault=self.vault,
                clock=SystemClock(),
            )
        )

    async def post(self, path: str, body: Any) -> Any:
        async with httpx.AsyncClient() as client:
            answer = await client.post(f"{self.control_url}/{path}", json=body)
            answer.raise_for_status()
            return answer.json()

    async def mutate(self, op: str, kind: str, record_id: str | None = None, **fields: Any) -> dict[str, Any]:
        change = {"rail": "qbo", "company": self.realm_id, "op": op, "kind": kind, "id": record_id, "fields": fields}
        result: dict[str, Any] = (await self.post("mutate", [change]))["results"][0]
        assert result["ok"], result
        return result

    async def find_open_bill(self) -> dict[str, Any]:
        """The raw newest bill that is wholly open and sound: the vendor refuses to write one whose terms are gone."""
        answer = await self.ask("SELECT * FROM Bill MAXRESULTS 1000")
        bills = answer["QueryResponse"]["Bill"]
        spoiled = await self.list_spoiled()
        found: dict[str, Any] = next(
            bill
            for bill in bills
            if bill.get("Balance") == bill["TotalAmt"] and not bill.get("LinkedTxn") and bill["Id"] not in spoiled
        )
        return found

    async def list_spoiled(self) -> set[str]:
        """The ids of the records in which a defect was planted."""
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"{self.control_url}/truth", params={"company": self.realm_id})
        defects = [defect for company in answer.json()["companies"] for defect in company["defects"]]
        return {record["id"] for defect in defects for record in defect["records"]}

    async def ask(self, statement: str) -> Any:
        url = f"{self.settings['base_url']}/v3/company/{self.realm_id}/query"
        token = self.vault.secrets["access_token"].get_secret_value()
        headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        async with httpx.AsyncClient() as client:
            answer = await client.get(url, params={"query": statement}, headers=headers)
            answer.raise_for_status()
            return answer.json()

    async def count_calls(self) -> int:
        async with httpx.AsyncClient() as client:
            rows = (await client.get(f"{self.control_url}/calls")).json()
        return sum(row["calls"] for row in rows if (row["rail"], row["company"]) == ("qbo", self.realm_id))

    async def play(self, profile: str, **shares: float) -> None:
        """Switch the sandbox's chaos profile."""
        await self.post("chaos", {"profile": profile, **shares})

    async def pull(self, cursor: Cursor | None = None) -> list[ChangePage]:
        """Read to the last page with a rail of its own."""
        return [page async for page in self.open().changes_since(cursor)]

    async def enter_bill(self) -> RecordKey:
        like = await self.find_open_bill()
        line = {name: value for name, value in like["Line"][0].items() if name not in {"Id", "LineNum"}}
        done = await self.mutate("create", "Bill", VendorRef=like["VendorRef"], TxnDate="2026-05-01", Line=[line])
        return RecordKey(RecordKind.BILL, done["id"])

    async def edit_bill(self) -> RecordKey:
        bill = await self.find_open_bill()
        await self.mutate("update", "Bill", bill["Id"], PrivateNote=f"edited after {bill['SyncToken']}")
        return RecordKey(RecordKind.BILL, bill["Id"])

    async def delete_bill(self) -> RecordKey:
        bill = await self.find_open_bill()
        await self.mutate("delete", "Bill", bill["Id"])
        return RecordKey(RecordKind.BILL, bill["Id"])
