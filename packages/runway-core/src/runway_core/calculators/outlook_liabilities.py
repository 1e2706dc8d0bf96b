"""Where cards and taxes that are paid off monthly stand in the outlook, and the bills that go by card."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from heapq import nlargest
from operator import itemgetter

from runway_core.calculators.calendar import add_days
from runway_core.calculators.exchange import HomeRates
from runway_core.calculators.monthly_liabilities import MonthlyLiability, Settlement
from runway_core.calculators.outlook_known import build_event
from runway_core.calculators.payables import Payable, find_decided_bill_ids
from runway_core.domain.books import Books
from runway_core.domain.ledger import AccountKind
from runway_core.domain.money import ZERO
from runway_core.domain.outlook import OutlookEvent, OutlookKind

LAST_PAYMENTS = 3
"""A vendor is paid by card when so many of the last payments were, or all there are."""

Charged = Mapping[tuple[str, date], Decimal]
"""What open bills will put on a card, by its account and the day that card is paid; home currency."""


def charge_cards(
    books: Books, payables: Sequence[Payable], liabilities: Iterable[MonthlyLiability], *, last: date
) -> tuple[list[Payable], Charged]:
    """Move the bills of vendors who are paid by card to the days their cards are paid, and sum them up.

    A bill that goes on the card after the last close before `last` leaves cash after it.
    """
    cards = {one.account.external_id: one for one in liabilities if one.account.account_kind is AccountKind.CREDIT_CARD}
    by_vendor = _find_card_vendors(books, {p.bill.vendor_id for p in payables}, cards) if cards else {}
    decided = find_decided_bill_ids(books)
    moved: list[Payable] = []
    charged: dict[tuple[str, date], Decimal] = {}
    for payable in payables:
        card = by_vendor.get(payable.bill.vendor_id or "")
        if card is None or payable.bill.external_id in decided:
            moved.append(payable)
            continue
        on = next((s.on for s in card.settlements if payable.pay_date <= s.closes_on), add_days(last, 1))
        leaves = ((on, payable.home),) if payable.home is not None else ()
        reason = f"{payable.due_reason}, by {card.account.name}"
        moved.append(replace(payable, pay_date=on, leaves=leaves, due_reason=reason))
        if payable.home:
            key = card.account.external_id, on
            charged[key] = charged.get(key, ZERO) + payable.home
    return moved, charged


def place_liabilities(
    books: Books, liabilities: Iterable[MonthlyLiability], charged: Charged
) -> Iterator[OutlookEvent]:
    """What cards and taxes will take, less the bills that stand for a part of it themselves."""
    rates = HomeRates.of(books)
    for liability in liabilities:
        for settlement in liability.settlements:
            account = settlement.account
            home = rates.convert(settlement.amount, account.currency) or ZERO
            if not settlement.is_closed:
                home = max(home - charged.get((account.external_id, settlement.on), ZERO), ZERO)
            if home:
                yield build_event(
                    settlement.on,
                    -home,
                    OutlookKind.SERIES,
                    label=account.name,
                    reason=_say(settlement),
                    series_id=f"liability:{account.external_id}",
                )


def _say(settlement: Settlement) -> str:
    if settlement.is_closed:
        return f"paid off monthly: what was owed on {settlement.closes_on}"
    return f"paid off monthly: owed by {settlement.closes_on}, days to come as usual"


def _find_card_vendors(
    books: Books, vendor_ids: set[str | None], cards: Mapping[str, MonthlyLiability]
) -> dict[str, MonthlyLiability]:
    payments: dict[str, list[tuple[int, str, str | None]]] = {}
    columns = books.bill_payment_columns
    for place, (vendor_id, is_void) in enumerate(zip(columns.vendor_id, columns.is_void, strict=True)):
        if vendor_id in vendor_ids and vendor_id is not None and not is_void and columns.total[place]:
            payment = columns.document_day[place], columns.external_id[place], columns.account_id[place]
            payments.setdefault(vendor_id, []).append(payment)
    found: dict[str, MonthlyLiability] = {}
    for vendor_id, held in payments.items():
        latest = nlargest(LAST_PAYMENTS, held, key=itemgetter(0, 1))
        used = {account_id for _, _, account_id in latest}
        card = cards.get(used.pop() or "")
        if not used and card is not None:
            found[vendor_id] = card
    return found
