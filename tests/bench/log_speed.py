"""The transaction log: entries a second appended in chains, and verified."""

import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from runway_core.domain.changes import Attribution, Cause
from runway_core.domain.company import Company
from runway_core.domain.identity import DEFAULT_FIRM, CompanyId
from runway_core.domain.log_entry import LogDraft
from runway_core.sync.verification import verify_log
from runway_store_sql import SqlStore

from tests.bench.machine import Stopwatch, postgres, print_table

PAGE = 1000


def measure_log(*, entries: int) -> None:
    """Append and verify on both databases."""
    rows = []
    with tempfile.TemporaryDirectory() as name, postgres(Path(name)) as pg_url:
        for database, url in (("SQLite", f"sqlite:///{Path(name) / 'log.db'}"), ("PostgreSQL", pg_url)):
            appended, verified = asyncio.run(_measure(url, entries))
            rows.append((database, f"{entries:,}", f"{appended:,.0f}", f"{verified:,.0f}"))
    print_table("Transaction log", ("database", "entries", "appended/s", "verified/s"), rows)


async def _measure(url: str, entries: int) -> tuple[float, float]:
    store = SqlStore(url)
    await store.upgrade()
    by = Attribution(cause=Cause.SYSTEM, actor="bench", correlation_id="bench")
    now = datetime.now(UTC)
    draft = LogDraft(
        seen_at=now, rail="qbo", kind="bill", external_id="1", what="updated", attribution=by,
        content=b"x" * 500, raw=b"y" * 1000,
    )  # fmt: skip
    company_id = CompanyId("bench")
    company = Company(
        company_id=company_id, firm_id=DEFAULT_FIRM, name="Bench", home_currency="USD", time_zone="UTC", created_at=now
    )
    async with store:
        await store.registry.add_company(company, attribution=by)
        with Stopwatch() as appending:
            for _ in range(entries // PAGE):
                await store.log.append(company_id, [draft] * PAGE)
        with Stopwatch() as verifying:
            result = await verify_log(store.log, company_id)
        assert result.is_sound
    return entries / appending.seconds, entries / verifying.seconds
