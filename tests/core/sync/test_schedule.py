"""Who is due when: an even load, nobody forgotten, nobody asked in vain."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from runway_core.domain.company import Connection, ConnectionState
from runway_core.domain.identity import CompanyId, ConnectionId, FirmId
from runway_core.domain.jobs import Lane, Work
from runway_core.errors import RailRefused, RailThrottled
from runway_core.sync.schedule import (
    INTERVAL,
    LONGEST_BACK_OFF,
    Intervals,
    find_due_at,
    find_last_moment,
    find_next_moment,
    find_pause,
    find_phase,
    plan_polls,
)

START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
MOMENTS = st.integers(0, 20 * 366 * 86_400).map(
    lambda seconds: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
INTERVALS = st.integers(1, 1440).map(lambda minutes: timedelta(minutes=minutes))
BEAT = timedelta(seconds=5)


def make_connection(
    name: str = "c",
    tried: datetime | None = None,
    *,
    company: str = "acme",
    rail: str = "qbo",
    firm: str = "own",
    state: ConnectionState = ConnectionState.ACTIVE,
    failures: int = 0,
    error_code: str | None = None,
) -> Connection:
    return Connection(
        connection_id=ConnectionId(name),
        company_id=CompanyId(company),
        firm_id=FirmId(firm),
        rail=rail,
        settings={},
        state=state,
        created_at=START - timedelta(days=400),
        last_attempt_at=tried,
        failures_in_a_row=failures,
        last_error_code=error_code,
    )


def due(connection: Connection, now: datetime, interval: timedelta = INTERVAL) -> bool:
    return find_due_at(connection, now=now, interval=interval) is not None


def test_a_thousand_connections_spread_over_the_interval() -> None:
    """Of 1,000 in 15 minutes 67 fall into a minute on average; by chance alone no minute strays far."""
    minutes = Counter(find_phase(f"connection-{n}", INTERVAL) // timedelta(minutes=1) for n in range(1000))

    assert set(minutes) == set(range(15))
    assert 40 <= min(minutes.values()) <= max(minutes.values()) <= 95


@given(MOMENTS, st.text(min_size=1, max_size=40), INTERVALS)
def test_moments_of_a_connection_are_an_interval_apart(now: datetime, name: str, interval: timedelta) -> None:
    last = find_last_moment(name, now=now, interval=interval)

    assert timedelta(0) <= now - last < interval
    assert find_last_moment(name, now=last, interval=interval) == last
    assert find_last_moment(name, now=last + interval, interval=interval) == last + interval


@given(MOMENTS, st.integers(0, 99).map(str))
def test_a_connection_is_due_once_in_every_interval(now: datetime, name: str) -> None:
    """Nothing starves: whenever it was tried, it is due again within one interval, and then not before the next."""
    connection = make_connection(name, now)
    beats = [now + BEAT * count for count in range(1, 15 * 12 + 1)]

    first = next(beat for beat in beats if due(connection, beat))
    pulled = make_connection(name, first)

    assert not any(due(pulled, beat) for beat in beats if first <= beat < now + INTERVAL)


@given(MOMENTS, st.integers(0, 99).map(str), INTERVALS)
def test_whoever_asked_for_a_reading_the_next_poll_is_a_whole_interval_later(
    tried: datetime, name: str, interval: timedelta
) -> None:
    """A hundredth less at most, by which a connection goes back to its own place."""
    next_at = find_next_moment(name, tried=tried, interval=interval)

    assert interval * 99 / 100 <= next_at - tried <= interval


def test_companies_that_an_outage_drew_together_part_again() -> None:
    """All are read at one moment; two days later they are spread over the interval as before."""
    names = [f"c{number}" for number in range(200)]
    read = dict.fromkeys(names, START)
    until = START + timedelta(days=2)
    for name in names:
        while read[name] < until:
            read[name] = find_next_moment(name, tried=read[name], interval=INTERVAL)

    minutes = Counter((read[name] - until) // timedelta(minutes=1) for name in names)

    assert all(0 < minutes[minute] < 30 for minute in range(15))


@given(MOMENTS, st.sampled_from(sorted(ConnectionState)), st.integers(0, 30), MOMENTS)
def test_what_is_due_stays_due_until_it_is_tried(
    tried: datetime, state: ConnectionState, failures: int, now: datetime
) -> None:
    """A beat that is missed forgets nothing, and the moment it fell due is never in the future."""
    connection = make_connection("c", tried, state=state, failures=failures)
    due_at = find_due_at(connection, now=now, interval=INTERVAL)

    assert due_at is None or due_at <= now
    assert due_at is None or due(connection, now + timedelta(hours=3))


def test_what_was_never_tried_is_due_and_what_waits_for_a_person_never() -> None:
    late = START + timedelta(days=30)

    assert due(make_connection(state=ConnectionState.NEW), START)
    for state in (ConnectionState.RECONNECT_NEEDED, ConnectionState.DISCONNECTED):
        assert not due(make_connection(tried=START, state=state, failures=1), late)
        assert not due(make_connection(state=state), late)


def pauses(code: str) -> list[timedelta]:
    return [
        find_pause(make_connection(state=ConnectionState.FAILING, failures=n, error_code=code), INTERVAL)
        for n in range(1, 25)
    ]


def test_a_rail_that_did_not_answer_is_tried_soon_and_then_no_slower_than_usual() -> None:
    """An outage of a minute costs no quarter of an hour, and one of a day costs no more calls than a good day."""
    waits = pauses(RailThrottled.code)

    assert waits[:4] == [timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=4)]
    assert waits == sorted(waits)
    assert waits[-1] == INTERVAL


def test_a_connection_that_fails_for_good_is_tried_ever_more_seldom_but_always_again() -> None:
    waits = pauses(RailRefused.code)

    assert waits[0] == INTERVAL
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_BACK_OFF


def test_the_nearest_setting_decides_how_far_apart_pulls_are() -> None:
    intervals = Intervals(
        usual=timedelta(minutes=15),
        firms={FirmId("slow"): timedelta(minutes=30)},
        rails={"bank": timedelta(minutes=60)},
        companies={CompanyId("vip"): timedelta(minutes=5)},
    )

    assert intervals.of(make_connection()) == timedelta(minutes=15)
    assert intervals.of(make_connection(firm="slow")) == timedelta(minutes=30)
    assert intervals.of(make_connection(firm="slow", rail="bank")) == timedelta(minutes=60)
    assert intervals.of(make_connection(rail="bank", company="vip")) == timedelta(minutes=5)


def test_each_due_connection_is_one_poll() -> None:
    connections = [make_connection("a"), make_connection("b", START, company="brick"), make_connection("c")]
    jobs = plan_polls(connections, now=START, intervals=Intervals())

    assert [(job.work, job.lane, job.connection_id, job.dedupe_key) for job in jobs] == [
        (Work.PULL, Lane.POLL, "a", "pull:a"),
        (Work.PULL, Lane.POLL, "c", "pull:c"),
    ]
    assert plan_polls(connections, now=START, intervals=Intervals()) == jobs


def test_what_is_paused_is_left_alone_until_then() -> None:
    connections = [make_connection("a"), make_connection("b"), make_connection("c", rail="bank")]
    paused = {"a": START + BEAT, "bank": START + BEAT, "b": START}

    def planned(now: datetime) -> list[str | None]:
        return [job.connection_id for job in plan_polls(connections, now=now, intervals=Intervals(), paused=paused)]

    assert planned(START) == ["b"]
    assert planned(START + BEAT) == ["a", "b", "c"]
