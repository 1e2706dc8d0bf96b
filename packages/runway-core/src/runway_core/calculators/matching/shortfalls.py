"""Why a payment is a little short of its document: a discount of its terms, a processor's fee, or cents."""

from decimal import ROUND_HALF_UP, Decimal

from runway_core.calculators.matching.money_match import Shortfall, ShortfallReason
from runway_core.calculators.matching.money_sides import MoneyDocument, MoneyMovement, say_size
from runway_core.domain.money import round_to_minor

CARD_RATE = Decimal("0.029")
CARD_FIXED = Decimal("0.30")
LEAST_FEE_RATE = Decimal("0.01")
MOST_FEE_RATE = Decimal("0.035")
MOST_WRITTEN_OFF = Decimal("1.00")

_NET_OF_RATE = 1 - CARD_RATE
_CENT = Decimal("0.01")


def explain_shortfall(movement: MoneyMovement, document: MoneyDocument) -> Shortfall | None:
    """Why the movement is less than the document, the most exact reason first; `None` if nothing known explains it.

    Fees come off receipts only; a discount must be that of the document's terms and in time.
    """
    gross = abs(document.amount)
    short = gross - abs(movement.amount)
    if short <= 0:
        return None
    said = say_size(short, document.currency)
    discount = document.discount
    if discount is not None and movement.day <= discount.until:
        off = round_to_minor(gross * discount.percent.scaleb(-2), document.currency)
        if short == off:
            words = f"{said} short: {discount.percent.normalize():f} % discount of its terms, until {discount.until}"
            return Shortfall(ShortfallReason.DISCOUNT, short, words)
    is_receipt = document.amount > 0
    if is_receipt and short == card_fee(gross, document.currency):
        return Shortfall(ShortfallReason.FEE, short, f"{said} short: a card fee of 2.9 % and 0.30")
    if short <= MOST_WRITTEN_OFF:
        return Shortfall(ShortfallReason.WRITE_OFF, short, f"{said} short: no more than {MOST_WRITTEN_OFF}")
    if is_receipt and gross * LEAST_FEE_RATE <= short <= gross * MOST_FEE_RATE:
        return Shortfall(
            ShortfallReason.FEE, short, f"{said} short: 1 to 3.5 % of {say_size(gross, document.currency)}"
        )
    return None


def card_fee(gross: Decimal, currency: str) -> Decimal:
    """The usual fee for a card payment, 2.9 % and 0.30, rounded half up."""
    return round_to_minor(gross * CARD_RATE + CARD_FIXED, currency)


def grosses_of(net: Decimal, currency: str) -> tuple[Decimal, ...]:
    """The amounts of which `net` is left after the usual card fee, to the cent; mostly one, none of an outflow."""
    if net <= 0:
        return ()
    near = ((net + CARD_FIXED) / _NET_OF_RATE).quantize(_CENT, rounding=ROUND_HALF_UP)
    return tuple(gross for gross in (near - _CENT, near, near + _CENT) if gross - card_fee(gross, currency) == net)
