"""A folder of CSV files as a ledger rail: the plugin that the tutorial builds, and the template of `make new-rail`."""

from collections.abc import Callable

from runway_core.plugins.hookspecs import hookimpl
from runway_core.ports.ledger_rail import RailFactory

from runway_rail_sample.rail import SampleRailFactory


@hookimpl
def runway_register_rails(register: Callable[[RailFactory], None]) -> None:
    """Offer the rail; nothing is opened yet."""
    register(SampleRailFactory())
