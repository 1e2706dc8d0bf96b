"""BK14: a loan or the owner's money on an income account, so that sales look better than they are."""

import re
from collections.abc import Iterable
from decimal import Decimal
from statistics import median_high

from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLine
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.ledger import AccountKind, Deposit

TIMES_MEDIAN = 3
ROUND_FROM = Decimal(5000)
ROUND_STEP = Decimal(1000)
LEAST_RECEIPTS = 3

_INCOME = frozenset({AccountKind.INCOME, AccountKind.OTHER_INCOME})
_OWNED = frozenset({AccountKind.EQUITY})
_LENT = frozenset({AccountKind.LONG_TERM_LIABILITY})
_OWNER = re.compile(
    r"\b(?:owners?|shareholders?|stockholders?|partners?|members?|founders?)(?:'s?|s')? "
    r"(?:\w+ )?(?:contributions?|investments?|loans?|capital|equity|money|funds|draws?|advances?)\b"
    r"|\bcapital (?:contributions?|injections?|calls?)\b|\b(?:contributions?|investments?|loans?|money) from (?:the )?"
    r"(?:owners?|shareholders?|partners?|members?|founders?)\b|\bcontributed capital\b",
)
_LENDER = re.compile(
    r"\b(?:loan|loans|lending|lenders?|line of credit|loc|mortgage|sba|eidl|ppp|promissory|note payable|credit line)\b"
    r"|\b(?:term|bridge|bank|merchant) (?:loan|cash advance|advance|financing)\b",
)


class FinancingAsIncome:
    """A line of a deposit on income, over 3 times the median receipt, from an owner or lender, or round from 5,000 on.

    Owners and lenders are told by the text, or because the books pay the party on equity or loan accounts. A round
    amount (whole thousands) counts only when no customer stands behind it, and no open invoice asks for it.
    """

    id = "BK14"
    name = "financing_as_income"
    floor = Severity.MEDIUM
    effect = RunwayEffect.SHORTENS
    reads = frozenset(
        {"chart", "customer_payments", "customer_list", "deposits", "invoices", "purchases", "vendor_list"}
    )

    def find(self, books: Books) -> Iterable[Finding]:
        """Every such line."""
        income = {account.external_id for account in books.chart if account.account_kind in _INCOME}
        receipts = [
            (deposit, line)
            for deposit in books.deposits
            for line in deposit.lines
            if line.account_id in income and line.amount > 0
        ]
        if not receipts:
            return
        usual = _find_usual(books, receipts)
        financiers = _find_financiers(books)
        asked = {(invoice.open_balance, invoice.currency) for invoice in books.open_invoices}
        for deposit, line in receipts:
            least = usual.get(deposit.currency)
            if least is None or line.amount <= TIMES_MEDIAN * least:
                continue
            why = _tell(books, deposit, line, financiers)
            is_asked = (line.amount, deposit.currency) in asked
            if why is None and not is_asked and _is_round(line) and line.party_kind is not RecordKind.CUSTOMER:
                why = "a round amount from nobody"
            if why is not None:
                yield self._report(books, deposit, line, usual=least, why=why)

    def _report(self, books: Books, deposit: Deposit, line: DocumentLine, *, usual: Decimal, why: str) -> Finding:
        account = books.account_by_id[line.account_id or ""]
        return build_finding(
            self,
            books,
            subjects=(deposit.key,),
            amount=line.amount,
            currency=deposit.currency,
            summary=f"Deposit of {say_amount(line.amount, deposit.currency)} on {deposit.document_date}, {why}, "
            f"is booked to {account.name}",
            evidence=(
                Evidence(name="counterparty", value=_party_name(books, line) or "none", record=deposit.key),
                Evidence(name="text", value=_text_of(deposit, line) or "none", record=deposit.key),
                Evidence(name="account", value=account.full_name, record=deposit.key),
                Evidence(name="median_receipt", value=plain_amount(usual, deposit.currency)),
            ),
            fixes=(
                SuggestedFix(label="Re-book it to equity", record=deposit.key),
                SuggestedFix(label="Re-book it to a loan", record=deposit.key),
            ),
        )


def _find_usual(books: Books, receipts: Iterable[tuple[Deposit, DocumentLine]]) -> dict[str, Decimal]:
    """The median receipt by currency, of customers' payments and income deposits; few of them tell nothing."""
    sizes: dict[str, list[Decimal]] = {}
    for payment in books.customer_payments:
        if payment.total > 0 and not payment.is_void:
            sizes.setdefault(payment.currency, []).append(payment.total)
    for deposit, line in receipts:
        sizes.setdefault(deposit.currency, []).append(line.amount)
    return {currency: median_high(held) for currency, held in sizes.items() if len(held) >= LEAST_RECEIPTS}


def _find_financiers(books: Books) -> dict[RecordKey, str]:
    """Parties whom the books pay on equity or loan accounts."""
    kinds = {a.external_id: a.account_kind for a in books.chart if a.account_kind in _OWNED | _LENT}
    found: dict[RecordKey, str] = {}
    for purchase in books.purchases:
        if purchase.payee_kind is None or purchase.payee_id is None:
            continue
        for line in purchase.lines:
            kind = kinds.get(line.account_id or "")
            if kind is not None:
                found[RecordKey(purchase.payee_kind, purchase.payee_id)] = (
                    "from an owner" if kind in _OWNED else "from a lender"
                )
    return found


def _tell(books: Books, deposit: Deposit, line: DocumentLine, financiers: dict[RecordKey, str]) -> str | None:
    if line.party_kind is not None and line.party_id is not None:
        known = financiers.get(RecordKey(line.party_kind, line.party_id))
        if known is not None:
            return known
    # A customer's name may be anything: it says nothing of why the money came.
    name = "" if line.party_kind is RecordKind.CUSTOMER else _party_name(books, line) or ""
    text = f"{_text_of(deposit, line)} {name}".casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    if _OWNER.search(text):
        return "from an owner"
    return "from a lender" if _LENDER.search(text) else None


def _is_round(line: DocumentLine) -> bool:
    return line.amount >= ROUND_FROM and line.amount % ROUND_STEP == 0


def _party_name(books: Books, line: DocumentLine) -> str | None:
    if line.party_id is None:
        return None
    held = books.customer_by_id if line.party_kind is RecordKind.CUSTOMER else books.vendor_by_id
    party = held.get(line.party_id)
    return None if party is None else party.name


def _text_of(deposit: Deposit, line: DocumentLine) -> str:
    return "; ".join(text for text in (deposit.memo, line.description) if text)
