from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.burn import compute_burn
from runway_core.calculators.forecast_quality import judge_forecasts, keep_forecast
from runway_core.calculators.naive_forecasts import forecast_due_dates, forecast_flat_burn
from runway_core.calculators.outlook import compute_outlook
from runway_core.calculators.payables import compute_payables
from runway_core.calculators.receivables import compute_receivables
from runway_core.domain.forecasts import ForecastPoint, KeptForecast
from runway_testkit.books_making import amount, bill, day, invoice, make_books, moment
from runway_testkit.sample import AS_OF, READ_AT, sample_books

SUNDAY = date(2026, 3, 8)


def kept(
    expected: int, *, week: int = 1, flat: int = 0, due: int = 0, outflow: int = 100, ago: int = 0
) -> KeptForecast:
    """A forecast of one week's end, made on a Monday so many weeks ago."""
    as_of = AS_OF - timedelta(days=7 * ago)
    return KeptForecast(
        paper_id=str(as_of),
        changed_at=READ_AT,
        changed_by="runway",
        as_of=as_of,
        currency="USD",
        opening=amount(0),
        week_outflow=amount(outflow),
        points=(
            ForecastPoint(
                week=week,
                ends_on=as_of + timedelta(days=7 * week - 1),
                expected=amount(expected),
                flat_burn=amount(flat),
                due_dates=amount(due),
            ),
        ),
    )


def test_flat_burn_goes_on_as_the_last_months_did() -> None:
    """The Sample burns 466.67 a day; its first week has seven days, Monday included."""
    burn = compute_burn(sample_books())

    assert forecast_flat_burn(Decimal(51_200), burn, as_of=AS_OF, days=[AS_OF, SUNDAY]) == [
        Decimal("50733.3333"),
        Decimal("47933.3331"),
    ]


def test_without_known_burn_cash_stays() -> None:
    books = make_books()

    assert forecast_flat_burn(Decimal(500), compute_burn(books), as_of=books.as_of, days=[day(6)]) == [500]


def test_on_due_dates_everything_open_is_settled_the_day_it_falls_due() -> None:
    """Overdue ones at once, weekends no matter, and credits taken off."""
    books = make_books(
        bills=(bill("now", 30, due_date=day(-5)), bill("soon", 50, due_date=day(5))),
        invoices=(invoice("later", 200, due_date=day(6)),),
    )

    cash = forecast_due_dates(
        Decimal(1_000), compute_payables(books), compute_receivables(books), days=[day(4), day(5), day(6)]
    )

    assert cash == [970, 920, 1_120]


def test_a_week_s_outlook_is_kept_with_what_anyone_could_have_said() -> None:
    books = sample_books()
    outlook = compute_outlook(books)

    forecast = keep_forecast(books, outlook)

    assert (forecast.paper_id, forecast.as_of) == ("2026-03-02", AS_OF)
    assert forecast.opening == 51_200
    assert [point.week for point in forecast.points] == list(range(1, 14))
    assert [point.ends_on for point in forecast.points][:2] == [SUNDAY, SUNDAY + timedelta(days=7)]
    assert [point.expected for point in forecast.points] == [week.closing for week in outlook.weeks]
    assert forecast.points[0].flat_burn == Decimal("47933.3331")
    # B1 falls due, and I1 is overdue: both count as settled in the first week.
    assert forecast.points[0].due_dates == 51_200 - 6_000 + 12_000
    assert forecast.week_outflow == Decimal("17266.6667")


def test_a_forecast_made_within_a_week_ends_with_that_week() -> None:
    books = make_books(as_of=date(2026, 3, 5), read_at=moment(3))

    forecast = keep_forecast(books, compute_outlook(books))

    assert forecast.paper_id == "2026-03-02"
    assert forecast.points[0].ends_on == SUNDAY


def test_errors_are_told_as_median_bias_and_share_of_a_week() -> None:
    """Actual less forecast: +30, −10, −80 of a week's 100."""
    forecasts = [kept(70, ago=3), kept(110, ago=2), kept(180, ago=1)]
    cash = {AS_OF - timedelta(days=7 * ago - 6): Decimal(100) for ago in (1, 2, 3)}

    (week,) = judge_forecasts(forecasts, cash, currency="USD").horizons

    assert (week.weeks, week.count) == (1, 3)
    assert week.outlook.median_absolute == 30
    assert week.outlook.bias == -20
    assert week.outlook.share_of_week == Decimal("0.3000")
    assert week.flat_burn.median_absolute == 100


def test_the_outlook_is_measured_against_the_better_naive_forecast() -> None:
    forecast = kept(90, flat=60, due=140, ago=1)

    (week,) = judge_forecasts([forecast], {AS_OF - timedelta(days=1): Decimal(100)}, currency="USD").horizons

    assert week.ratio == Decimal("0.25")


def test_against_a_perfect_naive_forecast_there_is_no_ratio() -> None:
    forecast = kept(90, flat=100, ago=1)

    (week,) = judge_forecasts([forecast], {AS_OF - timedelta(days=1): Decimal(100)}, currency="USD").horizons

    assert week.ratio is None


@pytest.mark.parametrize(("week", "is_judged"), [(1, True), (2, False), (4, True), (5, False), (13, True)])
def test_forecasts_are_judged_after_one_four_and_thirteen_weeks(week: int, is_judged: bool) -> None:
    forecast = kept(90, week=week, ago=20)
    cash = {point.ends_on: Decimal(100) for point in forecast.points}

    assert [h.weeks for h in judge_forecasts([forecast], cash, currency="USD").horizons] == [week] * is_judged


def test_what_has_not_come_due_is_not_judged() -> None:
    quality = judge_forecasts([kept(90)], {AS_OF: Decimal(100)}, currency="USD")

    assert (quality.horizons, quality.last) == ((), None)


def test_a_forecast_in_another_currency_is_left_out() -> None:
    assert judge_forecasts([kept(90)], {SUNDAY: Decimal(100)}, currency="CAD").horizons == ()


def test_without_a_known_outflow_there_is_no_share() -> None:
    (week,) = judge_forecasts([kept(90, outflow=0)], {SUNDAY: Decimal(100)}, currency="USD").horizons

    assert week.outlook.share_of_week is None


def test_the_last_week_s_forecast_is_shown_beside_what_happened() -> None:
    forecasts = [kept(70, ago=2), kept(125, ago=1), kept(0)]
    cash = {AS_OF - timedelta(days=8): Decimal(100), AS_OF - timedelta(days=1): Decimal(100)}

    last = judge_forecasts(forecasts, cash, currency="USD").last

    assert last is not None
    assert last.as_of == AS_OF - timedelta(days=7)
    assert [last.expected, last.actual, last.error] == [125, 100, -25]
    assert last.share_of_week == Decimal("0.2500")


@given(st.lists(st.integers(-10_000, 10_000), min_size=1, max_size=12))
def test_the_order_of_forecasts_changes_nothing(errors: list[int]) -> None:
    forecasts = [kept(error, ago=number + 1) for number, error in enumerate(errors)]
    cash = {point.ends_on: Decimal(0) for forecast in forecasts for point in forecast.points}

    assert judge_forecasts(forecasts[::-1], cash, currency="USD") == judge_forecasts(forecasts, cash, currency="USD")
