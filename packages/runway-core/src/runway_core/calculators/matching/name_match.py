"""What is known of a party's names, and what a match of names says for itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from runway_core.domain.identity import RecordKey

Aliases = Mapping[str, RecordKey]
"""A person's answers: the normal form of a bank's text (`normal_bank_text`) → the party it stands for."""


class NameProof(StrEnum):
    """Why two names are taken for one party, the strongest first."""

    ALIAS = "alias"  # a person said so
    TAX_ID = "tax_id"
    BANK_ACCOUNT = "bank_account"
    FIRST_FORM = "first_form"  # equal once legal forms, signs and accents are gone
    SECOND_FORM = "second_form"  # equal once "group", "holdings" and their like are gone too, and no one else's
    SIMILARITY = "similarity"

    @property
    def acts_alone(self) -> bool:
        """Whether this proof is enough without a person."""
        return self not in {NameProof.SECOND_FORM, NameProof.SIMILARITY}


@dataclass(frozen=True, slots=True)
class NamedParty:
    """A vendor or customer with every name it is known by; ids are `None` where no rail tells them."""

    key: RecordKey
    names: tuple[str, ...]
    tax_id: str | None = None
    bank_account: str | None = None


@dataclass(frozen=True, slots=True)
class NameCandidate:
    """A party that a text may mean. `score` is 0 to 100 and never stands without `evidence`."""

    party: RecordKey
    name: str  # the party's name as the books write it
    score: int
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NameMatch:
    """The strongest proof found, with all whom it points to, best first; several only where a proof is not unique."""

    proof: NameProof
    candidates: tuple[NameCandidate, ...]

    @property
    def may_act(self) -> bool:
        """Whether this is certain enough without a person: a proof that acts alone, and one candidate."""
        return self.proof.acts_alone and len(self.candidates) == 1

    @property
    def party(self) -> RecordKey:
        """The best candidate; not to be acted on unless `may_act`."""
        return self.candidates[0].party

    @property
    def evidence(self) -> tuple[str, ...]:
        """Why, in words, of the best candidate."""
        return self.candidates[0].evidence


def say_names(names: Iterable[str]) -> str:
    """Names in quotes, for evidence."""
    return ", ".join(f'"{name}"' for name in names)
