"""An execution rail without a vendor: bills in memory that people approve and pay, and a rail that submits them.

It stands on `MemoryLedger`, which holds execution records as it holds any: put and delete them, make it fail.
"""

from decimal import Decimal

from runway_core.domain.bills import PaymentMethod
from runway_core.domain.changes import Change
from runway_core.domain.execution import ExecutionBill, ExecutionPayment, ExecutionState, RailPaymentState
from runway_core.domain.identity import RecordKind
from runway_core.domain.submissions import BillSubmission
from runway_core.errors import NotSupported, OutcomeUnknown
from runway_core.ports.ledger_rail import LedgerRail, RailAbilities, RailContext, RailRole, RecordFix

from runway_testkit.memory_rail import MemoryLedger, MemoryRail, MemoryRailFactory, MemorySettings

PAYER = "payer"
PAYER_ABILITIES = RailAbilities(
    kinds=frozenset({RecordKind.RAIL_BILL, RecordKind.RAIL_PAYMENT}), has_change_feed=True, reports_deletions=True
)


def make_paid_pair(external_id: str, bill: BillSubmission) -> tuple[ExecutionBill, ExecutionPayment]:
    """A bill at the rail and the payment that settled it."""
    shown = make_shown(external_id, bill, state=ExecutionState.PAID)
    payment = ExecutionPayment(
        external_id=external_id,
        feed=PAYER,
        bill_id=external_id,
        document_date=bill.due_date,
        currency=bill.currency,
        amount=shown.total,
        method=PaymentMethod.TRANSFER,
        state=RailPaymentState.SETTLED,
        settled_on=bill.due_date,
    )
    return shown, payment


def make_shown(
    external_id: str, bill: BillSubmission, *, state: ExecutionState = ExecutionState.AWAITING_APPROVAL
) -> ExecutionBill:
    """A bill as the rail shows it."""
    total = sum((line.amount for line in bill.lines), Decimal(0))
    return ExecutionBill(
        external_id=external_id,
        feed=PAYER,
        number=bill.number,
        ledger_bill_id=bill.ledger_bill_id,
        ledger_vendor_id=bill.ledger_vendor_id,
        document_date=bill.document_date,
        due_date=bill.due_date,
        currency=bill.currency,
        total=total,
        open_balance=Decimal(0) if state is ExecutionState.PAID else total,
        state=state,
    )


class MemoryPayerRail(MemoryRail):
    """The port over a ledger that holds execution records."""

    def __init__(self, ledger: MemoryLedger, *, page_size: int, loses_answers: bool) -> None:
        super().__init__(ledger, page_size=page_size)
        self._payer = ledger
        self._loses_answers = loses_answers

    async def submit_bill(self, bill: BillSubmission) -> Change:
        """Have a bill wait for approval; one that is here is returned as it is."""
        self._payer.answer_one_call()
        held = [one for one in self._payer.records.values() if isinstance(one, ExecutionBill)]
        known = next((one for one in held if one.ledger_bill_id == bill.ledger_bill_id), None)
        if known is None:
            known = make_shown(f"sub-{bill.ledger_bill_id}", bill)
            self._payer.put(known)
            if self._loses_answers:
                raise OutcomeUnknown("no answer came in time", rail=PAYER)
        return await self.read_record(known.key)

    async def apply_fix(self, fix: RecordFix, *, idempotency_key: str) -> Change:  # noqa: ARG002 - the port's words
        """Nothing here is mended."""
        raise NotSupported(f"{fix.key} is mended at the rail")


class MemoryPayerFactory(MemoryRailFactory):
    """Opens payers by the name of their books. When it `loses_answers`, bills are submitted and nobody is told."""

    def __init__(self, *, page_size: int = 2) -> None:
        super().__init__(page_size=page_size)
        self.page_size = page_size
        self.loses_answers = False

    @property
    def name(self) -> str:
        """The rail's short name."""
        return PAYER

    @property
    def title(self) -> str:
        """The vendor's name as people know it."""
        return "Payer in memory"

    @property
    def roles(self) -> frozenset[RailRole]:
        """What pays bills."""
        return frozenset({RailRole.EXECUTION})

    @property
    def abilities(self) -> RailAbilities:
        """What it states that it can do."""
        return PAYER_ABILITIES

    def open(self, context: RailContext) -> LedgerRail:
        """The rail of one connection."""
        books = MemorySettings.model_validate(dict(context.settings)).books
        ledger = self.ledgers.setdefault(books, MemoryLedger())
        return MemoryPayerRail(ledger, page_size=self.page_size, loses_answers=self.loses_answers)
