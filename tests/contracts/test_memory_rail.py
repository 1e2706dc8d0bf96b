"""The fake ledger rail keeps the promises of a ledger rail."""

from datetime import date
from decimal import Decimal

import pytest
from runway_core.domain.bills import Bill
from runway_core.domain.documents import DocumentLine, LineKind
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.ports.ledger_rail import LedgerRail, RailAbilities
from runway_testkit.ledger_rail_contract import LedgerRailContract
from runway_testkit.memory_rail import MEMORY_ABILITIES, MemoryLedger, MemoryRail


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
