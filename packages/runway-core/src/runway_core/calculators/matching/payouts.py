"""Payouts of payment processors: what is in them, how to book them, and which bank line they are."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from runway_core.calculators.matching.money import match_money
from runway_core.calculators.matching.money_match import MoneyReport
from runway_core.calculators.matching.money_sides import MoneyDocument, MoneyMovement, PartyKey
from runway_core.calculators.matching.names import normal_bank_text, normal_name
from runway_core.domain import processor
from runway_core.domain.money import ZERO

ARRIVAL_DAYS = 2
"""A bank may book a payout so many days before or after the day the processor names."""

PAYOUT = "payout"


class PartKind(StrEnum):
    """What a part of a payout is."""

    CHARGE = "charge"  # a customer paid
    REFUND = "refund"
    DISPUTE = "dispute"  # amount and fee are held until it is won
    OTHER = "other"  # fees by themselves, reserves, corrections


@dataclass(frozen=True, slots=True)
class PayoutPart:
    """One movement on the processor's balance. `gross` is negative for refunds; `fee` is what was taken, positive."""

    part_id: str
    kind: PartKind
    gross: Decimal
    fee: Decimal
    day: date
    customer: PartyKey | None = None
    text: str = ""  # description and metadata: where an invoice number may stand

    @property
    def net(self) -> Decimal:
        """What it added to the payout."""
        return self.gross - self.fee


@dataclass(frozen=True, slots=True)
class Payout:
    """Money that a processor sent to the bank. `parts` is `None` for a manual payout: no list of it exists."""

    payout_id: str
    processor: str  # as banks write it
    amount: Decimal
    currency: str
    arrives_on: date
    parts: tuple[PayoutPart, ...] | None = None
    trace_id: str | None = None  # what the bank was told


@dataclass(frozen=True, slots=True)
class PayoutContent:
    """A payout taken apart. It may be booked only if `difference` is nil; until then the deposit stays as it is."""

    payout: Payout
    charges: Decimal  # to invoices
    refunds: Decimal  # to credits; negative
    disputes: Decimal  # held; negative
    others: Decimal
    fees: Decimal  # to an expense account; positive
    difference: Decimal | None  # payout − sum of nets; `None` for a manual payout
    invoices: MoneyReport  # which charges pay which invoices

    @property
    def is_complete(self) -> bool:
        """Whether the parts make up the payout to the cent."""
        return self.difference == 0


def outline_payout(payout: processor.Payout) -> Payout:
    """A payout of the books as matching takes it, without its parts."""
    return Payout(
        payout_id=payout.external_id,
        processor=payout.rail,
        amount=payout.amount,
        currency=payout.currency,
        arrives_on=payout.arrives_on,
        parts=() if payout.is_automatic else None,
    )


def open_payout(payout: Payout, invoices: Iterable[MoneyDocument]) -> PayoutContent:
    """Take a payout apart: gross to invoices, refunds to credits, fees apart; the parts must add up to the payout.

    A charge finds its invoice by the number in its text, else by customer and amount.
    """
    parts = payout.parts or ()
    sums = dict.fromkeys(PartKind, ZERO)
    for part in parts:
        sums[part.kind] += part.gross
    charges = [
        MoneyMovement(
            ("payout_part", part.part_id),
            part.day,
            part.gross,
            payout.currency,
            party=part.customer,
            text=part.text,
            rail_ids=frozenset({part.part_id}),
        )
        for part in parts
        if part.kind is PartKind.CHARGE
    ]
    return PayoutContent(
        payout=payout,
        charges=sums[PartKind.CHARGE],
        refunds=sums[PartKind.REFUND],
        disputes=sums[PartKind.DISPUTE],
        others=sums[PartKind.OTHER],
        fees=sum((part.fee for part in parts), ZERO),
        difference=None if payout.parts is None else payout.amount - sum((part.net for part in parts), ZERO),
        invoices=match_money(charges, invoices),
    )


def match_payouts(
    payouts: Iterable[Payout], bank_lines: Iterable[MoneyMovement], *, within_days: int = ARRIVAL_DAYS
) -> MoneyReport:
    """Which bank line each payout is, by its ids, else by processor, amount and arrival day ± `within_days`.

    A manual payout has nothing but its amount and day, so that it is suggested only.
    """
    held = list(payouts)
    names = {normal_name(payout.processor): _processor_key(payout) for payout in held}
    lines = [_name_processor(line, names) for line in bank_lines]
    return match_money(lines, [_read_payout(payout, within_days) for payout in held])


def _read_payout(payout: Payout, within_days: int) -> MoneyDocument:
    is_automatic = payout.parts is not None
    reach = timedelta(days=within_days)
    ids = frozenset(filter(None, (payout.payout_id, payout.trace_id)))
    return MoneyDocument(
        (PAYOUT, payout.payout_id),
        payout.amount,
        payout.currency,
        since=payout.arrives_on - reach,
        until=payout.arrives_on + reach,
        party=_processor_key(payout) if is_automatic else None,
        party_name=payout.processor,
        rail_ids=ids if is_automatic else frozenset(),
    )


def _processor_key(payout: Payout) -> PartyKey:
    return "processor", normal_name(payout.processor)


def _name_processor(line: MoneyMovement, names: dict[str, PartyKey]) -> MoneyMovement:
    """The line with its processor as counterparty, where the text holds its name."""
    words = f" {normal_bank_text(line.text)} "
    found = [key for name, key in sorted(names.items()) if name and f" {name} " in words]
    if len(found) != 1:
        return line
    return replace(line, party=found[0])
