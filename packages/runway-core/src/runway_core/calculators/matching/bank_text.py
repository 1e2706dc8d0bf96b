"""What a bank's text says of a party, once rail words, marks of processors, dates, numbers and places are gone."""

import re
from functools import lru_cache

from runway_core.calculators.matching.places import CITIES, COUNTRIES, LONGEST_CITY, STATES

_REMEMBERED = 32_768

_PARTS = re.compile(
    r"ORIG CO NAME:\s*(?P<name>.+?)(?=\s+(?:ORIG ID|CO ID|DESC DATE|CO ENTRY|SEC|TRACE|EED|IND ID|IND NAME|TRN)\b|$)"
)
"""ACH texts that name their parts: only the originator's name is of use."""

_CUT = re.compile(r"\s(?:DES|INDN|ID|CO ID|TRACE ?#|REF ?#|TRN|IND NAME|CO ENTRY DESCR)\s*:.*$")
_MARKS = re.compile(
    r"\b(?:AMZN MKTP|AMAZON MKTPLACE)\b.*$|\b(?:SQ|TST|PAYPAL|PYPL|PP|SP|STRIPE|FS|PY|GUM|WPY|BT)\s?\*\s*"
)
_PHRASES = re.compile(
    r"\b(?:PURCHASE AUTHORIZED ON|(?:POS|VISA|MASTERCARD|DEBIT CARD|CHECK CARD|CHECKCARD|CARD) (?:PURCHASE|DEBIT)"
    r"|RECURRING (?:PAYMENT|DEBIT|PURCHASE)(?: AUTHORIZED ON)?"
    r"|(?:ONLINE|ELECTRONIC|EXTERNAL|MOBILE|PREAUTHORIZED|DIRECT)"
    r" (?:PAYMENT|PMT|TRANSFER|WITHDRAWAL|DEPOSIT|DEBIT|CREDIT)(?: TO| FROM)?|BILL ?PAY(?:MENT)? TO"
    r"|ZELLE(?: PAYMENT)?(?: TO| FROM)|WIRE (?:TYPE:\s?WIRE )?(?:OUT|IN|TRANSFER)(?: TO| FROM)?"
    r"|ACH (?:DEBIT|CREDIT|PMT)"
    r"|(?:ACCT|CARD|ENDING IN|CHECK)\s?#?\s?[X*]*\d{3,})(?=\W|$)"
)
_NOISE = (
    re.compile(r"(?<!\d)(?:\+?1[-. ]?)?(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-.]?\d{4}(?!\d)"),  # telephone
    re.compile(r"\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}[/-]\d{1,2}(?:[/-]\d{2,4})?\b"),  # day
    re.compile(r"\b\d{1,2} ?(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)(?: ?\d{2,4})?\b"),
    re.compile(r"[X*]{2,}\d{3,4}\b|(?<!\w)\*\d{3,4}\b"),  # card tail
    re.compile(r"\S*\d{4}\S*"),  # a reference: four digits in a row and what hangs on them
    re.compile(r"#\s?\d+"),  # number of a shop
)
_AT_START = "POS ACH CCD PPD CTX DEBIT CHECKCARD PURCHASE EFT DDA ORIG"
_AT_END = """
POS ACH CCD PPD CTX WEB TEL DEBIT CHECKCARD PURCHASE EFT PMT PMTS PYMT PYMNT PAYMENT AUTOPAY BILLPAY EPAY RECURRING INV
INVOICE REF TRN
"""
_LEADING = frozenset(_AT_START.split())
_TRAILING = frozenset(_AT_END.split())
_GAP = "\N{SYMBOL FOR NULL}"
"""Stands where noise was, so that a state behind a telephone number is known for one."""


@lru_cache(maxsize=_REMEMBERED)
def strip_bank_text(text: str) -> str:
    """The part of a bank's text that may name a party, in capitals; "" if none is left.

    "SQ *NIMBUS CLOUD 206-555-0100 SEATTLE WA" → "NIMBUS CLOUD". What is not surely noise stays.
    """
    rest = " ".join(text.upper().split())
    if parts := _PARTS.search(rest):
        rest = parts["name"]
    rest = _CUT.sub("", rest)
    rest = _PHRASES.sub(" ", rest)
    rest = _MARKS.sub(" ", rest)
    for noise in _NOISE:
        rest = noise.sub(f" {_GAP} ", rest)
    words = _strip_place(rest.replace(",", " ").split())
    return " ".join(_strip_rail_words([word for word in words if word != _GAP]))


def _strip_place(words: list[str]) -> list[str]:
    """Take a state at the end away, with the city before it; a state alone only where noise stood before it."""
    kept = list(words)
    while kept and (kept[-1] == _GAP or kept[-1] in COUNTRIES):
        del kept[-1]
    if len(kept) < 2 or kept[-1] not in STATES:
        return words
    del kept[-1]
    if kept[-1] == _GAP:
        return kept
    for length in range(min(LONGEST_CITY, len(kept) - 1), 0, -1):
        is_part_of_name = kept[-length - 1] in {"OF", "THE"}
        if tuple(kept[-length:]) in CITIES and not is_part_of_name:
            return kept[:-length]
    return words


def _strip_rail_words(words: list[str]) -> list[str]:
    start, end = 0, len(words)
    while start < end and (words[start].strip("-:*") in _LEADING or not words[start].strip("-:*/#")):
        start += 1
    while end > start and (words[end - 1].strip("-:*") in _TRAILING or not words[end - 1].strip("-:*/#")):
        end -= 1
    return words[start:end]
