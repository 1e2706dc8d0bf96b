"""BK08: money that moved and that nobody sorted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from runway_core.calculators.hygiene.catch_all import (
    find_catch_alls,
    find_unsorted_lines,
    find_usual_account,
    is_suspense,
)
from runway_core.calculators.hygiene.check import build_finding, say_amount
from runway_core.domain.bills import Bill, VendorCredit
from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLine, LineKind
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.ledger import Account, AccountKind, Deposit, JournalEntry, Purchase
from runway_core.domain.money import ZERO

_Unsorted = Purchase | Deposit | VendorCredit | JournalEntry
_History = Mapping[RecordKey, list[tuple[date, str]]]
_INCOME = frozenset({AccountKind.INCOME, AccountKind.OTHER_INCOME})


class Uncategorised:
    """A purchase, deposit, vendor credit or journal entry on an uncategorised, ask-accountant or suspense account.

    Or on no account at all. Bills are AP10's. A journal entry counts where it puts something on such an account; one
    that takes it off again is the cure, and what stands on a suspense account by entry is GL02's.
    """

    id = "BK08"
    name = "uncategorised"
    floor = Severity.LOW
    effect = RunwayEffect.CONFIDENCE
    reads = frozenset({"accounts", "bills", "deposits", "journal_entries", "purchases", "vendor_credits"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every such entry."""
        accounts = find_catch_alls(books)
        found = list(_find_unsorted(books, accounts))
        if not found:
            return
        history = _read_history(books, {_party_of(record, lines) for record, lines in found}, accounts)
        for record, lines in found:
            yield self._report(books, record, lines, accounts=accounts, history=history)

    def _report(
        self,
        books: Books,
        record: _Unsorted,
        lines: Sequence[DocumentLine],
        *,
        accounts: Mapping[str, Account],
        history: _History,
    ) -> Finding:
        amount = sum((abs(line.amount) for line in lines), ZERO) or record.total
        where = {line.account_id for line in lines} & accounts.keys()
        named = ", ".join(sorted(accounts[account_id].name for account_id in where if account_id)) or "no account"
        kind = record.kind.value.replace("_", " ").capitalize()
        party = _party_of(record, lines)
        past = [] if party is None else history.get(party, [])
        return build_finding(
            self,
            books,
            subjects=(record.key,),
            amount=amount,
            currency=record.currency,
            summary=f"{kind} of {record.document_date}, {say_amount(amount, record.currency)}, is booked to {named}",
            evidence=(
                Evidence(name="account", value=named, record=record.key),
                Evidence(name="text", value=_text_of(record, lines), record=record.key),
                Evidence(name="payee_history", value=_say_history(books, past), record=record.key),
            ),
            fixes=tuple(_suggest(books, record, past)),
        )


def _find_unsorted(books: Books, accounts: dict[str, Account]) -> Iterator[tuple[_Unsorted, list[DocumentLine]]]:
    for purchase in books.purchases:
        lines = find_unsorted_lines(purchase.lines, accounts)
        if not purchase.is_void and purchase.total and (lines or not purchase.lines):
            yield purchase, lines
    records: tuple[Deposit | VendorCredit, ...] = (*books.deposits, *books.vendor_credits)
    for record in records:
        if lines := find_unsorted_lines(record.lines, accounts):
            yield record, lines
    chosen_by_nobody = {key: account for key, account in accounts.items() if not is_suspense(account)}
    for entry in books.journal_entries:
        if lines := [line for line in entry.lines if _adds(line, chosen_by_nobody)]:
            yield entry, lines


def _adds(line: DocumentLine, accounts: Mapping[str, Account]) -> bool:
    account = accounts.get(line.account_id or "")
    if account is None or not line.amount:
        return False
    return line.line_kind is (LineKind.CREDIT if account.account_kind in _INCOME else LineKind.DEBIT)


def _party_of(record: _Unsorted, lines: Iterable[DocumentLine]) -> RecordKey | None:
    if isinstance(record, Purchase):
        return _key(record.payee_kind, record.payee_id)
    if isinstance(record, VendorCredit):
        return _key(RecordKind.VENDOR, record.vendor_id)
    return next((key for line in lines if (key := _key(line.party_kind, line.party_id)) is not None), None)


def _key(kind: RecordKind | None, external_id: str | None) -> RecordKey | None:
    return None if kind is None or external_id is None else RecordKey(kind, external_id)


def _read_history(books: Books, wanted: set[RecordKey | None], accounts: Mapping[str, Account]) -> _History:
    """Where lines of the wanted parties went, by purchases and bills."""
    found: dict[RecordKey, list[tuple[date, str]]] = {key: [] for key in wanted if key is not None}
    if not found:
        return found
    for purchase in books.purchases:
        payee = _key(purchase.payee_kind, purchase.payee_id)
        if payee in found and not purchase.is_void:
            found[payee] += _list_accounts(purchase, accounts)
    for bill in books.bills:
        vendor = _key(RecordKind.VENDOR, bill.vendor_id)
        if vendor in found:
            found[vendor] += _list_accounts(bill, accounts)
    return found


def _list_accounts(record: Purchase | Bill, accounts: Mapping[str, Account]) -> list[tuple[date, str]]:
    return [
        (record.document_date, line.account_id)
        for line in record.lines
        if line.account_id is not None and line.account_id not in accounts
    ]


def _text_of(record: _Unsorted, lines: Iterable[DocumentLine]) -> str:
    said = [record.memo, *(line.description for line in lines)]
    return "; ".join(text for text in said if text) or "none"


def _say_history(books: Books, history: Sequence[tuple[date, str]]) -> str:
    usual = find_usual_account(history)
    if usual is None:
        return "no usual account" if history else "none"
    account_id, count, of = usual
    return f"{_name(books, account_id)}, {count} of the last {of}"


def _suggest(books: Books, record: _Unsorted, history: Sequence[tuple[date, str]]) -> Iterator[SuggestedFix]:
    usual = find_usual_account(history)
    label = "Choose an account" if usual is None else f"Book it to {_name(books, usual[0])}"
    yield SuggestedFix(label=label, record=record.key)


def _name(books: Books, account_id: str) -> str:
    account = books.account_by_id.get(account_id)
    return account.full_name if account is not None else account_id
