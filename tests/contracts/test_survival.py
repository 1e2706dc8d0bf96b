"""All rails come out of every trouble that they state, on one sandbox with four windows."""

from collections.abc import AsyncIterator, Iterator
from typing import ClassVar

import pytest
from runway_core.errors import RailUnavailable
from runway_rail_plaid import PlaidRailFactory
from runway_rail_qbo import QboRailFactory
from runway_rail_ramp import RampRailFactory
from runway_rail_stripe import StripeRailFactory
from runway_sandbox.serve import SandboxProcess, start_sandbox
from runway_testkit.survival_contract import SurvivalContract

from tests.rails.survival_desks import BankDesk, BooksDesk, CardDesk, PayerDesk, WindowDesk

MORE = ["--no-throttle", "--start-at", "2026-05-05T10:00:00+00:00"]


@pytest.fixture(scope="session")
def windows() -> Iterator[SandboxProcess]:
    with start_sandbox(clients=10, bills_per_client=60, rails="qbo,plaid,stripe,ramp", more_arguments=MORE) as running:
        yield running


async def sit_at(windows: SandboxProcess, desk: type[WindowDesk]) -> AsyncIterator[WindowDesk]:
    """Sit at a window of a company that takes cards."""
    takes_cards = [one["takes_cards"] for one in windows.ready["stripe"]["companies"]]
    sitting = desk(windows.ready, takes_cards.index(True))
    await sitting.begin()
    yield sitting
    await sitting.end()


@pytest.mark.parametrize("window", [BooksDesk, BankDesk, CardDesk, PayerDesk])
async def test_a_vendor_that_answers_one_page_for_ever_is_given_up(
    windows: SandboxProcess, window: type[WindowDesk]
) -> None:
    async for desk in sit_at(windows, window):
        desk.settings |= {"page_size": 10 if window is not PayerDesk else 2}
        await desk.post("chaos", {"profile": "none", "page_again": 1})
        rail = desk.open()
        with pytest.raises(RailUnavailable, match="again and again"):
            _ = [page async for page in rail.changes_since(None)]

        assert rail.calls < 200


class AtWindow(SurvivalContract):
    """The contract at one of the sandbox's windows."""

    seat: ClassVar[type[WindowDesk]]

    @pytest.fixture
    async def desk(self, windows: SandboxProcess) -> AsyncIterator[WindowDesk]:
        async for desk in sit_at(windows, self.seat):
            yield desk


class TestQboSurvives(AtWindow):
    abilities = QboRailFactory.abilities
    seat = BooksDesk


class TestPlaidSurvives(AtWindow):
    abilities = PlaidRailFactory.abilities
    seat = BankDesk


class TestStripeSurvives(AtWindow):
    abilities = StripeRailFactory.abilities
    seat = CardDesk


class TestRampSurvives(AtWindow):
    abilities = RampRailFactory.abilities
    seat = PayerDesk
