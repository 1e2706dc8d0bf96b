"""Pairs of parties whose names are one name, written twice.

Found by keys that such names share, so that a long list costs no square.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from runway_core.calculators.matching.name_match import NamedParty
from runway_core.calculators.matching.names import GENERIC_WORDS, is_generic_name, normal_name, second_form
from runway_core.calculators.names import is_placeholder_name
from runway_core.calculators.numbers import is_one_slip_apart, slip_keys
from runway_core.domain.identity import RecordKey

LEAST_LETTERS = 6
"""A shorter name is one slip away from many others."""

LEAST_WORD = 5
"""So is a shorter word: initials, numerals."""


class _Form(NamedTuple):
    """One name of a party: its first form, and its letters without gaps."""

    party: RecordKey
    form: str
    letters: str


def find_name_pairs(parties: Iterable[NamedParty]) -> Iterator[tuple[RecordKey, RecordKey, str]]:
    """Every two parties with one name, the smaller key first, each pair once with the strongest reason.

    Of three with equal names, the first pairs with the second and the second with the third.
    """
    forms = sorted({form for party in parties for form in _forms_of(party)})
    seen: set[tuple[RecordKey, RecordKey]] = set()
    for one, other, why in (*_find_equal(forms), *_find_slips(forms)):
        pair = (min(one, other), max(one, other))
        if one != other and pair not in seen:
            seen.add(pair)
            yield *pair, why


def _forms_of(party: NamedParty) -> Iterator[_Form]:
    for name in party.names:
        form = normal_name(name)
        if not is_placeholder_name(name) and not is_generic_name(form):
            yield _Form(party.key, form, form.replace(" ", ""))


def _find_equal(forms: Iterable[_Form]) -> Iterator[tuple[RecordKey, RecordKey, str]]:
    """Neighbours among those who share a key; the strongest kind of key first."""
    forms = tuple(forms)
    for why, key_of in _KEYS:
        last: dict[str, RecordKey] = {}
        for form in forms:
            key = key_of(form)
            if key is not None and key in last:
                yield last[key], form.party, why
            if key is not None:
                last[key] = form.party


def _own_words(form: str) -> str | None:
    """The words that are a name's own, where they are long enough to tell by."""
    own = [word for word in form.split() if word not in GENERIC_WORDS]
    return " ".join(own) if len("".join(own)) >= LEAST_LETTERS and len(own) > 1 else None


_KEYS: tuple[tuple[str, Callable[[_Form], str | None]], ...] = (
    ("equal names", lambda form: form.form),
    ("names equal but for their gaps", lambda form: form.letters),
    ("the same words in another order", lambda form: " ".join(sorted(form.form.split()))),
    ("names equal but for their endings", lambda form: second_form(form.form)),
    ("names equal but for words that many have", lambda form: _own_words(form.form)),
)


def _find_slips(forms: Iterable[_Form]) -> Iterator[tuple[RecordKey, RecordKey, str]]:
    """Names one letter more, less or other, or two neighbours swapped. Digits tell branches apart: they are equal."""
    keyed: dict[str, list[_Form]] = {}
    for form in forms:
        if len(form.letters) < LEAST_LETTERS:
            continue
        keys = slip_keys(form.letters)
        near = {before for key in keys for before in keyed.get(key, ()) if before.party != form.party}
        for before in sorted(near):
            if _is_one_slip(before.form.split(), form.form.split()):
                yield before.party, form.party, "names one slip apart"
        for key in keys:
            keyed.setdefault(key, []).append(form)


def _is_one_slip(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two names differ in one word, and there by one slip that changes no digit."""
    if len(one) != len(other):
        return False
    unlike = [(word, its) for word, its in zip(one, other, strict=True) if word != its]
    if len(unlike) != 1:
        return False
    ((word, its),) = unlike
    long_enough = max(len(word), len(its)) >= LEAST_WORD
    return long_enough and _digits(word) == _digits(its) and is_one_slip_apart(word, its)


def _digits(word: str) -> str:
    return "".join(sign for sign in word if sign.isdigit())
