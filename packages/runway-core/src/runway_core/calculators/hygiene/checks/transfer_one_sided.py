"""BK07: money that the bank says went to, or came from, an own account, where it is not."""

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from runway_core.calculators.hygiene.bank_evidence import say_line, show_line
from runway_core.calculators.hygiene.check import build_finding
from runway_core.calculators.matching.bank_twins import find_twins
from runway_core.calculators.matching.ledger_legs import BANK_KINDS, LedgerLeg, read_ledger_legs
from runway_core.calculators.matching.names import is_generic_name, normal_bank_text, normal_name
from runway_core.domain.bank import BankTransaction
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.ledger import AccountKind

_Money = tuple[Decimal, str]  # amount and currency

OPPOSITE_DAYS = 4
CANDIDATE_DAYS = 30

_OWN = r"(?:SAVINGS?|SAV|CHECKING|CHECKNG|CHK|CKG|MMA|MONEY MARKET|RESERVE|OPERATING|PAYROLL)(?: (?:ACCOUNT|ACCT|A/C))?"
_MOVED = r"(?:TRANSFER|TRNSFR|TRANSF|XFER|TFR)"
_TRANSFER = re.compile(
    rf"\b{_MOVED}\b(?: REF \S+)? (?:TO|FROM) (?:(?:MY|OWN|BUSINESS|BUS|ACCOUNT|ACCT) )*{_OWN}\b"
    rf"|\b(?:TO|FROM) {_OWN} {_MOVED}\b|\bINTERNAL {_MOVED}\b|\b{_MOVED} BETWEEN (?:OWN )?ACCOUNTS?\b"
)
_HINT = re.compile(r"TRANSF|TRNSFR|XFER|TFR|CARD|CRD")
"""What every text of the two holds: few lines do."""
_CARD = re.compile(r"\b(?:CREDIT ?)?(?:CARD|CRD|CARDMEMBER)(?: SERV\w*)? (?:AUTO ?PAY|E?PAYMENT|EPAY|PMT)\b")


class TransferOneSided:
    """A bank line that is a transfer by its text or by what the rail says, with no opposite one within 4 days.

    The opposite is a line of another account; of an account that no bank rail reads, the ledger's entry stands in.
    """

    id = "BK07"
    name = "transfer_one_sided"
    floor = Severity.MEDIUM
    effect = RunwayEffect.MOVES_DATES
    reads = frozenset(
        {
            "chart",
            "bank_transactions",
            "bill_payments",
            "customer_payments",
            "deposits",
            "journal_entries",
            "purchases",
            "transfers",
        }
    )

    def find(self, books: Books) -> Iterable[Finding]:
        """Every such line whose opposite had time to come."""
        repeated = {other.external_id for _, other in find_twins(books)}
        lines = [one for one in books.bank_transactions if not one.is_pending and one.external_id not in repeated]
        lines.sort(key=lambda line: (line.booked_on, line.external_id))
        telling = _TellingTexts(books)
        own = [line for line in lines if telling.is_transfer(line)]
        if not own:
            return
        sides = _Sides(books, lines)
        for line in own:
            had_time = (books.as_of - line.booked_on).days > OPPOSITE_DAYS
            if not sides.take_opposite(line) and had_time:
                yield self._report(books, line, sides.find_near(line, CANDIDATE_DAYS))

    def _report(self, books: Books, line: BankTransaction, candidate: BankTransaction | None) -> Finding:
        where = "left" if line.amount < 0 else "came"
        label = "Categorise it" if candidate is None else f"Link it with the line of {candidate.booked_on}"
        if candidate is None:
            other = Evidence(name="candidate", value="none", record=line.key)
        else:
            other = show_line(candidate).model_copy(update={"name": "candidate"})
        return build_finding(
            self,
            books,
            subjects=(line.key,),
            amount=line.amount,
            currency=line.currency,
            summary=f"Transfer of {say_line(line)} {where} and is on no other account",
            evidence=(show_line(line), other),
            fixes=(SuggestedFix(label=label, record=line.key),),
        )


class _Sides:
    """What may stand opposite a line, each once: other lines, and legs of the ledger that no bank rail would show."""

    def __init__(self, books: Books, lines: Iterable[BankTransaction]) -> None:
        self._used: set[str] = set()
        self._lines: dict[_Money, list[BankTransaction]] = {}
        for line in lines:
            self._lines.setdefault((line.amount, line.currency), []).append(line)
        fed = {line.account_id for line in books.bank_transactions}
        self._legs: dict[_Money, list[LedgerLeg]] = {}
        for leg in sorted(read_ledger_legs(books), key=lambda leg: (leg.day, leg.key)):
            if leg.account_id not in fed:
                self._legs.setdefault((leg.amount, leg.currency), []).append(leg)
        self._elsewhere = _find_elsewhere(books)

    def take_opposite(self, line: BankTransaction) -> bool:
        """Whether something stands opposite; it is used up."""
        if line.external_id in self._used:
            return True
        near = self.find_near(line, OPPOSITE_DAYS)
        if near is not None:
            self._used |= {near.external_id, line.external_id}
            return True
        legs = self._legs.get((-line.amount, line.currency), [])
        for leg in legs:
            if _days_apart(leg.day, line) <= OPPOSITE_DAYS and leg.account_id != line.account_id:
                legs.remove(leg)
                return True
        days = self._elsewhere.get((line.account_id, line.amount), ())
        return any(_days_apart(on, line) <= OPPOSITE_DAYS for on in days)

    def find_near(self, line: BankTransaction, days: int) -> BankTransaction | None:
        """The nearest line of the opposite amount on another account that opposes no other."""
        found = [
            other
            for other in self._lines.get((-line.amount, line.currency), ())
            if other.account_id != line.account_id
            and other.external_id not in self._used
            and _days_apart(other.booked_on, line) <= days
        ]
        return min(found, key=lambda other: _days_apart(other.booked_on, line), default=None)


def _find_elsewhere(books: Books) -> dict[tuple[str, Decimal], list[date]]:
    """Days of transfers that the ledger books to what is no bank: a loan, say; by own account and amount."""
    banks = {account.external_id for account in books.chart if account.account_kind in BANK_KINDS}
    found: dict[tuple[str, Decimal], list[date]] = {}
    for one in books.transfers:
        for here, there, amount in (
            (one.from_account_id, one.to_account_id, -one.total),
            (one.to_account_id, one.from_account_id, one.total),
        ):
            if here is not None and there is not None and there not in banks:
                found.setdefault((here, amount), []).append(one.document_date)
    return found


def _days_apart(day: date, line: BankTransaction) -> int:
    return abs((day - line.booked_on).days)


class _TellingTexts:
    """What the bank writes of money that stays with the company."""

    def __init__(self, books: Books) -> None:
        own = [account for account in books.chart if account.account_kind in BANK_KINDS]
        self._has_card = any(account.account_kind is AccountKind.CREDIT_CARD for account in own)
        names = {normal_name(account.name) for account in own}
        self._names = {name for name in names if len(name.split()) > 1 and not is_generic_name(name)}
        self._first_words = tuple(name.split()[0].upper() for name in self._names)

    def is_transfer(self, line: BankTransaction) -> bool:
        """Whether the rail says so, the text does, or it names an own account and nobody else."""
        if line.is_transfer:
            return True
        text = " ".join(line.text.upper().split())
        if _HINT.search(text) and (
            _TRANSFER.search(text) or (self._has_card and line.amount < 0 and _CARD.search(text))
        ):
            return True
        if line.counterparty is not None and normal_name(line.counterparty) in self._names:
            return True
        # Most lines name no own account: only where its first word stands is the text taken apart.
        return any(word in text for word in self._first_words) and normal_bank_text(text) in self._names
