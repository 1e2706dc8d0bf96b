import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.names import is_placeholder_name
from runway_core.calculators.numbers import is_one_slip_apart, normal_number, slip_keys

NUMBERS = st.text("0123456789AB", min_size=0, max_size=9)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("Inv-0012", "12"),
        ("12", "12"),
        ("0012", "12"),
        ("INVOICE NO. 77", "77"),
        ("bill 5/2026", "52026"),
        ("Übér-001a", "UBER1A"),
        ("000", "0"),
        ("A0012", "A12"),
        ("INV", None),
        ("", None),
        ("#-", None),
        (None, None),
        ("INV-BA1042", "BA1042"),
    ],
)
def test_numbers_have_one_normal_form(written: str | None, normal: str | None) -> None:
    assert normal_number(written) == normal


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("1042", "1024", True),  # swapped
        ("1042", "1043", True),
        ("1042", "10422", True),
        ("1042", "142", True),
        ("1042", "1042", False),
        ("1042", "2401", False),
        ("1042", "1053", False),
        ("1042", "104222", False),
        ("", "1", True),
    ],
)
def test_one_slip_is_one_sign_or_one_swap(one: str, other: str, apart: bool) -> None:
    assert is_one_slip_apart(one, other) is apart
    assert is_one_slip_apart(other, one) is apart


@given(st.text(max_size=20))
def test_the_normal_form_of_a_normal_form_is_itself(written: str) -> None:
    normal = normal_number(written)

    if normal is not None and not normal.startswith(("INV", "BILL", "NO")):
        assert normal_number(normal) == normal
        assert normal.isascii()


@given(NUMBERS, st.integers(0, 8), st.sampled_from("0123456789AB"), st.sampled_from(("add", "drop", "change", "swap")))
def test_whatever_one_slip_does_is_noticed(number: str, at: int, sign: str, slip: str) -> None:
    at = min(at, len(number))
    slipped = {
        "add": number[:at] + sign + number[at:],
        "drop": number[:at] + number[at + 1 :],
        "change": number[:at] + sign + number[at + 1 :] if at < len(number) else number,
        "swap": number[:at] + number[at : at + 2][::-1] + number[at + 2 :],
    }[slip]

    assert is_one_slip_apart(number, slipped) is (number != slipped)
    assert slip_keys(number) & slip_keys(slipped)


@pytest.mark.parametrize("name", [None, "", "Unknown", "misc.", "N/A", " vendor ", "Unknown Customer", "??", "Misc"])
def test_names_that_say_nothing_are_placeholders(name: str | None) -> None:
    assert is_placeholder_name(name)


@pytest.mark.parametrize("name", ["Acme", "Vendor Solutions", "Misc Metals Inc", "株式会社", "3M", "Nadia"])
def test_names_of_somebody_are_none(name: str) -> None:
    assert not is_placeholder_name(name)
