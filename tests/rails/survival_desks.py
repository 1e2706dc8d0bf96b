"""Desks at the sandbox's four windows for the contract of survival: one company, whose vendors play every trouble."""

import asyncio
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

import httpx
from pydantic import SecretStr
from runway_core.domain.identity import CompanyId, ConnectionId, RecordKey, RecordKind
from runway_core.ports.call_ledger import CallLedger
from runway_core.ports.ledger_rail import LedgerRail, RailContext, RailFactory, Trouble
from runway_rail_kit import Pauses
from runway_rail_plaid import PlaidRailFactory
from runway_rail_qbo import QboRailFactory
from runway_rail_qbo.mapping import KIND_BY_NAME
from runway_rail_ramp import RampRailFactory
from runway_rail_stripe import StripeRailFactory
from runway_testkit.clock import FixedClock
from runway_testkit.survival_desk import SignedEvent

from tests.rails.event_receiver import receive_events
from tests.rails.paper_qbo import no_sleep
from tests.rails.sandbox_desk import DictVault

SHARES: Mapping[Trouble, Mapping[str, float]] = {
    Trouble.FLAKY: {"server_error": 0.08, "unavailable": 0.08, "unanswered": 0.08, "slow_s": 0.01},
    Trouble.HOSTILE: {
        "malformed": 0.1,
        "truncated": 0.1,
        "wrong_type": 0.1,
        "rows_doubled": 0.5,
        "rows_shuffled": 0.5,
        "page_again": 0.2,
    },
}
"""More than the profiles play, so that a few dozen calls meet all of it."""

DAYS_OF_CARDS = 45
"""So much of an account of years is read, for the sake of time."""

_TLS = ssl.create_default_context()  # made once: it takes longer than a call


def new_transport() -> httpx.AsyncBaseTransport:
    """Connections of a factory's own."""
    return httpx.AsyncHTTPTransport(verify=_TLS)


PAUSES = Pauses(attempts=8, sleep=no_sleep)


class WindowDesk:
    """What the desks of all windows share."""

    rail = ""
    is_budgeted = True
    tells_within = timedelta(hours=1)

    def __init__(self, ready: dict[str, Any], place: int) -> None:
        self.ready = ready
        self.place = place
        self.company = ready["qbo"]["companies"][place]
        self.home_currency = str(self.company["home_currency"])
        self.settings: dict[str, Any] = {}
        self.vault = DictVault({})
        self.clock = FixedClock(datetime.now(UTC))
        self._factories: list[RailFactory] = []
        self._own: RailFactory | None = None

    async def begin(self) -> None:
        """Set the clock by the sandbox's."""
        self.clock = FixedClock(datetime.fromisoformat((await self.post("clock", {}))["now"]))

    async def end(self) -> None:
        """Leave the vendor in peace, and close what was opened."""
        await self.play(None)
        for factory in self._factories:
            await factory.aclose()

    def make_factory(self) -> RailFactory:
        factory = self.new_factory()
        self._factories.append(factory)
        return factory

    def new_factory(self) -> RailFactory:
        raise NotImplementedError

    def open(self, *, calls: CallLedger | None = None) -> LedgerRail:
        if self._own is None:
            self._own = self.make_factory()
        return self._own.open(
            RailContext(
                company_id=CompanyId("acme"),
                connection_id=ConnectionId(f"acme-{self.rail}"),
                home_currency=self.home_currency,
                settings=self.settings,
                vault=self.vault,
                clock=self.clock,
                calls=calls,
            )
        )

    async def load_secrets(self) -> Mapping[str, SecretStr]:
        return dict(self.vault.secrets)

    async def take_over(self, secrets: Mapping[str, SecretStr]) -> None:
        self.vault.secrets = dict(secrets)

    async def play(self, trouble: Trouble | None) -> None:
        if trouble is None:
            await self.post("chaos", {"profile": "none"})
        else:
            await self.post("chaos", {"profile": trouble.value, **SHARES.get(trouble, {})})

    async def pass_time(self, by: timedelta) -> None:
        await self.post("clock", {"advance_seconds": by.total_seconds()})
        self.clock.advance(by)

    async def live(self) -> None:
        raise NotImplementedError

    async def take_away(self) -> set[RecordKey]:
        return set()

    async def reconnect(self) -> None:
        """Trying again is all that a person need do."""

    async def post(self, path: str, body: Any) -> Any:
        async with httpx.AsyncClient(verify=_TLS) as client:
            answer = await client.post(f"{self.ready['control_url']}/{path}", json=body)
            answer.raise_for_status()
            return answer.json()

    async def do(self, rail: str, op: str, kind: str = "", identifier: str = "", **fields: Any) -> Any:
        """Do as a person would in a vendor's own pages."""
        at = {"rail": rail, "company": self.company["realm_id"], "op": op}
        (done,) = (await self.post("mutate", [{**at, "kind": kind, "id": identifier, "fields": fields}]))["results"]
        assert done["ok"], done
        return done

    async def list_holdings(self, rail: str, *, since: float = 0) -> dict[str, set[str]]:
        params = {"company": self.company["realm_id"], "since": str(since)}
        async with httpx.AsyncClient(verify=_TLS) as client:
            answer = await client.get(f"{self.ready['control_url']}/holdings", params=params)
        return {kind: set(ids) for kind, ids in answer.json()[rail].items()}

    async def consent(self) -> dict[str, str]:
        """Tokens of the books that nobody else uses."""
        qbo = self.ready["qbo"]
        asked = {
            "client_id": qbo["client_id"],
            "response_type": "code",
            "scope": "com.intuit.quickbooks.accounting",
            "redirect_uri": "http://localhost/back",
            "state": "s",
            "realm_id": self.company["realm_id"],
        }
        async with httpx.AsyncClient(verify=_TLS) as client:
            back = (await client.get(qbo["authorize_url"], params=asked)).headers["location"]
            form = {
                "grant_type": "authorization_code",
                "code": httpx.URL(back).params["code"],
                "redirect_uri": asked["redirect_uri"],
            }
            keys = (qbo["client_id"], qbo["client_secret"])
            granted = (await client.post(qbo["token_url"], data=form, auth=keys)).json()
        return {name: str(granted[name]) for name in ("access_token", "refresh_token")}

    async def ask_books(self, kind: str) -> list[dict[str, Any]]:
        """The raw records of one kind in the books."""
        url = f"{self.ready['qbo']['base_url']}/v3/company/{self.company['realm_id']}/query"
        headers = {
            "authorization": f"Bearer {(await self.consent())['access_token']}",
            "accept": "application/json",
        }
        query = {"query": f"SELECT * FROM {kind} MAXRESULTS 1000"}
        async with httpx.AsyncClient(verify=_TLS) as client:
            answer = await client.get(url, params=query, headers=headers)
        found: list[dict[str, Any]] = answer.json()["QueryResponse"][kind]
        return found

    async def enter_a_bill(self) -> str:
        """Enter a bill in the books, like one that is there; returns its id."""
        line = {
            "Amount": "77.25",
            "DetailType": "AccountBasedExpenseLineDetail",
            "AccountBasedExpenseLineDetail": {"AccountRef": {"value": await self._find_expense_account()}},
        }
        vendors = [one for one in await self.ask_books("Vendor") if one["Active"]]
        vendor = {"value": vendors[0]["Id"]}
        done = await self.do("qbo", "create", "Bill", VendorRef=vendor, TxnDate="2026-05-01", Line=[line])
        return str(done["id"])

    async def _find_expense_account(self) -> str:
        accounts = await self.ask_books("Account")
        return str(next(one["Id"] for one in accounts if one["AccountType"] == "Expense" and one["Active"]))

    async def pay_a_bill(self) -> str:
        """Pay a new bill by bank transfer today; returns the payment's id in the books."""
        bill_id = await self.enter_a_bill()
        done = await self.do("qbo", "pay", "Bill", bill_id, TxnDate=str(self.clock.now().date()))
        return str(done["record"]["Id"])

    async def send_event(self) -> SignedEvent:
        await self.prepare_event()  # time passes before anybody listens: what comes is signed now
        with receive_events() as (url, received):
            await self.post("webhooks", {"rail": self.rail, "url": url})
            try:
                await self.cause_event()
                headers, body = await asyncio.to_thread(received.get, timeout=10)
            finally:
                await self.post("webhooks", {"rail": self.rail, "url": None})
        proof, *secrets = self.proofs
        return SignedEvent(headers, body, proof, [SecretStr(secret) for secret in secrets])

    async def prepare_event(self) -> None:
        """Do what must have been done long before."""

    async def cause_event(self) -> None:
        """Let something happen that the vendor tells of."""
        await self.live()

    @property
    def proofs(self) -> tuple[str, ...]:
        """The header that proves an event, and the secrets it is proved with."""
        raise NotImplementedError


class BooksDesk(WindowDesk):
    """The books at QuickBooks."""

    rail = "qbo"

    async def begin(self) -> None:
        await super().begin()
        qbo = self.ready["qbo"]
        self.settings = {
            "realm_id": self.company["realm_id"],
            "environment": "custom",
            **{name: qbo[name] for name in ("base_url", "token_url")},
            "page_size": 60,
            "calls_per_minute": 10**6,
            "calls_per_second": 10**6,
        }
        held = {**{name: qbo[name] for name in ("client_id", "client_secret")}, **await self.consent()}
        self.vault.secrets = {name: SecretStr(value) for name, value in held.items()}
        self._entered: list[str] = []

    def new_factory(self) -> RailFactory:
        return QboRailFactory(pauses=PAUSES, http_transport=new_transport())

    async def live(self) -> None:
        self._entered.append(await self.enter_a_bill())
        await self.do("qbo", "update", "Bill", self._entered[0], PrivateNote=f"seen at {self.clock.now()}")

    async def take_away(self) -> set[RecordKey]:
        bill_id = self._entered.pop()
        await self.do("qbo", "delete", "Bill", bill_id)
        return {RecordKey(RecordKind.BILL, bill_id)}

    async def list_truth(self) -> Mapping[RecordKind, set[str]]:
        held = await self.list_holdings("qbo")
        return {kind.kind: held[name] for name, kind in KIND_BY_NAME.items()}

    @property
    def proofs(self) -> tuple[str, ...]:
        return "intuit-signature", self.ready["qbo"]["webhook_verifier_token"]


class BankDesk(WindowDesk):
    """The bank through Plaid."""

    rail = "plaid"

    async def begin(self) -> None:
        await super().begin()
        plaid = self.ready["plaid"]
        held = plaid["companies"][self.place]
        self.settings = {
            "item_id": held["item_id"],
            "environment": "custom",
            "base_url": plaid["base_url"],
            "page_size": 500,
            "calls_per_minute": 60_000,
        }
        self.vault.secrets = {name: SecretStr(plaid[name]) for name in ("client_id", "secret")}
        self.vault.secrets["access_token"] = SecretStr(held["access_token"])
        self._paid: list[str] = []

    def new_factory(self) -> RailFactory:
        return PlaidRailFactory(pauses=PAUSES, page_records=50, http_transport=new_transport())

    async def live(self) -> None:
        await self.prepare_event()
        await self.cause_event()

    async def prepare_event(self) -> None:
        self._paid.append(await self.pay_a_bill())
        await self.pass_time(timedelta(days=7))

    async def cause_event(self) -> None:
        await self.do("plaid", "fetch")

    async def take_away(self) -> set[RecordKey]:
        """A payment that was entered by mistake: the bank takes its line back."""
        before = (await self.list_holdings("plaid"))["transactions"]
        await self.do("qbo", "delete", "BillPayment", self._paid.pop())
        await self.do("plaid", "fetch")
        gone = before - (await self.list_holdings("plaid"))["transactions"]
        assert gone
        return {RecordKey(RecordKind.BANK_TRANSACTION, one) for one in gone}

    async def reconnect(self) -> None:
        await self.do("plaid", "repair_login")

    async def list_truth(self) -> Mapping[RecordKind, set[str]]:
        held = await self.list_holdings("plaid")
        return {RecordKind.BANK_ACCOUNT: held["accounts"], RecordKind.BANK_TRANSACTION: held["transactions"]}

    @property
    def proofs(self) -> tuple[str, ...]:
        plaid = self.ready["plaid"]
        return "plaid-verification", ":".join((plaid["client_id"], plaid["secret"], plaid["base_url"]))


class CardDesk(WindowDesk):
    """The card processor: Stripe."""

    rail = "stripe"

    async def begin(self) -> None:
        await super().begin()
        stripe = self.ready["stripe"]
        self._first = self.clock.now().date() - timedelta(days=DAYS_OF_CARDS)
        self.settings = {
            "account_id": stripe["companies"][self.place]["account_id"],
            "through_platform": True,
            "base_url": stripe["base_url"],
            "calls_per_second": 10_000,
            "page_size": 10,
            "read_from": self._first,
        }
        self.vault.secrets = {"secret_key": SecretStr(stripe["secret_key"])}
        self._charges: list[str] = []

    def new_factory(self) -> RailFactory:
        return StripeRailFactory(pauses=PAUSES, page_records=40, http_transport=new_transport())

    async def live(self) -> None:
        if self._charges:
            await self.do("stripe", "refund", id=self._charges.pop())
        self._charges.append(str((await self.do("stripe", "charge", amount=45_600))["id"]))

    async def reconnect(self) -> None:
        await self.do("stripe", "restore")

    async def list_truth(self) -> Mapping[RecordKind, set[str]]:
        """Movements are not named: those of a payout are read whole, however old they are."""
        first = datetime.combine(self._first, time(0), UTC).timestamp()
        held = await self.list_holdings("stripe", since=first)
        return {
            RecordKind.CHARGE: held["charges"],
            RecordKind.REFUND: held["refunds"],
            RecordKind.DISPUTE: held["disputes"],
            RecordKind.PAYOUT: held["payouts"],
        }

    @property
    def proofs(self) -> tuple[str, ...]:
        return "stripe-signature", self.ready["stripe"]["webhook_secret"]


class PayerDesk(WindowDesk):
    """The payer of bills: Ramp."""

    rail = "ramp"
    tells_within = timedelta(hours=25)  # edits of paid bills are seen by the daily reading

    async def begin(self) -> None:
        await super().begin()
        ramp = self.ready["ramp"]
        held = ramp["companies"][self.place]
        self.settings = {
            "base_url": ramp["base_url"],
            "business_id": held["business_id"],
            "page_size": 20,
            "calls_per_ten_seconds": 100_000,
        }
        self.vault.secrets = {name: SecretStr(held[name]) for name in ("client_id", "client_secret")}
        self._entered: list[str] = []

    def new_factory(self) -> RailFactory:
        return RampRailFactory(pauses=PAUSES, http_transport=new_transport())

    async def live(self) -> None:
        self._entered.append(await self.enter_at_ramp())
        bills = sorted((await self.list_holdings("ramp"))["bills"])
        await self.do("ramp", "edit", identifier=bills[0], memo=f"seen at {self.clock.now()}")

    async def enter_at_ramp(self) -> str:
        """Somebody enters a bill at the payer itself, which waits for approval; returns its id."""
        ramp = self.ready["ramp"]
        app = ramp["companies"][self.place]
        scope = " ".join(f"{what}:{right}" for what in ("bills", "vendors", "entities") for right in ("read", "write"))
        async with httpx.AsyncClient(verify=_TLS, base_url=f"{ramp['base_url']}/developer/v1/") as client:
            form = {"grant_type": "client_credentials", "scope": scope}
            keys = (app["client_id"], app["client_secret"])
            granted = (await client.post("token", data=form, auth=keys)).json()
            client.headers["authorization"] = f"Bearer {granted['access_token']}"
            (entity,) = (await client.get("entities")).json()["data"]
            vendor = (await client.get("vendors")).json()["data"][0]
            draft = {
                "vendor_id": vendor["id"],
                "entity_id": entity["id"],
                "invoice_number": f"N-{len(self._entered)}",
                "invoice_currency": self.home_currency,
                "issued_at": str(self.clock.now().date()),
                "due_at": str(self.clock.now().date() + timedelta(days=60)),
                "line_items": [{"amount": "77.25", "memo": "Printing"}],
            }
            made = (await client.post("bills/drafts", json=draft)).json()
            sent = (await client.post(f"bills/drafts/{made['id']}/submit", json={})).json()
        return str(sent["id"])

    async def take_away(self) -> set[RecordKey]:
        bill_id = self._entered.pop()
        await self.do("ramp", "archive", identifier=bill_id)
        return {RecordKey(RecordKind.RAIL_BILL, bill_id)}

    async def list_truth(self) -> Mapping[RecordKind, set[str]]:
        held = await self.list_holdings("ramp")
        return {
            RecordKind.RAIL_BILL: held["bills"],
            RecordKind.RAIL_VENDOR: held["vendors"],
            RecordKind.CARD_TRANSACTION: held["transactions"],
        }

    @property
    def proofs(self) -> tuple[str, ...]:
        return "x-ramp-webhook-signature", self.ready["ramp"]["webhook_secret"]
