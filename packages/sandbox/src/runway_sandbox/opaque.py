"""Ids that tell nothing, and are the same in every process."""

from __future__ import annotations

import hashlib
import string

_LETTERS = string.ascii_letters + string.digits


def opaque_id(*parts: str, length: int = 37) -> str:
    """Make an id of mixed letters and digits out of what it stands for."""
    number = int.from_bytes(hashlib.sha512("|".join(parts).encode()).digest())
    letters = []
    for _ in range(length):
        number, place = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[place])
    return "".join(letters)
