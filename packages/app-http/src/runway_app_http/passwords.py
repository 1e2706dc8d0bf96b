"""Passwords: argon2id as OWASP advises (19 MiB, two passes), off the event loop, a few at a time."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import SecretStr
from runway_core.errors import InvalidRequest

SHORTEST = 12
LONGEST = 256
AT_ONCE = 2
"""So many passwords are hashed at a time: each takes 19 MiB and some 25 ms of a core, and the app answers meanwhile."""

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)


@cache
def _hash_of_nobody() -> str:
    """What a password is held against where there is no hash: made before anybody asks, so that it takes no longer."""
    return _HASHER.hash("nobody has this password")


class Passwords:
    """Hashes and verifies passwords. Close it when the app ends."""

    def __init__(self) -> None:
        self._hasher = _HASHER
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passwords")
        self._nobody = _hash_of_nobody()

    def close(self) -> None:
        """Let go of the threads. Repeating is harmless."""
        self._threads.shutdown(wait=False)

    async def hash(self, password: SecretStr) -> SecretStr:
        """The hash that is kept, with salt and parameters."""
        loop = asyncio.get_running_loop()
        return SecretStr(await loop.run_in_executor(self._threads, self._hasher.hash, password.get_secret_value()))

    async def is_right(self, held: SecretStr | None, password: SecretStr) -> bool:
        """Whether a password is the one behind a hash. Without a hash the same work is done, and the answer is no."""
        loop = asyncio.get_running_loop()
        known = self._nobody if held is None else held.get_secret_value()
        given = password.get_secret_value()[: LONGEST + 1]
        return await loop.run_in_executor(self._threads, self._verify, known, given) and held is not None

    def _verify(self, known: str, given: str) -> bool:
        try:
            return self._hasher.verify(known, given)
        except (VerificationError, InvalidHashError):
            return False

    def is_outdated(self, held: SecretStr) -> bool:
        """Whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(held.get_secret_value())


def demand_fit(password: SecretStr, *, email: str, name: str) -> None:
    """Refuse a password that is guessed soon. Length is what counts; signs of every kind are not asked for.

    Raises:
        InvalidRequest: it is too short or too long, or says who the person is, or one sign over and over.
    """
    text = password.get_secret_value()
    if not SHORTEST <= len(text) <= LONGEST:
        raise InvalidRequest(f"a password has {SHORTEST} to {LONGEST} signs: a short sentence is easy to keep")
    folded = text.casefold()
    if len(set(folded)) < 5 or folded in (email.casefold(), name.casefold(), email.partition("@")[0].casefold()):
        raise InvalidRequest("this password is guessed soon: take a short sentence that only you know")
