"""How right forecasts are: two years of made-up companies, turned back week by week, beside two naïve forecasts."""

from runway_core.calculators.forecast_quality import HORIZONS

from tests.bench.machine import Stopwatch, print_table
from tests.core.backtest_lines import tabulate
from tests.core.backtesting import backtest, pool, ratio_to_better, read_two_years, split_errors

SEED = 5
SPLIT_WEEKS = 4


def measure_backtests() -> None:
    """Companies of thirty bills a week, eleven thousand documents, and of ten, of whose error chance makes most."""
    measure_backtest(companies=50, bills=3000, every=4)
    measure_backtest(companies=50, bills=1000, every=4)


def measure_backtest(*, companies: int, bills: int, every: int) -> None:
    """Forecast on every Monday (or every so many) of the second year, and compare with what happened."""
    with Stopwatch() as watch:
        tested, split = [], []
        for index in range(companies):
            books = read_two_years(index, seed=SEED, bills=bills)
            tested.append(backtest(books, every=every))
            split += split_errors(books, every=every, weeks=SPLIT_WEEKS)
    rows = []
    for weeks in HORIZONS:
        errors = pool(tested, weeks=weeks)
        for way, told in errors.items():
            rows.append(
                (
                    f"{weeks} week{'' if weeks == 1 else 's'}, {way}",
                    f"{len(told.shares):,}",
                    f"{told.median_absolute:.2f}",
                    f"{told.bias:+.2f}",
                    f"{told.within_a_week:.0%}",
                )
            )
        rows.append((f"  Runway ÷ the better naïve one at {weeks}", "", f"{ratio_to_better(errors):.2f}", "", ""))
    title = (
        f"Forecast cash of {companies} companies of {bills:,} bills, in weeks of their outflow, {watch.seconds:.0f} s"
    )
    print_table(title, ("ahead", "forecasts", "median error", "bias", "within a week"), rows)
    title = f"Where the error of {SPLIT_WEEKS} weeks ahead lies, in weeks of outflow"
    print_table(title, ("line", "moves", "mean error", "bias", "median of all were it foreseen"), tabulate(split))
