"""Runway's pure core: domain, ports, calculators and use-cases."""
