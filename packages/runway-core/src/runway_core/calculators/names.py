"""Party names that stand for nobody. Telling alike names from same ones belongs to matching."""

import re
import unicodedata
from functools import lru_cache

_REMEMBERED = 32_768  # names of some companies: many checks ask about the same ones

_PLACEHOLDERS = frozenset(
    {
        "", "unknown", "unknownvendor", "unknowncustomer", "unknownpayee", "unspecified", "notspecified", "misc",
        "miscellaneous", "miscvendor", "misccustomer", "miscellaneousvendor", "miscellaneouscustomer", "vendor",
        "newvendor", "genericvendor", "supplier", "payee", "customer", "newcustomer", "genericcustomer", "client",
        "na", "none", "null", "noname", "novendor", "nocustomer", "tbd", "tba", "various", "variousvendors", "other",
        "test", "testvendor", "testcustomer", "placeholder", "xxx", "cashcustomer", "cashvendor",
    }
)  # fmt: skip
_NOISE = re.compile(r"[^a-z0-9]+")


@lru_cache(maxsize=_REMEMBERED)
def is_placeholder_name(name: str | None) -> bool:
    """Whether a party's name says nothing: "Unknown", "Misc.", "Vendor", "N/A", or only signs. `None` is no name."""
    if name is None:
        return True
    plain = unicodedata.normalize("NFKD", name).casefold()
    bare = _NOISE.sub("", plain)
    # A name in letters that are not Latin is a name.
    return bare in _PLACEHOLDERS if bare else not any(sign.isalpha() for sign in plain)
