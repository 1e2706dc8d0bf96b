"""Every hook of Runway, in one place. `docs/reference/hooks.md` lists them; a test holds the two together."""

from collections.abc import Callable

import pluggy

from runway_core.ports.ledger_rail import RailFactory

PROJECT = "runway"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def runway_register_rails(register: Callable[[RailFactory], None]) -> None:
    """Offer rails: call `register(QboRailFactory())` once for each.

    Called once, at start-up. Registering must not connect: `LedgerRail.check_connection` does that.
    """
