"""The figures of one large company, and how many of the planted defects the checks find."""

import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from runway_app_http.collector import tune_collector
from runway_core.calculators.cash import compute_cash
from runway_core.calculators.hygiene.check import Check
from runway_core.calculators.hygiene.checks import CHECKS
from runway_core.calculators.hygiene.find import find_findings
from runway_core.calculators.hygiene.rerun import run_checks
from runway_core.calculators.outlook import compute_outlook
from runway_core.calculators.what_if import amend_outlook
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.books import Books
from runway_sandbox.economy import build_company

from tests.bench.machine import percentile, print_table
from tests.core.hygiene.planted import AS_OF, judge_checks, make_companies, read_books

SEEDS = (11, 23, 101, 499)


def measure_figures(*, bills: int, repeat: int) -> None:
    """Outlook, all checks, the same again after a bill changed, and one what-if, on the books of one company."""
    tune_collector()  # as the app does
    books = read_books(build_company(index=3, seed=5, bills=bills, as_of=AS_OF))
    documents = sum(len(getattr(books, name)) for name in DOCUMENTS)
    cash = compute_cash(books)
    outlook = compute_outlook(books)
    bill = books.open_bills[0]
    moved = [Amendment(action=AmendmentAction.PAY_ON, record=bill.key, on=books.as_of + timedelta(days=20))]
    ran = run_checks(books)
    touched = books.model_copy(update={"bills": (*books.bills[1:], books.bills[0])})
    rows = [
        ("columns, laid out as books are read", *time_it(lambda held: held.with_columns(), bare(books), repeat)),
        ("outlook", *time_it(compute_outlook, fresh(books), repeat)),
        (f"all {len(CHECKS)} checks", *time_it(find_findings, fresh(books), repeat)),
        ("checks after one bill changed", *time_it(lambda held: run_checks(held, ran), fresh(touched), repeat)),
        ("one what-if", *time_it(lambda held: amend_outlook(held, cash, outlook, moved), lambda: books, repeat)),
    ]
    print_table(f"A company of {documents:,} documents", ("what", "median ms", "p95 ms"), rows)
    slowest = sorted(((time_check(check, books, repeat), check.id) for check in CHECKS), reverse=True)[:8]
    print_table("The slowest checks", ("check", "median ms"), [(id_, f"{ms:.1f}") for ms, id_ in slowest])


def measure_checks(*, companies: int, bills: int) -> None:
    """Recall and precision of every check over the sandbox's companies; the truth is the sandbox's own."""
    judged = judge_checks(make_companies(SEEDS, count=companies // len(SEEDS), bills=bills))
    rows = []
    for check in CHECKS:
        planted, found, extra = judged.planted[check.id], judged.found[check.id], judged.extra[check.id]
        recall = f"{Decimal(found) / planted:.3f}" if planted else "–"
        precision = f"{Decimal(found) / (found + extra):.3f}" if found + extra else "–"
        rows.append((f"{check.id} {check.name}", str(planted), str(found), str(extra), recall, precision))
    title = f"Checks over {companies} companies of {bills} bills"
    print_table(title, ("check", "planted", "found", "extra", "recall", "precision"), rows)


DOCUMENTS = (
    "bills", "vendor_credits", "bill_payments", "invoices", "credit_memos", "customer_payments", "purchases",
    "deposits", "transfers", "journal_entries",
)  # fmt: skip


def bare(books: Books) -> Callable[[], Books]:
    """Gives the same records, with nothing beside them."""
    return lambda: Books.trusted({name: getattr(books, name) for name in Books.model_fields})


def fresh(books: Books) -> Callable[[], Books]:
    """Gives the same books as they are read, with nothing computed of them."""
    return lambda: bare(books)().with_columns()


def time_it(act: Callable[[Books], object], make: Callable[[], Books], repeat: int) -> tuple[str, str]:
    """Median and 95th percentile in milliseconds; making the books is not counted."""
    spans = time_spans(act, make, repeat)
    return f"{percentile(spans, 0.5):.1f}", f"{percentile(spans, 0.95):.1f}"


def time_check(check: Check, books: Books, repeat: int) -> float:
    """The median of one check alone, in milliseconds."""
    return percentile(time_spans(lambda held: tuple(check.find(held)), fresh(books), min(repeat, 5)), 0.5)


def time_spans(act: Callable[[Books], object], make: Callable[[], Books], repeat: int) -> list[float]:
    """How long each of so many runs took, in milliseconds."""
    spans = []
    for _ in range(repeat):
        books = make()
        began = time.perf_counter()
        act(books)
        spans.append((time.perf_counter() - began) * 1000)
    return spans
