"""Words at the end of a company's name that say only what kind of company it is."""

import unicodedata

from cleanco.clean import get_unique_terms, remove_accents

_MORE = (
    "companies", "public limited company", "public ltd co", "na", "pbc", "apc", "psc", "pa", "pty", "pvt", "sdn", "mbh",
)  # fmt: skip
"""Forms that the lists have only as part of a longer one, or not at all."""

_WORDS = frozenset(
    # Forms of other countries that are words, places or trades where our companies do business: "Serenity Spa" and
    # "Serenity" are two, and so are "Apex PT" (physical therapy) and "Apex".
    {
        "ad", "as", "at", "ba", "bl", "ca", "coop", "da", "dat", "ec", "ee", "eg", "ei", "ent", "ep", "et", "etat",
        "eu", "fa", "fie", "koop", "ks", "ky", "mb", "od", "ok", "pp", "private", "ps", "pse", "psu", "pt", "rt",
        "sad", "sal", "sc", "scoop", "sd", "sem", "sep", "ses", "sf", "sia", "sp", "spa", "ss", "uk", "vat",
    }
)  # fmt: skip


def plain_words(text: str) -> list[str]:
    """Lower case, without accents; "&" becomes "and", apostrophes and dots vanish, other signs part words."""
    if not text.isascii():
        text = remove_accents(text)
    text = text.casefold().replace("&", " and ")
    return "".join(map(_plain_sign, text)).split()


def join_initials(words: list[str]) -> list[str]:
    """Initials that stand alone make one word: "J M Smucker" is written "J.M. Smucker" too."""
    joined: list[str] = []
    was_initial = False
    for word in words:
        is_initial = len(word) == 1 and word.isalpha()
        if is_initial and was_initial:
            joined[-1] += word
        else:
            joined.append(word)
        was_initial = is_initial
    return joined


def _plain_sign(sign: str) -> str:
    if sign in _DROPPED:
        return ""
    # Combining marks belong to the letters of scripts that are written with them.
    return sign if sign.isalnum() or unicodedata.category(sign)[0] == "M" else " "


_DROPPED = frozenset(".'`\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}\N{ACUTE ACCENT}")


def _read_forms() -> dict[str, tuple[tuple[str, ...], ...]]:
    """Legal forms as words, by their last word, the longest first."""
    forms = {tuple(plain_words(term)) for term in get_unique_terms()} | {tuple(term.split()) for term in _MORE}
    kept = sorted((form for form in forms if len(form) > 1 or not _WORDS.issuperset(form)), key=_longest_first)
    by_last: dict[str, list[tuple[str, ...]]] = {}
    for form in kept:
        by_last.setdefault(form[-1], []).append(form)
    return {last: tuple(found) for last, found in by_last.items()}


def _longest_first(form: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
    return -len(form), form


_FORMS = _read_forms()


def count_form_words(words: list[str]) -> int:
    """How many words at the end of `words` are one legal form; nil if they are none."""
    for form in _FORMS.get(words[-1], ()) if words else ():
        if tuple(words[-len(form) :]) == form:
            return len(form)
    return 0
