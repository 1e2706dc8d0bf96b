"""A log on PostgreSQL that goes back for months, each a part of its own: what tests of its parts work with."""

from itertools import count

import asyncpg
from runway_store_sql import SqlStore
from runway_testkit.store_desk import START
from sqlalchemy import Connection, text

MONTHS = 10
"""From the one that the desk's clock begins in."""

_NUMBERS = count(1)


def part_of(month: int) -> str:
    return f"log_entries_{START.year}_{month:02}"


def divide(connection: Connection) -> None:
    """Have the past end where the desk's clock begins, as if the database had been made then."""
    made = connection.scalars(text("SELECT name FROM runway_log_months() WHERE first IS NOT NULL")).all()
    for part in made:
        connection.execute(text(f"DROP TABLE {part}"))
    bound = START.replace(day=1, hour=0)
    connection.execute(text("ALTER TABLE log_entries DETACH PARTITION log_entries_past"))
    whole = f"FOR VALUES FROM (MINVALUE) TO ({int(bound.timestamp()) * 1_000_000})"
    connection.execute(text(f"ALTER TABLE log_entries ATTACH PARTITION log_entries_past {whole}"))
    for later in range(MONTHS):
        year, month = divmod(bound.year * 12 + bound.month - 1 + later, 12)
        connection.execute(text(f"SELECT runway_make_log_month('{year}-{month + 1:02}-01')"))
    connection.execute(text("SELECT runway_keep_log_months()"))


async def divide_log(url: str) -> str:
    """Give the log of a migrated database on PostgreSQL parts for the months of the desk's clock."""
    async with SqlStore(url) as store:
        await store.database.migrate(divide)
    return url


def count_in_parts(connection: Connection) -> dict[str, int]:
    """How many entries lie in each part that holds any."""
    query = text("SELECT tableoid::regclass::text AS part, count(*) AS entries FROM log_entries GROUP BY 1 ORDER BY 1")
    return {row.part: row.entries for row in connection.execute(query)}


async def copy_database(source: str) -> str:
    """Another database like one that nobody is connected to; returns its address."""
    server, _, host = source.partition("?")
    server, _, template = server.rpartition("/")
    name = f"{template}_{next(_NUMBERS)}"
    connection = await asyncpg.connect(f"{server}/postgres?{host}")
    await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    await connection.close()
    return f"{server}/{name}?{host}"
