"""The Plaid rail keeps what a verification rail promises, on the sandbox."""

from collections.abc import AsyncIterator, Iterator

import pytest
from runway_rail_kit import Pauses
from runway_rail_plaid import PlaidRailFactory
from runway_sandbox.serve import SandboxProcess, start_sandbox
from runway_testkit.verification_rail_contract import VerificationRailContract

from tests.rails.paper_qbo import no_sleep
from tests.rails.plaid_desk import BankDesk


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with start_sandbox(clients=1, bills_per_client=60, rails="qbo,plaid", more_arguments=["--no-throttle"]) as running:
        yield running


class TestPlaidRail(VerificationRailContract):
    @pytest.fixture
    async def desk(self, sandbox: SandboxProcess) -> AsyncIterator[BankDesk]:
        factory = PlaidRailFactory(pauses=Pauses(sleep=no_sleep), page_records=50)
        desk = BankDesk(sandbox.ready, factory)
        yield desk
        await desk.bank("repair_login")
        await factory.aclose()
