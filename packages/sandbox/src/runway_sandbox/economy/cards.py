"""What card payments add to the books: takings and receipts that a processor pays out in batches, less its fees.

A batch is one deposit. What is in it was drawn so that its parts make up the deposit to the cent. The takings of a
till keep the totals and days that they had, only their lines say what was sold, taxed and kept; a trade that bills
its customers gets its receipts by card, and every deposit of them is less by the fees.

All dice are private: what other parts of the economy draw stays as it was.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

from runway_sandbox.economy.model import CardBatch, CardEntry, Doc, Line, Plan
from runway_sandbox.economy.sales import card_fee

TAKINGS = "Card terminal, week"
DISPUTE_FEE = 1_500
_BILLED_BY_CARD = frozenset({"software"})
_FEE_TEXT = "Stripe fees"
_NOT_PAID_OUT = ""  # the name of what the processor still holds
_SOUND_SHARE = 0.35
_PLANTED_WITHIN_DAYS = 80


def takes_cards(trade_key: str, till_share: float) -> bool:
    """Say whether a trade is paid by card."""
    return till_share > 0 or trade_key in _BILLED_BY_CARD


def settle_cards(plan: Plan) -> None:
    """Take apart the deposits that a processor made, and book its fees."""
    if not takes_cards(plan.trade.key, plan.trade.till_share):
        return
    rng = random.Random(f"cards:{plan.seed}:{plan.index}")
    if plan.trade.till_share > 0:
        _settle_takings(plan, rng)
    else:
        _settle_receipts(plan, rng)


def finish_batches(plan: Plan) -> dict[str, CardBatch]:
    """Name the batches by the deposit's id once ids are given; under the empty name stands what is not paid out."""
    return {
        name: CardBatch(
            [replace(entry, payment_id=entry.payment.id if entry.payment else "") for entry in batch.entries],
            batch.planted,
        )
        for name, batch in [
            *((doc.id, doc.batch) for doc in plan.docs if doc.batch is not None),
            *([(_NOT_PAID_OUT, plan.held_cards)] if plan.held_cards is not None else []),
        ]
    }


# Takings


class _Till:
    """Makes one week's takings after the other; remembers charges that may be refunded or disputed."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._charges = 0
        self._recent: list[CardEntry] = []
        self._disputed: list[CardEntry] = []

    def draw(self, net: int, day: int, *, charges: int) -> list[CardEntry]:
        """Draw the entries of a batch that pays out `net` cents on `day`; `keep` makes them so."""
        rng = self._rng
        extras = [*self._refunds(day), *self._won(day, at_most=net // 3)]
        extras += self._disputes(day, but={entry.key for entry in extras})
        paid = net - sum(entry.net for entry in extras)
        weights = [0.4 + rng.random() for _ in range(max(1, min(charges, paid // 2_000)))]
        parts = [int(paid * weight / sum(weights)) for weight in weights]
        parts[0] += paid - sum(parts)
        made = []
        for number, part in enumerate(parts, start=self._charges + 1):
            gross = _gross_of(part)
            made.append(CardEntry("charge", f"t{number}", gross, card_fee(gross), day - 3 - rng.randrange(6)))
        return [*made, *extras]

    def keep(self, entries: list[CardEntry], day: int) -> None:
        """Take note of a batch that was drawn."""
        made = [entry for entry in entries if entry.kind == "charge"]
        touched = {entry.key for entry in entries if entry.kind != "charge"}
        self._charges += len(made)
        self._recent = [one for one in (*self._recent, *made) if one.day > day - 40 and one.key not in touched]
        self._disputed = [one for one in self._disputed if one.key not in touched]
        self._disputed += [entry for entry in entries if entry.kind == "dispute"]

    def _refunds(self, day: int) -> list[CardEntry]:
        if not self._recent or self._rng.random() > 0.2:
            return []
        charge = self._rng.choice(self._recent)
        amount = charge.gross if self._rng.random() < 0.6 else charge.gross * self._rng.randint(10, 70) // 100
        return [CardEntry("refund", charge.key, -amount, 0, day - 3)]

    def _disputes(self, day: int, *, but: set[str]) -> list[CardEntry]:
        fit = [charge for charge in self._recent if charge.key not in but]
        if len(fit) < 4 or self._rng.random() > 0.06:
            return []
        charge = self._rng.choice(fit)
        return [CardEntry("dispute", charge.key, -charge.gross, DISPUTE_FEE, day - 3)]

    def _won(self, day: int, *, at_most: int) -> list[CardEntry]:
        ripe = [one for one in self._disputed if day - 60 < one.day < day - 20 and -one.gross <= at_most]
        if not ripe or self._rng.random() < 0.5:
            return []
        return [CardEntry("won", ripe[0].key, -ripe[0].gross, 0, day - 3)]


def _gross_of(net: int) -> int:
    """Return the smallest charge of which `net` cents are left after the fee."""
    gross = max(1, (net + 30) * 1000 // 971)
    while gross - card_fee(gross) < net:
        gross += 1
    while gross > 1 and gross - 1 - card_fee(gross - 1) >= net:
        gross -= 1
    return gross


def _settle_takings(plan: Plan, rng: random.Random) -> None:
    till = _Till(rng)
    fees = plan.accounts["fees"]
    taken = {doc.total for doc in plan.docs if doc.kind in {"Invoice", "Payment"}}
    owed = [doc.balance for doc in plan.docs if doc.kind == "Invoice" and doc.balance]
    taken |= {*owed, *(amount - card_fee(amount) for amount in owed)}
    deposits = [doc for doc in plan.docs if doc.kind == "Deposit" and doc.lines and doc.lines[0].text == TAKINGS]
    for deposit in sorted(deposits, key=lambda doc: doc.day):
        batch = CardBatch(till.draw(deposit.total, deposit.day, charges=3 + int(rng.random() * 5)))
        kept = batch.fees
        if deposit.lines[0].amount + kept in taken:
            continue  # a week's sales would look like an invoice: the terminal of the bank took them
        till.keep(batch.entries, deposit.day)
        deposit.batch = batch
        deposit.lines[0].amount += kept
        deposit.lines.append(Line(-kept, fees, _FEE_TEXT))
    if deposits:
        plan.held_cards = CardBatch(till.draw(deposits[-1].total // 3, plan.as_of + 1, charges=3))


# Receipts


def _settle_receipts(plan: Plan, rng: random.Random) -> None:
    fees = plan.accounts["fees"]
    undeposited = plan.accounts["undeposited"]
    held = [doc for doc in plan.of_kind("Payment") if doc.account is undeposited and not doc.planted]
    for deposit in plan.of_kind("Deposit"):
        if not deposit.applied or deposit.lines:
            continue
        entries = [_receipt(payment, until=deposit.day) for payment, _ in deposit.applied]
        if rng.random() < 0.12:
            entries += _charged_twice(entries[0], day=deposit.day - 3)
        batch = deposit.batch = CardBatch(entries)
        deposit.lines = [Line(-batch.fees, fees, _FEE_TEXT)]
        deposit.total -= batch.fees
    if held:
        waiting = [doc for doc in held if not doc.settled_by]
        plan.held_cards = CardBatch([_receipt(doc, until=plan.as_of + 3) for doc in waiting])
    for payment in held:
        payment.number = None  # no cheque


def _receipt(payment: Doc, *, until: int) -> CardEntry:
    invoices = [invoice for invoice, _ in payment.applied if invoice.kind == "Invoice"]
    return CardEntry(
        "charge",
        f"p{payment.entered}-{payment.total}-{invoices[0].number if invoices else ''}",
        payment.total,
        card_fee(payment.total),
        min(payment.day, until - 3),
        invoice=invoices[0] if invoices else None,
        payment=payment,
    )


def _charged_twice(charge: CardEntry, *, day: int) -> Iterable[CardEntry]:
    """Charge a card a second time by mistake, and give it back the same day; the fee is not returned."""
    key = f"{charge.key}-again"
    yield CardEntry("charge", key, charge.gross, charge.fee, day)
    yield CardEntry("refund", key, -charge.gross, 0, day)


# Differences that books and processor show


def misstate_payouts(plan: Plan) -> None:
    """Plant the differences, once the tax on what was really sold is paid: no cash moves by them."""
    rng = random.Random(f"cards planted:{plan.seed}:{plan.index}")
    recent = [
        doc
        for doc in plan.docs
        if doc.batch is not None and plan.as_of - _PLANTED_WITHIN_DAYS < doc.day and len(doc.batch.entries) > 1
    ]
    if len(recent) < 4 or rng.random() < _SOUND_SHARE:
        return
    rng.shuffle(recent)
    _sum_wrong(recent.pop(), rng)
    if plan.trade.till_share > 0:
        _book_as_income(recent.pop())
        if plan.trade.taxable:
            _leave_fee_out(recent.pop())


def _sum_wrong(deposit: Doc, rng: random.Random) -> None:
    """Let the parts of a payout make up another sum than was paid: one of them is not told of."""
    batch = deposit.batch
    assert batch is not None
    batch.planted = "payout_sum_wrong"
    place = rng.randrange(len(batch.entries))
    while batch.entries[place].kind != "charge":
        place -= 1
    entry = batch.entries[place]
    batch.entries[place] = replace(entry, gross=entry.gross + rng.choice((1, 100, 2_500)))


def _book_as_income(deposit: Doc) -> None:
    """Book what arrived as one sale."""
    assert deposit.batch is not None
    deposit.batch.planted = "payout_booked_as_income"
    deposit.lines = [Line(deposit.total, deposit.lines[0].account, "Deposit")]


def _leave_fee_out(deposit: Doc) -> None:
    """Book sales less the fee, and no fee."""
    assert deposit.batch is not None
    deposit.batch.planted = "fee_not_recorded"
    deposit.lines[0].amount -= deposit.batch.fees
    deposit.lines.pop()
