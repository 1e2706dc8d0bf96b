"""Where the secrets of a connection live."""

from collections.abc import Mapping
from typing import Protocol

from pydantic import SecretStr

from runway_core.domain.identity import ConnectionId


class TokenVault(Protocol):
    """Keeps secrets encrypted at rest, one set a connection.

    A set is small: names to secret text. Saving replaces the whole set in one step, so that a killed process leaves
    the old set or the new one, never half of each.
    """

    async def load(self, connection_id: ConnectionId) -> Mapping[str, SecretStr]:
        """The secrets of a connection; empty when there are none.

        Raises:
            StoreUnavailable: the database or the key cannot be read.
        """
        ...

    async def save(self, connection_id: ConnectionId, secrets: Mapping[str, SecretStr]) -> None:
        """Replace the secrets of a connection, durably, before returning. Repeating is harmless."""
        ...

    async def forget(self, connection_id: ConnectionId) -> None:
        """Remove the secrets of a connection. Repeating is harmless."""
        ...
