"""The execution rail in memory keeps what an execution rail promises: what is tested on it holds for any."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from runway_core.domain.execution import ExecutionBill, ExecutionState
from runway_core.domain.identity import CompanyId, ConnectionId, RecordKey, RecordKind
from runway_core.domain.submissions import BillSubmission, SubmittedLine
from runway_core.errors import RailAccessLost
from runway_core.ports.execution_rail import ExecutionRail
from runway_core.ports.ledger_rail import LedgerRail, RailAbilities, RailContext
from runway_testkit.clock import FixedClock
from runway_testkit.execution_rail_contract import ExecutionRailContract
from runway_testkit.memory_payer import PAYER_ABILITIES, MemoryPayerFactory, make_paid_pair, make_shown
from runway_testkit.memory_rail import MemoryLedger
from runway_testkit.memory_store import MemoryStore


def submission(number: int) -> BillSubmission:
    return BillSubmission(
        ledger_bill_id=f"B{number}",
        ledger_vendor_id="V1",
        number=f"N{number}",
        document_date=date(2026, 5, 1),
        due_date=date(2026, 5, 31),
        currency="USD",
        lines=[SubmittedLine(Decimal(100 + number))],
    )


class PayerDesk:
    """A payer with a few bills, and the people in front of it."""

    def __init__(self) -> None:
        self.ledger = MemoryLedger()
        self.ledger.put(*make_paid_pair("p1", submission(1)), *make_paid_pair("p2", submission(2)))
        self.ledger.put(make_shown("p3", submission(3)), make_shown("p4", submission(4)))
        self.factory = MemoryPayerFactory()
        self.factory.ledgers["default"] = self.ledger

    @property
    def abilities(self) -> RailAbilities:
        return PAYER_ABILITIES

    @property
    def secrets(self) -> list[str]:
        return ["a secret that is nowhere"]

    def open(self) -> LedgerRail:
        clock = FixedClock(self.ledger.now)
        return self.factory.open(
            RailContext(
                company_id=CompanyId("acme"),
                connection_id=ConnectionId("acme-payer"),
                home_currency="USD",
                settings={},
                vault=MemoryStore(clock=clock).vault,
                clock=clock,
            )
        )

    async def change_a_bill(self) -> None:
        self.ledger.now += timedelta(minutes=1)
        self.ledger.put(make_shown("p3", submission(3), state=ExecutionState.APPROVED))

    async def archive_a_bill(self) -> str:
        self.ledger.now += timedelta(minutes=1)
        self.ledger.delete(RecordKey(RecordKind.RAIL_BILL, "p4"))
        return "p4"

    async def confuse_access(self) -> None:
        """There is no token."""

    async def lose_access(self) -> None:
        self.ledger.fail_next(*[RailAccessLost("gone", rail="payer") for _ in range(2)])


class TestMemoryPayer(ExecutionRailContract):
    @pytest.fixture
    def desk(self) -> PayerDesk:
        return PayerDesk()


async def test_a_bill_is_submitted_once_for_ever() -> None:
    desk = PayerDesk()
    rail = desk.open()
    assert isinstance(rail, ExecutionRail)
    made = (await rail.submit_bill(submission(9))).record
    again = (await rail.submit_bill(submission(9))).record
    held = (await rail.submit_bill(submission(1))).record

    assert isinstance(made, ExecutionBill)
    assert made.state is ExecutionState.AWAITING_APPROVAL
    assert again.external_id == made.external_id
    assert held.external_id == "p1"
