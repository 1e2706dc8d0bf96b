"""Where a rail announces every change, polls are further apart; whatever shows a loss brings them back."""

from datetime import UTC, datetime, timedelta

from runway_core.domain.company import Connection, ConnectionState
from runway_core.domain.gaps import Hearing
from runway_core.domain.identity import CompanyId, ConnectionId, FirmId
from runway_core.sync.health import Facts, ServiceSettings, list_ages
from runway_core.sync.hearing import find_heard
from runway_core.sync.schedule import INTERVAL, Intervals, plan_polls

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
FIRM = FirmId("own")


def ago(**by: float) -> datetime:
    return NOW - timedelta(**by)


def hearing(
    name: str, *, last_at: datetime | None = None, lost_at: datetime | None = None, rail: str = "qbo"
) -> Hearing:
    return Hearing(
        firm_id=FIRM,
        company_id=CompanyId(name),
        connection_id=ConnectionId(name),
        rail=rail,
        deliveries=0 if last_at is None else 1,
        first_at=last_at,
        last_at=last_at,
        last_missed_at=lost_at,
    )


def heard(*hearings: Hearing, in_gap: tuple[str, ...] = ()) -> list[str]:
    assert find_heard(reversed(hearings), set(map(ConnectionId, in_gap)), now=NOW) == find_heard(
        hearings, set(map(ConnectionId, in_gap)), now=NOW
    )
    return sorted(find_heard(hearings, set(map(ConnectionId, in_gap)), now=NOW))


def connection(name: str, read: timedelta) -> Connection:
    return Connection(
        connection_id=ConnectionId(name),
        company_id=CompanyId(name),
        firm_id=FIRM,
        rail="qbo",
        settings={},
        state=ConnectionState.ACTIVE,
        created_at=ago(days=30),
        last_attempt_at=NOW - read,
        source_read_at=NOW - read,
    )


def test_a_quiet_company_is_heard_while_others_of_its_rail_are() -> None:
    assert heard(hearing("quiet", last_at=ago(days=6)), hearing("busy", last_at=ago(hours=1))) == ["busy", "quiet"]


def test_what_was_never_heard_lately_or_has_a_gap_is_not_relied_upon() -> None:
    busy = hearing("busy", last_at=ago(hours=1))

    assert heard(busy, hearing("mute")) == ["busy"]
    assert heard(busy, hearing("gap", last_at=ago(hours=2)), in_gap=("gap",)) == ["busy"]


def test_a_rail_that_is_silent_to_everybody_for_a_day_is_not_relied_upon() -> None:
    assert heard(hearing("a", last_at=ago(hours=25)), hearing("b", last_at=ago(hours=30))) == []
    assert heard(hearing("a", last_at=ago(hours=24))) == ["a"]


def test_what_lost_news_is_not_relied_upon_for_a_day() -> None:
    busy = hearing("busy", last_at=ago(hours=1))

    assert heard(busy, hearing("a", last_at=ago(hours=1), lost_at=ago(hours=24))) == ["busy"]
    assert heard(busy, hearing("a", last_at=ago(hours=1), lost_at=ago(hours=25))) == ["a", "busy"]


def test_when_several_lost_news_within_the_hour_the_line_is_broken_for_all_of_that_rail_alone() -> None:
    lost = [hearing(f"lost-{number}", last_at=ago(hours=1), lost_at=ago(minutes=50)) for number in range(3)]
    sound = hearing("sound", last_at=ago(minutes=1))
    card = hearing("card", last_at=ago(minutes=1), rail="stripe")

    assert heard(*lost, sound, card) == ["card"]
    assert heard(*lost[:2], sound, card) == ["card", "sound"]


def test_in_a_large_house_a_few_losses_are_no_broken_line() -> None:
    many = [hearing(f"c{number}", last_at=ago(hours=1)) for number in range(200)]
    lost = [hearing(f"lost-{number}", last_at=ago(hours=1), lost_at=ago(minutes=5)) for number in range(11)]

    assert len(heard(*many, *lost[:9])) == 200
    assert heard(*many, *lost) == []


def test_who_is_heard_is_polled_a_third_less() -> None:
    minutes = [15, 19, 20]
    held = [connection(f"c{number}", timedelta(minutes=number)) for number in minutes]

    def due(intervals: Intervals) -> list[str | None]:
        return [job.connection_id for job in plan_polls(held, now=NOW, intervals=intervals)]

    everyone = frozenset(one.connection_id for one in held)
    company = {CompanyId("c19"): timedelta(minutes=17)}

    assert due(Intervals()) == ["c15", "c19", "c20"]
    assert due(Intervals(heard=everyone)) == ["c20"]
    assert due(Intervals(heard=everyone, companies=company)) == ["c19", "c20"]  # what a person set stays
    assert due(Intervals(heard=everyone, heard_percent=100)) == ["c15", "c19", "c20"]


def test_the_promise_allows_their_data_to_be_as_much_older_and_not_more() -> None:
    facts = Facts(
        now=NOW,
        connections=[connection("a", timedelta(minutes=19)), connection("b", timedelta(minutes=19))],
        heard={ConnectionId("a")},
    )
    ages = list_ages(facts, ServiceSettings())

    assert [held.longest for held in ages] == [INTERVAL * 133 / 100, INTERVAL]
    assert [held.age for held in ages] == [timedelta(minutes=19)] * 2
