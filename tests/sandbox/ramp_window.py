"""A caller at the window of the vendor that pays bills, over plain HTTP: it has no client library."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import httpx
from runway_sandbox.economy import EconomyCompany, build_company

AS_OF = date(2026, 5, 5)
START = datetime(2026, 5, 5, 10, 0, tzinfo=UTC)  # a Tuesday
DAY_S = 86_400
SCOPES = "accounting:read accounting:write bills:read bills:write business:read entities:read transactions:read"
ALL_SCOPES = f"{SCOPES} users:read vendors:read vendors:write"


@cache
def economy(index: int = 2) -> EconomyCompany:
    return build_company(index=index, seed=5, bills=300, as_of=AS_OF)


class RampWindow:
    """One company's app against one running sandbox."""

    def __init__(self, sandbox: Any, *, scopes: str = ALL_SCOPES) -> None:
        self.sandbox = sandbox
        self.rail = sandbox.ready["ramp"]
        self.company = self.rail["companies"][0]
        self.http = httpx.Client(timeout=10)
        self.token = self.sign_in(scopes)["access_token"]

    @property
    def realm_id(self) -> str:
        return str(self.sandbox.world.desks[0].realm_id)

    @property
    def book(self) -> Any:
        return self.sandbox.world.book(self.sandbox.world.desks[0])

    def ask_token(self, keys: tuple[str, str] | None = None, **form: str) -> httpx.Response:
        own = (self.company["client_id"], self.company["client_secret"])
        return self.http.post(self.rail["token_url"], data=form, auth=keys or own)

    def sign_in(self, scopes: str) -> Any:
        answer = self.ask_token(grant_type="client_credentials", scope=scopes)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def call(self, method: str, path: str, *, token: str | None = None, **more: Any) -> httpx.Response:
        url = path if path.startswith("http") else f"{self.rail['base_url']}/developer/v1/{path}"
        headers = {"authorization": f"Bearer {token or self.token}"}
        return self.http.request(method, url, headers=headers, **more)

    def get(self, path: str, **query: Any) -> Any:
        answer = self.call("GET", path, params=query or None)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any, *, status: int = 200) -> Any:
        answer = self.call("POST", path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def read_all(self, path: str, **query: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        page = self.get(path, **{"page_size": 100, **query})
        while True:
            rows += page["data"]
            if page["page"]["next"] is None:
                return rows
            page = self.get(page["page"]["next"])

    def person(self, op: str, bill_id: str = "", **fields: Any) -> Any:
        change = {"rail": "ramp", "company": self.realm_id, "op": op, "id": bill_id, "fields": fields}
        (done,) = self.sandbox.control("/mutate", [change])["results"]
        assert done["ok"], done
        return done

    def truth(self) -> Any:
        (company,) = self.sandbox.control(f"/truth?company={self.realm_id}")["companies"]
        return company

    def find_quiet_bill(self) -> dict[str, Any]:
        """An approved bill of the ledger that nobody has instructed to pay, and that no difference names."""
        named = {record["id"] for one in self.truth()["differences"] for record in one["records"]}
        bills = self.read_all("bills", status_summaries="PAYMENT_NOT_INSTRUCTED")
        return next(one for one in bills if one["remote_id"] and one["id"] not in named and not one["payments"])
