"""Stripe as Runway's insights rail: charges, fees and payouts with their parts."""

from collections.abc import Callable

from runway_core.plugins.hookspecs import hookimpl
from runway_core.ports.ledger_rail import RailFactory

from runway_rail_stripe.rail import StripeRail, StripeRailFactory
from runway_rail_stripe.settings import StripeSecrets, StripeSettings

__all__ = ["StripeRail", "StripeRailFactory", "StripeSecrets", "StripeSettings", "runway_register_rails"]


@hookimpl
def runway_register_rails(register: Callable[[RailFactory], None]) -> None:
    """Offer Stripe."""
    register(StripeRailFactory())
