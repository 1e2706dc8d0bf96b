"""The Stripe rail keeps what an insights rail promises, on the sandbox."""

from collections.abc import AsyncIterator, Iterator

import pytest
from runway_rail_kit import Pauses
from runway_rail_stripe import StripeRailFactory
from runway_sandbox.serve import SandboxProcess, start_sandbox
from runway_testkit.insights_rail_contract import InsightsRailContract

from tests.rails.paper_qbo import no_sleep
from tests.rails.stripe_desk import CardDesk


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with start_sandbox(clients=6, bills_per_client=60, rails="qbo,stripe", more_arguments=["--no-throttle"]) as running:
        yield running


class TestStripeRail(InsightsRailContract):
    @pytest.fixture
    async def desk(self, sandbox: SandboxProcess) -> AsyncIterator[CardDesk]:
        factory = StripeRailFactory(pauses=Pauses(sleep=no_sleep), page_records=20)
        desk = CardDesk(sandbox.ready, factory, place=5)  # it bills its customers, so that there are invoices
        await desk.look_up_odd()
        await desk.refund(await desk.take_payment())
        yield desk
        await desk.change("restore")
        await factory.aclose()
