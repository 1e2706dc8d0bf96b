from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.hygiene.checks.mirror_stale import MirrorStale
from runway_core.domain.company import CompanySettings, ConnectionState
from runway_core.domain.identity import ConnectionId
from runway_testkit.books_making import READ_AT, connection, make_books

CHECK = MirrorStale()


@given(st.integers(-100, 100_000), st.sampled_from(ConnectionState), st.integers(1, 200))
def test_it_is_stale_beyond_the_hours_that_are_set(minutes: int, state: ConnectionState, hours: int) -> None:
    read = connection(last_success_at=READ_AT - timedelta(minutes=minutes), state=state)
    made = make_books(connections=(read,), settings=CompanySettings(stale_mirror_hours=hours))
    findings = list(CHECK.find(made))

    assert bool(findings) is (minutes > hours * 60 and state is not ConnectionState.DISCONNECTED)


@pytest.mark.parametrize(("hours_old", "is_found"), [(20, False), (30, True)])
def test_a_connection_that_was_never_read_is_stale_a_day_after_it_was_made(hours_old: int, is_found: bool) -> None:
    new = connection(last_success_at=None, created_at=READ_AT - timedelta(hours=hours_old))

    assert bool(list(CHECK.find(make_books(connections=(new,))))) is is_found


def test_one_finding_names_every_stale_connection_and_keeps_its_identity() -> None:
    old = READ_AT - timedelta(hours=30)
    one = connection(last_success_at=old)
    two = connection(
        connection_id=ConnectionId("other"), rail="ramp", last_success_at=old, state=ConnectionState.RECONNECT_NEEDED
    )

    (both,) = CHECK.find(make_books(connections=(one, two)))
    (alone,) = CHECK.find(make_books(connections=(one,)))

    assert both.summary == "Not read for over 26 hours: qbo, ramp"
    assert [fix.label for fix in both.fixes] == ["Read qbo again", "Connect ramp again"]
    assert both.finding_id == alone.finding_id
    assert both.basis != alone.basis
