"""How long after their due dates documents are really settled, and what that moves between the weeks to come.

A document is expected on one day, the likeliest. Of many, some come earlier and more come later, for habits have long
tails; so what is known for the coming weeks would be too much, week after week. How late past documents were, those of
the same customer or vendor before all, says how much. It is added to the weeks as one sum each; no document is moved.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from runway_core.calculators.calendar import ONE_DAY, monday_of
from runway_core.domain.money import AMOUNT_STEP

LEAST_DOCUMENTS = 40
"""With fewer settled documents chance would move money about."""

LEAST_LEFT = 10
"""A document so late that fewer past ones were as late stays on its own day,"""

ALIKE_DOCUMENTS = 25
"""So many past documents of parties with alike habits stand for each of them,"""

ALIKE_WEIGHT = 3
"""and count for as many of its own: few facts lean on those who pay as it does before they lean on all."""

LEAST_OWN_LEFT = 2
"""unless as many of its own party's were: the same that condition its expected day."""


class Placed(NamedTuple):
    """An open document; its amount has the sign that it has for cash, in home currency."""

    due: date
    on: date  # the day the outlook has it
    home: Decimal
    own: Sequence[int] = ()  # how many days past due money of its party moved, in order
    alike: Sequence[int] = ()  # the same of parties with alike habits, its own among them


def spread(placed: Iterable[Placed], whole: Sequence[int], *, as_of: date, last: date) -> dict[date, Decimal]:
    """What each week, named by its Monday, gains or loses against the documents' own days; home currency.

    A document is as late as one of its party's, beside which those of parties alike count as three, and all past
    documents, the `whole`, as one. Those that would have been settled by now are left out. Amounts put behind `last`
    leave the horizon. Empty with too few.
    """
    if len(whole) < LEAST_DOCUMENTS:
        return {}
    today, ends = as_of.toordinal(), _list_week_ends(as_of, last)
    first_monday = today - as_of.weekday()
    moved = [0] * len(ends)  # by week, in steps of an amount: there may be thousands of documents
    counted: dict[tuple[date, int], tuple[int, list[int]]] = {}  # by due date, of the whole and of each group
    for document in placed:
        due = document.due.toordinal()
        for days in (whole, document.alike):
            if (document.due, id(days)) not in counted:
                counted[document.due, id(days)] = _count_left(days, due, today=today, ends=ends)
        whole_left, of_whole = counted[document.due, id(whole)]
        alike_left, of_alike = counted[document.due, id(document.alike)]
        own_left, of_own = _count_left(document.own, due, today=today, ends=ends)
        if whole_left < LEAST_LEFT and own_left < LEAST_OWN_LEFT:
            continue
        home = int(document.home / AMOUNT_STEP)
        if document.on <= last:
            moved[(document.on.toordinal() - first_monday) // 7] -= home
        # Over the common denominator, the number of the whole times that of those alike.
        a_whole, an_alike = max(len(document.alike), 1), ALIKE_WEIGHT * len(whole)
        an_own = a_whole * len(whole)
        left, given = whole_left * a_whole + alike_left * an_alike + own_left * an_own, 0
        for week, (count, alike_count, own_count) in enumerate(zip(of_whole, of_alike, of_own, strict=True)):
            # What is settled by the end of the week, less what is by its start: rounding loses nothing in between.
            late = count * a_whole + alike_count * an_alike + own_count * an_own
            settled = (2 * home * late + left) // (2 * left)
            moved[week] += settled - given
            given = settled
    monday = monday_of(as_of)
    return {monday + 7 * week * ONE_DAY: steps * AMOUNT_STEP for week, steps in enumerate(moved) if steps}


def group_alike(own: Mapping[str, Sequence[int]]) -> dict[str, Sequence[int]]:
    """For each party the delays, in order, of the parties whose median is next to its own, so many that they tell.

    Parties of one group share one list.
    """
    # Twice the median, so that it is whole; delays are in order.
    middles = {party: days[(len(days) - 1) // 2] + days[len(days) // 2] for party, days in own.items() if days}
    groups: list[tuple[list[str], list[int]]] = []
    for party in sorted(middles, key=lambda party: (middles[party], party)):
        if not groups or len(groups[-1][1]) >= ALIKE_DOCUMENTS:
            groups.append(([], []))
        groups[-1][0].append(party)
        groups[-1][1].extend(own[party])
    if len(groups) > 1 and len(groups[-1][1]) < ALIKE_DOCUMENTS:  # the slowest few join those before them
        parties, days = groups.pop()
        groups[-1][0].extend(parties)
        groups[-1][1].extend(days)
    found: dict[str, Sequence[int]] = {}
    for parties, days in groups:
        days.sort()
        found.update(dict.fromkeys(parties, days))
    return found


def _list_week_ends(as_of: date, last: date) -> list[int]:
    """The ordinals of the Sundays from the one after `as_of` on; of the last week the last day that counts."""
    sunday, end = monday_of(as_of).toordinal() + 6, last.toordinal()
    return [*range(sunday, end, 7), end]


def _count_left(days: Sequence[int], due: int, *, today: int, ends: Iterable[int]) -> tuple[int, list[int]]:
    """How many of `days` after `due` are not past, and how many of those lie in the time up to each week's end."""
    before = bisect_left(days, today - due)
    return len(days) - before, [bisect_right(days, end - due) - before for end in ends]
