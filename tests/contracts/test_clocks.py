"""Every clock that Runway is run by keeps the promises of a clock."""

from datetime import UTC, datetime

import pytest
from runway_core.ports.clock import Clock, SystemClock
from runway_testkit.clock import FixedClock
from runway_testkit.clock_contract import ClockContract
from runway_testkit.virtual_time import VirtualClock, run_virtual

START = datetime(2026, 3, 2, 12, tzinfo=UTC)


class TestSystemClock(ClockContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return SystemClock()


class TestFixedClock(ClockContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return FixedClock(START)


class WithinLoop:
    """Reads the clock of a loop that runs for the moment of asking."""

    def now(self) -> datetime:
        async def ask() -> datetime:
            return VirtualClock(START).now()

        return run_virtual(ask())


class TestVirtualClock(ClockContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return WithinLoop()


def test_a_clock_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="carries its zone"):
        FixedClock(START.replace(tzinfo=None))
