"""Layer 3, the domain services: they read the mirror, and act on rails only through the sync layer."""
