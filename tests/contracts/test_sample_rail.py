"""The rail of CSV files keeps the promises of a ledger rail."""

import csv
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.ports.ledger_rail import LedgerRail, RailAbilities
from runway_rail_sample.rail import SampleRail, SampleRailFactory
from runway_rail_sample.settings import SampleSettings
from runway_testkit.clock import FixedClock
from runway_testkit.ledger_rail_contract import LedgerRailContract

BOOKS = Path(__file__).parents[2] / "packages" / "rail-sample" / "books"

Rows = list[dict[str, str]]


class FolderDesk:
    """Edits the files in a spreadsheet."""

    abilities: RailAbilities = SampleRailFactory.abilities

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._clock = FixedClock(datetime(2026, 3, 2, 15, tzinfo=UTC))

    def open(self) -> LedgerRail:
        settings = SampleSettings(folder=self._folder, company_name="Sample", page_size=2)
        return SampleRail(settings, clock=self._clock)

    async def enter_bill(self) -> RecordKey:
        return self._edit_bills("B100", lambda rows: [*rows, {**rows[0], "id": "B100", "number": "new"}])

    async def edit_bill(self) -> RecordKey:
        return self._edit_bills("B2", lambda rows: [{**row, "memo": row["memo"] + "*"} for row in rows])

    async def delete_bill(self) -> RecordKey:
        return self._edit_bills("B4", lambda rows: [row for row in rows if row["id"] != "B4"])

    def _edit_bills(self, bill_id: str, change: Callable[[Rows], Rows]) -> RecordKey:
        path = self._folder / "bills.csv"
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(change(rows))
        return RecordKey(RecordKind.BILL, bill_id)


class TestSampleRail(LedgerRailContract):
    @pytest.fixture
    def desk(self, tmp_path: Path) -> FolderDesk:
        return FolderDesk(Path(shutil.copytree(BOOKS, tmp_path / "books")))
