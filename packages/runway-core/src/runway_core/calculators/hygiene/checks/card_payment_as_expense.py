"""BK13: a card was paid and booked as an expense, so that its charges count twice."""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from runway_core.calculators.hygiene.check import build_finding, say_amount
from runway_core.calculators.matching.names import is_generic_name, normal_name
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.ledger import Account, AccountKind, Purchase
from runway_core.domain.money import ZERO

_ISSUER = re.compile(
    r"\b(?:american express|amex|diners club|mastercard|visa|barclaycard)\b"
    r"|\b(?:credit|bank|business|charge) ?cards?\b|\bcard(?:member|holder)? (?:services?|serv|center)\b"
    r"|\b(?:chase|citi|citibank|capital one|discover|wells fargo|us bank|bank of america|td|bmo|rbc) cards?\b",
)
_PAYS_CARD = re.compile(r"\b(?:credit ?)?card (?:auto ?pay|e?payment|pmt|balance|bill)\b")
_COST = re.compile(r"\b(?:fees?|charges?|interest|dues|membership|penalt\w+|merchant|processing)\b")
_EXPENSES = frozenset({AccountKind.EXPENSE, AccountKind.OTHER_EXPENSE, AccountKind.COST_OF_GOODS_SOLD})


class CardPaymentAsExpense:
    """Money from a deposit account to who issued a card, on an expense account, while the books keep a card account.

    What a card costs (fees, interest, dues) is an expense and left alone. Without a card account in the books the
    charges are nowhere else.
    """

    id = "BK13"
    name = "card_payment_as_expense"
    floor = Severity.HIGH
    effect = RunwayEffect.LENGTHENS
    reads = frozenset({"chart", "purchases", "vendor_list"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every such payment."""
        cards = [account for account in books.chart if account.account_kind is AccountKind.CREDIT_CARD]
        if not cards:
            return
        own = {
            name for card in cards if len((name := normal_name(card.name)).split()) > 1 and not is_generic_name(name)
        }
        banks = {account.external_id for account in books.chart if account.account_kind is AccountKind.BANK}
        pays: dict[str | None, bool] = {}  # by payee: names repeat, and looking at each costs
        for purchase in books.purchases:
            if purchase.account_id not in banks or purchase.is_void or purchase.is_refund:
                continue
            named = _name_of(purchase, books)
            if named not in pays:
                pays[named] = _is_issuer(named, own)
            if not pays[named] and not _says_card_payment(purchase):
                continue
            amount = sum((line_amount for _, line_amount in _expense_lines(purchase, books)), ZERO)
            if amount > 0:
                yield self._report(books, purchase, amount=amount, card=min(cards, key=lambda card: card.external_id))

    def _report(self, books: Books, purchase: Purchase, *, amount: Decimal, card: Account) -> Finding:
        accounts = sorted({account.full_name for account, _ in _expense_lines(purchase, books)})
        name = _name_of(purchase, books) or "a card"
        return build_finding(
            self,
            books,
            subjects=(purchase.key,),
            amount=amount,
            currency=purchase.currency,
            summary=f"{say_amount(amount, purchase.currency)} paid to {name} on {purchase.document_date}, "
            f"booked to {', '.join(accounts)}",
            evidence=(
                Evidence(name="payee", value=name, record=purchase.key),
                Evidence(name="account", value=", ".join(accounts), record=purchase.key),
                Evidence(name="memo", value=purchase.memo or "none", record=purchase.key),
            ),
            fixes=(SuggestedFix(label=f"Re-book it as a transfer to {card.name}", record=purchase.key),),
        )


def _name_of(purchase: Purchase, books: Books) -> str | None:
    vendor = books.vendor_by_id.get(purchase.payee_id or "")
    return vendor.name if vendor is not None else purchase.payee_name


def _is_issuer(name: str | None, own: set[str]) -> bool:
    if name is None:
        return False
    form = normal_name(name)
    return _ISSUER.search(form) is not None or any(form.startswith(card) for card in own)


def _says_card_payment(purchase: Purchase) -> bool:
    said = [purchase.memo, *(line.description for line in purchase.lines)]
    return any(text is not None and _PAYS_CARD.search(text.casefold()) is not None for text in said)


def _expense_lines(purchase: Purchase, books: Books) -> Iterator[tuple[Account, Decimal]]:
    """Lines on expense accounts that are no cost of the card itself."""
    for line in purchase.lines:
        account = books.account_by_id.get(line.account_id or "")
        if account is None or account.account_kind not in _EXPENSES or line.amount <= 0:
            continue
        said = f"{account.name} {line.description or ''} {purchase.memo or ''}".casefold()
        if not _COST.search(said):
            yield account, line.amount
