"""What is held in memory of companies between two looks at them."""

from dataclasses import dataclass, field

from runway_core.services.held_checks import HeldChecks
from runway_core.services.last_books import LastBooks


@dataclass(frozen=True, slots=True)
class Held:
    """Shared by services on whoever's behalf: each asks its scope for the company first. Losing it costs time only."""

    checks: HeldChecks = field(default_factory=HeldChecks)
    books: LastBooks = field(default_factory=LastBooks)
