"""How old data is called, and what a reader who wants it fresh gets."""

from datetime import timedelta

import pytest
from runway_core.domain.company import Company, Connection, ConnectionState
from runway_core.domain.identity import CompanyId, ConnectionId, FirmId
from runway_core.errors import NotFound, RailUnavailable
from runway_core.runway import Runway
from runway_core.sync.freshness import STALE_AFTER, Freshness, describe_age, label_freshness
from runway_testkit.sample import READ_AT

from tests.core.desk import FirmDesk, bank, bill

EXPERIENCES = ("digest", "tray", "console", "outlook")


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (timedelta(0), "under a minute"),
        (timedelta(seconds=59), "under a minute"),
        (timedelta(seconds=60), "1 minute"),
        (timedelta(minutes=59, seconds=59), "59 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=47), "1 day"),
        (timedelta(days=400), "400 days"),
    ],
)
def test_an_age_is_told_in_its_largest_whole_unit(age: timedelta, said: str) -> None:
    assert describe_age(age) == said


def connection(state: ConnectionState, age: timedelta | None) -> Connection:
    return Connection(
        connection_id=ConnectionId("c"),
        company_id=CompanyId("acme"),
        firm_id=FirmId("own"),
        rail="memory",
        settings={},
        state=state,
        created_at=READ_AT,
        source_read_at=None if age is None else READ_AT - age,
    )


@pytest.mark.parametrize(
    ("state", "age", "note", "is_stale"),
    [
        (ConnectionState.NEW, None, "never read", True),
        (ConnectionState.ACTIVE, timedelta(minutes=3), "read 3 minutes ago", False),
        (ConnectionState.ACTIVE, STALE_AFTER, "read 4 hours ago", False),
        (ConnectionState.ACTIVE, STALE_AFTER + timedelta(seconds=1), "read 4 hours ago", True),
        (ConnectionState.FAILING, timedelta(hours=1), "last pull failed; read 1 hour ago", False),
        (ConnectionState.FAILING, None, "last pull failed; never read", True),
        (ConnectionState.RECONNECT_NEEDED, timedelta(days=2), "reconnect needed; read 2 days ago", True),
        # A rail whose clock is ahead of ours has data of now, not of the future.
        (ConnectionState.ACTIVE, timedelta(minutes=-5), "read under a minute ago", False),
    ],
)
def test_every_rails_data_is_labelled(state: ConnectionState, age: timedelta | None, note: str, is_stale: bool) -> None:
    (label,) = label_freshness([connection(state, age)], READ_AT)

    assert (label.note, label.is_stale) == (note, is_stale)
    assert label.age_seconds is None or label.age_seconds >= 0


async def ask(runway: Runway, experience: str, company: Company, freshness: Freshness) -> object:
    return await getattr(runway, experience)(company.company_id, freshness=freshness)


@pytest.mark.parametrize("experience", EXPERIENCES)
async def test_a_plain_read_calls_no_rail(experience: str) -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1"))
    await desk.runway.sync(acme.company_id)
    calls = desk.ledger("Acme").calls
    await ask(desk.runway, experience, acme, Freshness.CACHED_OK)
    await desk.runway.portfolio()
    await desk.runway.health()

    assert desk.ledger("Acme").calls == calls


@pytest.mark.parametrize("experience", EXPERIENCES)
async def test_a_strict_read_pulls_first(experience: str) -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1"))
    await ask(desk.runway, experience, acme, Freshness.STRICT)
    (open_bill,) = await desk.runway.bills.get_open_bills(acme.company_id)

    assert open_bill.external_id == "B1"


@pytest.mark.parametrize("experience", EXPERIENCES)
async def test_a_strict_read_of_a_rail_that_is_down_answers_from_the_labelled_mirror(experience: str) -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1"))
    await desk.runway.sync(acme.company_id)
    desk.later(hours=6)
    desk.ledger("Acme").fail_next(RailUnavailable("memory: no answer", rail="memory"))
    view = await ask(desk.runway, experience, acme, Freshness.STRICT)

    (label,) = view.freshness  # type: ignore[attr-defined] # every view of a company has it
    assert (label.state, label.is_stale) == (ConnectionState.FAILING, True)


async def test_a_strict_read_of_a_company_that_is_not_connected_says_so() -> None:
    desk = FirmDesk()
    acme = await desk.runway.companies.add("Acme", home_currency="USD", time_zone="UTC")

    with pytest.raises(NotFound, match="connect it"):
        await desk.runway.digest(acme.company_id, freshness=Freshness.STRICT)
