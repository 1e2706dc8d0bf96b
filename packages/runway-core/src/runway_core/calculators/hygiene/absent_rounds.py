"""What the checks on absent documents share: rounds of a series that are late, and what there is to show for them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from runway_core.calculators.calendar import add_days
from runway_core.calculators.detected_series import STEPS, DetectedSeries, Member
from runway_core.calculators.exchange import HomeRates
from runway_core.calculators.hygiene.check import plain_amount
from runway_core.calculators.series import FULFIL_DAYS, FULFIL_SHARE, find_days
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.books import Books
from runway_core.domain.company import EnteredSeries
from runway_core.domain.findings import Evidence
from runway_core.domain.identity import RecordKey, RecordKind

LATE_DAYS = 7
LONGEST_LATE_DAYS = 28
LEAST_MEMBERS = 4
"""Three alike documents may be chance: of nothing less than four rounds one is missed."""

LEAST_SPAN_DAYS = 60
"""Nor of what came round for less than two months: among frequent documents four a week apart are chance."""

SAME_AMOUNTS = 3


class LateRound(NamedTuple):
    """One round of a series that has not come; `amount` is positive, in `currency`."""

    series: RecordKey
    name: str
    party: RecordKey | None  # None: the series names nobody
    expected: date
    amount: Decimal
    currency: str
    rhythm: str
    members: tuple[Member, ...]  # what came round before, of a detected series


class Seen(NamedTuple):
    """A document or a movement that may be the round."""

    record: RecordKey
    on: date
    amount: Decimal
    currency: str
    due: date | None = None  # of a document: an entered series may name the day of payment


def find_late_rounds(
    detected: Iterable[DetectedSeries], as_of: date, *, days_by_party: Mapping[str, Sequence[date]]
) -> Iterator[LateRound]:
    """The next round of each series that can be relied on, where it is over seven days late.

    `days_by_party` are the days of all documents of each counterparty.
    """
    for series in detected:
        days = days_by_party.get(series.counterparty.external_id, ())
        if add_days(series.next_on, LATE_DAYS) < as_of and _is_regular(series, days, as_of):
            yield LateRound(
                series.key,
                series.name,
                series.counterparty,
                series.next_on,
                series.amount,
                series.currency,
                series.rhythm.value,
                series.last_members,
            )


def _is_regular(series: DetectedSeries, days: Iterable[date], as_of: date) -> bool:
    """At least four rounds over two months, two of three of the party's documents or of late over one amount."""
    span = series.members[-1].on - series.members[0].on
    if len(series.members) < LEAST_MEMBERS or span.days < LEAST_SPAN_DAYS:
        return False
    if len({member.amount for member in series.members[-SAME_AMOUNTS:]}) == 1:
        return True
    in_span = sum(1 for day in days if series.members[0].on <= day <= as_of)
    return len(series.members) * 3 >= in_span * 2


def find_entered_late(series: EnteredSeries, as_of: date) -> Iterator[LateRound]:
    """Rounds of an entered series over seven days ago, no longer than one period or four weeks."""
    longest = max(STEPS[series.rhythm][0], LONGEST_LATE_DAYS)
    party = None if series.vendor_id is None else RecordKey(RecordKind.VENDOR, series.vendor_id)
    key = RecordKey(RecordKind.SERIES, series.series_id)
    for day in find_days(series, add_days(as_of, -longest), add_days(as_of, -LATE_DAYS - 1)):
        yield LateRound(key, series.name, party, day, series.amount, series.currency, series.rhythm.value, ())


def is_seen(late: LateRound, seen: Iterable[Seen]) -> bool:
    """Whether something else stands for a round: within ten days of its day, and within a fifth of its amount."""
    members = {record for member in late.members for record in member.records}
    return any(
        one.record not in members
        and one.currency == late.currency
        and abs(one.amount - late.amount) <= late.amount * FULFIL_SHARE
        and any(abs((day - late.expected).days) <= FULFIL_DAYS for day in _days_of(one, late))
        for one in seen
    )


def _days_of(one: Seen, late: LateRound) -> Iterator[date]:
    """What was found goes by the days of documents; what a person entered may go by the days of payment."""
    yield one.on
    if one.due is not None and not late.members:
        yield one.due


def first_of_each(rounds: Iterable[LateRound]) -> Iterator[LateRound]:
    """The oldest late round of each series."""
    told: set[RecordKey] = set()
    for late in sorted(rounds, key=lambda late: (late.expected, late.series)):
        if late.series not in told:
            told.add(late.series)
            yield late


def show_round(late: LateRound) -> Iterator[Evidence]:
    """What was expected, and the last six that came."""
    yield Evidence(name="expected_on", value=late.expected.isoformat(), record=late.series)
    yield Evidence(name="expected_amount", value=plain_amount(late.amount, late.currency), record=late.series)
    yield Evidence(name="rhythm", value=late.rhythm, record=late.series)
    for member in late.members:
        value = f"{member.on}: {plain_amount(member.amount, late.currency)}"
        yield Evidence(name="came", value=value, record=member.records[0])


def subjects_of(late: LateRound) -> tuple[RecordKey, ...]:
    """The series, and whom it is with."""
    return (late.series,) if late.party is None else (late.series, late.party)


def expect_cash(books: Books, late: LateRound, on: date, *, sign: int) -> tuple[Amendment, ...]:
    """The round's money moving on a day; nothing without an exchange rate."""
    home = HomeRates.of(books).convert(sign * late.amount, late.currency)
    if not home:
        return ()
    return (Amendment(action=AmendmentAction.ADD, on=max(on, books.as_of), amount=home, label=late.name),)
