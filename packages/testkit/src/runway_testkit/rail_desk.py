"""What the contracts of all but ledger rails stand on: somebody's account at a vendor, and reading it to the end."""

from collections.abc import Sequence
from typing import Protocol

from runway_core.domain.changes import ChangePage, Cursor
from runway_core.domain.identity import RecordKey
from runway_core.ports.ledger_rail import LedgerRail, RailAbilities

Held = dict[RecordKey, bytes]


class RailDesk(Protocol):
    """One company's account at a vendor, changed as the world would, and rails opened on it."""

    @property
    def abilities(self) -> RailAbilities:
        """What the rail states."""
        ...

    @property
    def secrets(self) -> Sequence[str]:
        """What must never be seen in an error."""
        ...

    def open(self) -> LedgerRail:
        """A new rail on the account."""
        ...

    async def lose_access(self) -> None:
        """Let the owner end the access for good."""
        ...


async def pull(desk: RailDesk, cursor: Cursor | None = None) -> list[ChangePage]:
    """Read to the last page."""
    rail = desk.open()
    try:
        return [page async for page in rail.changes_since(cursor)]
    finally:
        await rail.aclose()


def fold(pages: Sequence[ChangePage], held: Held | None = None) -> Held:
    """What a mirror would hold after these pages."""
    found = dict(held or {})
    for page in pages:
        found |= {change.key: change.record.content() for change in page.changes}
        for deletion in page.deletions:
            found.pop(deletion.key, None)
        if page.present_keys is not None:
            kinds = page.present_kinds or frozenset(key.kind for key in found)
            found = {key: held for key, held in found.items() if key.kind not in kinds or key in page.present_keys}
    return found
