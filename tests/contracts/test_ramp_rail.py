"""The Ramp rail keeps what an execution rail promises, on the sandbox."""

from collections.abc import AsyncIterator, Iterator

import pytest
from runway_rail_kit import Pauses
from runway_rail_ramp import RampRailFactory
from runway_sandbox.serve import SandboxProcess, start_sandbox
from runway_testkit.execution_rail_contract import ExecutionRailContract

from tests.rails.paper_qbo import no_sleep
from tests.rails.ramp_desk import PayerDesk


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with start_sandbox(clients=1, bills_per_client=400, rails="qbo,ramp", more_arguments=["--no-throttle"]) as running:
        yield running


class TestRampRail(ExecutionRailContract):
    @pytest.fixture
    async def desk(self, sandbox: SandboxProcess) -> AsyncIterator[PayerDesk]:
        factory = RampRailFactory(pauses=Pauses(sleep=no_sleep))
        desk = PayerDesk(sandbox.ready, factory, page_size=50)
        await desk.person("connect")
        yield desk
        await factory.aclose()
