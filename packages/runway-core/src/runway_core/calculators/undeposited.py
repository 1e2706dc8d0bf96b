"""Money received but not yet taken to the bank: in flight while fresh, doubtful once it lies."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from runway_core.calculators.deposits import list_taken
from runway_core.calculators.exchange import HomeRates, name_unrated
from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLink
from runway_core.domain.identity import RecordKind
from runway_core.domain.invoices import CustomerPayment
from runway_core.domain.ledger import AccountKind
from runway_core.domain.money import ZERO

FRESH_DAYS = 7
BUSINESS_DAYS_TO_BANK = 2


@dataclass(frozen=True, slots=True)
class Undeposited:
    """Customer payments that no deposit took to the bank."""

    fresh: tuple[tuple[CustomerPayment, Decimal], ...]  # with home amounts; expected at the bank
    stale: tuple[tuple[CustomerPayment, Decimal], ...]  # older than a week: left out
    left_out: tuple[str, ...]


def find_waiting(books: Books) -> tuple[CustomerPayment, ...]:
    """Payments in undeposited funds that no deposit names, in no particular order."""
    return books.derive(_compute_waiting)


def _compute_waiting(books: Books) -> tuple[CustomerPayment, ...]:
    waiting = {a.external_id for a in books.chart if a.account_kind is AccountKind.UNDEPOSITED_FUNDS} | {None}
    payments = books.customer_payment_columns
    held = [place for place, account_id in enumerate(payments.account_id) if account_id in waiting]
    if not held:
        return ()
    deposited = {payment_id for taken in books.derive(list_taken) for payment_id in taken.payment_ids}
    places = (place for place in held if not payments.is_void[place] and payments.external_id[place] not in deposited)
    left = (books.customer_payments[place] for place in places)
    return tuple(payment for payment in left if payment.total > 0 and not _names_deposit(payment.links))


def find_undeposited(books: Books) -> Undeposited:
    """Payments in undeposited funds that no deposit names, oldest first, then by id."""
    rates = HomeRates.of(books)
    fresh: list[tuple[CustomerPayment, Decimal]] = []
    stale: list[tuple[CustomerPayment, Decimal]] = []
    unrated: list[tuple[Decimal, str]] = []
    for payment in find_waiting(books):
        home = rates.convert(payment.total, payment.currency)
        if home is None:
            unrated.append((payment.total, payment.currency))
        elif (books.as_of - payment.document_date).days <= FRESH_DAYS:
            fresh.append((payment, home))
        else:
            stale.append((payment, home))
    left_out = name_unrated("undeposited funds", unrated)
    if stale:
        total = sum((home for _, home in stale), ZERO)
        left_out += (f"undeposited funds older than {FRESH_DAYS} days: {total:,.2f} {books.home}",)
    return Undeposited(fresh=_by_age(fresh), stale=_by_age(stale), left_out=left_out)


def _by_age(found: list[tuple[CustomerPayment, Decimal]]) -> tuple[tuple[CustomerPayment, Decimal], ...]:
    return tuple(sorted(found, key=lambda pair: (pair[0].document_date, pair[0].external_id)))


def _names_deposit(links: Iterable[DocumentLink]) -> bool:
    return any(link.kind is RecordKind.DEPOSIT for link in links)
