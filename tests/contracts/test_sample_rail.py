"""The rail of CSV files keeps the promises of a ledger rail, and those of survival as far as files know trouble."""

import csv
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.ports.call_ledger import CallLedger
from runway_core.ports.ledger_rail import LedgerRail, RailAbilities, RailFactory, Trouble
from runway_rail_sample.rail import SampleRail, SampleRailFactory
from runway_rail_sample.settings import SampleSettings
from runway_rail_sample.wire import LAYOUTS
from runway_testkit.clock import FixedClock
from runway_testkit.ledger_rail_contract import LedgerRailContract
from runway_testkit.survival_contract import SurvivalContract
from runway_testkit.survival_desk import SignedEvent

BOOKS = Path(__file__).parents[2] / "packages" / "rail-sample" / "books"

Rows = list[dict[str, str]]


class FolderDesk:
    """Edits the files in a spreadsheet."""

    abilities: RailAbilities = SampleRailFactory.abilities
    rail = SampleRailFactory.name
    home_currency = "USD"
    is_budgeted = False  # nobody counts how often a file is read
    tells_within = timedelta(0)

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._entered = 0
        self.clock = FixedClock(datetime(2026, 3, 2, 15, tzinfo=UTC))
        self.settings: Mapping[str, object] = {"folder": str(folder), "company_name": "Sample", "page_size": 2}

    def make_factory(self) -> RailFactory:
        return SampleRailFactory()

    def open(self, *, calls: CallLedger | None = None) -> LedgerRail:
        return SampleRail(SampleSettings.model_validate(self.settings), clock=self.clock)

    async def enter_bill(self) -> RecordKey:
        self._entered += 1
        new = f"B{99 + self._entered}"
        return self._edit_bills(new, lambda rows: [*rows, {**rows[0], "id": new, "number": "new"}])

    async def edit_bill(self) -> RecordKey:
        return self._edit_bills("B2", lambda rows: [{**row, "memo": row["memo"] + "*"} for row in rows])

    async def delete_bill(self) -> RecordKey:
        return self._edit_bills("B4", lambda rows: [row for row in rows if row["id"] != "B4"])

    def _edit_bills(self, bill_id: str, change: Callable[[Rows], Rows]) -> RecordKey:
        path = self._folder / "bills.csv"
        rows = self._read(path.name)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(change(rows))
        return RecordKey(RecordKind.BILL, bill_id)

    # What the contract of survival asks for besides

    async def load_secrets(self) -> Mapping[str, SecretStr]:
        return {}

    async def take_over(self, secrets: Mapping[str, SecretStr]) -> None:
        """Files need no secrets."""

    async def play(self, trouble: Trouble | None) -> None:
        assert trouble is None, "files are no vendor: the rail states no trouble that it survives"

    async def live(self) -> None:
        await self.enter_bill()
        await self.edit_bill()

    async def take_away(self) -> set[RecordKey]:
        return {await self.delete_bill()}

    async def pass_time(self, by: timedelta) -> None:
        self.clock.advance(by)

    async def reconnect(self) -> None:
        """Trying again is all."""

    async def list_truth(self) -> Mapping[RecordKind, set[str]]:
        return {layout.kind: {row["id"] for row in self._read(layout.file_name)} for layout in LAYOUTS}

    async def send_event(self) -> SignedEvent:
        raise NotImplementedError("files send no events")

    def _read(self, name: str) -> Rows:
        with (self._folder / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


class TestSampleSurvives(SurvivalContract):
    abilities = SampleRailFactory.abilities

    @pytest.fixture
    def desk(self, tmp_path: Path) -> FolderDesk:
        return FolderDesk(Path(shutil.copytree(BOOKS, tmp_path / "books")))


class TestSampleRail(LedgerRailContract):
    @pytest.fixture
    def desk(self, tmp_path: Path) -> FolderDesk:
        return FolderDesk(Path(shutil.copytree(BOOKS, tmp_path / "books")))
