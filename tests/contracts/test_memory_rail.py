"""The fake ledger rail keeps the promises of a ledger rail, in the troubles that it can play as well."""

import random
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

import pytest
from pydantic import SecretStr
from runway_core.domain.bills import Bill
from runway_core.domain.documents import DocumentLine, LineKind
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.errors import RailAccessLost, RailError, RailThrottled, RailUnavailable
from runway_core.ports.call_ledger import CallLedger
from runway_core.ports.ledger_rail import LedgerRail, RailAbilities, RailFactory, Trouble
from runway_testkit.clock import FixedClock
from runway_testkit.ledger_rail_contract import LedgerRailContract
from runway_testkit.memory_rail import MEMORY_ABILITIES, MemoryLedger, MemoryRail, MemoryRailFactory
from runway_testkit.memory_webhooks import SIGNATURE, sign_webhook, write_webhook
from runway_testkit.survival_contract import SurvivalContract
from runway_testkit.survival_desk import SignedEvent


def make_bill(external_id: str, memo: str | None = None) -> Bill:
    line = DocumentLine(line_id="1", line_kind=LineKind.ACCOUNT, amount=Decimal(40), account_id="7")
    return Bill(
        external_id=external_id,
        vendor_id="50",
        document_date=date(2026, 5, 1),
        due_date=date(2026, 5, 31),
        currency="USD",
        total=Decimal(40),
        open_balance=Decimal(40),
        memo=memo,
        lines=(line,),
    )


class MemoryDesk:
    """Edits books in memory."""

    abilities: RailAbilities = MEMORY_ABILITIES

    def __init__(self) -> None:
        self.ledger = MemoryLedger()
        self.ledger.put(*(make_bill(str(number)) for number in range(1, 8)))

    def open(self) -> LedgerRail:
        return MemoryRail(self.ledger, page_size=2)

    async def enter_bill(self) -> RecordKey:
        self.ledger.put(make_bill("100"))
        return RecordKey(RecordKind.BILL, "100")

    async def edit_bill(self) -> RecordKey:
        self.ledger.put(make_bill("1", memo="edited"))
        return RecordKey(RecordKind.BILL, "1")

    async def delete_bill(self) -> RecordKey:
        key = RecordKey(RecordKind.BILL, "3")
        self.ledger.delete(key)
        return key


class TestMemoryRail(LedgerRailContract):
    @pytest.fixture
    def desk(self) -> MemoryDesk:
        return MemoryDesk()


FAILURES: Mapping[Trouble, RailError] = {
    Trouble.FLAKY: RailUnavailable("no answer"),
    Trouble.THROTTLED: RailThrottled("too many calls"),
    Trouble.EXPIRED: RailAccessLost("connect again"),
}


class TroubledDesk(MemoryDesk):
    """Books in memory whose vendor fails every third page."""

    rail = "memory"
    home_currency = "USD"
    is_budgeted = False
    tells_within = timedelta(0)
    settings: Mapping[str, str] = {"books": "survivor"}

    def __init__(self) -> None:
        super().__init__()
        self.clock = FixedClock(self.ledger.now)
        self._secrets: Mapping[str, SecretStr] = {"token": SecretStr("token-of-the-survivor")}
        self._dice = random.Random(3)
        self._edits = 0

    def make_factory(self) -> RailFactory:
        return MemoryRailFactory({"survivor": self.ledger}, page_size=2)

    def open(self, *, calls: CallLedger | None = None) -> LedgerRail:
        return MemoryRail(self.ledger, page_size=2)

    async def load_secrets(self) -> Mapping[str, SecretStr]:
        return self._secrets

    async def take_over(self, secrets: Mapping[str, SecretStr]) -> None:
        self._secrets = secrets

    async def play(self, trouble: Trouble | None) -> None:
        self.ledger.failures.clear()

        def fail_now_and_then(ledger: MemoryLedger) -> None:
            if trouble is not None and self._dice.random() < 0.3:
                ledger.fail_next(FAILURES[trouble])

        self.ledger.on_page = fail_now_and_then

    async def live(self) -> None:
        self._edits += 1
        self.ledger.put(make_bill(f"new {self._edits}"), make_bill("1", memo=f"edit {self._edits}"))

    async def take_away(self) -> set[RecordKey]:
        return {await self.delete_bill()}

    async def pass_time(self, by: timedelta) -> None:
        self.ledger.now += by
        self.clock.advance(by)

    async def reconnect(self) -> None:
        """Trying again is all."""

    async def list_truth(self) -> Mapping[RecordKind, set[str]]:
        return {RecordKind.BILL: {key.external_id for key in self.ledger.records}}

    async def send_event(self) -> SignedEvent:
        body = write_webhook("survivor", RecordKey(RecordKind.BILL, "1"), name="event 1")
        return SignedEvent(sign_webhook(body, "whsec"), body, SIGNATURE, [SecretStr("whsec")])


class TestMemorySurvives(SurvivalContract):
    abilities = MEMORY_ABILITIES

    @pytest.fixture
    def desk(self) -> TroubledDesk:
        return TroubledDesk()
