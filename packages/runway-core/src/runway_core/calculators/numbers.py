"""Document numbers as people retype them: their normal form, and which are one slip of the finger apart."""

import re
import unicodedata
from functools import lru_cache

_REMEMBERED = 32_768  # numbers of some companies

_PREFIXES = re.compile(r"^(?:INVOICE|INV|BILL|NO)+")
_PREFIX_STARTS = frozenset("IBN")
_NOISE = re.compile(r"[^A-Z0-9]+")
_LEADING_ZEROS = re.compile(r"^([^0-9]*)0+(?=[0-9])")


@lru_cache(maxsize=_REMEMBERED)
def normal_number(number: str | None) -> str | None:
    """Upper case, without accents, signs, a leading INVOICE, INV, BILL or NO, and leading zeros; `None` if empty.

    "Inv-0012" and "12" are the same number.
    """
    if not number:
        return None
    if number.isascii() and number.isdigit():
        return number.lstrip("0") or "0"
    plain = number.upper() if number.isascii() else unicodedata.normalize("NFKD", number).upper()
    bare = plain if plain.isalnum() and plain.isascii() else _NOISE.sub("", plain)
    if bare[:1] in _PREFIX_STARTS:
        bare = _PREFIXES.sub("", bare)
    return (_LEADING_ZEROS.sub(r"\1", bare) if "0" in bare else bare) or None


def is_one_slip_apart(one: str, other: str) -> bool:
    """Whether two numbers differ by exactly one sign more, less or other, or by two neighbours swapped."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    shorter, longer = sorted((one, other), key=len)
    start = 0
    while start < len(shorter) and shorter[start] == longer[start]:
        start += 1
    if len(shorter) != len(longer):
        return shorter[start:] == longer[start + 1 :]
    if shorter[start + 1 :] == longer[start + 1 :]:
        return True
    swapped = shorter[start : start + 2][::-1] == longer[start : start + 2]
    return swapped and shorter[start + 2 :] == longer[start + 2 :]


def slip_keys(number: str) -> set[str]:
    """Keys of which two numbers that are one slip apart share at least one: the number, and it less each sign."""
    return {number, *(number[:at] + number[at + 1 :] for at in range(len(number)))}
