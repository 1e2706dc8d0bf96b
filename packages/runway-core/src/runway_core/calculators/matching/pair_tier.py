"""What a tier is that pairs one movement with one document.

A tier is built anew from what is still open when its turn comes. It never asks for all answers where a few are enough:
thousands of subscriptions over one amount cost no square.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence

from runway_core.calculators.matching.money_match import MoneyMatch, MoneyTier, Shortfall
from runway_core.calculators.matching.money_sides import MoneyDocument, MoneyMovement, say_size
from runway_core.calculators.matching.shelves import DocumentShelves, MovementShelves


class PairTier:
    """One kind of evidence between one movement and one document; sub-classes say which.

    Each side stands under keys and is asked for by keys. What either side finds is what the other finds: `d` is among
    `documents_for(m)` exactly when `m` is among `movements_for(d)`.
    """

    tier: MoneyTier
    acts = False
    has_window = True  # the day must lie in the document's window

    def __init__(self, movements: Sequence[MoneyMovement], documents: Sequence[MoneyDocument]) -> None:
        """Take in what is still open."""
        self._documents = DocumentShelves(documents, self._document_keys)
        self._movements = MovementShelves(movements, self._movement_keys)

    def documents_for(self, movement: MoneyMovement) -> Iterator[MoneyDocument]:
        """Documents that this evidence gives the movement, each once."""
        seen = set()
        for key in self._keys_to_documents(movement):
            found = self._documents.on(key, movement.day) if self.has_window else self._documents.under(key)
            for document in found:
                if document.key not in seen and may_meet(movement, document) and self._fits(movement, document):
                    seen.add(document.key)
                    yield document

    def movements_for(self, document: MoneyDocument) -> Iterator[MoneyMovement]:
        """Movements that this evidence gives the document, each once."""
        seen = set()
        since, until = document.since, document.until
        for key in self._keys_to_movements(document):
            found = self._movements.between(key, since, until) if self.has_window else self._movements.under(key)
            for movement in found:
                if movement.key not in seen and may_meet(movement, document) and self._fits(movement, document):
                    seen.add(movement.key)
                    yield movement

    def describe(
        self, movement: MoneyMovement, document: MoneyDocument, *, is_tied: bool, others: int = 0
    ) -> MoneyMatch:
        """The answer with its evidence; `others` is how many more documents fit the movement."""
        words = tuple(self._explain(movement, document))
        if is_tied:
            words = (*words, f"{others} other documents fit" if others else "other payments fit the document")
        return MoneyMatch(
            self.tier,
            (movement.key,),
            (document.key,),
            acts=self.acts and not is_tied and self._is_certain(movement, document),
            evidence=words,
            is_tied=is_tied,
            shortfall=self._shortfall(movement, document),
        )

    def _document_keys(self, document: MoneyDocument) -> Iterable[Hashable]:
        raise NotImplementedError

    def _movement_keys(self, movement: MoneyMovement) -> Iterable[Hashable]:
        raise NotImplementedError

    def _explain(self, movement: MoneyMovement, document: MoneyDocument) -> Iterator[str]:
        raise NotImplementedError

    def _keys_to_documents(self, movement: MoneyMovement) -> Iterable[Hashable]:
        return self._movement_keys(movement)

    def _keys_to_movements(self, document: MoneyDocument) -> Iterable[Hashable]:
        return self._document_keys(document)

    def _fits(self, movement: MoneyMovement, document: MoneyDocument) -> bool:  # noqa: ARG002 - most tiers ask no more
        return True

    def _is_certain(self, movement: MoneyMovement, document: MoneyDocument) -> bool:  # noqa: ARG002 - as above
        return True

    def _shortfall(self, movement: MoneyMovement, document: MoneyDocument) -> Shortfall | None:  # noqa: ARG002 - as above
        return None


def may_meet(movement: MoneyMovement, document: MoneyDocument) -> bool:
    """Whether nothing speaks against the two: same direction and currency, and no other account or party known."""
    return (
        movement.currency == document.currency
        and (movement.amount > 0) == (document.amount > 0)
        and (movement.account_id is None or document.account_id is None or movement.account_id == document.account_id)
        and (movement.party is None or document.party is None or movement.party == document.party)
    )


def say_party(document: MoneyDocument) -> str:
    """Who the counterparty is, in words."""
    return f"the counterparty is {document.party_name or document.party}"


def say_amounts(movement: MoneyMovement, document: MoneyDocument) -> str:
    """Both amounts, in words."""
    moved, is_open = say_size(movement.amount, movement.currency), say_size(document.amount, document.currency)
    return f"the amount is {moved}, as is open" if moved == is_open else f"the amount is {moved}, open are {is_open}"


def say_day(movement: MoneyMovement, document: MoneyDocument) -> str:
    """How the day fits, in words."""
    return f"{movement.day} lies between {document.since} and {document.until}"
