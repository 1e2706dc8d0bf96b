"""How far a conflict that no check raises moves the runway, counted as for findings."""

from collections.abc import Sequence

from runway_core.calculators.hygiene.impact import grade_days
from runway_core.calculators.hygiene.resolutions import Resolutions
from runway_core.calculators.outlook import compute_outlook
from runway_core.domain.books import Books
from runway_core.domain.conflicts import Conflict
from runway_core.domain.money import Money


def weigh_conflicts(books: Books, conflicts: Sequence[Conflict]) -> list[Conflict]:
    """The conflicts with their impact and the severity it gives; the outlook is made only where one moves it."""
    if not any(conflict.amendments for conflict in conflicts):
        return list(conflicts)
    resolutions = Resolutions(books, books.derive(compute_outlook))
    return [_weigh(conflict, resolutions) if conflict.amendments else conflict for conflict in conflicts]


def _weigh(conflict: Conflict, resolutions: Resolutions) -> Conflict:
    reached, booked = resolutions.reach(conflict.amendments), resolutions.booked
    days = reached.days - booked.days
    return conflict.model_copy(
        update={
            "impact_days": days,
            "impact_low": Money(amount=reached.low - booked.low, currency=resolutions.currency),
            "severity": min(conflict.severity, grade_days(abs(days)), key=lambda severity: severity.rank),
        }
    )
