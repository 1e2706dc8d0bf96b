"""Runway's pure core: domain, ports, calculators and use-cases. Embedding apps begin with `Runway`."""

from runway_core.runway import Runway

__all__ = ["Runway"]
