"""GL01: open documents do not add up to the account that stands for them."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from runway_core.calculators.credits import find_customer_credits, find_vendor_credits
from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.calculators.postings import POSTING_READS, Entry, read_postings
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.identity import RecordKind
from runway_core.domain.ledger import Account, AccountKind
from runway_core.domain.money import ZERO

LEAST_DIFFERENCE = Decimal("1.00")
SHOWN_AT_MOST = 10

_OWN = frozenset(
    {
        RecordKind.BILL,
        RecordKind.VENDOR_CREDIT,
        RecordKind.BILL_PAYMENT,
        RecordKind.INVOICE,
        RecordKind.CREDIT_MEMO,
        RecordKind.CUSTOMER_PAYMENT,
    }
)
"""Records that control accounts are made of; all others reach them past the documents."""


class ControlMismatch:
    """The open documents of one side and currency differ by 1.00 or more from the control accounts in that currency.

    Documents count with what is open, negative bills too, less open credits and payments on account. Journal entries
    and other records on the control account, which no document shows, are the evidence.
    """

    id = "GL01"
    name = "control_mismatch"
    floor = Severity.HIGH
    effect = RunwayEffect.MOVES_DATES
    reads = POSTING_READS | {"accounts"}

    def find(self, books: Books) -> Iterable[Finding]:
        """At most one finding a side and currency."""
        for kind, open_sums in (
            (AccountKind.ACCOUNTS_RECEIVABLE, books.derive(_sum_receivable)),
            (AccountKind.ACCOUNTS_PAYABLE, _sum_payable(books)),
        ):
            controls: dict[str, list[Account]] = {}
            for account in books.accounts:
                if account.account_kind is kind:
                    controls.setdefault(account.currency, []).append(account)
            for currency, accounts in controls.items():
                # What is owed stands on the account as negative; here both sides count as positive.
                sign = 1 if kind is AccountKind.ACCOUNTS_RECEIVABLE else -1
                control = sign * sum((account.balance for account in accounts), ZERO)
                if abs(control - open_sums.get(currency, ZERO)) >= LEAST_DIFFERENCE:
                    yield self._report(
                        books, sorted(accounts, key=lambda a: a.external_id), control, open_sums.get(currency, ZERO)
                    )

    def _report(self, books: Books, accounts: Sequence[Account], control: Decimal, documents: Decimal) -> Finding:
        currency = accounts[0].currency
        is_owed = accounts[0].account_kind is AccountKind.ACCOUNTS_RECEIVABLE
        what = "Open invoices less credits" if is_owed else "Open bills less credits"
        past = _find_past_documents(books, accounts)
        return build_finding(
            self,
            books,
            subjects=[account.key for account in accounts],
            amount=control - documents,
            currency=currency,
            summary=f"{what} are {say_amount(documents, currency)}, "
            f"{accounts[0].name} says {say_amount(control, currency)}",
            evidence=(
                Evidence(name="documents", value=plain_amount(documents, currency)),
                Evidence(name="control_account", value=plain_amount(control, currency), record=accounts[0].key),
                Evidence(name="difference", value=plain_amount(control - documents, currency)),
                *_show_past(past, currency),
            ),
            fixes=(
                SuggestedFix(
                    label="Move the entries on the control account to documents"
                    if past
                    else "Find what changed the control account beside the documents",
                    record=accounts[0].key,
                ),
            ),
        )


def _sum_receivable(books: Books) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for invoice in books.invoices:
        if not invoice.is_void:
            _add(sums, invoice.currency, invoice.open_balance)
    for (_, currency), amount in find_customer_credits(books).items():
        _add(sums, currency, -amount)
    return sums


def _sum_payable(books: Books) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for bill in books.unsettled_bills:
        _add(sums, bill.currency, bill.open_balance)
    for (_, currency), amount in find_vendor_credits(books).items():
        _add(sums, currency, -amount)
    return sums


def _add(sums: dict[str, Decimal], currency: str, amount: Decimal) -> None:
    sums[currency] = sums.get(currency, ZERO) + amount


def _find_past_documents(books: Books, accounts: Iterable[Account]) -> list[tuple[Decimal, Entry]]:
    """What reached the control accounts by other records than documents and their payments, newest first."""
    sums: dict[tuple[str, str], tuple[Decimal, Entry]] = {}
    for _, amount, record in read_postings(books, {account.external_id for account in accounts}):
        if record.kind not in _OWN:
            held, _ = sums.get(record.key, (ZERO, record))
            sums[record.key] = held + amount, record
    found = [(amount, record) for amount, record in sums.values() if amount]
    return sorted(found, key=lambda pair: (pair[1].document_date, pair[1].key), reverse=True)


def _show_past(past: Sequence[tuple[Decimal, Entry]], currency: str) -> Iterator[Evidence]:
    if past:
        total = sum((amount for amount, _ in past), ZERO)
        yield Evidence(name="entries_past_documents", value=f"{len(past)}, {plain_amount(total, currency)} in all")
    for amount, record in past[:SHOWN_AT_MOST]:
        value = f"{record.document_date} {plain_amount(amount, currency)} {record.memo or ''}".rstrip()
        yield Evidence(name=record.kind.value, value=value, record=record.key)
