"""Two units of money that must never meet: whole minor units, as Ramp answers, and major units, as it is asked.

`MinorAmount` can only be read from an answer, `MajorAmount` alone can be written into a request. Between them there is
one way, `MinorAmount.to_major`, which divides by the currency's own rate. A mix-up would be a hundredfold error.
"""

from decimal import Decimal
from typing import NoReturn

from runway_core.domain.money import minor_digits
from runway_core.errors import RailRefused, RecordRejected


class _Amount:
    """A value of its own kind: equal only to its like, never added to anything, and in no form that JSON knows.

    No dataclass, struct or tuple: an encoder would write any of these without asking.
    """

    __slots__ = ("_held", "currency")

    _held: Decimal | int
    currency: str

    def __init__(self, held: Decimal | int, currency: str) -> None:
        object.__setattr__(self, "_held", held)
        object.__setattr__(self, "currency", currency)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"an amount does not change: {name}")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self) or not isinstance(other, _Amount):
            return NotImplemented
        return (self._held, self.currency) == (other._held, other.currency)

    def __hash__(self) -> int:
        return hash((type(self), self._held, self.currency))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._held!r}, {self.currency!r})"


class MajorAmount(_Amount):
    """So many dollars, euros, yen: what people write, and what a request may hold."""

    __slots__ = ()

    def __init__(self, value: Decimal, currency: str) -> None:
        if not isinstance(value, Decimal):
            raise TypeError(f"major units are decimals, not {type(value).__name__}")
        super().__init__(value, currency)

    @property
    def value(self) -> Decimal:
        """The number of major units."""
        assert isinstance(self._held, Decimal)
        return self._held

    def to_text(self) -> str:
        """As a request carries it: with the decimals of its currency, and no more.

        Raises:
            RailRefused: it is finer than its currency is written.
        """
        written = self.value.quantize(Decimal(1).scaleb(-minor_digits(self.currency)))
        if written != self.value:
            raise RailRefused(f"{self.value} is finer than {self.currency} is written: correct the bill's line")
        return str(written)


class MinorAmount(_Amount):
    """So many cents, or whole yen: what answers carry."""

    __slots__ = ()

    def __init__(self, units: int, currency: str) -> None:
        if isinstance(units, bool) or not isinstance(units, int):
            raise TypeError(f"minor units are whole numbers, not {type(units).__name__}")
        super().__init__(units, currency)

    def to_major(self, *, stated_rate: int | None = None) -> MajorAmount:
        """The same in major units. `stated_rate` is how many minor units Ramp says that one major unit has.

        Raises:
            RecordRejected: Ramp states another rate than the currency has.
        """
        digits = minor_digits(self.currency)
        if stated_rate is not None and stated_rate != 10**digits:
            raise RecordRejected(
                f"the rail counts {stated_rate} minor units of {self.currency}, ISO 4217 {10**digits}: it is not clear"
                f" what {self._held} are"
            )
        return MajorAmount(Decimal(self._held).scaleb(-digits), self.currency)
