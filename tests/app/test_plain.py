"""Values as plain JSON: amounts as text with their currency's digits, never a float."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_app_http.api.answers import cut_page
from runway_app_http.plain import amount_text, instant_text, to_plain
from runway_app_http.ui.charts import describe_spark, draw_spark, find_levels
from runway_app_http.ui.csv_tables import guard_cell
from runway_app_http.ui.figures import say_amount, say_change
from runway_core.domain.money import Money
from runway_core.domain.outlook import OutlookDay
from runway_core.errors import InvalidRequest
from runway_core.experiences.wording import say_days


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1598.35", "USD", "1598.35"),
        ("1598.3450", "USD", "1598.35"),
        ("-0.0010", "USD", "0.00"),
        ("1200.0000", "JPY", "1200"),
        ("1.2345", "KWD", "1.235"),
        ("90000000000000.0000", "USD", "90000000000000.00"),
    ],
)
def test_an_amount_has_the_digits_of_its_currency(amount: str, currency: str, text: str) -> None:
    assert amount_text(Decimal(amount), currency) == text
    assert to_plain(Money(amount=Decimal(amount), currency=currency)) == {"amount": text, "currency": currency}


def test_an_amount_without_a_currency_of_its_own_takes_the_one_around_it() -> None:
    nil = Decimal("0.0000")
    day = OutlookDay(day=date(2026, 3, 2), opening=Decimal("5.0000"), inflow=nil, outflow=nil, low=nil, closing=nil)

    assert to_plain([day], currency="JPY") == [
        {"day": "2026-03-02", "opening": "5", "inflow": "0", "outflow": "0", "low": "0", "closing": "0"}
    ]


class Pair(NamedTuple):
    left: int
    right: float


@pytest.mark.parametrize("value", [1.5, [1.5], {"a": 1.5}, Pair(1, 1.5), b"bytes", object()])
def test_what_has_no_one_way_to_be_written_is_a_bug(value: object) -> None:
    with pytest.raises(TypeError):
        to_plain(value)


def test_a_moment_is_written_in_utc_and_must_know_its_zone() -> None:
    chicago = timezone(timedelta(hours=-6))

    assert instant_text(datetime(2026, 3, 2, 9, 0, tzinfo=chicago)) == "2026-03-02T15:00:00Z"
    assert instant_text(datetime(2026, 3, 2, 9, 0, 0, 5000, tzinfo=UTC)) == "2026-03-02T09:00:00.005000Z"
    with pytest.raises(TypeError):
        instant_text(datetime(2026, 3, 2, 9, 0))  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize(
    ("cell", "guarded"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "+1"),
        ("-1.50", "-1.50"),
        ("-1.50-2", "'-1.50-2"),
        ("@cmd", "'@cmd"),
        ("\tx", "'\tx"),
        ("\r=x", "'\r=x"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_a_cell_that_could_run_is_guarded(cell: str, guarded: str) -> None:
    assert guard_cell(cell) == guarded


@given(st.lists(st.tuples(st.integers(0, 5), st.text(max_size=3)), unique=True), st.integers(1, 4))
def test_pages_join_to_the_whole_list(items: list[tuple[int, str]], limit: int) -> None:
    found: list[tuple[int, str]] = []
    cursor: str | None = None
    while True:
        page, cursor = cut_page(items, lambda item: item, limit=limit, cursor=cursor)
        found += page
        if cursor is None:
            break

    assert found == sorted(items)


@given(st.text(max_size=40))
def test_any_cursor_is_read_or_refused(cursor: str) -> None:
    try:
        page, _ = cut_page([("a", "b")], lambda item: item, limit=1, cursor=cursor)
    except InvalidRequest:
        return

    assert page in ([], [("a", "b")])


@pytest.mark.parametrize(
    ("amount", "text"), [("-1234.5", "−1,234.50"), ("0", "0.00"), ("-0.001", "0.00"), ("1e6", "1,000,000.00")]
)
def test_people_read_amounts_with_a_true_minus(amount: str, text: str) -> None:
    assert say_amount(Decimal(amount), "USD") == text


def test_people_read_days_in_words() -> None:
    assert [say_days(d) for d in (None, 0, 1, 32)] == ["91+ days", "0 days", "1 day", "32 days"]
    assert [say_change(d) for d in (7, -9, -1, 0)] == ["+7 days", "−9 days", "−1 day", "0 days"]


amounts = st.decimals(min_value=-(10**12), max_value=10**12, places=4)


@given(st.lists(amounts, max_size=12), st.lists(amounts, max_size=13))
def test_a_spark_line_stays_inside_its_frame(past: list[Decimal], coming: list[Decimal]) -> None:
    label = describe_spark(past, coming, currency="USD", as_of=date(2026, 3, 2))
    drawn = str(draw_spark(past, coming, label=label))

    assert "style" not in drawn
    numbers = [int(n) for path in re.findall(r' d="([^"]+)"', drawn) for n in re.findall(r"-?[0-9]+", path)]
    assert all(0 <= n <= 1300 for n in numbers)


@given(amounts, amounts)
def test_levels_of_a_chart_are_few_and_lie_within_it(one: Decimal, other: Decimal) -> None:
    low, high = sorted((one, other))
    if high - low < 1:
        return
    levels = find_levels(low, high)

    assert 1 <= len(levels) <= 7
    assert all(low <= level <= high for level in levels)
