"""The CSV rail on real files: what changes in the folder is what the rail reports."""

import shutil
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import runway_rail_sample
from pydantic import ValidationError
from runway_core.domain.bills import Bill
from runway_core.domain.changes import ChangePage, Cursor
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.ledger import Account, AccountKind
from runway_core.errors import NotSupported, RailMisconfigured, RecordGone, RecordRejected
from runway_core.plugins.registry import RailRegistry
from runway_core.ports.ledger_rail import RecordFix
from runway_rail_sample.rail import SampleRail, SampleRailFactory
from runway_rail_sample.settings import SampleSettings

BOOKS = Path(__file__).parents[3] / "packages" / "rail-sample" / "books"
B3 = RecordKey(RecordKind.BILL, "B3")
KINDS = 5


class StandingClock:
    def now(self) -> datetime:
        return datetime(2026, 3, 2, 15, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BOOKS, tmp_path / "books"))


@pytest.fixture
async def rail(folder: Path) -> AsyncIterator[SampleRail]:
    rail = SampleRail(SampleSettings(folder=folder, company_name="Sample", page_size=4), clock=StandingClock())
    yield rail
    await rail.aclose()


async def read_all(rail: SampleRail, cursor: Cursor | None) -> list[ChangePage]:
    return [page async for page in rail.changes_since(cursor)]


def keys_in(pages: list[ChangePage]) -> list[RecordKey]:
    return [change.record.key for page in pages for change in page.changes]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def save_as_windows_does(folder: Path) -> None:
    for path in folder.glob("*.csv"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))


async def test_the_first_reading_brings_every_row_once(rail: SampleRail) -> None:
    pages = await read_all(rail, None)

    assert len(keys_in(pages)) == len(set(keys_in(pages))) == 12 + 6 + 3 + 6 + 3
    assert [page.is_last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert pages[-1].present_keys == frozenset(keys_in(pages))


async def test_nothing_changed_means_nothing_reported(rail: SampleRail) -> None:
    cursor = (await read_all(rail, None))[-1].next_cursor

    [page] = await read_all(rail, cursor)

    assert (page.changes, page.deletions, page.rejected, page.present_keys) == ((), (), (), None)
    assert page.next_cursor == cursor


async def test_a_reading_that_stopped_goes_on_where_it_stopped(rail: SampleRail) -> None:
    whole = keys_in(await read_all(rail, None))

    for stop in range(len(await read_all(rail, None))):
        pages = await read_all(rail, None)
        begun = pages[: stop + 1]
        assert keys_in(begun) + keys_in(await read_all(rail, begun[-1].next_cursor)) == whole


async def test_an_edited_row_is_the_only_change(rail: SampleRail, folder: Path) -> None:
    before = await read_all(rail, None)
    edit(folder / "bills.csv", "9500.00,9500.00", "9500.00,8000.00")

    pages = await read_all(rail, before[-1].next_cursor)

    assert keys_in(pages) == [B3]
    [bill] = [change.record for page in pages for change in page.changes]
    assert isinstance(bill, Bill)
    assert bill.open_balance == Decimal(8000)
    assert bill.revision not in {change.record.revision for page in before for change in page.changes}


async def test_a_removed_row_is_reported_as_a_deletion(rail: SampleRail, folder: Path) -> None:
    cursor = (await read_all(rail, None))[-1].next_cursor
    lines = (folder / "bills.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "bills.csv").write_text("".join(line for line in lines if not line.startswith("B3,")), encoding="utf-8")

    [page] = await read_all(rail, cursor)

    assert [deletion.key for deletion in page.deletions] == [B3]
    with pytest.raises(RecordGone, match="B3"):
        await rail.read_record(B3)


async def test_a_cursor_that_cannot_be_read_counts_as_none(rail: SampleRail) -> None:
    pages = await read_all(rail, Cursor("no cursor of ours"))

    assert len(keys_in(pages)) == 30
    assert pages[-1].present_keys is not None


async def test_one_row_is_read_as_it_is_now(rail: SampleRail, folder: Path) -> None:
    edit(folder / "bills.csv", "2026-03-16", "2026-03-20")

    change = await rail.read_record(B3)

    assert isinstance(change.record, Bill)
    assert change.record.due_date == date(2026, 3, 20)
    assert change.record.memo == "Site work, second part"
    assert change.raw.decode().count("\n") == 2


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("9500.00,9500.00", '"9,500.00",9500.00', "line 4: total '9,500.00' is not a plain number"),
        ("9500.00,9500.00", "NaN,9500.00", "line 4: total: amount NaN is not a finite number"),
        ("9500.00,9500.00", "9500.00,", "line 4: open_balance is empty"),
        ("2026-03-16", "16/03/2026", "line 4: due_date '16/03/2026' is not a date like 2026-03-02"),
        ("USD,9500.00", "dollars,9500.00", "line 4: currency string should match pattern"),
        ('"Site work, second part"', "Site work, second part", "line 4 has 12 cells under 11 columns"),
        ("B3,", ",", "line 4 has no readable id"),
        ("B3,", "B2,", "line 4 repeats the id 'B2'"),
    ],
)
async def test_a_bad_row_is_rejected_and_the_others_go_on(
    rail: SampleRail, folder: Path, old: str, new: str, reason: str
) -> None:
    edit(folder / "bills.csv", old, new)

    pages = await read_all(rail, None)

    [rejected] = [rejected for page in pages for rejected in page.rejected]
    assert rejected.reason.startswith(reason)
    assert rejected.raw.startswith(b"id,number,")
    assert len(keys_in(pages)) == 29
    [page] = await read_all(rail, pages[-1].next_cursor)
    assert page.rejected == ()


async def test_a_row_that_went_bad_is_not_deleted(rail: SampleRail, folder: Path) -> None:
    cursor = (await read_all(rail, None))[-1].next_cursor
    edit(folder / "bills.csv", "2026-03-16", "soon")

    pages = await read_all(rail, cursor)

    assert [rejected.external_id for page in pages for rejected in page.rejected] == ["B3"]
    assert pages[-1].deletions == ()
    with pytest.raises(RecordRejected, match="due_date"):
        await rail.read_record(B3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"id,name\n", "column 'currency' is missing"),
        (b"", "column 'id' is missing"),
        (b"id,name,currency,balance,id\n", "names a column twice"),
        (b"id,name,currency,balance\nV1,Caf\xe9,USD,0\n", "is not UTF-8"),
        (b'id,name,currency,balance\nV1,"Caf" e,USD,0\n', "cannot be read"),
    ],
)
async def test_a_file_that_cannot_be_read_stops_the_reading(
    rail: SampleRail, folder: Path, content: bytes, message: str
) -> None:
    (folder / "vendors.csv").write_bytes(content)

    with pytest.raises(RailMisconfigured, match=message):
        await read_all(rail, None)


async def test_a_missing_file_is_never_taken_for_empty_books(rail: SampleRail, folder: Path) -> None:
    (folder / "bills.csv").unlink()

    with pytest.raises(RailMisconfigured, match=r"bills\.csv"):
        await read_all(rail, None)
    with pytest.raises(RailMisconfigured, match=r"lacks bills\.csv"):
        await rail.check_connection()


async def test_windows_line_ends_and_a_byte_order_mark_change_nothing(rail: SampleRail, folder: Path) -> None:
    cursor = (await read_all(rail, None))[-1].next_cursor
    save_as_windows_does(folder)

    [page] = await read_all(rail, cursor)

    assert page.changes == ()


async def test_account_types_are_known_by_their_words(rail: SampleRail) -> None:
    accounts = [change.record for page in await read_all(rail, None) for change in page.changes]

    kinds = {account.account_type: account.account_kind for account in accounts if isinstance(account, Account)}
    assert kinds["Undeposited funds"] is AccountKind.UNDEPOSITED_FUNDS
    assert AccountKind.UNKNOWN not in kinds.values()


async def test_the_folder_says_who_the_company_is_and_every_look_is_counted(rail: SampleRail, folder: Path) -> None:
    profile = await rail.check_connection()
    cursor = (await read_all(rail, None))[-1].next_cursor
    await read_all(rail, cursor)

    assert (profile.name, profile.external_id) == ("Sample", str(folder))
    assert rail.calls == 1 + 2 * KINDS


async def test_files_are_never_written(rail: SampleRail) -> None:
    with pytest.raises(NotSupported, match="only reads"):
        await rail.apply_fix(RecordFix(key=B3, expected_revision="", fields={}), idempotency_key="one")


def test_settings_name_a_folder() -> None:
    with pytest.raises(ValidationError):
        SampleSettings.model_validate({"directory": "/books"})


def test_the_rail_is_found_through_the_entry_point() -> None:
    entry = entry_points(group="runway")["sample"]
    registry = RailRegistry([SampleRailFactory()])

    assert entry.dist is not None
    assert entry.dist.name == "runway-rail-sample"
    assert entry.load() is runway_rail_sample
    assert registry.factory("sample").title == "CSV files"
