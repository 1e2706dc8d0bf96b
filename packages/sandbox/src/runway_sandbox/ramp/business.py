"""One company at the vendor: what its people do there, what time does, and how the ledger and it tell one another.

It comes to life with the first call to it: from then on payments that were scheduled are made on their day, written
into the ledger, and so seen at the bank some days later. A company whose window nobody opens pays nothing through it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from runway_sandbox.bank import BankFeed, BankLine
from runway_sandbox.books import Book
from runway_sandbox.economy.calendar import next_business_day
from runway_sandbox.ramp.ledger import last_payment_day, open_balance, record_payment
from runway_sandbox.ramp.making import Holdings, Maker, declined_twins
from runway_sandbox.ramp.records import (
    CardPurchase,
    RampBill,
    RampPayment,
    bank_payment,
    made_id,
    outside_payment,
    to_major,
    to_minor,
)
from runway_sandbox.service import LedgerService

Tell = Callable[[str, str], None]  # an event's type, and the id of the object it is about
Hears = Callable[[], bool]  # whether anybody wants events


class OperationError(Exception):
    """What a person wanted to do cannot be done; the text says why."""


class Business:
    """The state of one company, and everything that moves it. `tell` hears of each event."""

    def __init__(
        self,
        book: Book,
        feed: BankFeed,
        *,
        service: LedgerService,
        joined_at: datetime,
        now: datetime,
        tell: Tell,
        hears: Hears,
    ) -> None:
        self._book = book
        self._feed = feed
        self._service = service
        self._joined_at = joined_at
        self._tell = tell
        self._hears = hears
        self.held: Holdings = Maker(book, joined_at=joined_at, now=now).make()
        self.is_alive = False
        self.sync_keys: set[str] = set()
        self._purchases_seen: dict[str, str] | None = None  # while nobody hears of them

    # Time

    def progress(self, now: datetime) -> None:
        """Let what is due happen: payments start and arrive, and the ledger's news are heard."""
        self.is_alive = True
        for bill in self.held.bills.values():
            if bill.archived_at is None and not bill.was_told_paid:
                self._hear_ledger(bill, now)
                self._pay_when_due(bill, now)
        self._tell_of_purchases(now)

    def _hear_ledger(self, bill: RampBill, now: datetime) -> None:
        """A bill that the ledger has as paid is paid outside, unless its payment has begun here."""
        if bill.ledger_id is None or bill.is_deaf or _is_moving(bill.payment, now):
            return
        row = self._book.find("Bill", bill.ledger_id)
        if row is None or row is bill.seen_row:
            return
        bill.seen_row = row
        wire = row.parse()
        if open_balance(wire) > 0:
            return
        _put_behind(bill, now)
        bill.payment = outside_payment(bill, last_payment_day(self._book, wire) or now.date())
        bill.is_payment_synced = bill.is_synced
        bill.approval = "APPROVED" if bill.approval == "APPROVED" else "TERMINATED"

    def _pay_when_due(self, bill: RampBill, now: datetime) -> None:
        payment = bill.payment
        if payment is None or not payment.has_started(now):
            return
        if not payment.is_recorded and not payment.fails:
            payment.is_recorded = True
            if bill.ledger_id is not None and payment.transaction_id is None:
                part = to_major(payment.amount, payment.currency) if payment.is_part else None
                payment.ledger_id = record_payment(
                    self._service, self._book, bill.ledger_id, on=payment.payment_date, at_most=part
                )
                bill.is_payment_synced = bill.is_synced and not payment.is_part
            self._tell("payments.updated", payment.id)
        if bill.is_paid(now):
            bill.was_told_paid = True
            self._tell("bills.paid", bill.id)

    def _tell_of_purchases(self, now: datetime) -> None:
        if not self._hears():
            self._purchases_seen = None
            return
        if self._purchases_seen is None:
            self._purchases_seen = {one.id: one.state(now) for one in self.purchases(now)}
        for one in self.purchases(now):
            state = one.state(now)
            if self._purchases_seen.get(one.id) == state:
                continue
            self._purchases_seen[one.id] = state
            words = {"PENDING": "transactions.authorized", "CLEARED": "transactions.cleared"}
            self._tell(words.get(state, "transactions.declined"), one.id)

    # Cards

    def purchases(self, now: datetime) -> list[CardPurchase]:
        """Every purchase on the card that has been made by now, by id."""
        card = next((one for one in self._feed.accounts() if one.is_card), None)
        lines = [] if card is None else [one for one in self._feed.lines() if one.ledger_account_id == card.ledger_id]
        found = [
            self._purchase(line, card.currency)
            for line in lines
            if card is not None
            and line.kind in {"Purchase", "BillPayment"}
            and line.pending_at is not None
            and self._joined_at <= line.pending_at
        ]
        made = [one for one in declined_twins(iter([*found, *self.held.purchases])) if one.made_at <= now]
        return sorted(made, key=lambda one: one.id)

    def _purchase(self, line: BankLine, currency: str) -> CardPurchase:
        assert line.pending_at is not None
        is_bill = line.kind == "BillPayment"
        return CardPurchase(
            id=made_id("card", self._book.realm_id, line.document_id) if is_bill else made_id("card", line.key),
            amount=to_minor(-line.amount, currency),
            currency=currency,
            made_at=line.pending_at,
            clears_at=line.posted_at,
            merchant=line.payee or line.text,
            ledger_kind=line.kind,
            ledger_id=line.document_id,
            bill_id=self.held.card_payments.get(line.document_id) if is_bill else None,
        )

    # People

    def find_bill(self, bill_id: str) -> RampBill:
        """Find a bill that is not archived, by its id or that of the ledger's bill.

        Raises:
            OperationError: there is none.
        """
        bills = self.held.bills
        bill = bills.get(bill_id) or next((one for one in bills.values() if one.ledger_id == bill_id), None)
        if bill is None or bill.archived_at is not None:
            raise OperationError(f"no bill {bill_id!r}")
        return bill

    def approve(self, bill: RampBill) -> None:
        """Somebody who may says yes."""
        if bill.approval == "APPROVED":
            return
        bill.approval = "APPROVED"
        self._tell("bills.approved", bill.id)
        self._tell("bills.ready_to_sync", bill.id)

    def reject(self, bill: RampBill) -> None:
        """Somebody who may says no."""
        bill.approval = "REJECTED"
        self._tell("bills.rejected", bill.id)

    def schedule(
        self, bill: RampBill, *, on: date | None, now: datetime, amount: int | None = None, fails: bool = False
    ) -> None:
        """Instruct a payment by bank transfer for a day: the next business day when none is named.

        With `amount` it pays a part; the rest can be scheduled once that part has arrived.

        Raises:
            OperationError: it is not approved, or paid already, or more than is left of it.
        """
        if bill.approval != "APPROVED" or _is_moving(bill.payment, now):
            raise OperationError("only an approved bill whose payment has not begun can be scheduled")
        _put_behind(bill, now)
        if amount is not None and not 0 < amount <= bill.rest:
            raise OperationError(f"{bill.rest} is left to be paid")
        day = on or (now + timedelta(days=1)).date()
        day = date.fromordinal(next_business_day(day.toordinal()))
        bill.payment = bank_payment(bill, day, amount=amount, fails=fails)
        self._tell("payments.updated", bill.payment.id)

    def unschedule(self, bill: RampBill, *, now: datetime) -> None:
        """Take back a payment that has not begun, or failed.

        Raises:
            OperationError: there is none, or it is on its way.
        """
        if bill.payment is None or (bill.payment.has_started(now) and not bill.payment.fails):
            raise OperationError("there is no payment that could be taken back")
        told = bill.payment.id
        bill.payment = None
        self._tell("payments.updated", told)

    def mark_paid(self, bill: RampBill, *, now: datetime, is_deaf: bool = False) -> None:
        """Mark a bill as paid outside, as the vendor's demo panel does; the ledger is not told."""
        _put_behind(bill, now)
        bill.payment = outside_payment(bill, now.date())
        bill.payment.settles_at = now
        bill.is_deaf = bill.is_deaf or is_deaf
        bill.was_told_paid = True
        self._tell("bills.paid", bill.id)

    def archive(self, bill: RampBill, *, now: datetime) -> None:
        """Put a bill away, with a payment that has not begun.

        Raises:
            OperationError: it is paid, or its payment is on its way.
        """
        if bill.payment is not None and bill.payment.has_started(now) and not bill.payment.fails:
            raise OperationError("a bill that is paid or being paid cannot be deleted")
        bill.payment, bill.archived_at = None, now
        self._tell("bills.archived", bill.id)

    def submit(self, draft: RampBill, *, now: datetime) -> RampBill:
        """Turn a draft into a bill that waits for approval."""
        del self.held.drafts[draft.id]
        draft.draft_id, draft.draft_created_at = draft.id, draft.created_at
        draft.id, draft.created_at, draft.approval = made_id("submitted", draft.id), now, "PENDING"
        return self.add(draft)

    def add(self, bill: RampBill) -> RampBill:
        """Take in a bill that came through the API; one that bears a ledger's id is that bill of the ledger."""
        if bill.remote_id is not None and self._book.find("Bill", bill.remote_id) is not None:
            bill.ledger_id, bill.is_synced = bill.remote_id, True
        self.held.bills[bill.id] = bill
        self._tell("bills.created", bill.id)
        return bill

    def edit(self, bill: RampBill, *, due_on: date | None, memo: str | None) -> None:
        """Change what people change; no event goes out for that."""
        bill.due_on = due_on or bill.due_on
        bill.memo = memo or bill.memo


def _is_moving(payment: RampPayment | None, now: datetime) -> bool:
    """Whether a payment has begun that is not the part before another."""
    if payment is None or not payment.has_started(now):
        return False
    return not (payment.is_part and payment.has_settled(now))


def _put_behind(bill: RampBill, now: datetime) -> None:
    """Make room for the next payment after one of a part."""
    if bill.payment is not None and bill.payment.is_part and bill.payment.has_settled(now):
        bill.earlier.append(bill.payment)
        bill.payment = None


def moment(day: date) -> datetime:
    """The first moment of a day in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
