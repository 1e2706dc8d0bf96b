"""How Stripe counts money: whole numbers of the smallest unit (docs.stripe.com/currencies, facts of section 3).

ISK and UGX have no decimals of their own, and are sent as if they had two, the last ones 00.
"""

from decimal import Decimal

from runway_core.errors import RecordRejected

_ZERO_DECIMAL = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"}
)
_THREE_DECIMAL = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})


def read_currency(code: str) -> str:
    """The ISO 4217 code of Stripe's lower-case one.

    Raises:
        RecordRejected: it is none.
    """
    currency = code.upper()
    if len(currency) != 3 or not currency.isascii() or not currency.isalpha():
        raise RecordRejected(f"its currency is {code!r}, which is no currency of ISO 4217: it is left out")
    return currency


def to_major(amount: int, currency: str) -> Decimal:
    """Major units of an amount in the smallest unit, exactly."""
    digits = 0 if currency in _ZERO_DECIMAL else 3 if currency in _THREE_DECIMAL else 2
    return Decimal(amount).scaleb(-digits)
