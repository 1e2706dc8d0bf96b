"""The card processor behind a company's books: who paid by card, what was kept, and what was paid out.

What happened before the books are first looked at follows from the same deposits and receipts as ledger and bank, so
that every process tells the same. What is done to it later is kept here. Amounts are whole minor units of their
currency, moments seconds since 1970.
"""

from __future__ import annotations

import random
from bisect import insort
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from runway_sandbox.bank import payout_posts_on, payout_trace
from runway_sandbox.books import Book, LatePayout, WireObject
from runway_sandbox.economy.calendar import next_business_day
from runway_sandbox.economy.cards import DISPUTE_FEE
from runway_sandbox.economy.model import CardBatch, CardEntry
from runway_sandbox.opaque import opaque_id
from runway_sandbox.processor_things import (
    CardInvoice,
    Charge,
    Customer,
    Dispute,
    Entry,
    Happening,
    InvoicePayment,
    Payout,
    Refund,
    Thing,
)

ZERO_DECIMAL = frozenset(
    {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"}
)
THREE_DECIMAL = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
DAY_S = 86_400
DELAY_DAYS = 2  # so long a charge is pending
_EPOCH_DAY = date(1970, 1, 1).toordinal()


class Processor:
    """One company's account. Things that lie in the future are there, and not to be shown yet."""

    def __init__(self, book: Book) -> None:
        self.realm_id = book.realm_id
        self.currency = book.home_currency.lower()
        self.things: dict[str, Thing] = {}
        self.shelves: dict[type, list[Any]] = {}  # by kind, oldest first
        self.happenings: list[Happening] = []  # oldest first
        self._book = book
        self._made = 0
        self._charges: dict[str, Charge] = {}
        self._disputes: dict[str, Dispute] = {}
        self._invoices: dict[str, CardInvoice] = {}
        self._customers: dict[str, Customer] = {}
        self._read_batches()

    def of_kind(self, kind: type) -> list[Any]:
        """All things of a kind, oldest first."""
        return self.shelves.get(kind, [])

    # What the books say

    def _read_batches(self) -> None:
        paid_in = []
        for deposit_id, batch in self._book.card_batches.items():
            row = self._book.find("Deposit", deposit_id) if deposit_id else None
            if row is not None:
                wire = row.parse()
                paid_in.append((date.fromisoformat(str(wire["TxnDate"])), deposit_id, wire, batch))
        for day, deposit_id, wire, batch in sorted(paid_in, key=lambda one: (one[0], len(one[1]), one[1])):
            payout = self._new_payout(deposit_id, wire, day, planted=batch.planted)
            self._read_entries(batch, payout)
            self._put_payout(payout)
        if "" in self._book.card_batches:
            self._read_entries(self._book.card_batches[""], None)

    def _new_payout(self, deposit_id: str, wire: WireObject, day: date, *, planted: str) -> Payout:
        account_id = str((wire.get("DepositToAccountRef") or {}).get("value"))
        return Payout(
            id=self._name("po_", deposit_id),
            made_at=_moment(day.toordinal() - 2) + 3_600,
            amount=_cents(wire["TotalAmt"]),
            currency=self.currency,
            arrives_on=payout_posts_on(deposit_id, account_id, day),
            deposit_id=deposit_id,
            trace=payout_trace(self.realm_id, deposit_id),
            planted=planted,
        )

    def _read_entries(self, batch: CardBatch, payout: Payout | None) -> None:
        for entry in sorted(batch.entries, key=lambda one: one.kind):  # charges first
            if entry.kind == "charge":
                self._read_charge(entry, payout)
            elif entry.kind == "refund" and entry.key in self._charges:
                charge = self._charges[entry.key]
                reason = "duplicate" if entry.key.endswith("-again") else "requested_by_customer"
                self._put_refund(charge, -entry.gross, at=_moment(entry.day) + 78_000, reason=reason, payout=payout)
            elif entry.kind == "dispute" and entry.key in self._charges:
                charge = self._charges[entry.key]
                at = _moment(entry.day) + 80_000
                self._disputes[entry.key] = self._put_dispute(charge, -entry.gross, at=at, payout=payout)
            elif entry.kind == "won" and entry.key in self._disputes:
                self._put_end(self._disputes[entry.key], at=_moment(entry.day) + 82_000, is_won=True, payout=payout)

    def _read_charge(self, entry: CardEntry, payout: Payout | None) -> None:
        draw = random.Random(f"charge:{self.realm_id}:{entry.key}")
        at = _moment(entry.day) + 9 * 3600 + draw.randrange(12 * 3600)
        customer, text, metadata, applied = None, "Card terminal", {}, []
        row = self._book.find("Payment", entry.payment_id) if entry.payment_id else None
        if row is not None:
            wire = row.parse()
            customer = self._customer_of(wire)
            applied = list(self._read_invoices(wire, customer))
            numbers = [invoice.number for invoice, _ in applied]
            if numbers:
                text = f"Invoice {', '.join(numbers)}"
                metadata = {"invoice_number": numbers[0]} if len(numbers) == 1 else {}
        charge = self._put_charge(
            self._name("ch_", entry.key), entry.gross, at=at, customer=customer, description=text, metadata=metadata
        )
        charge.receipt_id = entry.payment_id
        self._charges[entry.key] = charge
        limit = payout.made_at - 600 if payout is not None else at + DELAY_DAYS * DAY_S
        charge.entry = self._put_entry(
            "charge",
            entry.gross,
            fee=entry.fee,
            source=charge,
            at=at,
            available_at=min(at + DELAY_DAYS * DAY_S, limit),
            payout=payout,
        )
        for invoice, amount in applied:
            self._put_invoice_payment(invoice, charge, amount)

    def _customer_of(self, payment: WireObject) -> Customer | None:
        reference = payment.get("CustomerRef") or {}
        identifier = str(reference.get("value", ""))
        row = self._book.find("Customer", identifier)
        if row is None:
            return None
        if identifier not in self._customers:
            wire = row.parse()
            mail = (wire.get("PrimaryEmailAddr") or {}).get("Address")
            customer = Customer(self._name("cus_", identifier), row.created, row.name, mail)
            self._customers[identifier] = self._put(customer)
            self._tell(customer.made_at, "customer.created", customer)
        return self._customers[identifier]

    def _read_invoices(self, payment: WireObject, customer: Customer | None) -> Any:
        for line in payment.get("Line") or ():
            for link in line.get("LinkedTxn") or ():
                row = self._book.find("Invoice", str(link.get("TxnId"))) if link.get("TxnType") == "Invoice" else None
                if row is not None and customer is not None:
                    yield self._invoice_of(row.id, row.parse(), customer), _cents(line["Amount"])

    def _invoice_of(self, identifier: str, wire: WireObject, customer: Customer) -> CardInvoice:
        if identifier not in self._invoices:
            day = date.fromisoformat(str(wire["TxnDate"]))
            due = date.fromisoformat(str(wire["DueDate"])) if wire.get("DueDate") else None
            invoice = CardInvoice(
                id=self._name("in_", identifier),
                made_at=_moment(day.toordinal()) + 8 * 3600,
                number=str(wire.get("DocNumber") or identifier),
                customer=customer,
                total=_cents(wire["TotalAmt"]),
                currency=self.currency,
                due_at=None if due is None else _moment(due.toordinal()) + DAY_S - 1,
                text="Services",
            )
            self._invoices[identifier] = self._put(invoice)
            self._tell(invoice.made_at, "invoice.finalized", invoice)
        return self._invoices[identifier]

    # What is done later, as by the company or its customers

    def charge(
        self,
        amount: int,
        currency: str,
        *,
        now: int,
        customer: Customer | None = None,
        description: str | None = None,
        metadata: dict[str, str] | None = None,
        failure: str | None = None,
        rate: Decimal | None = None,
    ) -> Charge:
        """Take money from a card; a declined one stays as a failed charge.

        With `rate`, home units for one unit of `currency`, it is settled in the account's own currency.
        """
        charge = self._put_charge(
            self._new_name("ch_"),
            amount,
            at=now,
            customer=customer,
            description=description,
            metadata=metadata or {},
            currency=currency,
            failure=failure,
        )
        if failure is None:
            settled_in = currency if rate is None else self.currency
            major = Decimal(amount).scaleb(-digits_of(currency)) * (rate or 1)
            gross = int(major.scaleb(digits_of(settled_in)).to_integral_value())
            charge.entry = self._put_entry(
                "charge",
                gross,
                fee=fee_of(gross, settled_in),
                source=charge,
                at=now,
                available_at=now + DELAY_DAYS * DAY_S,
                currency=settled_in,
            )
            charge.entry.exchange_rate = rate
        return charge

    def refund(self, charge: Charge, amount: int, *, now: int, reason: str | None = None) -> Refund:
        """Give money back; the fee is not returned."""
        return self._put_refund(charge, amount, at=now, reason=reason)

    def dispute(self, charge: Charge, *, now: int, is_inquiry: bool = False) -> Dispute:
        """Contest a charge."""
        return self._put_dispute(charge, charge.amount, at=now, is_inquiry=is_inquiry)

    def close_dispute(self, dispute: Dispute, *, now: int, is_won: bool) -> None:
        """End a dispute; a won one brings the money back, not the fee."""
        self._put_end(dispute, at=now, is_won=is_won)

    def pay_out(self, *, now: int, currency: str, amount: int | None = None) -> Payout | None:
        """Send money to the bank: `amount` by hand, else all that is available, with its parts listed.

        Returns:
            The payout; `None` when nothing is there to be paid out.
        """
        waiting = [entry for entry in self._waiting(now) if entry.currency == currency]
        total = sum(entry.net for entry in waiting) if amount is None else amount
        if total <= 0:
            return None
        today = datetime.fromtimestamp(now, UTC).date()
        day = date.fromordinal(next_business_day(today.toordinal() + 2))
        payout = Payout(
            self._new_name("po_"),
            now,
            total,
            currency,
            day,
            is_automatic=amount is None,
            trace=f"ST-{opaque_id(self.realm_id, str(self._made), length=10).upper()}",
        )
        if amount is None:
            for entry in waiting:
                entry.payout = payout
        self._put_payout(payout)
        paid = Decimal(total).scaleb(-digits_of(currency))
        self._book.late_payouts[payout.id] = LatePayout(
            payout.id, paid, currency.upper(), today, day, payout.trace or ""
        )
        return payout

    def currencies_waiting(self, now: int) -> list[str]:
        """The currencies of what is available to be paid out."""
        return sorted({entry.currency for entry in self._waiting(now)})

    def _waiting(self, now: int) -> list[Entry]:
        """What is available and in no payout yet."""
        return [
            entry
            for entry in self.of_kind(Entry)
            if entry.payout is None and entry.available_at <= now and entry.kind not in {"payout", "payout_failure"}
        ]

    def fail_payout(self, payout: Payout, *, now: int) -> None:
        """Let the bank send a payout back, which it may do after it counted as paid."""
        payout.failed_at = now
        if payout.id in self._book.late_payouts:
            self._book.late_payouts[payout.id].failed_on = datetime.fromtimestamp(now, UTC).date()
        payout.failure_entry = self._put_entry(
            "payout_failure", payout.amount, source=payout, at=now, available_at=now, currency=payout.currency
        )
        self.happenings = [
            one for one in self.happenings if not (one.subject is payout and one.name == "payout.paid" and one.at > now)
        ]
        self._tell(now, "payout.failed", payout)
        self._tell(now, "payout.updated", payout, previous={"status": "paid"})

    def new_customer(
        self, *, now: int, name: str | None, email: str | None, metadata: dict[str, str] | None = None
    ) -> Customer:
        """Note somebody who will pay."""
        customer: Customer = self._put(Customer(self._new_name("cus_"), now, name, email, metadata or {}))
        self._tell(now, "customer.created", customer)
        return customer

    def change_customer(self, customer: Customer, *, now: int, values: dict[str, Any]) -> None:
        """Change what is known of a customer."""
        previous = {name: getattr(customer, name) for name in values}
        for name, value in values.items():
            setattr(customer, name, value)
        self._tell(now, "customer.updated", customer, previous=previous)

    def delete_customer(self, customer: Customer, *, now: int) -> None:
        """Forget a customer; the id answers as deleted from now on."""
        customer.is_deleted = True
        self._tell(now, "customer.deleted", customer)

    # Putting things on their shelves

    def _name(self, prefix: str, key: str) -> str:
        return prefix + opaque_id(prefix, self.realm_id, key, length=24)

    def _new_name(self, prefix: str) -> str:
        self._made += 1
        return self._name(prefix, f"made:{self._made}")

    def _put(self, thing: Any) -> Any:
        self.things[thing.id] = thing
        insort(self.shelves.setdefault(type(thing), []), thing, key=lambda one: one.made_at)
        return thing

    def _tell(self, at: int, name: str, subject: Thing, *, previous: dict[str, Any] | None = None) -> None:
        self._made += 1
        insort(self.happenings, Happening(at, self._made, name, subject, previous))

    def _put_charge(
        self,
        identifier: str,
        amount: int,
        *,
        at: int,
        customer: Customer | None,
        description: str | None,
        metadata: dict[str, str],
        currency: str = "",
        failure: str | None = None,
    ) -> Charge:
        charge = Charge(
            identifier,
            at,
            amount,
            currency or self.currency,
            customer,
            description,
            metadata,
            "pi_" + identifier.removeprefix("ch_"),
            failure=failure,
        )
        self._put(charge)
        self._tell(at, "charge.failed" if failure else "charge.succeeded", charge)
        return charge

    def _put_entry(
        self,
        kind: str,
        gross: int,
        *,
        source: Charge | Refund | Dispute | Payout,
        at: int,
        available_at: int,
        fee: int = 0,
        payout: Payout | None = None,
        currency: str = "",
    ) -> Entry:
        name = self._name("txn_", f"{kind}:{source.id}")
        entry = Entry(name, at, kind, gross, fee, currency or self.currency, available_at, source, payout)
        entry.description = source.description if isinstance(source, Charge) else None
        self._put(entry)
        return entry

    def _put_refund(
        self, charge: Charge, amount: int, *, at: int, reason: str | None, payout: Payout | None = None
    ) -> Refund:
        name = self._name("re_", f"{charge.id}:{len(charge.refunds)}")
        refund: Refund = self._put(Refund(name, at, amount, charge, reason))
        before = sum(one.amount for one in charge.refunds)
        charge.refunds.append(refund)
        refund.entry = self._put_entry(
            "refund",
            -amount,
            source=refund,
            at=at,
            available_at=at,
            payout=payout,
            currency=charge.currency,
        )
        self._tell(at, "refund.created", refund)
        self._tell(at, "charge.refunded", charge, previous={"amount_refunded": before, "refunded": False})
        return refund

    def _put_dispute(
        self, charge: Charge, amount: int, *, at: int, payout: Payout | None = None, is_inquiry: bool = False
    ) -> Dispute:
        name = self._name("dp_", f"{charge.id}:{len(charge.disputes)}")
        dispute: Dispute = self._put(Dispute(name, at, amount, charge, is_inquiry))
        charge.disputes.append(dispute)
        self._tell(at, "charge.dispute.created", dispute)
        if not is_inquiry:
            taken = self._put_entry(
                "adjustment",
                -amount,
                fee=DISPUTE_FEE,
                source=dispute,
                at=at,
                available_at=at,
                payout=payout,
                currency=charge.currency,
            )
            taken.description = f"Chargeback withdrawal for {charge.id}"
            dispute.entries.append(taken)
            self._tell(at, "charge.dispute.funds_withdrawn", dispute)
        return dispute

    def _put_end(self, dispute: Dispute, *, at: int, is_won: bool, payout: Payout | None = None) -> None:
        dispute.closed_at, dispute.is_won = at, is_won
        if is_won and not dispute.is_inquiry:
            back = Entry(
                self._name("txn_", f"won:{dispute.id}"),
                at,
                "adjustment",
                dispute.amount,
                0,
                dispute.charge.currency,
                at,
                dispute,
                payout,
                f"Chargeback reversal for {dispute.charge.id}",
            )
            dispute.entries.append(self._put(back))
            self._tell(at, "charge.dispute.funds_reinstated", dispute)
        self._tell(at, "charge.dispute.closed", dispute, previous={"status": "needs_response"})

    def _put_payout(self, payout: Payout) -> None:
        self._put(payout)
        payout.entry = self._put_entry(
            "payout",
            -payout.amount,
            source=payout,
            at=payout.made_at,
            available_at=payout.made_at,
            payout=payout if payout.is_automatic else None,
            currency=payout.currency,
        )
        self._tell(payout.made_at, "payout.created", payout)
        if payout.is_automatic:
            self._tell(payout.reconciled_at, "payout.reconciliation_completed", payout)
        self._tell(payout.arrives_at, "payout.paid", payout)

    def _put_invoice_payment(self, invoice: CardInvoice, charge: Charge, amount: int) -> None:
        name = self._name("inpay_", f"{invoice.id}:{charge.id}")
        payment = self._put(InvoicePayment(name, charge.made_at, amount, invoice, charge))
        invoice.payments.append(payment)
        self._tell(charge.made_at, "invoice_payment.paid", payment)
        if invoice.paid_by(charge.made_at) >= invoice.total:
            self._tell(charge.made_at, "invoice.paid", invoice)


def fee_of(amount: int, currency: str) -> int:
    """What the processor keeps of a charge: 2.9 % and thirty cents, or what comes to it elsewhere."""
    share = (amount * 29 + 500) // 1000
    if currency in ZERO_DECIMAL:
        return share + 40
    return (share + 300) // 10 * 10 if currency in THREE_DECIMAL else share + 30


def digits_of(currency: str) -> int:
    """How many decimals the processor counts in a currency."""
    return 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2


def _moment(day: int) -> int:
    return (day - _EPOCH_DAY) * DAY_S


def _cents(amount: Any) -> int:
    return int(Decimal(str(amount)) * 100)
