"""Whatever the domain can hold comes back from a database as it was."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.domain.changes import Change
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.kinds import RECORD_CLASSES
from runway_store_sql import SqlStore
from runway_store_sql.tables import RECORD_SPECS
from runway_testkit.store_desk import StoreDesk, make_account
from runway_testkit.strategies import changes


@pytest.fixture(scope="module")
def sqlite_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[asyncio.Runner, StoreDesk]]:
    yield from open_desk(f"sqlite:///{tmp_path_factory.mktemp('rows') / 'books.db'}")


@pytest.fixture(scope="module")
def postgres_desk(postgres: Callable[..., str]) -> Iterator[tuple[asyncio.Runner, StoreDesk]]:
    yield from open_desk(postgres())


def open_desk(url: str) -> Iterator[tuple[asyncio.Runner, StoreDesk]]:
    with asyncio.Runner() as runner:
        store = SqlStore(url)
        runner.run(store.__aenter__())
        yield runner, runner.run(StoreDesk(store).open())
        runner.run(store.__aexit__(None, None, None))


def check_round_trip(runner: asyncio.Runner, desk: StoreDesk, given_changes: list[Change]) -> None:
    page = replace(desk.make_page(), changes=tuple(given_changes))
    runner.run(desk.commit(page))
    newest: dict[RecordKey, Change] = {change.record.key: change for change in given_changes}
    held = runner.run(desk.store.mirror.read_records(desk.id, list(newest)))
    assert held.keys() == newest.keys()
    for key, change in newest.items():
        assert held[key].record == change.record
        assert held[key].raw == change.raw
        assert held[key].record.content() == change.record.content()


@given(given_changes=st.lists(changes(), min_size=1, max_size=8, unique_by=lambda change: change.record.key))
def test_every_record_survives_sqlite(
    sqlite_desk: tuple[asyncio.Runner, StoreDesk], given_changes: list[Change]
) -> None:
    check_round_trip(*sqlite_desk, fresh(sqlite_desk[1], given_changes))


@given(given_changes=st.lists(changes(), min_size=1, max_size=30, unique_by=lambda change: change.record.key))
def test_every_record_survives_postgres(
    postgres_desk: tuple[asyncio.Runner, StoreDesk], given_changes: list[Change]
) -> None:
    check_round_trip(*postgres_desk, fresh(postgres_desk[1], given_changes))


def fresh(desk: StoreDesk, given_changes: list[Change]) -> list[Change]:
    """Ids that were never used, so that what is read back is what was just given."""
    return [
        replace(
            change,
            record=change.record.model_copy(update={"external_id": f"{desk.pages}-{change.record.external_id}"}),
        )
        for change in given_changes
    ]


def test_every_field_of_every_kind_has_its_place() -> None:
    for kind, record_class in RECORD_CLASSES.items():
        spec = RECORD_SPECS[kind]

        assert {f.name for f in spec.columns + spec.details} == set(record_class.model_fields)


async def test_ids_sort_alike_on_both_databases(database_url: str) -> None:
    ids = ["Ä", "a", "B", "-", "1", "10", "é", "z"]
    async with SqlStore(database_url) as store:
        desk = await StoreDesk(store).open()
        await desk.put(*(make_account(external_id) for external_id in ids))
        found = await store.mirror.find_records(desk.id, RecordKind.ACCOUNT)

    assert [held.record.external_id for held in found] == sorted(ids)
