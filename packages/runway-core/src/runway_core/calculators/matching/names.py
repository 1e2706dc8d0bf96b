"""Names as they are compared: the first form, the second form, and what a bank's text says once its noise is gone."""

import re
from functools import lru_cache

from runway_core.calculators.matching.bank_text import strip_bank_text
from runway_core.calculators.matching.legal_forms import count_form_words, join_initials, plain_words

__all__ = ["GENERIC_WORDS", "is_generic_name", "normal_bank_text", "normal_name", "second_form", "strip_bank_text"]

_REMEMBERED = 32_768  # names and bank texts of some companies

_STATE_TAIL = re.compile(r"\s*[/\\]\s*[A-Za-z]{2,3}\s*[/\\]?\s*$")
_EMPTY_TAILS = frozenset({"holding", "holdings", "group", "international", "technologies"})

GENERIC_WORDS = frozenset(
    {
        "account", "accounting", "agency", "associates", "bank", "bill", "business", "card", "cash", "center", "check",
        "cheque", "client", "consultant", "consultants", "consulting", "contractor", "corporate", "credit", "customer",
        "customers", "debit", "deposit", "draft", "enterprise", "enterprises", "expense", "expenses", "fee", "fees",
        "general", "global", "group", "holding", "holdings", "income", "industries", "international", "internet",
        "invoice", "management", "market", "miscellaneous", "national", "office", "online", "other", "partners",
        "payable", "payee", "payment", "payments", "payroll", "products", "purchase", "rent", "restaurant", "retail",
        "sale", "sales", "service", "services", "shop", "software", "solutions", "store", "supplier", "supplies",
        "supply", "systems", "tax", "technologies", "technology", "the", "trading", "transaction", "transfer",
        "unknown", "utilities", "utility", "vendor", "vendors", "various", "wire", "withdrawal", "and", "of",
        "for", "to",
    }
)  # fmt: skip
"""Words that many parties share: a name of nothing else proves no one."""


@lru_cache(maxsize=_REMEMBERED)
def normal_name(text: str) -> str:
    """The first form: two parties whose first forms are equal are taken for one.

    Lower case, without accents, "&" as "and", without apostrophes, dots and other signs, without "the" at either end,
    and without state tails ("/DE/"), legal forms and "and" at the end. "The A.B. Söhne & Co., Inc." → "ab sohne".
    A name of nothing else keeps its last word; no name gives "".
    """
    words = plain_words(_STATE_TAIL.sub("", text))
    while len(words) > 1 and words[0] == "the":
        del words[0]
    # "A/S" is a form while its letters stand apart, "L. L. C." once they are joined.
    return " ".join(_drop_tails(join_initials(_drop_tails(words, frozenset())), frozenset()))


@lru_cache(maxsize=_REMEMBERED)
def second_form(text: str) -> str:
    """The first form without holding(s), group, international and technologies at the end: suggests, never proves."""
    return " ".join(_drop_tails(normal_name(text).split(), _EMPTY_TAILS))


def normal_bank_text(text: str) -> str:
    """The first form of what a bank's text says of a party: the key under which a person's answer is kept as alias."""
    return normal_name(strip_bank_text(text))


@lru_cache(maxsize=_REMEMBERED)
def is_generic_name(form: str) -> bool:
    """Whether a form is empty, a bare number, or made of words that many share: it never makes a match."""
    words = form.split()
    return all(word in GENERIC_WORDS for word in words) or all(word.isdigit() for word in words)


def _drop_tails(words: list[str], empty: frozenset[str]) -> list[str]:
    while len(words) > 1:
        if words[-1] in {"the", "and"} or words[-1] in empty:
            del words[-1]
        elif 0 < (count := count_form_words(words)) < len(words):
            del words[-count:]
        else:
            break
    return words
