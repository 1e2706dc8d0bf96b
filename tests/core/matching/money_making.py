"""Single movements and documents for examples: name what matters, the rest is plain."""

from datetime import date, timedelta
from typing import Any

from runway_core.calculators.matching.money_match import MoneyMatch
from runway_core.calculators.matching.money_sides import MoneyDocument, MoneyMovement
from runway_core.domain.identity import RecordKey, RecordKind
from runway_testkit.books_making import amount, day

ADA = RecordKey(RecordKind.CUSTOMER, "C1")
BO = RecordKey(RecordKind.CUSTOMER, "C2")


def receipt(name: str, total: int | str, on: date | None = None, **more: Any) -> MoneyMovement:
    """Money that came in on 2 March 2026; from nobody known."""
    return MoneyMovement(("bank_transaction", name), on or day(0), amount(total), "USD", **more)


def open_invoice(name: str, total: int | str, **more: Any) -> MoneyDocument:
    """An open invoice to Ada, dated ten days ago, due in twenty."""
    values: dict[str, Any] = {
        "since": day(-15),
        "until": day(20) + timedelta(days=120),
        "party": ADA,
        "party_name": "Ada",
        "number": f"INV-{name}",
    }
    return MoneyDocument(("invoice", name), amount(total), "USD", **(values | more))


def pairs(matches: tuple[MoneyMatch, ...]) -> list[tuple[str, str]]:
    """Ids on either side, as a person would write them: `("N1", "I1+I2")`."""
    return [
        ("+".join(id_ for _, id_ in match.movements), "+".join(id_ for _, id_ in match.documents)) for match in matches
    ]
