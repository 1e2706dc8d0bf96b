"""Companies and connections: adding, finding and changing them."""

from decimal import Decimal

import pytest
from runway_core.domain.company import ConnectionState
from runway_core.errors import InvalidRequest, NotFound, RailUnavailable
from runway_testkit.store_desk import make_bill

from tests.core.desk import FirmDesk, bank


@pytest.mark.parametrize(
    ("name", "currency", "zone", "what"),
    [
        ("  ", "USD", "UTC", "name"),
        ("Acme", "usd", "UTC", "home_currency"),
        ("Acme", "USD", "America/Sherwood", "not a time zone"),
    ],
)
async def test_a_company_that_cannot_be_is_refused(name: str, currency: str, zone: str, what: str) -> None:
    desk = FirmDesk()

    with pytest.raises(InvalidRequest, match=what):
        await desk.runway.companies.add(name, home_currency=currency, time_zone=zone)
    assert await desk.runway.companies.list() == []


async def test_a_company_is_found_by_its_id_its_name_or_a_beginning_that_is_its_alone() -> None:
    desk = FirmDesk()
    acme, acorn = [await desk.connect(name) for name in ("Acme Hardware", "Acorn")]
    companies = desk.runway.companies

    assert await companies.find(acme.company_id) == acme
    assert await companies.find("ACORN") == acorn
    assert await companies.find("acm") == acme
    with pytest.raises(NotFound, match=r"Acme Hardware .*Acorn"):
        await companies.find("ac")
    with pytest.raises(NotFound, match="companies list"):
        await companies.find("Zenith")


async def test_settings_change_one_by_one_and_wrong_ones_change_nothing() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", settings=None)
    await desk.runway.companies.change_settings(acme.company_id, {"red_below_days": 20}, actor="ada")
    changed = await desk.runway.companies.change_settings(acme.company_id, {"amber_below_days": 40}, actor="ada")
    for wrong in (
        {"red_below_day": 3},
        {"red_below_days": "soon"},
        {"red_below_days": 3_661},
        {"amber_below_days": -1},
        {"ledger_outflow_days": 10**12},
        {"stale_mirror_hours": 87_601},
        {"exchange_rates": {"EUR": Decimal(0)}},
        {"exchange_rates": {"EUR": Decimal("1E+30")}},
    ):
        with pytest.raises(InvalidRequest):
            await desk.runway.companies.change_settings(acme.company_id, wrong, actor="ada")

    assert (changed.settings.red_below_days, changed.settings.amber_below_days) == (20, 40)
    assert await desk.runway.companies.get(acme.company_id) == changed


async def test_details_change_and_an_empty_owner_is_none() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", owner="ada", tags=["retail"])
    changed = await desk.runway.companies.change_details(
        acme.company_id, name=" Acme Ltd ", owner="", tags=["a", "b"], actor="ada"
    )
    with pytest.raises(InvalidRequest):
        await desk.runway.companies.change_details(acme.company_id, name=" ", actor="ada")
    with pytest.raises(InvalidRequest):
        await desk.runway.companies.change_details(acme.company_id, time_zone="Mars/Crater", actor="ada")

    assert (changed.name, changed.owner, changed.tags, changed.time_zone) == (
        "Acme Ltd",
        None,
        ("a", "b"),
        "America/Chicago",
    )


async def test_a_company_is_connected_to_a_rail_once() -> None:
    desk = FirmDesk()
    acme = await desk.runway.companies.add("Acme", home_currency="USD", time_zone="UTC")
    connections = desk.runway.connections
    made = await connections.add(acme.company_id, rail="memory", settings={}, secrets={"token": "t"})
    with pytest.raises(InvalidRequest, match="connected to 'memory' already"):
        await connections.add(acme.company_id, rail="memory", settings={}, secrets={"token": "u"})

    assert made.state is ConnectionState.NEW
    assert {k: v.get_secret_value() for k, v in (await desk.store.vault.load(made.connection_id)).items()} == {
        "token": "t"
    }


async def test_a_connection_whose_secrets_were_never_kept_is_taken_up_again() -> None:
    """The process may die between the connection and its secrets."""
    desk = FirmDesk()
    acme = await desk.runway.companies.add("Acme", home_currency="USD", time_zone="UTC")
    first = await desk.runway.connections.add(acme.company_id, rail="memory", settings={}, secrets={})
    second = await desk.runway.connections.add(acme.company_id, rail="memory", settings={}, secrets={"token": "t"})

    assert second == first
    assert len(await desk.runway.connections.list(acme.company_id)) == 1


@pytest.mark.parametrize(
    ("rail", "settings", "secrets", "error"),
    [
        ("memory", {"book": "x"}, {}, InvalidRequest),
        ("memory", {}, {"password": "hunter2"}, InvalidRequest),
        ("gone", {}, {}, NotFound),
    ],
)
async def test_what_a_rail_does_not_take_is_refused_without_repeating_it(
    rail: str, settings: dict[str, str], secrets: dict[str, str], error: type[Exception]
) -> None:
    desk = FirmDesk()
    acme = await desk.runway.companies.add("Acme", home_currency="USD", time_zone="UTC")

    with pytest.raises(error) as raised:
        await desk.runway.connections.add(acme.company_id, rail=rail, settings=settings, secrets=secrets)
    assert "hunter2" not in str(raised.value)
    assert await desk.runway.connections.list(acme.company_id) == []


async def test_new_secrets_are_checked_kept_and_logged_without_their_value() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme")
    length = await desk.runway.log_length(acme.company_id)
    made = await desk.runway.connections.replace_secrets(acme.company_id, "memory", {"token": "canary-77"}, actor="ada")
    with pytest.raises(InvalidRequest):
        await desk.runway.connections.replace_secrets(acme.company_id, "memory", {"pin": "canary-78"}, actor="ada")
    [entry] = await desk.runway.log_entries(acme.company_id, after=length)

    assert (await desk.store.vault.load(made.connection_id))["token"].get_secret_value() == "canary-77"
    assert (entry.draft.what, entry.draft.attribution.actor) == ("secrets_replaced", "ada")
    assert b"canary" not in entry.canonical


async def test_asking_who_is_behind_a_connection_is_one_call() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank())
    profile = await desk.runway.connections.check(acme.company_id, "memory")
    calls = desk.ledger("Acme").calls
    desk.ledger("Acme").fail_next(RailUnavailable("memory: no answer", rail="memory"))
    with pytest.raises(RailUnavailable):
        await desk.runway.connections.check(acme.company_id, "memory")

    assert (profile.name, calls) == ("Acme", 1)


async def test_the_log_and_the_history_of_a_record_are_read_in_order() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", make_bill("1"), make_bill("2"))
    await desk.runway.sync(acme.company_id)
    desk.ledger("Acme").put(make_bill("2", memo="edited"))
    await desk.runway.sync(acme.company_id)
    key = make_bill("2").key
    entries = await desk.runway.log_entries(acme.company_id, after=2, limit=2)

    assert [entry.draft.what for entry in await desk.runway.history(acme.company_id, key)] == ["created", "updated"]
    assert [entry.sequence for entry in entries] == [3, 4]
