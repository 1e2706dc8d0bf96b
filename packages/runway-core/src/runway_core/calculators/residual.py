"""What moves at the bank beside documents, series and transfers: sundries, fees, cash sales, in a usual week."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from runway_core.calculators.calendar import monday_of
from runway_core.calculators.deposits import list_taken
from runway_core.calculators.flows import Flow, Flows, FlowSort, read_deposits
from runway_core.calculators.history import Span, find_weeks
from runway_core.calculators.seasons import NEEDED_WEEKS, NO_SEASONS, find_seasons
from runway_core.calculators.statistics import median
from runway_core.domain.books import Books
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.money import ZERO

_DOCUMENTS = frozenset({RecordKind.BILL_PAYMENT, RecordKind.CUSTOMER_PAYMENT})
_SEEN_BEFORE_DAYS = 3  # a bank may book a payment a business day before the ledger's date
_SEEN_AFTER_DAYS = 45  # and a cheque weeks after it


@dataclass(frozen=True, slots=True)
class Residual:
    """The median week of what nothing else explains; home currency, both positive."""

    inflow: Fraction
    outflow: Fraction


def compute_residual(books: Books, flows: Flows, span: Span, *, in_series: frozenset[RecordKey]) -> Residual:
    """The median weekly flow of `span` that is no document, none of the records `in_series` and no transfer.

    Each account counts by its bank where the bank is read, else by the ledger. A week that the span holds in part
    counts by its days.
    """
    deposited = books.derive(_sum_deposited)
    rest: list[tuple[date, Decimal]] = []
    explained: list[Flow] = []
    for flow in flows.ledger:
        linked = deposited.get(flow.external_id, ZERO) if flow.kind is RecordKind.DEPOSIT else ZERO
        if flow.account_id in flows.bank_account_ids:
            if _is_explained(flow, in_series) or flow.external_id in deposited:
                explained.append(flow)
                if linked and flow.amount < linked and flow.currency == books.home:  # a card processor kept its fee
                    rest.append((flow.on, flow.amount - linked))
        elif flow.sort is FlowSort.OPERATING and flow.home is not None and not _is_explained(flow, in_series):
            rest.append((flow.on, flow.home - linked))
    rest += _find_unexplained(flows.bank, explained)
    weeks = list(find_weeks(span))
    sums = {week: [ZERO, ZERO] for week in weeks}
    starts = [week.first for week in weeks]
    for on, home in rest:
        place = bisect_right(starts, on) - 1
        if place >= 0 and on <= weeks[place].last:
            sums[weeks[place]][home < 0] += abs(home)
    inflow, outflow = ([Fraction(sums[week][side]) * 7 / week.days for week in weeks] for side in (0, 1))
    return Residual(inflow=median(inflow), outflow=median(outflow))


def find_takings_seasons(books: Books, *, in_series: frozenset[RecordKey]) -> tuple[Fraction, ...]:
    """How deposits that are no customer payments stand in each week from this one on to the median of the last ones.

    By the ledger, which holds last year's; 1 where it does not reach a year back.
    """
    this_monday = monday_of(books.as_of)
    first = this_monday - timedelta(days=7 * NEEDED_WEEKS)
    if books.history_from > first:
        return NO_SEASONS
    deposited = books.derive(_sum_deposited)
    weekly = [ZERO] * NEEDED_WEEKS
    for flow in read_deposits(books, since=first):
        is_taking = flow.sort is FlowSort.OPERATING and flow.key not in in_series and flow.home is not None
        if is_taking and flow.on < this_monday:
            weekly[(flow.on - first).days // 7] += max(
                (flow.home or ZERO) - deposited.get(flow.external_id, ZERO), ZERO
            )
    return find_seasons(weekly)


def _is_explained(flow: Flow, in_series: frozenset[RecordKey]) -> bool:
    if flow.sort is not FlowSort.OPERATING or flow.kind in _DOCUMENTS:
        return True
    return flow.key in in_series


def _sum_deposited(books: Books) -> dict[str, Decimal]:
    """What each deposit took to the bank of customer payments, in its own currency, by its id.

    That may be more than its total, where lines of it are negative: fees that a card processor kept.
    """
    payments = books.customer_payment_columns
    walked = zip(payments.external_id, payments.total, payments.is_void, strict=True)
    totals = {external_id: total for external_id, total, is_void in walked if not is_void}
    found: dict[str, Decimal] = {}
    for deposit, payment_ids in books.derive(list_taken):
        taken = [totals[payment_id] for payment_id in payment_ids if payment_id in totals]
        if taken:
            kept = sum((-line.amount for line in deposit.lines if line.amount < 0), ZERO)
            found[deposit.external_id] = min(sum(taken, ZERO), deposit.total + kept)
    return found


def _find_unexplained(lines: Iterable[Flow], explained: Iterable[Flow]) -> Iterator[tuple[date, Decimal]]:
    """Operating lines at the bank that no explained entry of the ledger stands for, each entry used once."""
    waiting: dict[tuple[str, Decimal], list[date]] = {}
    for (account_id, on, _), amount in _merge(explained).items():
        waiting.setdefault((account_id, amount), []).append(on)
    for days in waiting.values():
        days.sort()
    for line in sorted(lines, key=lambda line: (line.on, line.account_id, line.amount)):
        if line.sort is FlowSort.OPERATING and line.home is not None:
            days = waiting.get((line.account_id, line.amount), [])
            while days and (line.on - days[0]).days > _SEEN_AFTER_DAYS:
                days.pop(0)
            if days and (days[0] - line.on).days <= _SEEN_BEFORE_DAYS:
                days.pop(0)
            else:
                yield line.on, line.home


def _merge(flows: Iterable[Flow]) -> dict[tuple[str, date, RecordKey | None], Decimal]:
    """The legs of one record on one account in one: the bank shows them as one line."""
    sums: dict[tuple[str, date, RecordKey | None], Decimal] = {}
    for flow in flows:
        held = flow.account_id, flow.on, flow.key
        sums[held] = sums.get(held, ZERO) + flow.amount
    return sums
