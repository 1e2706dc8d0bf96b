"""Sentences that several views share. Plain words, the date beside every number of days, no blame."""

from runway_core.domain.outlook import Runway


def say_runway(runway: Runway) -> str:
    """Say how far cash reaches: "Covered through 2 Apr, 32 days", "Covered for 91+ days" or "Not covered today"."""
    if runway.days is None:
        return f"Covered for {runway.horizon_days}+ days"
    if runway.days == 0 or runway.covered_through is None:
        return "Not covered today"
    return f"Covered through {runway.covered_through:%-d %b}, {runway.days} day{'' if runway.days == 1 else 's'}"
