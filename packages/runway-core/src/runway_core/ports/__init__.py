"""Ports: what the core asks of the world, one Protocol a file, in the words of the domain."""
