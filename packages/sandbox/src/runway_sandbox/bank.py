"""The bank behind a company's books: what its statements show, derived from the same documents, some days later.

A document that moves money in a bank or card account makes one line there for each account it moves. Cheques are
cashed days after they were written, transfers take a business day, card purchases are pending first. The same document
gives the same line in every process, so the bank needs no memory of its own.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from sys import intern

from runway_sandbox.books import BankCharge, Book, Row, WireObject
from runway_sandbox.economy.calendar import next_business_day
from runway_sandbox.postings import NOTHING, ControlAccounts, compute_postings

BANK_TYPES = frozenset({"Bank", "Credit Card"})
_MOVERS = ("BillPayment", "Purchase", "Payment", "Deposit", "Transfer", "JournalEntry")
CHARGE = "Charge"  # the kind of a line that no document tells of
_CHARGED_SHARE = 0.6
_POSTED_AT = time(11, 0, tzinfo=UTC)
_PENDING_AT = time(19, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class BankAccount:
    """One account at the bank; `opening` is what it held before the first line."""

    ledger_id: str
    name: str
    is_card: bool
    currency: str
    mask: str  # the last four digits
    opening: Decimal


@dataclass(frozen=True, slots=True)
class BankLine:
    """One line of a statement; `amount` is positive when money came in."""

    key: str  # the same for ever: kind, id and account
    kind: str
    document_id: str
    ledger_account_id: str
    amount: Decimal
    made_on: date
    posts_on: date
    is_pending_first: bool
    text: str
    payee: str | None
    cheque_number: str | None

    @property
    def posted_at(self) -> datetime:
        """When the line stands on the statement."""
        return datetime.combine(self.posts_on, _POSTED_AT)

    @property
    def pending_at(self) -> datetime | None:
        """When it showed as pending before, if it did."""
        if not self.is_pending_first:
            return None
        return min(datetime.combine(self.made_on, _PENDING_AT), self.posted_at - timedelta(hours=12))


class BankFeed:
    """All lines of one company's accounts; only documents that changed are read again."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._read: dict[str, dict[str, tuple[Row, tuple[BankLine, ...]]]] = {}
        self._accounts: dict[str, BankAccount] = {}
        self._chart: tuple[Row, ...] = ()

    def accounts(self) -> list[BankAccount]:
        """The bank and card accounts in use, in the order of their ids."""
        self._read_chart()
        return list(self._accounts.values())

    def lines(self) -> list[BankLine]:
        """Every line, also those that are still to come, by the moment they post, then key."""
        self._read_chart()
        control = ControlAccounts.of(self._book)
        known, self._read = self._read, {}
        found: list[BankLine] = []
        for kind in _MOVERS:
            known_of_kind, read = known.get(kind, {}), self._read.setdefault(kind, {})
            for row in self._book.shelf(kind).rows.values():
                if (kind, row.id) in self._book.unreal:
                    continue
                held = known_of_kind.get(row.id)
                if held is None or held[0] is not row:
                    held = (row, tuple(self._lines_of(kind, row, control)))
                read[row.id] = held
                found += held[1]
        found += self._late_lines()
        found += self._charge_lines()
        return sorted(found, key=lambda line: (line.posts_on, line.key))

    def _late_lines(self) -> Iterator[BankLine]:
        """What a card processor sent that no document tells of, and what of it the bank sent back later."""
        for payout in self._book.late_payouts.values():
            account = next(
                (one for one in self._accounts.values() if not one.is_card and one.currency == payout.currency), None
            )
            if account is None or (payout.failed_on is not None and payout.failed_on <= payout.arrives_on):
                continue
            moves = [("in", payout.amount, payout.made_on, payout.arrives_on)]
            if payout.failed_on is not None:
                moves.append(("back", -payout.amount, payout.failed_on, payout.failed_on))
            for way, amount, made_on, posts_on in moves:
                yield BankLine(
                    key=f"Payout:{payout.payout_id}:{way}",
                    kind="Payout",
                    document_id=payout.payout_id,
                    ledger_account_id=account.ledger_id,
                    amount=amount,
                    made_on=made_on,
                    posts_on=date.fromordinal(next_business_day(posts_on.toordinal())),
                    is_pending_first=False,
                    text=f"STRIPE TRANSFER {payout.trace}",
                    payee=None,
                    cheque_number=None,
                )

    def _charge_lines(self) -> Iterator[BankLine]:
        """What the bank took by itself."""
        account = next(
            (one for one in self._accounts.values() if not one.is_card and one.currency == self._book.home_currency),
            None,
        )
        for number, charge in enumerate(self._book.bank_charges if account is not None else ()):
            assert account is not None
            yield BankLine(
                key=f"{CHARGE}:{number}:{account.ledger_id}",
                kind=CHARGE,
                document_id=str(number),
                ledger_account_id=account.ledger_id,
                amount=-charge.amount,
                made_on=charge.taken_on,
                posts_on=charge.taken_on,
                is_pending_first=False,
                text=charge.text,
                payee=None,
                cheque_number=None,
            )

    def _read_chart(self) -> None:
        rows = tuple(self._book.shelf("Account").rows.values())
        if [row.id for row in rows] == [row.id for row in self._chart]:
            return
        self._chart, self._read = rows, {}
        found = [(row, row.parse()) for row in rows if row.active]
        accounts = [self._account(row, wire) for row, wire in found if _is_at_bank(wire)]
        self._accounts = {
            one.ledger_id: one for one in sorted(accounts, key=lambda one: (len(one.ledger_id), one.ledger_id))
        }

    def _account(self, row: Row, wire: WireObject) -> BankAccount:
        opening = NOTHING
        for entry in self._book.shelf("JournalEntry").rows.values():
            if _is_opening(document := entry.parse()):
                moved = compute_postings("JournalEntry", document, control=ControlAccounts(None, None, None))
                opening += moved.get(("Account", row.id), NOTHING)
        return BankAccount(
            ledger_id=row.id,
            name=row.name,
            is_card=wire.get("AccountType") == "Credit Card",
            currency=(wire.get("CurrencyRef") or {}).get("value") or self._book.home_currency,
            mask=f"{random.Random(f'mask:{self._book.realm_id}:{row.id}').randrange(10_000):04d}",
            opening=opening,
        )

    def _lines_of(self, kind: str, row: Row, control: ControlAccounts) -> Iterator[BankLine]:
        wire = row.parse()
        if kind == "JournalEntry" and _is_opening(wire):
            return
        made_on = date.fromisoformat(str(wire["TxnDate"]))
        payee = _payee(wire)
        number = wire.get("DocNumber") or wire.get("PaymentRefNum")
        is_cheque = kind in {"BillPayment", "Purchase"} and str(number or "").isdecimal()
        for (party, account_id), amount in compute_postings(kind, wire, control=control).items():
            account = self._accounts.get(account_id) if party == "Account" else None
            if account is None:
                continue
            key = f"{kind}:{row.id}:{account_id}"
            days, is_pending_first = _delay(key, kind, account=account, amount=amount, is_cheque=is_cheque)
            is_payout = kind == "Deposit" and row.id in self._book.card_batches
            yield BankLine(
                key=key,
                kind=kind,
                document_id=row.id,
                ledger_account_id=account_id,
                amount=amount,
                made_on=made_on,
                posts_on=date.fromordinal(next_business_day(made_on.toordinal() + days)),
                is_pending_first=is_pending_first,
                text=f"STRIPE TRANSFER {payout_trace(self._book.realm_id, row.id)}"
                if is_payout
                else intern(
                    _text(
                        kind,
                        payee,
                        is_cheque=is_cheque,
                        number=str(number or ""),
                        amount=amount,
                        is_card=account.is_card,
                    )
                ),
                payee=payee,
                cheque_number=str(number) if is_cheque and amount < 0 and not account.is_card else None,
            )


def draw_charges(realm_id: str, as_of: date) -> tuple[BankCharge, ...]:
    """What a company's bank took some days before `as_of` and nobody entered: a difference with known truth."""
    draws = random.Random(f"bank charges:{realm_id}")
    if draws.random() >= _CHARGED_SHARE:
        return ()
    taken_on = date.fromordinal(next_business_day(as_of.toordinal() - draws.randint(11, 18)))
    amount = Decimal(draws.randint(1_500, 4_500)).scaleb(-2)
    return (BankCharge(amount, taken_on, draws.choice(("WIRE TRANSFER FEE", "ACCOUNT ANALYSIS CHARGE"))),)


def payout_trace(realm_id: str, deposit_id: str) -> str:
    """The reference that a card processor gives the bank with a payout."""
    return f"ST-{random.Random(f'trace:{realm_id}:{deposit_id}').getrandbits(40):010X}"


def payout_posts_on(deposit_id: str, account_id: str, made_on: date) -> date:
    """The day a deposit that a card processor made stands on the statement."""
    days = int(random.Random(f"bank:Deposit:{deposit_id}:{account_id}").random() * 2)
    return date.fromordinal(next_business_day(made_on.toordinal() + days))


def _is_at_bank(account: WireObject) -> bool:
    return account.get("AccountType") in BANK_TYPES and account.get("AccountSubType") != "CashOnHand"


def _is_opening(entry: WireObject) -> bool:
    return entry.get("DocNumber") == "OPEN"


def _payee(wire: WireObject) -> str | None:
    for name in ("VendorRef", "CustomerRef", "EntityRef"):
        reference = wire.get(name)
        if isinstance(reference, dict) and reference.get("name"):
            return intern(str(reference["name"]))  # some dozens of names on thousands of lines
    return None


def _delay(key: str, kind: str, *, account: BankAccount, amount: Decimal, is_cheque: bool) -> tuple[int, bool]:
    """How many days after the document's own the line posts, and whether it shows as pending before."""
    draw = random.Random(f"bank:{key}").random()
    if account.is_card:
        return 1 + int(draw * 2), True
    if is_cheque and amount < 0:
        return 2 + int(draw * draw * 9), False
    if kind == "BillPayment":
        return 1 + int(draw * 2), True
    if kind == "Transfer":
        return (1, False) if amount > 0 else (0, False)
    if kind in {"Deposit", "Payment"}:
        return int(draw * 2), draw > 0.4
    return int(draw * 1.3), False


def _text(kind: str, payee: str | None, *, is_cheque: bool, number: str, amount: Decimal, is_card: bool) -> str:
    """What a bank prints: short, in capitals, with what it knows of the other side."""
    who = (payee or "").upper().replace(",", "").replace(".", "")[:22].strip()
    if is_cheque and amount < 0 and not is_card:
        return f"CHECK {number}"
    if kind == "Transfer":
        return "ONLINE TRANSFER FROM ACCT" if amount > 0 else "ONLINE TRANSFER TO ACCT"
    if kind == "Deposit":
        return "DEPOSIT"
    if kind == "Payment":
        return f"ACH CREDIT {who}".strip()
    if is_card:
        return who or "CARD PURCHASE"
    if amount > 0:
        return f"CREDIT {who}".strip()
    return f"ACH DEBIT {who}".strip()
