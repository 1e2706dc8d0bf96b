"""A record's content: equal records, equal bytes."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from runway_core.domain.company import Company
from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.record import encode_plain
from runway_testkit.strategies import moments

from tests.core.desk import bill

zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(moment=moments, zone=zones | st.sampled_from((UTC, ZoneInfo("UTC"), ZoneInfo("Asia/Kathmandu"))))
def test_content_tells_times_in_utc_whatever_zone_they_came_in(moment: datetime, zone: timezone) -> None:
    there = moment.astimezone(zone)
    here, abroad = (bill("B1", created_at=at, modified_at=at) for at in (moment, there))

    assert abroad.content() == here.content()
    assert abroad.modified_at is not None
    assert abroad.modified_at.tzinfo is UTC
    assert b"Z" in here.content()


@given(moment=moments, zone=zones)
def test_what_is_logged_of_an_act_tells_times_in_utc(moment: datetime, zone: timezone) -> None:
    here, abroad = (
        Company(
            company_id=CompanyId("acme"),
            firm_id=FirmId("own"),
            name="Acme",
            home_currency="USD",
            time_zone="UTC",
            created_at=at,
        )
        for at in (moment, moment.astimezone(zone))
    )

    assert encode_plain(abroad) == encode_plain(here)


def test_a_time_keeps_its_microseconds() -> None:
    moment = datetime(2026, 3, 2, 15, 0, 0, 123_456, tzinfo=UTC)

    assert b'"created_at":"2026-03-02T15:00:00.123456Z"' in bill("B1", created_at=moment).content()
