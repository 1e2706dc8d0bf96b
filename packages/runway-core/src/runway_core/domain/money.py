"""Exact money.

Amounts inside records are `Amount`: a `Decimal` of major units carried to exactly four places, the finest step that any
ISO 4217 currency uses, so that equal amounts have equal text, equal hashes and fit a 64-bit integer of ten-thousandths.
Results that leave a calculator are `Money`: an amount with its currency.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, field_serializer

from runway_core.errors import CurrencyMismatch, InvalidRequest

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""An ISO 4217 code, such as `USD`."""

AMOUNT_STEP = Decimal("0.0001")
AMOUNT_LIMIT = Decimal(100_000_000_000_000)
_LOWEST = -AMOUNT_LIMIT
ZERO = Decimal("0.0000")

_ZERO_DECIMAL = frozenset(
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split()  # noqa: SIM905 - reads better
)
_THREE_DECIMAL = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
_MINOR_STEPS = {0: Decimal(1), 2: Decimal("0.01"), 3: Decimal("0.001")}


def to_amount(value: Decimal) -> Decimal:
    """Carry `value` to four places, exactly.

    Raises:
        InvalidRequest: not a finite number, finer than a ten-thousandth, or 100 trillion and more.
    """
    try:
        carried = value.quantize(AMOUNT_STEP)
    except InvalidOperation as error:
        raise InvalidRequest(_say_what_is_wrong(value)) from error
    if carried != value or not _LOWEST < carried < AMOUNT_LIMIT:
        raise InvalidRequest(_say_what_is_wrong(value))
    return carried


def _say_what_is_wrong(value: Decimal) -> str:
    if not value.is_finite():
        return f"amount {value} is not a finite number"
    if not -AMOUNT_LIMIT < value < AMOUNT_LIMIT:
        return f"amount {value} is beyond 100 trillion: correct it in the ledger"
    return f"amount {value} is finer than a ten-thousandth: correct it in the ledger"


def _checked_amount(value: Decimal) -> Decimal:
    try:
        return to_amount(value)
    except InvalidRequest as error:
        raise ValueError(str(error)) from error


Amount = Annotated[Decimal, AfterValidator(_checked_amount)]
"""Major units, exact, four places; the currency stands beside it in the record."""


def minor_digits(currency: str) -> int:
    """How many decimals people write in `currency`: 2 for USD, 0 for JPY, 3 for KWD."""
    if currency in _ZERO_DECIMAL:
        return 0
    return 3 if currency in _THREE_DECIMAL else 2


def round_to_minor(amount: Decimal, currency: str) -> Decimal:
    """Round half up to the currency's own decimals: at the document or the screen, never in between."""
    return amount.quantize(_MINOR_STEPS[minor_digits(currency)], rounding=ROUND_HALF_UP)


def write_money(amount: Decimal, currency: str) -> str:
    """An amount with its currency as people write it: rounded half up, thousands apart, a true minus sign."""
    return f"{round_to_minor(amount, currency):,} {currency}".replace("-", "\N{MINUS SIGN}")


class Money(BaseModel):
    """An exact amount in one currency. Adding two currencies raises `CurrencyMismatch`.

    In JSON: `{"amount": "1598.35", "currency": "USD"}`, rounded half up to the currency's decimals.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount: Decimal  # major units: 12.50 is twelve dollars fifty
    currency: Currency  # ISO 4217

    @field_serializer("amount", when_used="json")
    def _amount_as_text(self, amount: Decimal) -> str:
        return str(round_to_minor(amount, self.currency))

    @classmethod
    def zero(cls, currency: str) -> "Money":
        """Nil in `currency`."""
        return cls(amount=ZERO, currency=currency)

    @classmethod
    def total(cls, parts: Iterable["Money"], currency: str) -> "Money":
        """Sum `parts`, all of which must be in `currency`; nothing sums to nil."""
        result = cls.zero(currency)
        for part in parts:
            result = result + part
        return result

    def rounded(self) -> "Money":
        """Round half up to the currency's decimals."""
        return Money(amount=round_to_minor(self.amount, self.currency), currency=self.currency)

    def _same(self, other: "Money", verb: str) -> None:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"cannot {verb} {other.currency} and {self.currency}: convert one first")

    def __add__(self, other: "Money") -> "Money":
        self._same(other, "add")
        return Money(amount=self.amount + other.amount, currency=self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other, "subtract")
        return Money(amount=self.amount - other.amount, currency=self.currency)

    def __neg__(self) -> "Money":
        return Money(amount=-self.amount, currency=self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same(other, "compare")
        return self.amount < other.amount

    def __le__(self, other: "Money") -> bool:
        self._same(other, "compare")
        return self.amount <= other.amount

    def __str__(self) -> str:
        return write_money(self.amount, self.currency)
