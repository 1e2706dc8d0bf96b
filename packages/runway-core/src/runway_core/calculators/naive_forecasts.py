"""Two forecasts that anyone could make: what the outlook has to beat to be worth reading."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from runway_core.calculators.payables import Payable
from runway_core.calculators.receivables import Receivable
from runway_core.domain.money import AMOUNT_STEP, ZERO
from runway_core.domain.outlook import Burn


def forecast_flat_burn(opening: Decimal, burn: Burn, *, as_of: date, days: Sequence[date]) -> list[Decimal]:
    """Cash at the end of each of `days` if it went on falling as in the last full months; home currency.

    Where burn is not known, cash stays.
    """
    per_day = burn.net_burn_per_day or ZERO
    return [(opening - per_day * ((day - as_of).days + 1)).quantize(AMOUNT_STEP) for day in days]


def forecast_due_dates(
    opening: Decimal,
    payables: Sequence[Payable],
    receivables: Sequence[Receivable],
    *,
    days: Sequence[date],
) -> list[Decimal]:
    """Cash at the end of each of `days` if every open document were settled on its due date, and nothing else moved.

    What is overdue is settled at once. Home currency; amounts without an exchange rate are left out.
    """
    moves = [(payable.due, -(payable.home or ZERO)) for payable in payables]
    moves += [(receivable.due, receivable.home or ZERO) for receivable in receivables]
    return [opening + sum((amount for due, amount in moves if due <= day), ZERO) for day in days]
