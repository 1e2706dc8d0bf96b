"""A year of invoices and of what the bank shows of them, made from a seed, with the truth beside it.

Customers pay one invoice or several at once, in parts, net of fees or discounts, twice, early, or for something that
was never invoiced or entered; the bank's text names them as banks do, or does not.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from runway_core.calculators.matching.money_match import MoneyMatch
from runway_core.calculators.matching.money_sides import MoneyDocument, MoneyMovement, SideKey
from runway_core.calculators.matching.name_index import NameIndex
from runway_core.calculators.matching.name_match import NamedParty
from runway_core.domain.identity import RecordKey, RecordKind

from tests.core.matching.made_bank_text import make_bank_text, make_names

START = date(2025, 3, 3)

_HABITS = ("single",) * 60 + ("lump",) * 14 + ("split",) * 4 + ("part",) * 3 + ("fee",) * 4 + ("unpaid",) * 10 + (
    "twice", "stray", "stray", "stray", "round", "unentered",
)  # fmt: skip


@dataclass
class MadeReceipts:
    """Both sides, and which documents each movement really paid."""

    movements: list[MoneyMovement] = field(default_factory=list)
    documents: list[MoneyDocument] = field(default_factory=list)
    truth: dict[SideKey, frozenset[SideKey]] = field(default_factory=dict)
    payers: dict[SideKey, RecordKey] = field(default_factory=dict)

    def is_right(self, match: MoneyMatch) -> bool:
        """Whether a match says what really happened."""
        paid = frozenset().union(*(self.truth[key] for key in match.movements))
        return paid == frozenset(match.documents) and all(self.truth[key] for key in match.movements)


def make_receipts(seed: int, *, customers: int = 40, months: int = 9) -> MadeReceipts:
    """One company's receipts; the same for the same seed."""
    dice = Random(seed)
    names = make_names(dice, customers)
    parties = [NamedParty(RecordKey(RecordKind.CUSTOMER, f"C{n:03}"), (name,)) for n, name in enumerate(names)]
    maker = _Maker(dice, NameIndex(parties))
    for party in parties:
        retainer = _amount(dice) if dice.random() < 0.3 else None
        for month in range(months):
            invoices = [
                maker.invoice(party, START + timedelta(days=30 * month + dice.randrange(20)), retainer or _amount(dice))
                for _ in range(dice.choice((0, 1, 1, 1, 2, 3)))
            ]
            maker.pay(party, invoices)
    return maker.made


class _Maker:
    def __init__(self, dice: Random, index: NameIndex) -> None:
        self.made = MadeReceipts()
        self._dice = dice
        self._index = index
        self._number = dice.randrange(100, 3000)

    def invoice(self, party: NamedParty, on: date, total: Decimal) -> MoneyDocument:
        self._number += 1
        due = on + timedelta(days=self._dice.choice((0, 15, 30, 30, 45)))
        document = MoneyDocument(
            ("invoice", f"I{self._number}"),
            total,
            "USD",
            since=on - timedelta(days=5),
            until=due + timedelta(days=120),
            party=party.key,
            party_name=party.names[0],
            number=f"INV-{self._number:05}",
        )
        self.made.documents.append(document)
        return document

    def pay(self, party: NamedParty, invoices: list[MoneyDocument]) -> None:
        dice = self._dice
        habit = dice.choice(_HABITS)
        if habit == "lump" and len(invoices) > 1:
            self._receive(party, sum((each.amount for each in invoices), Decimal(0)), invoices)
            return
        for invoice in invoices:
            is_entered = habit != "unentered"
            if not is_entered:
                self.made.documents.remove(invoice)
            for amount in _amounts_paid(dice, habit, invoice.amount):
                self._receive(party, amount, [invoice] if is_entered else [])
        if habit == "stray":
            self._receive(party, _amount(dice), [])
        if habit == "round":
            self._receive(party, Decimal(dice.randrange(1, 20) * 500), [])

    def _receive(self, party: NamedParty, amount: Decimal, invoices: list[MoneyDocument]) -> None:
        dice = self._dice
        latest = max((each.since for each in invoices), default=START + timedelta(days=dice.randrange(270)))
        key = ("bank_transaction", f"N{len(self.made.movements):05}")
        number = invoices[0].number if len(invoices) == 1 and dice.random() < 0.3 else None
        text = make_bank_text(dice, party.names[0], number)
        found = self._index.match(text)
        self.made.movements.append(
            MoneyMovement(
                key,
                latest + timedelta(days=5 + dice.randrange(70)),
                amount,
                "USD",
                party=found.party if found is not None and found.may_act else None,
                text=text,
            )
        )
        self.made.payers[key] = party.key
        self.made.truth[key] = frozenset(each.key for each in invoices)


def _amounts_paid(dice: Random, habit: str, total: Decimal) -> Iterator[Decimal]:
    """What one invoice brings, payment by payment."""
    cent = Decimal("0.01")
    if habit == "split":
        first = (total * dice.randrange(20, 80) / 100).quantize(cent)
        yield from (first, total - first)
    elif habit == "part":
        yield (total * dice.randrange(20, 80) / 100).quantize(cent)
    elif habit == "fee":
        yield total - (total * Decimal("0.029") + Decimal("0.30")).quantize(cent)
    elif habit == "twice":
        yield from (total, total)
    elif habit != "unpaid":
        yield total


def _amount(dice: Random) -> Decimal:
    """Half of all amounts are round, as prices are."""
    if dice.random() < 0.5:
        return Decimal(dice.randrange(2, 200) * 50)
    return Decimal(dice.randrange(5_000, 900_000)).scaleb(-2)
