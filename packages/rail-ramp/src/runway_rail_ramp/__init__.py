"""Ramp as Runway's execution rail: bills, how they are paid, and purchases on its cards."""

from collections.abc import Callable

from runway_core.plugins.hookspecs import hookimpl
from runway_core.ports.ledger_rail import RailFactory

from runway_rail_ramp.rail import RampRail, RampRailFactory
from runway_rail_ramp.settings import RampSecrets, RampSettings

__all__ = ["RampRail", "RampRailFactory", "RampSecrets", "RampSettings", "runway_register_rails"]


@hookimpl
def runway_register_rails(register: Callable[[RailFactory], None]) -> None:
    """Offer Ramp."""
    register(RampRailFactory())
