"""QuickBooks' rail keeps the promises of a ledger rail, over loopback HTTP against the sandbox."""

from collections.abc import AsyncIterator, Iterator

import pytest
from runway_rail_qbo import QboRailFactory
from runway_sandbox.serve import SandboxProcess, start_sandbox
from runway_testkit.ledger_rail_contract import LedgerRailContract

from tests.rails.sandbox_desk import SandboxDesk


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with start_sandbox(clients=1, bills_per_client=60, more_arguments=["--no-throttle"]) as running:
        yield running


@pytest.fixture
async def factory() -> AsyncIterator[QboRailFactory]:
    factory = QboRailFactory()
    yield factory
    await factory.aclose()


class TestQboRail(LedgerRailContract):
    @pytest.fixture
    def desk(self, sandbox: SandboxProcess, factory: QboRailFactory) -> SandboxDesk:
        return SandboxDesk(
            sandbox.ready, company=0, factory=factory, page_size=50, calls_per_minute=10**6, calls_per_second=10**6
        )


class TestQboRailOnOddBooks(LedgerRailContract):
    """The switches that Intuit's documents leave open, the other way round."""

    @pytest.fixture
    def desk(self, odd_sandbox: SandboxProcess, factory: QboRailFactory) -> SandboxDesk:
        return SandboxDesk(
            odd_sandbox.ready, company=0, factory=factory, page_size=40, calls_per_minute=10**6, calls_per_second=10**6
        )


@pytest.fixture(scope="module")
def odd_sandbox() -> Iterator[SandboxProcess]:
    odd = ["--no-throttle", "--id-order", "text", "--cdc-hides-balance-moves", "--cdc-cap-per-kind"]
    with start_sandbox(clients=1, bills_per_client=60, more_arguments=odd) as running:
        yield running
