"""BK09: money was spent and the books do not say to whom."""

from collections.abc import Iterable, Iterator

from runway_core.calculators.hygiene.bank_evidence import show_line
from runway_core.calculators.hygiene.check import build_finding, say_amount
from runway_core.calculators.matching.name_index import NameIndex
from runway_core.calculators.names import is_placeholder_name
from runway_core.domain.bank import BankTransaction
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.ledger import Purchase

AT_BANK_DAYS = 5


class PayeeMissing:
    """An expense or cheque without a payee, or with one whose name says nothing."""

    id = "BK09"
    name = "payee_missing"
    floor = Severity.LOW
    effect = RunwayEffect.CONFIDENCE
    reads = frozenset({"bank_transactions", "purchases", "vendor_list"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every such purchase that is not void."""
        nameless = [
            purchase
            for purchase in books.purchases
            if not purchase.is_void and purchase.total > 0 and _is_nameless(purchase, books)
        ]
        if not nameless:
            return
        lines = _index_lines(books)
        names = NameIndex.of_vendors(books.vendor_list)
        for purchase in nameless:
            yield self._report(books, purchase, _find_line(purchase, lines), names)

    def _report(self, books: Books, purchase: Purchase, line: BankTransaction | None, names: NameIndex) -> Finding:
        said = [purchase.memo, *(one.description for one in purchase.lines), line.text if line is not None else None]
        texts = [text for text in said if text]
        return build_finding(
            self,
            books,
            subjects=(purchase.key,),
            amount=purchase.total,
            currency=purchase.currency,
            summary=f"Purchase of {purchase.document_date}, {say_amount(purchase.total, purchase.currency)}, "
            "names no payee",
            evidence=tuple(_show(purchase, line)),
            fixes=tuple(_suggest(purchase, texts, names)),
        )


def _is_nameless(purchase: Purchase, books: Books) -> bool:
    if purchase.payee_id is None:
        return is_placeholder_name(purchase.payee_name)
    vendor = books.vendor_by_id.get(purchase.payee_id)
    name = vendor.name if vendor is not None else purchase.payee_name
    return name is not None and is_placeholder_name(name)


def _index_lines(books: Books) -> dict[tuple[str, object], list[BankTransaction]]:
    found: dict[tuple[str, object], list[BankTransaction]] = {}
    for line in books.bank_transactions:
        found.setdefault((line.account_id, line.amount), []).append(line)
    return found


def _find_line(purchase: Purchase, lines: dict[tuple[str, object], list[BankTransaction]]) -> BankTransaction | None:
    """The one bank line that may be this purchase; `None` where there are several."""
    amount = purchase.total if purchase.is_refund else -purchase.total
    near = [
        line
        for line in lines.get((purchase.account_id or "", amount), ())
        if abs((line.booked_on - purchase.document_date).days) <= AT_BANK_DAYS
    ]
    return near[0] if len(near) == 1 else None


def _show(purchase: Purchase, line: BankTransaction | None) -> Iterator[Evidence]:
    yield Evidence(name="payee", value=purchase.payee_name or "none", record=purchase.key)
    yield Evidence(name="memo", value=purchase.memo or "none", record=purchase.key)
    if line is not None:
        yield show_line(line)


def _suggest(purchase: Purchase, texts: Iterable[str], names: NameIndex) -> Iterator[SuggestedFix]:
    """The vendors that a text may mean, the likeliest first; a person chooses."""
    seen: dict[str, None] = {}
    for text in texts:
        proved = names.prove(text)
        for candidate in proved.candidates if proved is not None else names.suggest(text, limit=2):
            seen.setdefault(candidate.name)
    for name in list(seen)[:3]:
        yield SuggestedFix(label=f"Choose {name} as payee", record=purchase.key)
    if not seen:
        yield SuggestedFix(label="Choose the payee", record=purchase.key)
