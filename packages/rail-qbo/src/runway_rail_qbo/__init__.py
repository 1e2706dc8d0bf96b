"""QuickBooks Online as Runway's ledger rail."""

from collections.abc import Callable

from runway_core.plugins.hookspecs import hookimpl
from runway_core.ports.ledger_rail import RailFactory

from runway_rail_qbo.rail import QboRail, QboRailFactory
from runway_rail_qbo.settings import QboSecrets, QboSettings

__all__ = ["QboRail", "QboRailFactory", "QboSecrets", "QboSettings", "runway_register_rails"]


@hookimpl
def runway_register_rails(register: Callable[[RailFactory], None]) -> None:
    """Offer QuickBooks Online."""
    register(QboRailFactory())
