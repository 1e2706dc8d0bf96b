"""QuickBooks on paper: a few shelves of records that answer the rail's requests through `httpx.MockTransport`.

Small on purpose: what the rail's own tests must hold still. The sandbox package plays the vendor in full.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
from pydantic import SecretStr
from runway_core.domain.identity import CompanyId, ConnectionId
from runway_core.ports.ledger_rail import RailContext
from runway_rail_kit import Pauses
from runway_rail_qbo import QboRail, QboRailFactory

REALM = "9341450000000001"
BASE_URL = "http://127.0.0.1:1"
START = datetime(2026, 5, 5, 10, 0, tzinfo=UTC)
SETTINGS = {
    "realm_id": REALM,
    "environment": "custom",
    "base_url": BASE_URL,
    "token_url": f"{BASE_URL}/oauth2/token",
    "calls_per_minute": 100_000,
    "calls_per_second": 100_000,
}
_QUERY = re.compile(
    r"SELECT (?P<what>\*|COUNT\(\*\)) FROM (?P<kind>\w+)(?: WHERE (?P<where>.*?))?"
    r"(?: ORDERBY Id STARTPOSITION (?P<start>\d+) MAXRESULTS (?P<max>\d+))?$"
)
_SINCE = re.compile(r"LastUpdatedTime >= '([^']+)'")

Respond = Callable[[httpx.Request], httpx.Response | None]


class StillClock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> None:
        self.at += by


class DrawerVault:
    """Secrets in a dictionary, with a note of every save."""

    def __init__(self, secrets: dict[str, str]) -> None:
        self.secrets = {name: SecretStr(value) for name, value in secrets.items()}
        self.saves: list[dict[str, str]] = []

    async def load(self, connection_id: ConnectionId) -> dict[str, SecretStr]:
        return dict(self.secrets)

    async def save(self, connection_id: ConnectionId, secrets: Any) -> None:
        self.secrets = dict(secrets)
        self.saves.append({name: value.get_secret_value() for name, value in secrets.items()})

    async def forget(self, connection_id: ConnectionId) -> None:
        self.secrets = {}


@dataclass
class PaperQbo:
    """The books, the tokens, and every request that came."""

    clock: StillClock = field(default_factory=StillClock)
    text_order: bool = False
    cdc_cap: int = 1000
    cdc_shows_balances: bool = True
    shelves: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    graves: dict[tuple[str, str], datetime] = field(default_factory=dict)
    access_token: str = "access-1"
    refresh_token: str = "refresh-1"
    requests: list[httpx.Request] = field(default_factory=list)
    interrupt: Respond | None = None  # may answer in the vendor's place, or change the books between two requests
    remembered: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.put("CompanyInfo", "1", CompanyName="Paper & Sons", FiscalYearStartMonth="January")
        prefs = {"CurrencyPrefs": {"HomeCurrency": {"value": "USD"}, "MultiCurrencyEnabled": False}}
        self.shelves["Preferences"] = {"1": prefs}

    # --- the books ---

    def put(self, kind: str, record_id: str, **members: Any) -> None:
        """Enter or edit a record now."""
        shelf = self.shelves.setdefault(kind, {})
        held = shelf.get(record_id)
        token = int(held["SyncToken"]) + 1 if held else 0
        created = held["MetaData"]["CreateTime"] if held else self.stamp()
        shelf[record_id] = {
            **(held or {}),
            **members,
            "Id": record_id,
            "SyncToken": str(token),
            "MetaData": {"CreateTime": created, "LastUpdatedTime": self.stamp()},
        }
        self.graves.pop((kind, record_id), None)

    def put_bill(self, record_id: str, amount: int = 100, **members: Any) -> None:
        """Enter or edit a bill now."""
        line = {
            "Id": "1",
            "Amount": amount,
            "DetailType": "AccountBasedExpenseLineDetail",
            "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "7"}, "BillableStatus": "NotBillable"},
        }
        body = {
            "TxnDate": "2026-05-01",
            "DueDate": "2026-05-31",
            "TotalAmt": amount,
            "Balance": amount,
            "VendorRef": {"value": "50", "name": "Norton"},
            "CurrencyRef": {"value": "USD"},
            "Line": [line],
        }
        self.put("Bill", record_id, **{**body, **members})

    def put_account(self, record_id: str, balance: int, **members: Any) -> None:
        """Enter or edit an account now."""
        body = {"Name": f"Account {record_id}", "AccountType": "Bank", "CurrentBalance": balance}
        self.put("Account", record_id, **{**body, **members})

    def remove(self, kind: str, record_id: str) -> None:
        """Delete a record now."""
        del self.shelves[kind][record_id]
        self.graves[(kind, record_id)] = self.clock.now()

    def stamp(self) -> str:
        """Now, as records write it."""
        return self.clock.now().strftime("%Y-%m-%dT%H:%M:%S+00:00")

    # --- the wire ---

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer one request as QuickBooks would."""
        self.requests.append(request)
        if self.interrupt is not None:
            instead = self.interrupt(request)
            if instead is not None:
                return instead
        if request.url.path == "/oauth2/token":
            return self._answer_token(request)
        if request.headers.get("authorization") != f"Bearer {self.access_token}":
            return self.refuse_token()
        path = request.url.path.removeprefix(f"/v3/company/{REALM}/")
        if path == "query":
            return self._answer_query(request.url.params["query"])
        if path == "cdc":
            return self._answer_cdc(request.url.params)
        kind = next(name for name in self.shelves if name.lower() == path.partition("/")[0])
        if request.method == "GET":
            record = self.shelves[kind].get(path.partition("/")[2])
            return self.fault("610", "Object Not Found") if record is None else self._wrap({kind: record})
        return self._answer_write(kind, request)

    @staticmethod
    def refuse_token() -> httpx.Response:
        """The gateway's refusal: lower-case keys, and the time in milliseconds."""
        error = {"message": "message=AuthenticationFailed; errorCode=003200; statusCode=401", "code": "3200"}
        body = {"warnings": None, "fault": {"error": [error], "type": "AUTHENTICATION"}, "time": 1730024394085}
        return httpx.Response(401, json=body, headers={"intuit_tid": "tid-401"})

    def fault(self, code: str, message: str, *, status: int = 400, detail: str = "") -> httpx.Response:
        """The service's refusal."""
        error = {"Message": message, "Detail": detail or message, "code": code, "element": ""}
        body = {"Fault": {"Error": [error], "type": "ValidationFault"}, "time": self.clock.now().isoformat()}
        return httpx.Response(status, json=body, headers={"intuit_tid": f"tid-{code}"})

    def _wrap(self, body: dict[str, Any]) -> httpx.Response:
        text = json.dumps({**body, "time": self.clock.now().isoformat(timespec="milliseconds")})
        return httpx.Response(200, content=text, headers={"content-type": "application/json;charset=UTF-8"})

    def _answer_token(self, request: httpx.Request) -> httpx.Response:
        form = parse_qs(request.content.decode())
        if form.get("refresh_token") != [self.refresh_token]:
            return httpx.Response(400, json={"error": "invalid_grant"})
        number = int(self.access_token.rpartition("-")[2]) + 1
        self.access_token, self.refresh_token = f"access-{number}", f"refresh-{number}"
        return httpx.Response(
            200,
            json={
                "token_type": "bearer",
                "access_token": self.access_token,
                "expires_in": 3600,
                "refresh_token": self.refresh_token,
                "x_refresh_token_expires_in": 8640000,
            },
        )

    def _answer_query(self, statement: str) -> httpx.Response:
        match = _QUERY.match(statement)
        assert match, statement
        rows = list(self.shelves.get(match["kind"], {}).items())
        rows.sort(key=lambda row: row[0] if self.text_order else int(row[0]))
        records = [record for _, record in rows]
        since = _SINCE.search(match["where"] or "")
        if since:
            moment = datetime.fromisoformat(since[1])
            records = [record for record in records if _updated(record) >= moment]
        if "Active" not in (match["where"] or ""):
            records = [record for record in records if record.get("Active") is not False]
        if match["what"] != "*":
            return self._wrap({"QueryResponse": {"totalCount": len(records)}})
        start, most = int(match["start"] or 1), int(match["max"] or 100)
        page = records[start - 1 : start - 1 + most]
        return self._wrap({"QueryResponse": {match["kind"]: page, "startPosition": start} if page else {}})

    def _answer_cdc(self, params: httpx.QueryParams) -> httpx.Response:
        since = datetime.fromisoformat(params["changedSince"])
        if self.clock.now() - since > timedelta(days=30):
            return self.fault("4001", "Invalid query", detail="changedSince is more than 30 days ago")
        left = self.cdc_cap
        members = []
        for kind in params["entities"].split(","):
            rows: list[dict[str, Any]] = []
            if kind != "Account" or self.cdc_shows_balances:
                rows = [record for record in self.shelves.get(kind, {}).values() if _updated(record) >= since]
            for (grave_kind, record_id), moment in self.graves.items():
                if grave_kind == kind and moment >= since:
                    stamp = {"LastUpdatedTime": moment.isoformat()}
                    rows.append({"domain": "QBO", "status": "Deleted", "Id": record_id, "MetaData": stamp})
            rows = rows[:left]
            left -= len(rows)
            members.append({kind: rows, "startPosition": 1, "maxResults": len(rows)} if rows else {})
        return self._wrap({"CDCResponse": [{"QueryResponse": members}]})

    def _answer_write(self, kind: str, request: httpx.Request) -> httpx.Response:
        request_id = request.url.params["requestid"]
        if request_id in self.remembered:
            return httpx.Response(200, content=self.remembered[request_id])
        body = json.loads(request.content)
        held = self.shelves[kind].get(body["Id"])
        if held is None:
            return self.fault("610", "Object Not Found")
        if held["SyncToken"] != body["SyncToken"]:
            return self.fault("5010", "Stale Object Error")
        members = {name: value for name, value in body.items() if name not in {"Id", "SyncToken", "sparse"}}
        self.put(kind, body["Id"], **members)
        response = self._wrap({kind: self.shelves[kind][body["Id"]]})
        self.remembered[request_id] = response.content
        return response

    # --- the rail ---

    def open(self, *, vault: DrawerVault | None = None, **settings: Any) -> QboRail:
        """A rail that speaks to these books; nothing sleeps."""
        vault = vault or DrawerVault(
            {
                "client_id": "app",
                "client_secret": "hush",
                "access_token": self.access_token,
                "refresh_token": self.refresh_token,
            }
        )
        context = RailContext(
            company_id=CompanyId("c1"),
            connection_id=ConnectionId("k1"),
            home_currency="USD",
            settings={**SETTINGS, **settings},
            vault=vault,
            clock=self.clock,
        )
        rail = self.make_factory().open(context)
        assert isinstance(rail, QboRail)
        return rail

    def make_factory(self) -> QboRailFactory:
        """A factory whose requests come here."""
        return QboRailFactory(
            http_transport=httpx.MockTransport(self.answer), pauses=Pauses(sleep=no_sleep, jitter=lambda: 0.0)
        )


async def no_sleep(seconds: float) -> None:
    """Let the time pass at once."""


def _updated(record: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(record["MetaData"]["LastUpdatedTime"])
