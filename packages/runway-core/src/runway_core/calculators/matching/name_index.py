"""The parties of one company by every name they have, and whom a text means."""

from collections.abc import Iterable
from functools import cached_property
from typing import Self

from runway_core.calculators.matching.name_likeness import LikelyName, NameLikeness
from runway_core.calculators.matching.name_match import Aliases, NameCandidate, NamedParty, NameMatch, NameProof
from runway_core.calculators.matching.names import is_generic_name, normal_bank_text, normal_name, second_form
from runway_core.calculators.names import is_placeholder_name
from runway_core.domain.identity import RecordKey
from runway_core.domain.parties import Customer, Vendor

LEAST_SCORE = 60
LEAST_LEAD = 5

_Found = dict[RecordKey, str]  # whom a form stands for, with the name it was made of


class NameIndex:
    """Whom a text means: exact proofs by look-up, likeness by search. The order of parties and names never matters."""

    def __init__(self, parties: Iterable[NamedParty], *, aliases: Aliases | None = None) -> None:
        """Take in every party; names that say nothing ("Misc.", "Vendor") are left out."""
        self._aliases = dict(aliases or {})
        self._names: _Found = {}
        self._tax_ids: dict[str, _Found] = {}
        self._bank_accounts: dict[str, _Found] = {}
        self._first: dict[str, _Found] = {}
        self._second: dict[str, _Found] = {}
        for party in parties:
            self._add(party)

    @classmethod
    def of_vendors(cls, vendors: Iterable[Vendor], *, aliases: Aliases | None = None) -> Self:
        """The company's vendors, inactive ones too: money may be theirs all the same."""
        return cls((NamedParty(v.key, _names_of(v.name, v.company_name)) for v in vendors), aliases=aliases)

    @classmethod
    def of_customers(cls, customers: Iterable[Customer], *, aliases: Aliases | None = None) -> Self:
        """The company's customers."""
        return cls((NamedParty(c.key, _names_of(c.name, c.company_name)) for c in customers), aliases=aliases)

    def _add(self, party: NamedParty) -> None:
        names = [name for name in party.names if not is_placeholder_name(name)]
        if names:
            # The party's own first name, whatever the order in which parties come.
            self._names[party.key] = names[0]
        for number, held in ((party.tax_id, self._tax_ids), (party.bank_account, self._bank_accounts)):
            if plain := _plain_id(number):
                held.setdefault(plain, {})[party.key] = names[0] if names else party.key.external_id
        for name in names:
            for form, held_forms in ((normal_name(name), self._first), (second_form(name), self._second)):
                if not is_generic_name(form):
                    held_forms.setdefault(form, {}).setdefault(party.key, name)

    def match(self, text: str, *, tax_id: str | None = None, bank_account: str | None = None) -> NameMatch | None:
        """Whom `text`, a name or a bank's text, means by the strongest proof there is; `None` if nobody stands out.

        Order: confirmed alias, same tax id, same bank account, equal first form, equal second form if unique, and
        likeness of at least 60 with a lead of 5. Only what `NameMatch.may_act` says is certain.
        """
        return (
            self.prove(text, tax_id=tax_id, bank_account=bank_account)
            or self._match_form(text, NameProof.SECOND_FORM)
            or self._match_likeness(text)
        )

    def prove(self, text: str, *, tax_id: str | None = None, bank_account: str | None = None) -> NameMatch | None:
        """The same by the proofs that act alone, without a search: look-ups only, for every line of a bank."""
        return (
            self._match_alias(text)
            or _match_id(NameProof.TAX_ID, tax_id, self._tax_ids)
            or _match_id(NameProof.BANK_ACCOUNT, bank_account, self._bank_accounts)
            or self._match_form(text, NameProof.FIRST_FORM)
        )

    def suggest(self, text: str, limit: int = 3) -> tuple[NameCandidate, ...]:
        """Whom `text` may mean, best first: likeness of at least 60, at most `limit` parties. Never to be acted on."""
        return tuple(self._rank(text)[:limit])

    def _match_alias(self, text: str) -> NameMatch | None:
        for form in _forms_of(text):
            party = self._aliases.get(form)
            if party in self._names:
                words = f'a person confirmed that "{form}" is {self._names[party]}'
                return NameMatch(NameProof.ALIAS, (NameCandidate(party, self._names[party], 100, (words,)),))
        return None

    def _match_form(self, text: str, proof: NameProof) -> NameMatch | None:
        is_first = proof is NameProof.FIRST_FORM
        held = self._first if is_first else self._second
        for form in _forms_of(text):
            wanted = form if is_first else second_form(form)
            found = held.get(wanted)
            if not found or (len(found) > 1 and not is_first):
                continue
            words = f'"{wanted}" is what remains of both names'
            return NameMatch(proof, _list_candidates(found, words))
        return None

    def _match_likeness(self, text: str) -> NameMatch | None:
        ranked = self._rank(text)
        if not ranked or (len(ranked) > 1 and ranked[0].score - ranked[1].score < LEAST_LEAD):
            return None
        return NameMatch(NameProof.SIMILARITY, (ranked[0],))

    def _rank(self, text: str) -> list[NameCandidate]:
        """Parties alike to `text` by its forms, best first."""
        best: dict[RecordKey, NameCandidate] = {}
        for form in _forms_of(text):
            if is_generic_name(form):
                continue
            for likeness in self._likeness.rank(form):
                party, name = likeness.known.party, likeness.known.name
                if likeness.score < LEAST_SCORE or (party in best and best[party].score >= likeness.score):
                    continue
                shares = f"shares {', '.join(likeness.shared)}" if likeness.shared else "is spelt alike"
                words = f'"{form}" {shares} with "{name}": {likeness.score} of 100'
                best[party] = NameCandidate(party, name, likeness.score, (words,))
        return sorted(best.values(), key=lambda candidate: (-candidate.score, candidate.name, candidate.party))

    @cached_property
    def _likeness(self) -> NameLikeness:
        # Most books never ask for it.
        return NameLikeness(
            LikelyName(form, party, name) for form, found in self._first.items() for party, name in found.items()
        )


def _forms_of(text: str) -> tuple[str, ...]:
    """First forms of the text as it is, and as a bank's text: a name may hold what looks like noise."""
    plain, stripped = normal_name(text), normal_bank_text(text)
    return tuple(form for form in dict.fromkeys((plain, stripped)) if form)


def _match_id(proof: NameProof, number: str | None, held: dict[str, _Found]) -> NameMatch | None:
    found = held.get(_plain_id(number))
    if not found:
        return None
    return NameMatch(proof, _list_candidates(found, f"same {proof.value.replace('_', ' ')}"))


def _list_candidates(found: _Found, words: str) -> tuple[NameCandidate, ...]:
    return tuple(NameCandidate(party, name, 100, (words,)) for party, name in sorted(found.items()))


def _plain_id(number: str | None) -> str:
    return "".join(sign for sign in number or "" if sign.isalnum()).upper()


def _names_of(name: str, company_name: str | None) -> tuple[str, ...]:
    return (name,) if company_name is None else (name, company_name)
