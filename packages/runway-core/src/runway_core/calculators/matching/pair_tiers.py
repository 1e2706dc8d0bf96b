"""The tiers that pair one movement with one document: what each looks for, and what it says."""

import re
from collections.abc import Hashable, Iterable, Iterator
from functools import lru_cache

from runway_core.calculators.matching.money_match import MoneyTier, Shortfall, ShortfallReason
from runway_core.calculators.matching.money_sides import MoneyDocument, MoneyMovement, say_size
from runway_core.calculators.matching.pair_tier import PairTier, say_amounts, say_day, say_party
from runway_core.calculators.matching.shortfalls import card_fee, explain_shortfall, grosses_of
from runway_core.calculators.numbers import normal_number

LEAST_NUMBER = 3
"""A shorter document number stands in too many texts by chance."""

_WORDS_WITH_DIGITS = re.compile(r"[^\s,;:/#()]*\d[^\s,;:/#()]*")


class SameRailId(PairTier):
    """Tier 1: a rail's own id stands on both sides. It acts where the amounts agree too."""

    tier = MoneyTier.RAIL_ID
    acts = True
    has_window = False

    def _document_keys(self, document: MoneyDocument) -> Iterable[Hashable]:
        return sorted(document.rail_ids)

    def _movement_keys(self, movement: MoneyMovement) -> Iterable[Hashable]:
        return sorted(movement.rail_ids)

    def _is_certain(self, movement: MoneyMovement, document: MoneyDocument) -> bool:
        return movement.amount == document.amount

    def _explain(self, movement: MoneyMovement, document: MoneyDocument) -> Iterator[str]:
        yield f"both carry the rail's id {', '.join(sorted(movement.rail_ids & document.rail_ids))}"
        yield say_amounts(movement, document)


class NumberAndAmount(PairTier):
    """Tier 2: the document's number is a whole word of the text, and the amount is what is open."""

    tier = MoneyTier.NUMBER
    acts = True
    has_window = False

    def _document_keys(self, document: MoneyDocument) -> Iterable[Hashable]:
        number = known_number(document.number)
        return () if number is None else ((number, document.amount, document.currency),)

    def _movement_keys(self, movement: MoneyMovement) -> Iterable[Hashable]:
        return [(number, movement.amount, movement.currency) for number in numbers_in(movement.text)]

    def _fits(self, movement: MoneyMovement, document: MoneyDocument) -> bool:
        return document.since <= movement.day  # whoever names the number may pay late

    def _explain(self, movement: MoneyMovement, document: MoneyDocument) -> Iterator[str]:
        yield _say_number(movement, document)
        yield say_amounts(movement, document)


class PartyAndAmount(PairTier):
    """Tier 3: the counterparty is known, the amount is what is open, and the day fits."""

    tier = MoneyTier.PARTY_AND_AMOUNT
    acts = True

    def _document_keys(self, document: MoneyDocument) -> Iterable[Hashable]:
        return () if document.party is None else ((document.party, document.amount, document.currency),)

    def _movement_keys(self, movement: MoneyMovement) -> Iterable[Hashable]:
        return () if movement.party is None else ((movement.party, movement.amount, movement.currency),)

    def _explain(self, movement: MoneyMovement, document: MoneyDocument) -> Iterator[str]:
        yield say_party(document)
        yield say_amounts(movement, document)
        yield say_day(movement, document)


class NumberAndParty(PairTier):
    """Tier 6: the counterparty is known, the number is named, and less came than is open."""

    tier = MoneyTier.PART_PAYMENT
    has_window = False

    def _document_keys(self, document: MoneyDocument) -> Iterable[Hashable]:
        number = known_number(document.number)
        return () if number is None or document.party is None else ((number, document.party, document.currency),)

    def _movement_keys(self, movement: MoneyMovement) -> Iterable[Hashable]:
        if movement.party is None:
            return ()
        return [(number, movement.party, movement.currency) for number in numbers_in(movement.text)]

    def _fits(self, movement: MoneyMovement, document: MoneyDocument) -> bool:
        return document.since <= movement.day and abs(movement.amount) < abs(document.amount)

    def _explain(self, movement: MoneyMovement, document: MoneyDocument) -> Iterator[str]:
        yield say_party(document)
        yield _say_number(movement, document)
        yield say_amounts(movement, document)

    def _shortfall(self, movement: MoneyMovement, document: MoneyDocument) -> Shortfall | None:
        rest = abs(document.amount) - abs(movement.amount)
        stays = Shortfall(ShortfallReason.PART, rest, f"{say_size(rest, document.currency)} stay open")
        return explain_shortfall(movement, document) or stays


class ShortByPattern(PairTier):
    """Tier 7: the amount is short by a known fee, a discount of the terms, or no more than 1.00.

    The counterparty is known; without one only the usual card fee, to the cent, counts as evidence.
    """

    tier = MoneyTier.SHORT_PAYMENT

    def _document_keys(self, document: MoneyDocument) -> Iterator[Hashable]:
        if document.party is not None:
            yield (document.party, document.currency)
        if document.amount > 0:
            yield (document.amount, document.currency)

    def _movement_keys(self, movement: MoneyMovement) -> Iterable[Hashable]:
        return ((movement.party or movement.amount, movement.currency),)

    def _keys_to_documents(self, movement: MoneyMovement) -> Iterable[Hashable]:
        if movement.party is not None:
            return self._movement_keys(movement)
        return [(gross, movement.currency) for gross in grosses_of(movement.amount, movement.currency)]

    def _keys_to_movements(self, document: MoneyDocument) -> Iterator[Hashable]:
        if document.party is not None:
            yield (document.party, document.currency)
        if document.amount > 0:
            yield (document.amount - card_fee(document.amount, document.currency), document.currency)

    def _fits(self, movement: MoneyMovement, document: MoneyDocument) -> bool:
        return explain_shortfall(movement, document) is not None

    def _explain(self, movement: MoneyMovement, document: MoneyDocument) -> Iterator[str]:
        if movement.party is not None:
            yield say_party(document)
        short = explain_shortfall(movement, document)
        if short is not None:
            yield short.words
        yield say_day(movement, document)

    def _shortfall(self, movement: MoneyMovement, document: MoneyDocument) -> Shortfall | None:
        return explain_shortfall(movement, document)


class AmountAlone(PairTier):
    """Tier 8: nothing but the amount and the day, with no known party against it."""

    tier = MoneyTier.AMOUNT_ALONE

    def _document_keys(self, document: MoneyDocument) -> Iterable[Hashable]:
        return ((document.amount, document.currency), (document.amount, document.currency, document.party))

    def _movement_keys(self, movement: MoneyMovement) -> Iterable[Hashable]:
        return ((movement.amount, movement.currency), (movement.amount, movement.currency, movement.party))

    # Where those lie that a party does not speak against: one shelf where it is not known.
    def _keys_to_documents(self, movement: MoneyMovement) -> Iterable[Hashable]:
        whole = (movement.amount, movement.currency)
        return (whole,) if movement.party is None else ((*whole, movement.party), (*whole, None))

    def _keys_to_movements(self, document: MoneyDocument) -> Iterable[Hashable]:
        whole = (document.amount, document.currency)
        return (whole,) if document.party is None else ((*whole, document.party), (*whole, None))

    def _explain(self, movement: MoneyMovement, document: MoneyDocument) -> Iterator[str]:
        yield say_amounts(movement, document)
        yield say_day(movement, document)
        yield "nothing else speaks for it"


@lru_cache(maxsize=32_768)
def numbers_in(text: str) -> tuple[str, ...]:
    """The normal forms of words in a text that may be document numbers, each once, in order."""
    found = (known_number(word) for word in _WORDS_WITH_DIGITS.findall(text))
    return tuple(dict.fromkeys(number for number in found if number is not None))


@lru_cache(maxsize=32_768)
def known_number(number: str | None) -> str | None:
    """The normal form of a number that is long enough to tell by; else `None`."""
    plain = normal_number(number)
    return None if plain is None or len(plain) < LEAST_NUMBER else plain


def _say_number(movement: MoneyMovement, document: MoneyDocument) -> str:
    return f'number {document.number} stands in "{movement.text}"'
