"""Runway's mirror and transaction log on SQLite and PostgreSQL."""

from runway_store_sql.store import SqlStore

__all__ = ["SqlStore"]
