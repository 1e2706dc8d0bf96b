"""Runway's pure core: domain, ports, calculators and use-cases. Embedding apps begin with `Runway`."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runway_core.runway import Runway

__all__ = ["Runway"]


def __getattr__(name: str) -> Any:
    # A rail that needs the domain alone must not load the use-cases: `Runway` is loaded when it is asked for.
    if name == "Runway":
        return import_module("runway_core.runway").Runway
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
