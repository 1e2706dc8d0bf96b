"""A first load loses no row although the books are edited between its pages."""

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from runway_core.domain.changes import ChangePage, Cursor
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.errors import RailUnavailable

from tests.rails.paper_qbo import PaperQbo


def bill_key(number: int) -> RecordKey:
    return RecordKey(RecordKind.BILL, str(number))


async def read(paper: PaperQbo, cursor: Cursor | None = None, **settings: Any) -> list[ChangePage]:
    rail = paper.open(page_size=settings.pop("page_size", 10), **settings)
    return [page async for page in rail.changes_since(cursor)]


def shown(pages: list[ChangePage]) -> dict[RecordKey, bytes]:
    held: dict[RecordKey, bytes] = {}
    for page in pages:
        held.update({change.record.key: change.record.content() for change in page.changes})
        for deletion in page.deletions:
            held.pop(deletion.key, None)
    return held


def statements(paper: PaperQbo, kind: str = "Bill") -> list[str]:
    asked = [request.url.params.get("query", "") for request in paper.requests]
    return [statement for statement in asked if f"FROM {kind} " in f"{statement} "]


def make_books(bills: int = 45, *, text_order: bool = False) -> PaperQbo:
    paper = PaperQbo(text_order=text_order)
    for number in range(1, bills + 1):
        paper.put_bill(str(number))
    paper.put_account("7", 500)
    paper.clock.advance(timedelta(days=1))
    return paper


class Meddler:
    """Edits the books just before a page of bills is answered."""

    def __init__(self, paper: PaperQbo, edits: dict[int, list[tuple[str, int]]]) -> None:
        self.paper = paper
        self.edits = edits
        self.pages = 0
        paper.interrupt = self

    def __call__(self, request: httpx.Request) -> None:
        statement = request.url.params.get("query", "")
        if "FROM Bill " not in statement or "COUNT" in statement or "LastUpdatedTime" in statement:
            return
        self.pages += 1
        for verb, number in self.edits.pop(self.pages, []):
            self.paper.clock.advance(timedelta(seconds=1))
            if verb == "delete":
                self.paper.remove("Bill", str(number))
            else:
                self.paper.put_bill(str(number), amount=77)


@pytest.mark.parametrize("text_order", [False, True])
@pytest.mark.parametrize(
    "edits",
    [
        {2: [("delete", 3)]},
        {2: [("delete", 10)]},
        {2: [("delete", number) for number in range(1, 11)]},
        {3: [("delete", 1), ("edit", 2), ("edit", 46)], 4: [("edit", 500)]},
        {2: [("edit", 3)], 3: [("edit", 0), ("delete", 20)]},
        {2: [("delete", 11)], 3: [("delete", 12)], 4: [("delete", 13), ("edit", 13)]},
        {5: [("delete", number) for number in range(30, 46)]},
        {1: [("edit", 100)], 2: [("delete", 100)]},
        {2: [("delete", 1), ("edit", 0)], 3: [("delete", 2), ("edit", 1)]},
    ],
)
async def test_rows_that_move_between_pages_are_not_lost(
    edits: dict[int, list[tuple[str, int]]], text_order: bool
) -> None:
    paper = make_books(text_order=text_order)
    Meddler(paper, edits)

    pages = await read(paper)
    paper.interrupt = None
    now = await read(paper)

    assert shown(pages) == shown(now)
    assert pages[-1].present_keys == now[-1].present_keys
    bills = {key.external_id for key in pages[-1].present_keys or () if key.kind is RecordKind.BILL}
    assert bills == set(paper.shelves["Bill"])


async def test_a_reading_by_position_alone_would_have_lost_a_row() -> None:
    """The books of the test above do move: the second page begins one row later than a plain reader thinks."""
    paper = make_books(20)
    Meddler(paper, {2: [("delete", 3)]})

    pages = await read(paper)

    assert bill_key(11) in shown(pages)
    starts = [int(found[1]) for text in statements(paper) if (found := re.search(r"STARTPOSITION (\d+)", text))]
    assert 9 in starts  # stepped back to a row it had read


async def test_a_quiet_reading_reads_every_row_once() -> None:
    paper = make_books(45)

    pages = await read(paper)

    keys = [change.record.key for page in pages for change in page.changes]
    assert len(keys) == len(set(keys)) == 45 + 1 + 1  # bills, account, company


async def test_nothing_is_asked_behind_the_end() -> None:
    paper = make_books(45)

    await read(paper)

    asked = statements(paper)
    assert sum("COUNT" in text for text in asked) == 1
    assert max(int(found[1]) for text in asked if (found := re.search(r"STARTPOSITION (\d+)", text))) <= 45
    assert len(asked) == 1 + 5


@pytest.mark.parametrize("bills", [0, 1, 9, 10, 11, 18, 19, 20, 100])
async def test_any_number_of_rows_is_read(bills: int) -> None:
    paper = make_books(bills)

    pages = await read(paper)

    assert sum(key.kind is RecordKind.BILL for key in shown(pages)) == bills
    assert pages[-1].is_last


async def test_a_killed_reading_goes_on_where_it_stopped() -> None:
    paper = make_books(200)
    whole = await read(paper)
    paper.requests.clear()
    pages: list[ChangePage] = []
    cursor = None
    while not pages or not pages[-1].is_last:
        reading = paper.open(page_size=50).changes_since(cursor)
        pages.append(await anext(reading))
        await reading.aclose()
        cursor = pages[-1].next_cursor

    assert shown(pages) == shown(whole)
    assert pages[-1].present_keys == whole[-1].present_keys
    read_again = sum("STARTPOSITION 1 " in text for text in statements(paper))
    assert read_again <= 3  # sent ahead of need, not read again page by page


async def test_a_killed_reading_loses_no_row_that_moves_in_between() -> None:
    paper = make_books(60)
    reading = paper.open(page_size=10).changes_since(None)
    pages = []
    async for page in reading:
        pages.append(page)
        if any(change.record.key == bill_key(10) for change in page.changes):
            break
    await reading.aclose()
    paper.clock.advance(timedelta(minutes=5))
    for number in (1, 2, 3, 9, 10):
        paper.remove("Bill", str(number))
    pages += await read(paper, pages[-1].next_cursor)

    assert {key.external_id for key in shown(pages) if key.kind is RecordKind.BILL} == set(paper.shelves["Bill"])


async def test_a_row_that_the_count_misses_is_looked_for_once_more() -> None:
    """The vendor hides a row from one answer, as an index that lags behind would."""
    paper = make_books(30)
    hidden = paper.shelves["Bill"].pop("15")

    def show_late(request: httpx.Request) -> None:
        statement = request.url.params.get("query", "")
        if "COUNT" in statement:
            paper.shelves["Bill"]["15"] = hidden

    paper.interrupt = show_late
    pages = await read(paper)

    assert bill_key(15) in shown(pages)


async def test_pages_that_repeat_without_end_are_refused() -> None:
    paper = make_books(10)

    def always_the_same(request: httpx.Request) -> httpx.Response | None:
        statement = request.url.params.get("query", "")
        if "FROM Bill " not in statement or "COUNT" in statement:
            return None
        return paper._answer_query(re.sub(r"STARTPOSITION \d+", "STARTPOSITION 1", statement))

    paper.interrupt = always_the_same
    with pytest.raises(RailUnavailable, match="again and again"):
        await read(paper)


async def test_inactive_names_are_read() -> None:
    paper = PaperQbo()
    paper.put("Vendor", "50", DisplayName="Old Norton (deleted)", Active=False)

    pages = await read(paper)

    vendors = [change.record for page in pages for change in page.changes if change.record.kind is RecordKind.VENDOR]
    assert vendors[0].model_dump()["is_active"] is False
    assert vendors[0].model_dump()["name"] == "Old Norton"


async def test_a_bad_row_stops_nothing_and_is_not_retired() -> None:
    paper = make_books(25)
    paper.put_bill("12", TxnDate="the first of May")

    pages = await read(paper)

    rejected = next(rejected for page in pages for rejected in page.rejected)
    assert rejected.external_id == "12"
    assert "TxnDate" in rejected.reason
    assert bill_key(12) in (pages[-1].present_keys or ())
    assert len([key for key in shown(pages) if key.kind is RecordKind.BILL]) == 24


async def test_a_reading_that_is_dropped_leaves_no_request_behind() -> None:
    paper = make_books(200)
    reading = paper.open(page_size=10).changes_since(None)
    await anext(reading)
    await reading.aclose()

    asked = len(paper.requests)
    await read(PaperQbo())  # other work of the loop

    assert len(paper.requests) == asked
