"""The portfolio: filters, orders and pages over many companies, from stored positions alone."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.domain.position import PositionStatus
from runway_core.errors import InvalidRequest, RailUnavailable
from runway_core.experiences.portfolio import PortfolioQuery, PortfolioRow, PortfolioSort, PortfolioView, say_week
from runway_testkit.sample import AS_OF

from tests.core.desk import FirmDesk, bank, bill

NAMES = ("amber Ltd", "Birch", "Cedar", "Doomed", "Elm", "Fir", "Grey", "Holly", "Idle")


def in_days(days: int) -> date:
    return AS_OF + timedelta(days=days)


async def make_firm() -> FirmDesk:
    """Nine companies in every state a portfolio knows."""
    desk = FirmDesk(page_size=50)
    await desk.connect("amber Ltd", bank(500), bill("B1", 900, due_date=in_days(20)), owner="ada", tags=["retail"])
    await desk.connect("Birch", bank(9_000), bill("B1", 900, due_date=in_days(5)), owner="ada", tags=["food"])
    await desk.connect("Cedar", bank(100), bill("B1", 900, due_date=in_days(3)), owner="bo", tags=["food", "retail"])
    await desk.connect("Doomed", bank(-50), owner="bo")
    await desk.connect("Elm", bank(7_000), bill("B1", due_date=None), bill("B2"), bill("B3", number="N-B2"))
    await desk.connect("Fir", bank(100), bill("B1", 400, due_date=in_days(3)))
    await desk.connect("Grey", bill("B1"))
    await desk.connect("Holly", bank())
    await desk.runway.companies.add("Idle", home_currency="EUR", time_zone="Europe/Berlin")
    desk.ledger("Holly").fail_next(RailUnavailable("memory: no answer", rail="memory"))
    await desk.runway.sync_all()
    return desk


@pytest.fixture(scope="module")
def firm() -> Iterator[Callable[[PortfolioQuery], PortfolioView]]:
    """Asks one firm, which nothing changes."""
    with asyncio.Runner() as loop:
        desk = loop.run(make_firm())
        yield lambda query: loop.run(desk.runway.portfolio(query))


Ask = Callable[[PortfolioQuery], PortfolioView]


def names(view: PortfolioView) -> list[str]:
    return [row.name for row in view.rows]


def test_those_that_need_attention_come_first(firm: Ask) -> None:
    view = firm(PortfolioQuery())

    assert [(row.name, row.status.value) for row in view.rows] == [
        ("Doomed", "red"), ("Cedar", "red"), ("Fir", "red"), ("amber Ltd", "amber"), ("Grey", "grey"),
        ("Holly", "grey"), ("Idle", "grey"), ("Elm", "green"), ("Birch", "green"),
    ]  # fmt: skip
    assert {count.status.value: count.count for count in view.counts} == {"red": 3, "amber": 1, "grey": 3, "green": 2}
    assert (view.total, view.matching, view.has_more, view.next_cursor) == (9, 9, False, None)


def test_a_sentence_says_which_runways_moved_within_a_week(firm: Ask) -> None:
    first = firm(PortfolioQuery()).rows[0]

    def moved(*days: int | None) -> str:
        rows = [
            first.model_copy(update={"name": f"Co {number}", "week_change_days": change})
            for number, change in enumerate(days, start=1)
        ]
        return say_week(rows)

    assert firm(PortfolioQuery()).week_sentence == moved(None) == "No runway is known from a week ago yet"
    assert moved(0, None) == "No runway is otherwise than a week ago"
    assert moved(-3, -9, 0) == "Since a week ago 2 runways are shorter (most of all Co 2, −9 days)"
    assert moved(-3, 4, 12) == (
        "Since a week ago 1 runway is shorter (most of all Co 1, −3 days) and 2 runways are longer (most of all Co 3, "
        "+12 days)"
    )


def test_a_company_that_was_never_read_says_why_it_has_no_figures(firm: Ask) -> None:
    rows = {row.name: row for row in firm(PortfolioQuery()).rows}

    assert (rows["Idle"].status_reason, rows["Idle"].opening_cash) == ("not connected yet", None)
    assert rows["Holly"].status_reason == "The books were never read, so nothing can be said yet."
    assert rows["Grey"].status_reason == "The books show no bank account, so cash is not known."


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({"status": PositionStatus.RED}, {"Doomed", "Cedar", "Fir"}),
        ({"owner": "ada"}, {"amber Ltd", "Birch"}),
        ({"tag": "retail"}, {"amber Ltd", "Cedar"}),
        ({"search": "ED"}, {"Cedar", "Doomed"}),
        ({"runway_below": 21}, {"Doomed", "Cedar", "Fir"}),
        ({"runway_below": 22}, {"Doomed", "Cedar", "Fir", "amber Ltd"}),
        ({"older_than_hours": 1}, {"Holly", "Idle"}),
        ({"no_digest_for_days": 7}, {"amber Ltd", "Birch", "Cedar", "Doomed", "Elm", "Fir", "Grey", "Holly"}),
        ({"has_critical": True}, {"Elm"}),
        ({"owner": "bo", "tag": "food", "status": PositionStatus.RED}, {"Cedar"}),
        ({"owner": "nobody"}, set()),
    ],
)
def test_filters_narrow_and_counts_stay_those_of_the_firm(firm: Ask, query: dict[str, Any], wanted: set[str]) -> None:
    view = firm(PortfolioQuery(**query))

    assert set(names(view)) == wanted
    assert (view.matching, view.total, sum(count.count for count in view.counts)) == (len(wanted), 9, 9)


def width_of(row: PortfolioRow) -> int:
    return 0 if row.band is None else row.band.width_days


def value_of(row: PortfolioRow, sort: PortfolioSort) -> Any:
    money = {"cash": row.opening_cash, "due_7_days": row.due_7_days, "ar_at_risk": row.ar_at_risk}
    if sort.value in money:
        held = money[sort.value]
        return Decimal(0) if held is None else held.amount
    return {
        "name": row.name.casefold(),
        "runway": 10_000 if row.runway_days is None else row.runway_days,
        "findings": (row.findings_critical, row.findings_open),
        "cleanness": -1 if row.cleanness is None else row.cleanness,
        "age": 10**12 if row.age_seconds is None else row.age_seconds,
        "attention": (row.status.rank, -width_of(row)),
        "band": width_of(row),
        "change": row.week_change_days or 0,
    }[sort.value]


@pytest.mark.parametrize("sort", PortfolioSort)
def test_every_column_sorts_both_ways(firm: Ask, sort: PortfolioSort) -> None:
    up, down = [
        [value_of(row, sort) for row in firm(PortfolioQuery(sort=sort, descending=descending)).rows]
        for descending in (False, True)
    ]

    assert all(one <= two for one, two in pairwise(up))
    assert all(one >= two for one, two in pairwise(down))


@given(
    limit=st.integers(1, 12),
    sort=st.sampled_from(PortfolioSort),
    descending=st.booleans(),
    owner=st.sampled_from((None, "ada", "bo")),
)
def test_pages_never_overlap_and_give_the_whole(
    firm: Ask, limit: int, sort: PortfolioSort, descending: bool, owner: str | None
) -> None:
    query = PortfolioQuery(sort=sort, descending=descending, owner=owner, limit=limit)
    whole = firm(query.model_copy(update={"limit": 100}))
    pages, cursor = [], None
    while True:
        page = firm(query.model_copy(update={"cursor": cursor}))
        pages.append(page)
        cursor = page.next_cursor
        assert page.has_more is (cursor is not None)
        if cursor is None:
            break

    assert [row for page in pages for row in page.rows] == list(whole.rows)
    assert {len(page.rows) for page in pages[:-1]} <= {limit}


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 101}, {"limit": -1}, {"cursor": "next"}, {"cursor": "-1"}, {"cursor": "1" * 10}]
)
def test_what_is_no_page_is_refused(firm: Ask, query: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        firm(PortfolioQuery(**query))
