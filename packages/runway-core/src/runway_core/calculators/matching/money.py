"""Money to documents: the first kind of evidence that gives exactly one answer in both directions.

Tiers come one after the other, the strongest first, and each sees what is still open. Within a tier all is decided at
once, so that no order of input can change the outcome. Where a tier gives more than one answer, all are suggested and
those concerned are never acted on by a weaker one.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TypeVar

from runway_core.calculators.matching.money_match import (
    MoneyMatch,
    MoneyReport,
    MoneyTier,
    order_matches,
)
from runway_core.calculators.matching.money_sides import (
    MoneyDocument,
    MoneyMovement,
    SideKey,
    say_size,
    whole_units,
)
from runway_core.calculators.matching.pair_tier import PairTier, may_meet, say_party
from runway_core.calculators.matching.pair_tiers import (
    AmountAlone,
    NumberAndAmount,
    NumberAndParty,
    PartyAndAmount,
    SameRailId,
    ShortByPattern,
)
from runway_core.calculators.matching.subset_sums import MOST_PARTS
from runway_core.calculators.matching.sum_tiers import SumAnswer, Whole, find_sums

Side = TypeVar("Side", MoneyMovement, MoneyDocument)

MOST_LISTED = 5
"""So many answers of a tie are listed; nobody chooses among more."""

MOST_PARTS_ACTED = 6

_BEFORE_SUMS: tuple[type[PairTier], ...] = (SameRailId, NumberAndAmount, PartyAndAmount)
_AFTER_SUMS: tuple[type[PairTier], ...] = (NumberAndParty, ShortByPattern, AmountAlone)


def match_money(movements: Iterable[MoneyMovement], documents: Iterable[MoneyDocument]) -> MoneyReport:
    """Which movements settle which documents; keys must be unique on either side. Nil amounts match nothing."""
    table = _Table(movements, documents)
    for tier in _BEFORE_SUMS:
        table.pair(tier)
    table.add_up_documents()
    table.add_up_movements()
    for tier in _AFTER_SUMS:
        table.pair(tier)
    return table.report()


class _Table:
    """What is open on both sides, what was decided, and who is tied."""

    def __init__(self, movements: Iterable[MoneyMovement], documents: Iterable[MoneyDocument]) -> None:
        self._movements = {m.key: m for m in sorted(movements, key=lambda m: m.key) if m.amount}
        self._documents = {d.key: d for d in sorted(documents, key=lambda d: d.key) if d.amount}
        self._tied_movements: set[SideKey] = set()
        self._tied_documents: set[SideKey] = set()
        self._acted: list[MoneyMatch] = []
        self._suggested: list[MoneyMatch] = []
        self._notes: list[str] = []

    def report(self) -> MoneyReport:
        """The outcome so far."""
        suggested_movements = {key for match in self._suggested for key in match.movements}
        suggested_documents = {key for match in self._suggested for key in match.documents}
        return MoneyReport(
            acted=order_matches(self._acted),
            suggested=order_matches(self._suggested),
            unmatched_movements=tuple(key for key in self._movements if key not in suggested_movements),
            unmatched_documents=tuple(key for key in self._documents if key not in suggested_documents),
            notes=tuple(sorted(self._notes)),
        )

    def pair(self, kind: type[PairTier]) -> None:
        """Pair movements and documents that are each other's only answer; the others with answers are tied."""
        tier = kind(tuple(self._movements.values()), tuple(self._documents.values()))
        answers = {key: list(islice(tier.documents_for(m), MOST_LISTED + 1)) for key, m in self._movements.items()}
        concerned = {document.key: document for found in answers.values() for document in found}
        if any(len(found) > MOST_LISTED for found in answers.values()):
            concerned = self._documents  # a list that was cut off may hide any of them
        wanted = {key: list(islice(tier.movements_for(d), 2)) for key, d in concerned.items()}
        matches: list[MoneyMatch] = []
        tied: set[SideKey] = set()
        for movement in tuple(self._movements.values()):
            found = answers[movement.key]
            if not found or movement.key in self._tied_movements:
                continue
            document = found[0]
            is_only = len(found) == 1 and len(wanted[document.key]) == 1
            if is_only and document.key not in self._tied_documents:
                matches.append(tier.describe(movement, document, is_tied=False))
            else:
                tied.add(movement.key)
                self._suggested += [
                    tier.describe(movement, each, is_tied=True, others=len(found) - 1) for each in found[:MOST_LISTED]
                ]
        self._tied_movements |= tied
        # Documents beyond the list are tied as well: what a stronger kind of evidence left open, no weaker one decides.
        self._tied_documents.update(key for key, some in wanted.items() if len(some) > 1 or _any_in(some, tied))
        self._settle(matches)

    def add_up_documents(self) -> None:
        """Tier 4: one movement for two or more documents of its party, the only such choice."""
        by_party = _group_by_party(self._documents.values())
        wholes: dict[tuple[object, ...], list[Whole]] = {}
        for movement in self._movements.values():
            group = by_party.get(_party_key(movement))
            if movement.party is None or movement.key in self._tied_movements or not group:
                continue
            units = whole_units(movement.amount)
            parts = tuple(
                (document.key, size)
                for document in group
                if document.since <= movement.day <= document.until
                and (size := whole_units(document.amount)) < units
                and may_meet(movement, document)
            )
            wholes.setdefault(_party_key(movement), []).append(Whole(movement.key, units, parts))
        matches: list[MoneyMatch] = []
        for answers in map(find_sums, wholes.values()):
            for answer in answers:
                matches += self._judge_sum(answer, MoneyTier.SUM_OF_DOCUMENTS)
        self._settle(matches)

    def add_up_movements(self) -> None:
        """Tier 5: one document paid in two or more parts by its party, the only such choice; suggested only."""
        by_party = _group_by_party(self._movements.values())
        wholes: dict[tuple[object, ...], list[Whole]] = {}
        for document in self._documents.values():
            group = by_party.get(_party_key(document))
            if document.party is None or document.key in self._tied_documents or not group:
                continue
            units = whole_units(document.amount)
            parts = tuple(
                (movement.key, size)
                for movement in group
                if document.since <= movement.day <= document.until
                and (size := whole_units(movement.amount)) < units
                and may_meet(movement, document)
            )
            wholes.setdefault(_party_key(document), []).append(Whole(document.key, units, parts))
        matches: list[MoneyMatch] = []
        for answers in map(find_sums, wholes.values()):
            for answer in answers:
                matches += self._judge_sum(answer, MoneyTier.SPLIT_PAYMENT)
        self._settle(matches)

    def _judge_sum(self, answer: SumAnswer, tier: MoneyTier) -> list[MoneyMatch]:
        """Matches of an answer that is the only one; another is noted down as tied or given up."""
        is_sum = tier is MoneyTier.SUM_OF_DOCUMENTS
        tied_parts = self._tied_documents if is_sum else self._tied_movements
        tied_wholes = self._tied_movements if is_sum else self._tied_documents
        if answer.note:
            self._notes.append(f"{' '.join(answer.key)}: no sum was looked for or taken: {answer.note}")
        is_only = len(answer.ways) == 1 and not answer.is_contested and tied_parts.isdisjoint(answer.ways[0])
        found = []
        for way in answer.ways:
            movements, documents = ((answer.key,), way) if is_sum else (way, (answer.key,))
            found.append(
                MoneyMatch(
                    tier,
                    movements,
                    documents,
                    acts=is_only and is_sum and len(way) <= MOST_PARTS_ACTED,
                    evidence=self._say_sum(movements, documents, is_only=is_only),
                    is_tied=not is_only,
                )
            )
        if not is_only and found:
            tied_wholes.add(answer.key)
            tied_parts.update(part for way in answer.ways for part in way)
        return found

    def _say_sum(self, movements: Sequence[SideKey], documents: Sequence[SideKey], *, is_only: bool) -> tuple[str, ...]:
        papers = [self._documents[key] for key in documents]
        moved = [self._movements[key] for key in movements]
        parts = [(each.amount, each.currency) for each in (papers if len(papers) > 1 else moved)]
        whole = moved[0].amount if len(papers) > 1 else papers[0].amount
        terms = " + ".join(say_size(*part) for part in parts)
        return (
            say_party(papers[0]),
            f"{terms} = {say_size(whole, papers[0].currency)}",
            f"the only sum of 2 to {MOST_PARTS} that fits" if is_only else "another sum fits or needs a part",
        )

    def _settle(self, matches: Iterable[MoneyMatch]) -> None:
        """Note matches down and take those that stand alone off the table."""
        for match in matches:
            (self._acted if match.acts else self._suggested).append(match)
            if not match.is_tied:
                for key in match.movements:
                    del self._movements[key]
                for key in match.documents:
                    del self._documents[key]


def _any_in(movements: Iterable[MoneyMovement], keys: set[SideKey]) -> bool:
    return any(movement.key in keys for movement in movements)


def _party_key(side: MoneyMovement | MoneyDocument) -> tuple[object, ...]:
    return side.party, side.currency, side.amount > 0


def _group_by_party(sides: Iterable[Side]) -> dict[tuple[object, ...], list[Side]]:
    groups: dict[tuple[object, ...], list[Side]] = {}
    for side in sides:
        if side.party is not None:
            groups.setdefault(_party_key(side), []).append(side)
    return groups
