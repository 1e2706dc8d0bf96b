"""A desk at the sandbox's card processor: one company's account, moved as people and days would, and rails on it."""

import ssl
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from pydantic import SecretStr
from runway_core.domain.changes import ChangePage, Cursor
from runway_core.domain.identity import CompanyId, ConnectionId
from runway_core.ports.ledger_rail import LedgerRail, RailAbilities, RailContext
from runway_rail_stripe import StripeRailFactory
from runway_testkit.clock import FixedClock
from runway_testkit.memory_calls import MemoryCallLedger

from tests.rails.sandbox_desk import DictVault

DAY_S = 86_400
_TLS = ssl.create_default_context()  # made once: it takes longer than a call


class CardDesk:
    """One company's account at the sandbox, and rails opened on it."""

    def __init__(self, ready: dict[str, Any], factory: StripeRailFactory, *, place: int = 0, **settings: Any) -> None:
        stripe = ready["stripe"]
        held = stripe["companies"][place]
        self.control_url = ready["control_url"]
        self.realm_id = ready["qbo"]["companies"][place]["realm_id"]
        self.own_key = SecretStr(held["restricted_key"])
        self.factory = factory
        self.settings = {
            "account_id": held["account_id"],
            "through_platform": True,
            "base_url": stripe["base_url"],
            "calls_per_second": 10_000,
            **settings,
        }
        self.vault = DictVault({"secret_key": SecretStr(stripe["secret_key"])})
        self.clock = FixedClock(datetime.now(UTC))
        self.calls: MemoryCallLedger | None = None
        self._odd: list[str] = []

    @property
    def abilities(self) -> RailAbilities:
        return self.factory.abilities

    @property
    def secrets(self) -> list[str]:
        return [secret.get_secret_value() for secret in self.vault.secrets.values()]

    @property
    def odd_payouts(self) -> list[str]:
        return self._odd

    async def look_up_odd(self) -> None:
        """Ask the truth which payouts were made not to add up, and where the sandbox's clock stands."""
        async with httpx.AsyncClient(verify=_TLS) as client:
            answer = await client.get(f"{self.control_url}/truth", params={"company": self.realm_id})
        (company,) = answer.json()["companies"]
        wrong = [one for one in company["differences"] if one["what"] == "payout sum wrong"]
        self._odd = [record["id"] for one in wrong for record in one["records"] if record["rail"] == "stripe"]
        now = datetime.fromisoformat((await self.post("clock", {}))["now"])
        self.clock = FixedClock(now)

    def open(self) -> LedgerRail:
        return self.factory.open(
            RailContext(
                company_id=CompanyId("acme"),
                connection_id=ConnectionId("acme-cards"),
                home_currency="USD",
                settings=self.settings,
                vault=self.vault,
                clock=self.clock,
                calls=self.calls,
            )
        )

    async def post(self, path: str, body: Any) -> Any:
        async with httpx.AsyncClient(verify=_TLS) as client:
            answer = await client.post(f"{self.control_url}/{path}", json=body)
            answer.raise_for_status()
            return answer.json()

    async def counted(self) -> dict[str, int]:
        """How many calls reached the account since the last reset, by endpoint."""
        async with httpx.AsyncClient(verify=_TLS) as client:
            calls = (await client.get(f"{self.control_url}/calls")).json()
        return {one["endpoint"]: one["calls"] for one in calls if one["rail"] == "stripe"}

    async def advance(self, seconds: float) -> None:
        await self.post("clock", {"advance_seconds": seconds})
        self.clock.advance(timedelta(seconds=seconds))

    async def change(self, operation: str, **fields: Any) -> str:
        change = {"rail": "stripe", "company": self.realm_id, "op": operation, "fields": fields}
        (done,) = (await self.post("mutate", [change]))["results"]
        assert done["ok"], done
        return str(done.get("id", ""))

    async def take_payment(self) -> str:
        return await self.change("charge", amount=45_600)

    async def refund(self, charge_id: str) -> None:
        await self.change("refund", id=charge_id)

    async def pay_out(self) -> str:
        """Three days later the payment is available; six hours after the payout its parts are listed.

        On every day of the week alike: the account pays nothing out by itself.
        """
        await self.change("schedule", interval="manual")
        await self.advance(3 * DAY_S)
        payout_id = await self.change("pay_out")
        await self.advance(DAY_S // 4)
        return payout_id

    async def lose_access(self) -> None:
        await self.change("revoke")

    async def pull(self, cursor: Cursor | None = None) -> list[ChangePage]:
        return [page async for page in self.open().changes_since(cursor)]
