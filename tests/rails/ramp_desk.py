"""A desk at the sandbox's payer of bills: one company's Ramp, moved as people and days would, and rails on it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
from pydantic import SecretStr
from runway_core.domain.changes import ChangePage, Cursor
from runway_core.domain.identity import CompanyId, ConnectionId
from runway_core.domain.submissions import BillSubmission, SubmittedLine
from runway_core.ports.ledger_rail import RailAbilities, RailContext
from runway_rail_ramp import RampRail, RampRailFactory
from runway_testkit.clock import FixedClock
from runway_testkit.memory_calls import MemoryCallLedger

from tests.rails.sandbox_desk import DictVault

DAY_S = 86_400
HOUR_S = 3_600


class PayerDesk:
    """One company's Ramp at the sandbox, and rails opened on it."""

    def __init__(self, ready: dict[str, Any], factory: RampRailFactory, *, place: int = 0, **settings: Any) -> None:
        self.ready, self.place = ready, place
        ramp = ready["ramp"]
        held = ramp["companies"][place]
        self.control_url = ready["control_url"]
        self.name = held["name"]
        self.business_id = held["business_id"]
        self.books = ready["qbo"]
        self.factory = factory
        self.settings = {"base_url": ramp["base_url"], "business_id": held["business_id"], **settings}
        self.vault = DictVault({name: SecretStr(held[name]) for name in ("client_id", "client_secret")})
        self.clock = FixedClock(datetime.now(UTC))
        self.calls: MemoryCallLedger | None = None

    @property
    def abilities(self) -> RailAbilities:
        return self.factory.abilities

    @property
    def secrets(self) -> list[str]:
        return [secret.get_secret_value() for secret in self.vault.secrets.values()]

    def open(self) -> RampRail:
        return self.factory.open(
            RailContext(
                company_id=CompanyId("acme"),
                connection_id=ConnectionId("acme-ramp"),
                home_currency="USD",
                settings=self.settings,
                vault=self.vault,
                clock=self.clock,
                calls=self.calls,
            )
        )

    async def pull(self, cursor: Cursor | None = None) -> list[ChangePage]:
        return [page async for page in self.open().changes_since(cursor)]

    async def post(self, path: str, body: Any) -> Any:
        async with httpx.AsyncClient() as client:
            answer = await client.post(f"{self.control_url}/{path}", json=body)
            answer.raise_for_status()
            return answer.json()

    async def get(self, path: str) -> Any:
        async with httpx.AsyncClient() as client:
            return (await client.get(f"{self.control_url}/{path}")).json()

    async def count_calls(self) -> dict[str, int]:
        """The calls that reached the vendor since the last count, by address; tokens apart."""
        counted = await self.get("calls")
        await self.post("reset-calls", {})
        return {
            one["endpoint"]: one["calls"] for one in counted if one["rail"] == "ramp" and one["endpoint"] != "token"
        }

    async def truth(self) -> Any:
        (company,) = (await self.get(f"truth?company={self.name}"))["companies"]
        return company

    async def chaos(self, **members: float) -> None:
        await self.post("chaos", {"profile": "none", **members})

    async def advance(self, seconds: float) -> None:
        await self.post("clock", {"advance_seconds": seconds})
        self.clock.advance(timedelta(seconds=seconds))

    async def person(self, op: str, bill_id: str = "", **fields: Any) -> Any:
        """Do in Ramp's own pages what a person would."""
        change = {"rail": "ramp", "company": self.name, "op": op, "id": bill_id, "fields": fields}
        (done,) = (await self.post("mutate", [change]))["results"]
        assert done["ok"], done
        return done

    async def in_books(self, op: str, kind: str, identifier: str = "", **fields: Any) -> Any:
        """Do in the ledger what a person would."""
        change = {"rail": "qbo", "company": self.name, "op": op, "kind": kind, "id": identifier, "fields": fields}
        (done,) = (await self.post("mutate", [change]))["results"]
        assert done["ok"], done
        return done["record"]

    async def enter_bill(self, vendor_id: str, *, total: str = "120.50") -> BillSubmission:
        """Enter a bill in the ledger, and describe it as one that is to be submitted."""
        line: dict[str, Any] = {"Amount": total, "DetailType": "AccountBasedExpenseLineDetail"}
        line["AccountBasedExpenseLineDetail"] = {"AccountRef": {"value": await self._expense_account()}}
        day = self.clock.now().date()
        due = day + timedelta(days=30)
        fields: dict[str, Any] = {
            "VendorRef": {"value": vendor_id},
            "Line": [line],
            "TxnDate": str(day),
            "DueDate": str(due),
        }
        bill = await self.in_books("create", "Bill", DocNumber="NEW-1", **fields)
        return BillSubmission(
            ledger_bill_id=bill["Id"],
            ledger_vendor_id=vendor_id,
            number="NEW-1",
            document_date=day,
            due_date=due,
            currency="USD",
            lines=[SubmittedLine(Decimal(total), "Printing")],
        )

    async def _expense_account(self) -> str:
        same = [one["records"] for one in (await self.truth())["same"] if one["records"][1]["kind"] == "bill"]
        entered = await self.in_books("update", "Bill", same[0][0]["id"], PrivateNote="Looked at")
        line = next(line for line in entered["Line"] if "AccountBasedExpenseLineDetail" in line)
        return str(line["AccountBasedExpenseLineDetail"]["AccountRef"]["value"])

    # What the contract asks for

    async def change_a_bill(self) -> None:
        """Somebody approves, or schedules, a bill."""
        named = {record["id"] for one in (await self.truth())["differences"] for record in one["records"]}
        bills = [change.record for page in await self.pull() for change in page.changes]
        waiting = [one for one in bills if getattr(one, "state", "") == "approved" and one.external_id not in named]
        await self.person("schedule", waiting[0].external_id)

    async def archive_a_bill(self) -> str:
        """Somebody puts an unpaid bill away; returns its id."""
        bills = [change.record for page in await self.pull() for change in page.changes]
        waiting = next(one for one in bills if getattr(one, "state", "") == "awaiting_approval")
        await self.person("archive", waiting.external_id)
        return waiting.external_id

    async def confuse_access(self) -> None:
        """All tokens end, and the vendor answers as if what was asked for were not there."""
        await self.person("end_tokens")

    async def lose_access(self) -> None:
        """The company's owner removes the app."""
        await self.person("disconnect")
