"""Runway's mirror and transaction log on SQLite and PostgreSQL."""
