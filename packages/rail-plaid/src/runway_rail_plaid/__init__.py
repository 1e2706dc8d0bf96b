"""Plaid as Runway's verification rail: what banks show."""

from collections.abc import Callable

from runway_core.plugins.hookspecs import hookimpl
from runway_core.ports.ledger_rail import RailFactory

from runway_rail_plaid.rail import PlaidRail, PlaidRailFactory
from runway_rail_plaid.settings import PlaidSecrets, PlaidSettings

__all__ = ["PlaidRail", "PlaidRailFactory", "PlaidSecrets", "PlaidSettings", "runway_register_rails"]


@hookimpl
def runway_register_rails(register: Callable[[RailFactory], None]) -> None:
    """Offer Plaid."""
    register(PlaidRailFactory())
