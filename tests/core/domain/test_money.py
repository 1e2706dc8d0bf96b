from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from runway_core.domain.money import (
    AMOUNT_LIMIT,
    AMOUNT_STEP,
    Amount,
    Money,
    minor_digits,
    round_to_minor,
    to_amount,
)
from runway_core.errors import CurrencyMismatch, InvalidRequest
from runway_testkit.strategies import amounts, currencies

AMOUNT = TypeAdapter(Amount)
MONEYS = st.builds(Money, amount=amounts, currency=st.just("USD"))


@given(MONEYS, MONEYS, MONEYS)
def test_adding_money_is_exact_in_any_order(a: Money, b: Money, c: Money) -> None:
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert a - b == a + -b
    assert a + Money.zero("USD") == a
    assert Money.total([a, b, c], "USD") == c + b + a


@given(MONEYS, MONEYS)
def test_money_is_ordered_as_its_amounts(a: Money, b: Money) -> None:
    assert (a < b) is (a.amount < b.amount)
    assert (a <= b) is not (b < a)


@given(amounts, currencies, currencies)
def test_two_currencies_never_meet(amount: Decimal, one: str, other: str) -> None:
    a, b = Money(amount=amount, currency=one), Money(amount=amount, currency=other)
    if one == other:
        assert (a - b).amount == 0
        return
    for meet in (lambda: a + b, lambda: a - b, lambda: a < b, lambda: a <= b, lambda: Money.total([a, b], one)):
        with pytest.raises(CurrencyMismatch):
            meet()


@given(amounts)
def test_an_amount_has_four_places_and_one_text(amount: Decimal) -> None:
    carried = to_amount(amount.normalize())

    assert carried == amount
    assert str(carried) == str(amount)
    assert carried.as_tuple().exponent == -4
    assert int(carried.scaleb(4)) == carried / AMOUNT_STEP
    assert AMOUNT.validate_python(amount) == amount


@pytest.mark.parametrize(
    "value",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "0.00001",
        str(AMOUNT_LIMIT),
        str(-AMOUNT_LIMIT),
        "1E+30",
        "123456789012345678901",
    ],
)
def test_what_is_no_amount_is_refused_in_words(value: str) -> None:
    with pytest.raises(InvalidRequest, match="amount"):
        to_amount(Decimal(value))
    with pytest.raises(ValidationError):
        AMOUNT.validate_python(Decimal(value))


@pytest.mark.parametrize("value", [1.5, "12", True, None])
def test_an_amount_inside_the_domain_is_a_decimal_and_never_a_float(value: object) -> None:
    with pytest.raises(ValidationError):
        AMOUNT.validate_python(value, strict=True)


@given(amounts, currencies)
def test_rounding_goes_half_up_and_by_at_most_half_a_step(amount: Decimal, currency: str) -> None:
    rounded = round_to_minor(amount, currency)
    step = Decimal(1).scaleb(-minor_digits(currency))

    assert rounded % step == 0
    assert abs(rounded - amount) * 2 <= step
    assert round_to_minor(rounded, currency) == rounded


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [("0.005", "USD", "0.01"), ("-0.005", "USD", "-0.01"), ("0.5", "JPY", "1"), ("0.0005", "KWD", "0.001")],
)
def test_halves_go_away_from_nil(amount: str, currency: str, rounded: str) -> None:
    assert str(round_to_minor(Decimal(amount), currency)) == rounded


@given(amounts, currencies)
def test_money_in_json_is_text_with_the_currencys_decimals(amount: Decimal, currency: str) -> None:
    money = Money(amount=amount, currency=currency)
    written = money.model_dump(mode="json")

    assert Decimal(written["amount"]) == money.rounded().amount
    assert written["currency"] == currency
    assert Money.model_validate_json(money.model_dump_json()) == money.rounded()


@pytest.mark.parametrize("currency", ["usd", "US", "USDX", "", "12A", "US "])
def test_a_currency_is_three_capital_letters(currency: str) -> None:
    with pytest.raises(ValidationError):
        Money(amount=Decimal(1), currency=currency)


def test_money_reads_well() -> None:
    assert str(Money(amount=Decimal("-1234.5"), currency="USD")) == "−1,234.50 USD"
