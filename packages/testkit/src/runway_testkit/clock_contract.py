"""What every clock promises.

Subclass it, and give it yours:

    class TestMyClock(ClockContract):
        @pytest.fixture
        def clock(self) -> Clock:
            return MyClock()
"""

from datetime import timedelta

import pytest
from runway_core.ports.clock import Clock

READS = 100


class ClockContract:
    """Promises of a clock."""

    @pytest.fixture
    def clock(self) -> Clock:
        """The clock under test."""
        raise NotImplementedError

    def test_it_tells_the_time_in_utc_and_says_so(self, clock: Clock) -> None:
        assert clock.now().utcoffset() == timedelta(0)

    def test_it_never_goes_back_by_itself(self, clock: Clock) -> None:
        told = [clock.now() for _ in range(READS)]

        assert told == sorted(told)
