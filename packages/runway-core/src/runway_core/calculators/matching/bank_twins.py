"""Lines at the bank that are one movement told twice: by two sources, or first announced and then posted."""

import re
from collections.abc import Iterable, Iterator

from runway_core.calculators.cash import find_pending
from runway_core.calculators.matching.names import normal_bank_text
from runway_core.domain.bank import BankLineSource, BankTransaction
from runway_core.domain.books import Books

APART_DAYS = 3

_CHEQUE = re.compile(r"\bCHE(?:CK|QUE)\s?#?\s?(\d+)\b")

_Source = tuple[str, str]
Twins = tuple[BankTransaction, BankTransaction]
"""The line that stays, and the one that repeats it."""


def find_twins(books: Books) -> tuple[Twins, ...]:
    """Lines of one account, amount and normalised text, at most 3 days apart, from two sources or two imports.

    Also a pending line that stayed although it was posted within 3 days. Two posted lines from one source are two
    purchases, and so are a posted line and a pending one that was announced after it. Each line repeats one at most.
    """
    return books.derive(_compute)


def _compute(books: Books) -> tuple[Twins, ...]:
    pending = {line.external_id for line in find_pending(books)}
    groups: dict[tuple[object, ...], list[BankTransaction]] = {}
    for line in books.bank_transactions:
        if not line.is_pending or line.external_id in pending:
            groups.setdefault((line.account_id, line.currency, line.amount), []).append(line)
    return tuple(
        twins
        for alike in groups.values()
        if len(alike) > 1
        for lines in _group_by_text(alike)
        for twins in _find_pairs(lines)
    )


def source_of(line: BankTransaction) -> _Source:
    """How the line came: the rail that read it, or the file it was in."""
    return line.source.value, line.rail if line.source is BankLineSource.FEED else line.import_id or ""


def _find_pairs(lines: Iterable[BankTransaction]) -> Iterator[Twins]:
    posted: dict[_Source, list[BankTransaction]] = {}
    waiting: list[BankTransaction] = []
    for line in lines:
        if line.is_pending:
            waiting.append(line)
        else:
            posted.setdefault(source_of(line), []).append(line)
    kept: list[BankTransaction] = []
    for source in sorted(posted):  # "feed" sorts before "import": what a rail reads stays
        yield from _pair_source(posted[source], kept)
    yield from _pair_pending(waiting, [line for line in kept if line.replaces_id is None])


def _group_by_text(lines: Iterable[BankTransaction]) -> Iterable[list[BankTransaction]]:
    groups: dict[str, list[BankTransaction]] = {}
    for line in lines:
        groups.setdefault(_form_of(line), []).append(line)
    return (group for group in groups.values() if len(group) > 1)


def _form_of(line: BankTransaction) -> str:
    """What the text says of the other party, "" where it names nobody; cheques keep their numbers."""
    text = " ".join(line.text.upper().split())
    return f"{normal_bank_text(text)}#{find_cheque_number(line) or ''}"


def find_cheque_number(line: BankTransaction) -> str | None:
    """The number of a cheque, as the rail names it or the text does: "CHECK #2036"."""
    if line.cheque_number or not line.text:
        return line.cheque_number
    named = _CHEQUE.search(line.text.upper())
    return named[1] if named else None


def _pair_source(lines: Iterable[BankTransaction], kept: list[BankTransaction]) -> Iterator[Twins]:
    """Pair a source's lines each with the nearest line of the sources before it; those without one are kept too."""
    free = list(kept)
    for line in sorted(lines, key=lambda line: (line.booked_on, line.external_id)):
        near = [one for one in free if abs((one.booked_on - line.booked_on).days) <= APART_DAYS]
        if near:
            first = min(near, key=lambda one: (abs((one.booked_on - line.booked_on).days), one.external_id))
            free.remove(first)
            yield first, line
        else:
            kept.append(line)


def _pair_pending(pending: Iterable[BankTransaction], posted: list[BankTransaction]) -> Iterator[Twins]:
    free = sorted(posted, key=lambda line: (line.booked_on, line.external_id))
    for line in sorted(pending, key=lambda line: (line.booked_on, line.external_id)):
        near = [one for one in free if 0 <= (one.booked_on - line.booked_on).days <= APART_DAYS]
        if near:
            free.remove(near[0])
            yield near[0], line
