"""The second wall between firms on PostgreSQL, tried with the role that the app would sign in with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from runway_core.domain.alerts import AlertKind, Condition, Severity
from runway_core.domain.changes import Attribution, Cause
from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.log_entry import LogDraft
from runway_core.domain.service_levels import FreshnessSample, SampleSum
from runway_core.errors import InvalidRequest, StoreError
from runway_store_sql import SqlStore
from runway_store_sql.row_security import APPEND_ONLY, OPEN_TABLES, READ_BY_ALL
from runway_store_sql.tables import metadata
from runway_testkit.people_contract import make_draft, make_person, make_token
from runway_testkit.store_desk import START, StoreDesk, make_bill, make_position
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

SECRET_KEY = "a key for tests alone, of 32 characters and more"
OWN, OTHERS = FirmId("own"), FirmId("others")


@dataclass(frozen=True)
class Walled:
    """A database of two firms, and its address for the app's role."""

    owner_url: str
    app_url: str

    def open(self, firm_id: FirmId) -> SqlStore:
        return SqlStore(self.app_url, secret_key=SECRET_KEY, firm_id=firm_id)


@pytest.fixture
async def walled(postgres: Callable[..., str]) -> Walled:
    url = postgres()
    async with SqlStore(url, secret_key=SECRET_KEY) as owner:
        make = "DO $$ BEGIN CREATE ROLE runway_app LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        await owner.database.write(lambda c: c.execute(text(make)).close())
        await owner.grant_app_role("runway_app")
    return Walled(url, url.replace("postgres@", "runway_app@"))


async def fill(walled: Walled, firm_id: FirmId, company: str) -> StoreDesk:
    """A company with enough bills that they come by COPY, a position, and a person of its firm."""
    async with walled.open(firm_id) as store:
        desk = await StoreDesk(store, company=company, firm=firm_id).open()
        await desk.commit(desk.make_page(*(make_bill(str(number)) for number in range(1, 41))))
        await desk.put(make_bill("1", revision=1, memo="changed"))
        await store.positions.save_position(await make_position(desk), [])
        await store.people.save_person(make_person(firm_id=firm_id), [make_draft()])
        await store.people.add_token(make_token(firm_id=firm_id))
        return desk


def run(connection: Connection, *, statement: str) -> None:
    connection.execute(text(statement)).close()


def read_pairs(connection: Connection, *, query: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.execute(text(query))]


def read_names(connection: Connection, *, query: str) -> list[str]:
    return list(connection.scalars(text(query)))


def count_touched(connection: Connection, *, statement: str) -> int:
    return connection.execute(text(statement)).rowcount


def count_rows(connection: Connection) -> dict[str, int]:
    return {t.name: connection.scalar(text(f"SELECT count(*) FROM {t.name}")) or 0 for t in metadata.sorted_tables}


def test_every_table_is_behind_the_wall_or_says_why_not() -> None:
    """If this fails: a new table has neither firm nor company. Give it one, or say in `OPEN_TABLES` why it has none."""
    ownerless = {t.name for t in metadata.sorted_tables if not {"firm_id", "company_id"} & set(t.columns.keys())}

    assert ownerless == set(OPEN_TABLES)


async def test_the_wall_stands_around_every_table_and_binds_the_owner_too(walled: Walled) -> None:
    query = (
        "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity AND relkind IN ('r', 'p') "
        "AND NOT relispartition"
    )
    async with SqlStore(walled.owner_url) as store:
        found = set(await store.database.read(lambda c: c.scalars(text(query)).all()))

    assert found == {t.name for t in metadata.sorted_tables} - set(OPEN_TABLES)


async def test_a_firm_works_behind_the_wall_and_sees_nothing_of_another(walled: Walled) -> None:
    """Queries that name no firm at all: the wall alone keeps them apart."""
    await fill(walled, OWN, "acme")
    await fill(walled, OTHERS, "zenith")
    async with walled.open(OWN) as store:
        counts = await store.database.read(count_rows)
        companies = await store.database.read(lambda c: c.scalars(text("SELECT company_id FROM companies")).all())
        (acme,) = await store.registry.companies(OWN)
        day = START.date()
        books = await store.mirror.load_books(acme, as_of=day, history_from=day - timedelta(days=400), read_at=START)
        foreign = await store.registry.companies(OTHERS)
        stolen = [entry async for entry in store.log.entries(CompanyId("zenith"))]
        people = await store.people.people(OTHERS)
    async with walled.open(FirmId("nobody")) as store:
        nothing = await store.database.read(count_rows)

    assert companies == ["acme"]
    assert (counts["bill"], counts["people"], counts["access_tokens"], counts["positions"]) == (40, 1, 1, 1)
    assert counts["log_entries"] == 44
    assert sum(bill.open_balance for bill in books.bills) == Decimal(1600)
    assert (list(foreign), stolen, list(people)) == ([], [], [])
    shown = {name for name, count in nothing.items() if count} - set(OPEN_TABLES) - READ_BY_ALL
    assert shown == set()


async def test_what_belongs_to_another_firm_cannot_be_written(walled: Walled) -> None:
    await fill(walled, OWN, "acme")
    await fill(walled, OTHERS, "zenith")
    moves = "UPDATE companies SET firm_id = 'others'"
    plants = (
        "INSERT INTO people (firm_id, person_id, email, version, document) VALUES ('others', 'mallory', 'm', 1, '')"
    )
    touches = "UPDATE bill SET memo = 'stolen' WHERE company_id = 'zenith'"
    async with walled.open(OWN) as store:
        for statement in (moves, plants):
            with pytest.raises((StoreError, DBAPIError)):
                await store.database.write(partial(run, statement=statement))
        touched = await store.database.write(lambda c: c.execute(text(touches)).rowcount)

    assert touched == 0


async def test_a_pooled_connection_keeps_nothing_of_the_firm_before(walled: Walled) -> None:
    desk = await fill(walled, OWN, "acme")
    count = text("SELECT count(*) FROM bill")
    async with walled.open(OWN) as store:
        inside = await store.database.write(lambda c: c.scalar(count), company_id=desk.id)
        engine = store.database._opened()  # type: ignore[attr-defined]  # past the store: what the pool hands out next
        async with engine.connect() as connection:
            after = await connection.scalar(count)
            said = [
                await connection.scalar(text(f"SELECT nullif(current_setting('{name}', true), '')"))
                for name in ("app.firm", "app.company")
            ]

    assert (inside, after, said) == (40, 0, [None, None])


async def fill_bills(walled: Walled, firm_id: FirmId, *names: str) -> None:
    """Companies of three bills each."""
    async with walled.open(firm_id) as store:
        for company in names:
            desk = await StoreDesk(store, company=company, firm=firm_id).open()
            await desk.commit(desk.make_page(*(make_bill(str(number)) for number in range(1, 4))))


BILLS_BY_COMPANY = "SELECT company_id, count(*) FROM bill GROUP BY company_id ORDER BY company_id"
CHAINS = "SELECT DISTINCT company_id FROM log_entries ORDER BY company_id"


async def test_naming_a_company_of_another_firm_shows_nothing_of_it(walled: Walled) -> None:
    """The name spares a look at the firm's companies, and opens nothing: the second wall, tried from inside."""
    await fill_bills(walled, OWN, "acme", "mill")
    await fill_bills(walled, OTHERS, "beta", "zenith")
    touches = "UPDATE bill SET memo = 'stolen' WHERE company_id IN ('beta', 'zenith')"
    plants = "INSERT INTO log_pieces SELECT 'zenith', 1, 1, '', 1, '', '', 1"
    found: dict[str | None, tuple[object, ...]] = {}
    async with walled.open(OWN) as store:
        for name in ("zenith", "beta", "firm:others", "firm:", "a", "zz", "", None):
            company_id = None if name is None else CompanyId(name)
            shown = await store.database.read(partial(read_pairs, query=BILLS_BY_COMPANY), company_id=company_id)
            chains = await store.database.read(partial(read_names, query=CHAINS), company_id=company_id)
            touched = await store.database.write(partial(count_touched, statement=touches), company_id=company_id)
            with pytest.raises((StoreError, DBAPIError)):
                await store.database.write(partial(run, statement=plants), company_id=company_id)
            found[name] = (shown, chains, touched)

    assert all(said == ([("acme", 3), ("mill", 3)], ["acme", "mill"], 0) for said in found.values()), found


async def test_a_firm_sees_all_its_companies_whichever_of_them_is_named(walled: Walled) -> None:
    """A statement about another company than the one named answers as ever, only a little later."""
    await fill_bills(walled, OWN, "acme", "beta", "mill")
    async with walled.open(OWN) as store:
        seen = [
            await store.database.read(partial(read_pairs, query=BILLS_BY_COMPANY), company_id=CompanyId(name))
            for name in ("acme", "beta", "mill")
        ]

    assert seen == [[("acme", 3), ("beta", 3), ("mill", 3)]] * 3


async def test_who_says_a_company_and_no_firm_sees_nothing(walled: Walled) -> None:
    await fill_bills(walled, OWN, "acme")
    async with walled.open(OWN) as store:
        engine = store.database._opened()  # type: ignore[attr-defined]  # past the store, which always says its firm
        async with engine.connect() as connection:
            await connection.execute(text("SELECT set_config('app.company', 'acme', true)"))
            shown = await connection.scalar(text("SELECT count(*) FROM bill"))

    assert shown == 0


async def test_a_wall_of_before_is_brought_up_to_date_by_an_upgrade(walled: Walled) -> None:
    """Also one without a comment, as the first ones were put up."""
    old = "ALTER POLICY runway_firm ON bill USING (true) WITH CHECK (true)"
    forgets = "COMMENT ON POLICY runway_firm ON bill IS NULL"
    await fill_bills(walled, OTHERS, "zenith")
    async with SqlStore(walled.owner_url, secret_key=SECRET_KEY) as owner:
        for statement in (old, forgets):
            await owner.database.migrate(partial(run, statement=statement))
        async with walled.open(OWN) as store:
            before = (await store.database.read(count_rows))["bill"]
        await owner.upgrade()
    async with walled.open(OWN) as store:
        after = (await store.database.read(count_rows))["bill"]

    assert (before, after) == (3, 0)


@pytest.mark.parametrize(
    "act",
    [
        "UPDATE log_entries SET what = 'x'",
        "DELETE FROM log_entries",
        "TRUNCATE log_entries",
        "ALTER TABLE log_entries DISABLE TRIGGER ALL",
        "ALTER TABLE companies DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE companies NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY runway_firm ON companies",
        "SET session_replication_role = replica",
        "SET ROLE postgres",
        "DELETE FROM anchors",
        "UPDATE alembic_version SET version_num = '0001'",
        "CREATE TABLE planted (x text)",
    ],
)
async def test_the_apps_role_cannot_pull_the_wall_down(walled: Walled, act: str) -> None:
    async with walled.open(OWN) as store:
        with pytest.raises((StoreError, DBAPIError)) as refused:
            await store.database.write(lambda c: c.execute(text(act)).close())

    assert "permission denied" in str(refused.value.__cause__ or refused.value).lower() or "must be owner" in str(
        refused.value.__cause__ or refused.value
    )


async def test_wide_rows_pass_the_wall_as_they_are(walled: Walled) -> None:
    """They go through a table of the session's own. Compressing them there took longer than all the rest of a load."""
    by = Attribution(cause=Cause.SYSTEM, actor="runway", correlation_id="run")
    draft = LogDraft(START, "", "log", "1", "noted", by, raw=b"a manifest, " * 300)
    async with walled.open(OWN) as store:
        desk = await StoreDesk(store, company="acme", firm=OWN).open()
        await store.log.append(desk.id, [draft] * 30)
        kept = "SELECT DISTINCT pg_column_compression(canonical), pg_column_size(canonical) > 3600 FROM log_entries"
        found = await store.database.read(lambda c: c.execute(text(f"{kept} WHERE kind = 'log'")).all())

    assert [tuple(row) for row in found] == [(None, True)]


async def test_only_a_role_of_its_own_is_granted(walled: Walled) -> None:
    async with SqlStore(walled.owner_url) as store:
        with pytest.raises(InvalidRequest, match="CREATE ROLE"):
            await store.grant_app_role("nobody_here")
        with pytest.raises(InvalidRequest, match="superuser"):
            await store.grant_app_role("postgres")

    assert {"log_entries"} <= APPEND_ONLY


async def test_calls_of_all_firms_count_for_one_quota_and_health_stays_with_its_firm(walled: Walled) -> None:
    """The vendor counts for the app as a whole; which company called is nobody else's business."""
    silent = Condition("rail:qbo", AlertKind.RAIL_SILENT, Severity.PAGE, "qbo gives no answer", rail="qbo")
    for firm_id, company in ((OWN, "acme"), (OTHERS, "zeta")):
        async with walled.open(firm_id) as store:
            desk = await StoreDesk(store, company=company, firm=firm_id).open()
            await store.health.add_calls(desk.id, "qbo", 7, at=START)
            await store.health.settle_alerts(firm_id, [silent], now=START)
            sample = FreshnessSample(taken_at=START, counted=1, fresh=1, oldest_seconds=0)
            assert await store.health.add_sample(firm_id, sample)
    async with walled.open(OWN) as store:
        calls = await store.health.call_counts("2026-03")
        own = await store.health.company_calls(OWN, "2026-03")
        others = await store.health.company_calls(OTHERS, "2026-03")
        alerts = await store.health.alerts(OTHERS)
        samples = await store.health.sum_samples(OTHERS, since=[START])

    assert calls["qbo"].calls == 14
    assert {company_id for company_id, _ in own} == {CompanyId("acme")}
    assert (others, alerts, samples) == ({}, [], [SampleSum()])
