"""What happens by itself at a card processor as days pass: it pays out by its schedule, and the books get a deposit.

A run pays out all that is available, with its parts listed. The money stands at the bank on the day it arrives; a
business day later somebody enters the deposit, gross and with the fees apart. An account that nobody looks at pays
nothing out, so that books and bank of a seed stay what they were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Literal

from runway_sandbox.bank import BankFeed
from runway_sandbox.books import Book, WireObject
from runway_sandbox.economy.calendar import next_business_day
from runway_sandbox.faults import ServiceFaultError
from runway_sandbox.kinds import find_kind
from runway_sandbox.postings import CENT, NOTHING, as_money, detail_of, lines_of, reference_id
from runway_sandbox.processor import DAY_S, DELAY_DAYS, Processor
from runway_sandbox.processor_things import Charge, Entry, Payout
from runway_sandbox.service import LedgerService

Interval = Literal["daily", "weekly", "manual"]
INTERVALS: dict[str, Interval] = {"daily": "daily", "weekly": "weekly", "manual": "manual"}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_RUNS_AT_S = 3_600  # after midnight in UTC
_BOOKED_AT_S = 15 * 3_600
_WEEKLY_FROM = 8  # so many payouts tell a habit
_USUAL_SHARE = 0.7


@dataclass(frozen=True, slots=True)
class Schedule:
    """When the processor pays out by itself; `anchor` is the weekday of a weekly one, Monday nought."""

    interval: Interval = "daily"
    anchor: int = 0

    def runs_on(self, day: date) -> bool:
        """Whether a day is one of those on which it pays out."""
        return self.interval == "daily" or (self.interval == "weekly" and day.weekday() == self.anchor)

    def describe(self) -> dict[str, object]:
        """Tell it in the vendor's words."""
        anchor = {"weekly_anchor": WEEKDAYS[self.anchor]} if self.interval == "weekly" else {}
        return {"delay_days": DELAY_DAYS, "interval": self.interval, **anchor}


def find_schedule(processor: Processor) -> Schedule:
    """The schedule by which the payouts of the past were made: weekly where most are of one weekday, else daily."""
    days = Counter(_day_of(one.made_at).weekday() for one in processor.of_kind(Payout))
    anchor, count = max(days.items(), key=lambda one: (one[1], -one[0]), default=(0, 0))
    is_weekly = count >= _WEEKLY_FROM and count >= _USUAL_SHARE * days.total()
    return Schedule("weekly", anchor) if is_weekly else Schedule()


class PayoutClerk:
    """Makes what is due at one account, and enters it into the ledger."""

    def __init__(self, processor: Processor, book: Book, feed: BankFeed, *, service: LedgerService, now: int) -> None:
        self._processor = processor
        self._book = book
        self._feed = feed
        self._service = service
        self._ran_until = now
        self._unbooked: list[Payout] = []
        self.schedule = find_schedule(processor)

    def progress(self, now: int) -> None:
        """Let all that is due by a moment happen, in its order; asking again does nothing more."""
        while (run := _next_run(self._ran_until)) <= now:
            self._ran_until = run
            self._run(run)
        while self._unbooked and _booked_at(self._unbooked[0]) <= now:
            payout = self._unbooked.pop(0)
            if payout.failed_at is None or payout.failed_at > _booked_at(payout):
                self._enter(payout)

    def pay_by_hand(self) -> None:
        """Stop paying out by itself, as an account must where people do: no list would say what they took."""
        self.schedule = replace(self.schedule, interval="manual")

    def _run(self, at: int) -> None:
        if not self.schedule.runs_on(_day_of(at)):
            return
        for currency in self._processor.currencies_waiting(at):
            payout = self._processor.pay_out(now=at, currency=currency)
            if payout is not None:
                self._unbooked.append(payout)

    # The ledger

    def _enter(self, payout: Payout) -> None:
        """Write the deposit that a payout is; books without the accounts for it, or in another currency, get none."""
        kind = find_kind("Deposit")
        account = next(
            (one for one in self._feed.accounts() if not one.is_card and one.currency == payout.currency.upper()), None
        )
        if kind is None or account is None or payout.currency.upper() != self._book.home_currency:
            return
        lines = list(self._lines(payout))
        if sum((as_money(line["Amount"]) for line in lines), NOTHING) != _major(payout.amount):
            return  # an account is missing
        deposit: WireObject = {
            "DepositToAccountRef": {"value": account.ledger_id},
            "TxnDate": payout.arrives_on.isoformat(),
            "Line": lines,
        }
        try:
            wire = self._service.write(self._book, kind, deposit, operation="create").wire
        except ServiceFaultError:
            return
        payout.deposit_id = str(wire["Id"])
        # The bank shows the payout already: the deposit is no second line.
        self._book.unreal |= {("Deposit", payout.deposit_id)}

    def _lines(self, payout: Payout) -> Iterator[WireObject]:
        """Receipts that are held, then sales with their tax, then what was kept."""
        parts = [one for one in self._processor.of_kind(Entry) if one.payout is payout and one.kind != "payout"]
        sold = 0
        for part in parts:
            receipt = part.source.receipt_id if part.kind == "charge" and isinstance(part.source, Charge) else ""
            if receipt and self._book.find("Payment", receipt) is not None:
                link = {"TxnId": receipt, "TxnType": "Payment", "TxnLineId": "0"}
                yield {"Amount": _major(part.gross), "LinkedTxn": [link]}
            else:
                sold += part.gross
        usual = self._read_usual()
        tax = (_major(sold) * usual.tax_share).quantize(CENT) if usual.tax is not None else NOTHING
        fees = sum(part.fee for part in parts)
        for amount, account_id, text in (
            (_major(sold) - tax, usual.sales, "Card sales"),
            (tax, usual.tax, "Sales tax"),
            (-_major(fees), usual.fees, "Stripe fees"),
        ):
            if amount and account_id is not None:
                detail = {"AccountRef": {"value": account_id}}
                yield {
                    "Amount": amount,
                    "Description": text,
                    "DetailType": "DepositLineDetail",
                    "DepositLineDetail": detail,
                }

    def _read_usual(self) -> _Usual:
        """How the deposits of card payments were entered before."""
        usual = _Usual()
        for identifier in reversed(list(self._book.card_batches)):
            row = self._book.find("Deposit", identifier) if identifier else None
            lines = [] if row is None else [line for line in lines_of(row.parse()) if detail_of(line)]
            sold = [line for line in lines if as_money(line["Amount"]) > 0]
            kept = [line for line in lines if as_money(line["Amount"]) < 0]
            if kept:
                usual = replace(usual, fees=usual.fees or reference_id(detail_of(kept[0]), "AccountRef"))
            if sold and kept and usual.sales is None:
                whole = sum((as_money(line["Amount"]) for line in sold), NOTHING)
                usual = replace(usual, sales=reference_id(detail_of(sold[0]), "AccountRef"))
                if len(sold) > 1:
                    share = as_money(sold[1]["Amount"]) / whole
                    usual = replace(usual, tax=reference_id(detail_of(sold[1]), "AccountRef"), tax_share=share)
        accounts = self._book.shelf("Account").rows.values()
        income = next((row.id for row in accounts if row.parse().get("AccountType") == "Income"), None)
        return replace(usual, sales=usual.sales or income)


@dataclass(frozen=True, slots=True)
class _Usual:
    """The accounts of a deposit's lines, and how much of a sale is tax."""

    sales: str | None = None
    tax: str | None = None
    fees: str | None = None
    tax_share: Decimal = NOTHING


def _next_run(after: int) -> int:
    """The first moment after another at which a run may be."""
    run = after // DAY_S * DAY_S + _RUNS_AT_S
    return run if run > after else run + DAY_S


def _booked_at(payout: Payout) -> int:
    day = next_business_day((payout.arrives_on + timedelta(days=1)).toordinal())
    return int(datetime.combine(date.fromordinal(day), datetime.min.time(), tzinfo=UTC).timestamp()) + _BOOKED_AT_S


def _day_of(moment: int) -> date:
    return datetime.fromtimestamp(moment, UTC).date()


def _major(amount: int) -> Decimal:
    return Decimal(amount).scaleb(-2)
