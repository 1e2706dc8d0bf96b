"""What would be different in the books: one vocabulary for what mends a finding and for what a scenario asks."""

from datetime import date
from enum import StrEnum

from runway_core.domain.identity import Subject
from runway_core.domain.money import Amount
from runway_core.domain.record import Value


class AmendmentAction(StrEnum):
    """One way in which expected cash would differ."""

    REMOVE = "remove"  # the document takes no part: void, paid already, or a double
    SET_DUE = "set_due"  # an open document falls due on `on`
    PAY_ON = "pay_on"  # a bill leaves on `on`; with `amount` only that part of it does
    EXPECT_ON = "expect_on"  # an invoice is paid on `on`
    REDUCE = "reduce"  # the open balance is less by `amount`, not below nil
    ADD = "add"  # cash moves on `on` by `amount`, negative when it leaves
    ADJUST_CASH = "adjust_cash"  # opening cash differs by `amount`


class Amendment(Value):
    """One difference from the books as they are. It changes copies of figures, never books.

    `amount` is in the currency of `record`, else in home currency. An amendment whose record is not open has no effect.
    """

    action: AmendmentAction
    record: Subject | None = None
    on: date | None = None
    amount: Amount | None = None
    label: str = ""
