"""Runway's mirror and transaction log on SQLite and PostgreSQL."""

from runway_store_sql.anchors import FolderAnchorSink
from runway_store_sql.backup import BackupReport
from runway_store_sql.store import SqlStore

__all__ = ["BackupReport", "FolderAnchorSink", "SqlStore"]
