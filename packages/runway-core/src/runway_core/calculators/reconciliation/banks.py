"""The ledger's bank and card accounts, and what the bank shows of them."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from runway_core.calculators.cash import find_usable_bank_balances
from runway_core.calculators.matching.at_bank import find_unpaired, index_customers, index_vendors
from runway_core.calculators.matching.bank_twins import find_twins
from runway_core.calculators.matching.drift import Drift, compute_drifts
from runway_core.calculators.matching.from_books import read_bank_line, read_entries, read_open_documents
from runway_core.calculators.matching.ledger_legs import LedgerLeg
from runway_core.calculators.matching.money import match_money
from runway_core.calculators.matching.money_match import MoneyMatch
from runway_core.calculators.matching.money_sides import MoneyDocument, SideKey
from runway_core.domain.bank import BankTransaction
from runway_core.domain.books import Books
from runway_core.domain.conflicts import LEDGER, MatchSuggestion
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.money import Money
from runway_core.domain.reconciliation import AccountDrift, RailPair

MOST_LINES_SEARCHED = 300
"""Of more lines that the ledger lacks the newest are searched: a feed that nobody entered is one task."""


class BankComparison:
    """Banks and ledger: counts by rail, drift by account, and what lines that are left over may be."""

    def __init__(self, books: Books) -> None:
        """Compare once; `find_unpaired` says what is one movement, as for the checks."""
        self._books = books
        self._unpaired = find_unpaired(books)
        loose = [line for unpaired in self._unpaired.values() for line in unpaired.lines]
        self.notes: tuple[str, ...] = ()
        self.suggestions = self._suggest(loose)
        self.pairs = tuple(self._count(loose))
        balances = find_usable_bank_balances(books)
        names = {account.external_id: account.name for account in books.chart}
        self.drifts = tuple(
            _describe(
                drift,
                name=names.get(drift.account_id, drift.account_id),
                rail=balances[drift.account_id].rail,
                read_at=balances[drift.account_id].read_at,
            )
            for drift in books.derive(compute_drifts)
        )

    def _suggest(self, loose: Sequence[BankTransaction]) -> dict[str, list[MatchSuggestion]]:
        """What each line that the ledger lacks may be, by its id: entries that wait for it, or open documents."""
        books = self._books
        if not loose:
            return {}
        newest = sorted(loose, key=lambda line: (line.booked_on, line.external_id))[-MOST_LINES_SEARCHED:]
        if len(newest) < len(loose):
            self.notes = (f"{len(loose)} bank lines are not in the ledger: the newest {len(newest)} were searched",)
        legs = [leg for unpaired in self._unpaired.values() for leg in unpaired.legs if leg.day >= unpaired.began]
        lines = [
            read_bank_line(line, index_customers(books) if line.amount > 0 else index_vendors(books)) for line in newest
        ]
        documents: list[MoneyDocument] = [*read_entries(books, legs), *read_open_documents(books)]
        records = {document.key: document.record for document in documents}
        report = match_money(lines, documents)
        found: dict[str, list[MatchSuggestion]] = {}
        for match in (*report.acted, *report.suggested):
            told = _read_match(match, records, entries={leg.key: leg for leg in legs})
            for line_id in {key[1] for key in match.movements}:
                found.setdefault(line_id, []).append(told)
        return found

    def _count(self, loose: Iterable[BankTransaction]) -> Iterator[RailPair]:
        twins = {other.external_id for _, other in find_twins(self._books)}
        left: dict[str, list[BankTransaction]] = {}
        for line in loose:
            left.setdefault(line.rail, []).append(line)
        shown: dict[str, int] = {}
        accounts: dict[str, str] = {}
        for line in self._books.bank_transactions:
            if not line.is_pending and line.booked_on <= self._books.as_of and line.external_id not in twins:
                shown[line.rail] = shown.get(line.rail, 0) + 1
                accounts.setdefault(line.account_id, line.rail)
        entries: dict[str, int] = {}
        for account_id, unpaired in self._unpaired.items():
            rail = accounts.get(account_id, "")
            entries[rail] = entries.get(rail, 0) + sum(1 for leg in unpaired.legs if leg.day >= unpaired.began)
        for rail, count in sorted(shown.items()):
            lines = left.get(rail, [])
            doubtful = sum(1 for line in lines if line.external_id in self.suggestions)
            yield RailPair(
                here=LEDGER,
                there=rail or "bank",
                what="bank lines",
                matched=count - len(lines),
                suggested=doubtful,
                left_here=entries.get(rail, 0),
                left_there=len(lines) - doubtful,
            )


def _read_match(
    match: MoneyMatch, records: dict[SideKey, RecordKey | None], *, entries: dict[SideKey, LedgerLeg]
) -> MatchSuggestion:
    """A match in records. A person's yes is enough where entries make up one line; a document wants a payment first."""
    here = [records[key] for key in match.documents]
    is_booked = all(key in entries for key in match.documents) and match.shortfall is None
    return MatchSuggestion(
        tier=match.tier.value,
        there=tuple(RecordKey(RecordKind.BANK_TRANSACTION, key[1]) for key in match.movements),
        here=tuple(dict.fromkeys(record for record in here if record is not None)),
        evidence=match.evidence,
        may_confirm=is_booked and len(match.movements) == 1,
    )


def _describe(drift: Drift, *, name: str, rail: str, read_at: datetime) -> AccountDrift:
    days = [*(line.booked_on for line in drift.lines), *(leg.day for leg in drift.legs)]
    amounts = {
        field: Money(amount=getattr(drift, field), currency=drift.currency)
        for field in ("bank", "ledger", "bank_not_in_ledger", "ledger_not_at_bank", "unexplained")
    }
    return AccountDrift(
        account_id=drift.account_id,
        name=name,
        rail=rail,
        lines=len(drift.lines),
        entries=len(drift.legs),
        oldest=min(days, default=None),
        read_at=read_at,
        **amounts,
    )
