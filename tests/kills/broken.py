"""Databases used wrongly, one promise each, to see that rounds of kills find it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from runway_core.domain.changes import ChangePage
from runway_core.domain.jobs import ClaimedJob
from runway_core.domain.log_entry import from_microseconds, to_microseconds
from runway_core.ports.mirror_store import Lease, PageReceipt
from runway_store_sql import SqlStore
from runway_store_sql.bulk import upsert_rows
from runway_store_sql.tables import cursors, leases
from sqlalchemy import Connection, select


class _Wrapped:
    """Another object, of which some methods are others."""

    def __init__(self, inner: Any, store: SqlStore) -> None:
        self._inner = inner
        self._database = store.database

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _CursorFirst(_Wrapped):
    async def commit_page(self, lease: Lease, page: ChangePage, **given: Any) -> PageReceipt:
        row = (lease.company_id, lease.connection_id, page.next_cursor.token, to_microseconds(given["seen_at"]))
        await self._database.write(lambda connection: upsert_rows(connection, cursors, [row]))
        receipt: PageReceipt = await self._inner.commit_page(lease, page, **given)
        return receipt


class _WhoeverHoldsIt(_Wrapped):
    async def commit_page(self, lease: Lease, page: ChangePage, **given: Any) -> PageReceipt:
        def find(connection: Connection) -> Lease:
            query = select(leases).where(leases.c.connection_id == lease.connection_id)
            row = connection.execute(query).one()
            return replace(lease, fencing=row.fencing, holder=row.holder, expires_at=from_microseconds(row.expires_at))

        held = await self._database.read(find)
        receipt: PageReceipt = await self._inner.commit_page(held, page, **given)
        return receipt


class _RenewedUnseen(_Wrapped):
    async def renew_lease(self, lease: Lease, *, now: datetime, lasts_seconds: int) -> Lease:
        return replace(lease, expires_at=now + timedelta(seconds=lasts_seconds))


class _DoneBeforeWork(_Wrapped):
    async def claim(self, *, now: datetime, **asked: Any) -> Sequence[ClaimedJob]:
        claims: Sequence[ClaimedJob] = await self._inner.claim(now=now, **asked)
        for claim in claims:
            await self._inner.finish(claim, now=now)
        return claims

    async def finish(self, claim: ClaimedJob, *, now: datetime) -> None:
        """It was said before."""

    async def renew(self, claims: Sequence[ClaimedJob], *, now: datetime, lease_seconds: int) -> Sequence[ClaimedJob]:
        """They are nobody's."""
        del now, lease_seconds
        return claims


class CursorInItsOwnTransaction(SqlStore):
    """A pull goes on behind what was never stored."""

    @property
    def mirror(self) -> Any:
        return _CursorFirst(super().mirror, self)


class NoFencing(SqlStore):
    """Who lost the lease goes on writing."""

    @property
    def mirror(self) -> Any:
        return _WhoeverHoldsIt(super().mirror, self)

    @property
    def registry(self) -> Any:
        return _RenewedUnseen(super().registry, self)


class DoneBeforeWork(SqlStore):
    """A job is called done before its work is."""

    @property
    def jobs(self) -> Any:
        return _DoneBeforeWork(super().jobs, self)


STORES: dict[str, type[SqlStore]] = {
    "": SqlStore,
    "cursor": CursorInItsOwnTransaction,
    "fencing": NoFencing,
    "early": DoneBeforeWork,
}
"""By the name that `make bench ARGS="--only kills --broken NAME"` takes."""
