"""What every store promises of calls and health."""

from runway_testkit.breakers_contract import BreakersContract
from runway_testkit.call_ledger_contract import CallLedgerContract
from runway_testkit.health_contract import HealthStoreContract


class LimitsContract(CallLedgerContract, BreakersContract, HealthStoreContract):
    """Promises of what workers share about calls, and of what is known about the service itself."""
