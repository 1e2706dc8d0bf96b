"""A small hand-made company whose control sums hold, and real servers on loopback over it."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from queue import Queue
from typing import Any

import httpx
import msgspec
import pytest
import uvicorn
from intuitlib.client import AuthClient
from quickbooks import QuickBooks
from runway_sandbox.economy.model import EconomyCompany
from runway_sandbox.serve import build_server, listen
from runway_sandbox.settings import SandboxSettings, ThrottleLimits
from runway_sandbox.world import World
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # requests-oauthlib refuses http otherwise, loopback included
warnings.filterwarnings("ignore", category=DeprecationWarning, module="quickbooks")

REALM = "4620816365000001"
OTHER_REALM = "4620816365000002"
START = datetime(2026, 5, 5, 10, 0, tzinfo=UTC)
USD = {"value": "USD", "name": "United States Dollar"}
PAYABLE = "Accounts Payable (A/P)"
UNTHROTTLED = ThrottleLimits(enabled=False)


def _times(day: int, month: int = 4) -> dict[str, Any]:
    moment = f"2026-{month:02}-{day:02}T12:00:00-07:00"
    return {"CreateTime": moment, "LastUpdatedTime": moment}


def _common(identifier: str, day: int, token: str = "0") -> dict[str, Any]:
    return {"domain": "QBO", "sparse": False, "Id": identifier, "SyncToken": token, "MetaData": _times(day)}


def _account(row: tuple[str, str, str, str, str, str]) -> dict[str, Any]:
    identifier, name, kind, subtype, side, balance = row
    return {
        "Name": name,
        "SubAccount": False,
        "FullyQualifiedName": name,
        "Active": True,
        "Classification": side,
        "AccountType": kind,
        "AccountSubType": subtype,
        "CurrentBalance": Decimal(balance),
        "CurrentBalanceWithSubAccounts": Decimal(balance),
        "CurrencyRef": USD,
        **_common(identifier, 1),
    }


def _vendor(identifier: str, name: str, balance: str, *, active: bool = True) -> dict[str, Any]:
    return {
        "Balance": Decimal(balance),
        "Vendor1099": False,
        "CurrencyRef": USD,
        "DisplayName": name,
        "PrintOnCheckName": name,
        "Active": active,
        "V4IDPseudonym": f"002098{identifier}",
        **_common(identifier, 1),
    }


def _customer(identifier: str, name: str, balance: str) -> dict[str, Any]:
    return {
        "Taxable": True,
        "Job": False,
        "BillWithParent": False,
        "Balance": Decimal(balance),
        "BalanceWithJobs": Decimal(balance),
        "CurrencyRef": USD,
        "PreferredDeliveryMethod": "None",
        "IsProject": False,
        "FullyQualifiedName": name,
        "DisplayName": name,
        "PrintOnCheckName": name,
        "Active": True,
        **_common(identifier, 1),
    }


def _bill(identifier: str, vendor: tuple[str, str], total: str, day: int) -> dict[str, Any]:
    detail = {"AccountRef": {"value": "19", "name": "Supplies"}, "BillableStatus": "NotBillable"}
    return {
        "DueDate": f"2026-05-{day:02}",
        "Balance": Decimal(total),
        **_common(identifier, day),
        "TxnDate": f"2026-04-{day:02}",
        "CurrencyRef": USD,
        "Line": [
            {
                "Id": "1",
                "LineNum": 1,
                "Amount": Decimal(total),
                "LinkedTxn": [],
                "DetailType": "AccountBasedExpenseLineDetail",
                "AccountBasedExpenseLineDetail": detail,
            }
        ],
        "VendorRef": {"value": vendor[0], "name": vendor[1]},
        "APAccountRef": {"value": "5", "name": PAYABLE},
        "TotalAmt": Decimal(total),
    }


def _invoice(identifier: str, customer: tuple[str, str], total: str, day: int) -> dict[str, Any]:
    return {
        **_common(identifier, day),
        "DocNumber": f"10{identifier}",
        "TxnDate": f"2026-04-{day:02}",
        "DueDate": f"2026-05-{day:02}",
        "CurrencyRef": USD,
        "LinkedTxn": [],
        "Line": [
            {
                "Id": "1",
                "LineNum": 1,
                "Amount": Decimal(total),
                "DetailType": "SalesItemLineDetail",
                "SalesItemLineDetail": {"ItemRef": {"value": "1", "name": "Hours"}},
            },
            {"Amount": Decimal(total), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}},
        ],
        "CustomerRef": {"value": customer[0], "name": customer[1]},
        "TotalAmt": Decimal(total),
        "Balance": Decimal(total),
    }


def make_company(realm_id: str = REALM, *, name: str = "Ridge Hardware", more_bills: int = 0) -> EconomyCompany:
    """Build the company; `more_bills` adds paid-out bills of nothing so that paging has something to page."""
    norton, sushi = ("1", "Norton Lumber"), ("4", "Sushi by Katsuyuki")
    bills = [_bill("10", norton, "100.00", 2), _bill("11", norton, "200.50", 3)]
    bills += [_bill(str(100 + n), norton, "0.00", 1) for n in range(more_bills)]
    single = {"SyncToken": "0", "domain": "QBO", "sparse": False, "Id": "1", "MetaData": _times(1)}
    return EconomyCompany(
        realm_id=realm_id,
        name=name,
        home_currency="USD",
        time_zone="America/Chicago",
        records={
            "Account": [
                _account(("1", "Checking", "Bank", "Checking", "Asset", "10000.00")),
                _account(("4", "Undeposited Funds", "Other Current Asset", "UndepositedFunds", "Asset", "0.00")),
                _account(("5", PAYABLE, "Accounts Payable", "AccountsPayable", "Liability", "-300.50")),
                _account(("6", "Accounts Receivable", "Accounts Receivable", "AccountsReceivable", "Asset", "500.00")),
                _account(("7", "Mastercard", "Credit Card", "CreditCard", "Liability", "-157.72")),
                _account(("19", "Supplies", "Expense", "SuppliesMaterials", "Expense", "0.00")),
                _account(("20", "Sales", "Income", "ServiceFeeIncome", "Revenue", "0.00")),
            ],
            "Vendor": [
                _vendor("1", "Norton Lumber", "300.50"),
                _vendor("2", "Bob's Burger Joint", "0.00"),
                _vendor("3", "Old Supplies (deleted)", "0.00", active=False),
            ],
            "Customer": [_customer("4", "Sushi by Katsuyuki", "500.00")],
            "Item": [{"Name": "Hours", "Active": True, "Type": "Service", **_common("1", 1)}],
            "Term": [{"Name": "Net 30", "Active": True, "Type": "STANDARD", "DueDays": 30, **_common("3", 1)}],
            "Bill": bills,
            "Invoice": [_invoice("12", sushi, "500.00", 4)],
            "CompanyInfo": [{"CompanyName": name, "Country": "US", **single}],
            "Preferences": [{"CurrencyPrefs": {"MultiCurrencyEnabled": False, "HomeCurrency": USD}, **single}],
        },
        truth=[{"check": "AP06", "records": [{"rail": "qbo", "kind": "Bill", "id": "10"}], "note": "planted"}],
    )


@dataclass
class LiveSandbox:
    """A server in a thread of this process, and a signed-in client of one company."""

    world: World
    ready: dict[str, Any]

    @property
    def rail(self) -> dict[str, Any]:
        rail: dict[str, Any] = self.ready["qbo"]
        return rail

    @property
    def control_url(self) -> str:
        return str(self.ready["control_url"])

    def client(self, index: int = 0, *, token: str | None = None) -> httpx.Client:
        company = self.rail["companies"][index]
        headers = {"Authorization": f"Bearer {token or company['access_token']}", "Accept": "application/json"}
        base = f"{self.rail['base_url']}/v3/company/{company['realm_id']}"
        return httpx.Client(base_url=base, headers=headers, timeout=10)

    def control(self, path: str, body: Any = None) -> Any:
        url = self.control_url + path
        response = httpx.get(url) if body is None else httpx.post(url, json=body)
        assert response.status_code == 200, response.text
        return response.json()

    def advance(self, seconds: float) -> None:
        self.control("/clock", {"advance_seconds": seconds})

    def auth_client(self) -> AuthClient:
        company = self.rail["companies"][0]
        return AuthClient(
            self.rail["client_id"],
            self.rail["client_secret"],
            "http://localhost/callback",
            self.rail["discovery_url"],
            access_token=company["access_token"],
            refresh_token=company["refresh_token"],
        )

    def quickbooks(self) -> QuickBooks:
        company = self.rail["companies"][0]
        quickbooks = QuickBooks(
            auth_client=self.auth_client(),
            refresh_token=company["refresh_token"],
            company_id=company["realm_id"],
            minorversion=75,
            use_decimal=True,
        )
        quickbooks.api_url_v3 = self.rail["base_url"] + "/v3"
        return quickbooks


Serve = Callable[..., LiveSandbox]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start servers with any settings; they end with the test."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(*companies: EconomyCompany, **settings: Any) -> LiveSandbox:
        chosen = SandboxSettings(**{"start_at": START, "throttle": UNTHROTTLED, **settings})
        world = World(chosen, companies=companies or (make_company(),))
        told: Queue[dict[str, Any]] = Queue()
        listener = listen(chosen)
        server = build_server(world, listener, on_ready=told.put)
        thread = _run_in_thread(server, listener)
        running.append((server, thread))
        # Through JSON, as another process would read it.
        return LiveSandbox(world, msgspec.json.decode(msgspec.json.encode(told.get(timeout=10))))

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def sandbox(serve: Serve) -> LiveSandbox:
    return serve()


@dataclass
class Receiver:
    """An address for webhooks that keeps what it got and answers with the next status given, then 200."""

    url: str
    received: Queue[tuple[dict[str, str], bytes]]
    statuses: list[int]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    received: Queue[tuple[dict[str, str], bytes]] = Queue()
    statuses: list[int] = []

    async def take(request: Request) -> Response:
        received.put((dict(request.headers), await request.body()))
        return Response(status_code=statuses.pop(0) if statuses else 200)

    listener = listen(SandboxSettings())
    app = Starlette(routes=[Route("/hook", take, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    thread = _run_in_thread(server, listener)
    yield Receiver(f"http://127.0.0.1:{listener.getsockname()[1]}/hook", received, statuses)
    server.should_exit = True
    thread.join(10)


def _run_in_thread(server: uvicorn.Server, listener: socket.socket) -> threading.Thread:
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
    thread.start()
    return thread


@pytest.fixture
def company() -> Callable[..., EconomyCompany]:
    return make_company
