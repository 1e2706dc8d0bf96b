"""One payment before the rules: what would leave when, and the cash line with it and without it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from runway_core.calculators.calendar import add_business_days, roll_forward
from runway_core.calculators.payables import Payable
from runway_core.calculators.policy.ground import PolicyGround
from runway_core.calculators.policy.line import CashLine
from runway_core.domain.policy import VendorTier


@dataclass(frozen=True, slots=True)
class PaymentCase:
    """A payment as rules see it. Its cash is gone on `on`, the day it arrives."""

    ground: PolicyGround
    payable: Payable
    on: date
    amount: Decimal  # in the bill's currency
    home: Decimal  # the same in home currency
    line: CashLine  # with this payment, and with those it is judged together with
    line_without: CashLine  # without any of them
    approvers: tuple[str, ...] = ()  # who said yes so far

    @property
    def bill_id(self) -> str:
        """The bill that is paid."""
        return self.payable.bill.external_id

    @property
    def vendor_name(self) -> str:
        """Whom it goes to, for a sentence."""
        return self.payable.bill.vendor_name or "the vendor"

    @property
    def tier(self) -> VendorTier:
        """The bill's tier."""
        return self.ground.tiers[self.bill_id]

    @property
    def rail_days(self) -> int:
        """Business days from release to arrival."""
        return self.ground.rail_days_of(self.payable)

    @property
    def release_on(self) -> date:
        """The day it must be released to arrive on `on`."""
        return add_business_days(self.on, -self.rail_days)

    @property
    def due_on(self) -> date:
        """The business day it is due on."""
        return roll_forward(self.payable.due)

    @property
    def earliest_on(self) -> date:
        """The first day on which it can arrive."""
        return add_business_days(find_first_release(self.ground, self.tier), self.rail_days)

    @property
    def days_late(self) -> int:
        """Days that it arrives after its due date and could still arrive earlier; lateness of the past is left out."""
        return max((self.on - max(self.due_on, self.earliest_on)).days, 0)


def find_first_release(ground: PolicyGround, tier: VendorTier) -> date:
    """The next day on which a bill can be released: a payment day, or for those that cannot wait any business day."""
    return roll_forward(ground.books.as_of) if tier <= VendorTier.CRITICAL else ground.first_payment_day
