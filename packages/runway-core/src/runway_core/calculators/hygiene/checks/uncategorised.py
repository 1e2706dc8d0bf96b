"""BK08: money that moved and that nobody sorted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from runway_core.calculators.hygiene.categories import (
    find_unsorted_accounts,
    find_unsorted_lines,
    find_usual_account,
)
from runway_core.calculators.hygiene.check import build_finding, say_amount
from runway_core.domain.bills import Bill, VendorCredit
from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLine, LineKind
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.ledger import AccountKind, Deposit, JournalEntry, Purchase
from runway_core.domain.money import ZERO

_Unsorted = Purchase | Deposit | VendorCredit | JournalEntry
_Past = list[Purchase | Bill]
_ADDING = dict.fromkeys((AccountKind.INCOME, AccountKind.OTHER_INCOME), LineKind.CREDIT) | dict.fromkeys(
    (AccountKind.EXPENSE, AccountKind.OTHER_EXPENSE, AccountKind.COST_OF_GOODS_SOLD), LineKind.DEBIT
)
"""The side of a journal entry on which something is put on an account."""


class Uncategorised:
    """A purchase, deposit, vendor credit or journal entry on an uncategorised, ask-accountant or suspense account.

    Or on no account at all. Bills are AP10's. A journal entry counts where it puts something on such an account; one
    that takes it off again is the cure, and what stands on a suspense account by entry is GL02's.
    """

    id = "BK08"
    name = "uncategorised"
    floor = Severity.LOW
    effect = RunwayEffect.CONFIDENCE
    reads = frozenset({"chart", "bills", "deposits", "journal_entries", "purchases", "vendor_credits"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every such entry."""
        unsorted = books.derive(find_unsorted_accounts)
        found = list(_find_unsorted(books, unsorted))
        if not found:
            return
        history = _read_history(books, {_party_of(record, lines) for record, lines in found})
        for record, lines in found:
            yield self._report(books, record, lines, unsorted=unsorted, history=history)

    def _report(
        self,
        books: Books,
        record: _Unsorted,
        lines: Sequence[DocumentLine],
        *,
        unsorted: Mapping[str, str],
        history: Mapping[RecordKey, _Past],
    ) -> Finding:
        amount = sum((abs(line.amount) for line in lines), ZERO) or record.total
        named = ", ".join(sorted({unsorted.get(line.account_id or "", "no account") for line in lines})) or "no account"
        kind = record.kind.value.replace("_", " ").capitalize()
        party = _party_of(record, lines)
        past = [] if party is None else sorted(history[party], key=lambda one: (one.document_date, one.key))
        usual = find_usual_account([one.lines for one in past], unsorted)
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
                Evidence(name="payee_history", value=_say_history(books, past, usual), record=record.key),
            ),
            fixes=(_suggest(books, record, usual),),
        )


def _find_unsorted(books: Books, unsorted: Mapping[str, str]) -> Iterator[tuple[_Unsorted, list[DocumentLine]]]:
    for purchase in books.purchases:
        lines = find_unsorted_lines(purchase.lines, unsorted)
        if not purchase.is_void and purchase.total and (lines or not purchase.lines):
            yield purchase, lines
    records: tuple[Deposit | VendorCredit, ...] = (*books.deposits, *books.vendor_credits)
    for record in records:
        if lines := find_unsorted_lines(record.lines, unsorted):
            yield record, lines
    sides = {
        account.external_id: side
        for account in books.chart
        if account.external_id in unsorted and (side := _ADDING.get(account.account_kind)) is not None
    }
    for entry in books.journal_entries:
        if lines := [
            line for line in entry.lines if line.amount and sides.get(line.account_id or "") is line.line_kind
        ]:
            yield entry, lines


def _party_of(record: _Unsorted, lines: Iterable[DocumentLine]) -> RecordKey | None:
    if isinstance(record, Purchase):
        return _key(record.payee_kind, record.payee_id)
    if isinstance(record, VendorCredit):
        return _key(RecordKind.VENDOR, record.vendor_id)
    return next((key for line in lines if (key := _key(line.party_kind, line.party_id)) is not None), None)


def _key(kind: RecordKind | None, external_id: str | None) -> RecordKey | None:
    return None if kind is None or external_id is None else RecordKey(kind, external_id)


def _read_history(books: Books, wanted: set[RecordKey | None]) -> dict[RecordKey, _Past]:
    """The purchases from and bills of the wanted parties."""
    found: dict[RecordKey, _Past] = {key: [] for key in wanted if key is not None}
    if not found:
        return found
    for purchase in books.purchases:
        payee = _key(purchase.payee_kind, purchase.payee_id)
        if payee in found and not purchase.is_void:
            found[payee].append(purchase)
    for bill in books.bills:
        vendor = _key(RecordKind.VENDOR, bill.vendor_id)
        if vendor in found:
            found[vendor].append(bill)
    return found


def _text_of(record: _Unsorted, lines: Iterable[DocumentLine]) -> str:
    said = [record.memo, *(line.description for line in lines)]
    return "; ".join(text for text in said if text) or "none"


def _say_history(books: Books, past: _Past, usual: tuple[str, int] | None) -> str:
    if usual is None:
        return "no usual account" if past else "none"
    return f"{_name(books, usual[0])}, {usual[1]} of the last 12 at most"


def _suggest(books: Books, record: _Unsorted, usual: tuple[str, int] | None) -> SuggestedFix:
    label = "Choose an account" if usual is None else f"Book it to {_name(books, usual[0])}"
    return SuggestedFix(label=label, record=record.key)


def _name(books: Books, account_id: str) -> str:
    account = books.account_by_id.get(account_id)
    return account.full_name if account is not None else account_id
