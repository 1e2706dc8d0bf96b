"""Opening and available cash: what is in the bank, less what has left already and is only not seen there yet."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from heapq import heappop, heappush

from runway_core.calculators.calendar import add_days
from runway_core.calculators.exchange import HomeRates, name_unrated
from runway_core.calculators.flows import Flow, Flows, find_cash_account_ids, read_flows
from runway_core.calculators.undeposited import find_undeposited
from runway_core.domain.bank import BankBalance, BankTransaction
from runway_core.domain.books import Books
from runway_core.domain.identity import RecordKey, RecordKind, Subject
from runway_core.domain.ledger import Account, AccountKind
from runway_core.domain.money import ZERO, Money
from runway_core.domain.outlook import Cash, CashPart

BANK_FRESH = timedelta(hours=24)
BANK_USABLE = timedelta(hours=72)
_SEEN_BEFORE_DAYS = 3  # a bank may book a payment a business day before the ledger's date

_LEAVES_ONCE = frozenset({RecordKind.BILL_PAYMENT, RecordKind.PURCHASE, RecordKind.TRANSFER})
"""Entries that show at the bank as one line; a journal entry may stand for many."""


def compute_cash(books: Books) -> Cash:
    """Opening cash with its parts, and what of it may be spent; home currency.

    Opening cash is the posted bank balances of deposit accounts, less pending outflows, less ledger payments of the
    last 90 days (a setting) that the bank has not shown yet. Where no bank balance of the last 72 hours is there, the
    ledger's balance stands in, without what is dated after `as_of`.
    """
    flows = books.derive(read_flows)
    parts: list[CashPart] = []
    by_account: list[CashPart] = []
    unrated: list[tuple[Decimal, str]] = []
    balances = find_usable_bank_balances(books)
    rates = HomeRates.of(books)
    future = _sum_future(flows, books)
    counted = find_cash_account_ids(books)
    accounts = [account for account in books.accounts if account.external_id in counted]
    for account in sorted(accounts, key=lambda account: (account.full_name, account.external_id)):
        bank = balances.get(account.external_id)
        amount, currency, note = _balance_of(account, bank, books, future.get(account.external_id, ZERO))
        if bank is None and not account.is_active and not amount:
            continue
        by_account.append(_part(f"{account.name}, {note}", amount, currency, account.key))
        home = rates.convert(amount, currency)
        if home is None:
            unrated.append((amount, currency))
        else:
            parts.append(_part(f"{account.name}, {note}", home, books.home, account.key))
    parts += _find_pending(books, balances, rates)
    parts += _find_not_at_bank(books, flows, balances)
    opening = sum((part.amount.amount for part in parts), ZERO)
    settings = books.company.settings
    return Cash(
        opening=Money(amount=opening, currency=books.home),
        available=Money(amount=opening - settings.reserves - settings.buffer, currency=books.home),
        parts=tuple(parts),
        by_account=tuple(by_account),
        is_from_bank=bool(by_account) and all(account.external_id in balances for account in accounts),
        left_out=(
            *_name_excluded(books),
            *name_unrated("bank accounts", unrated),
            *find_undeposited(books).left_out,
        ),
    )


def find_usable_bank_balances(books: Books) -> Mapping[str, BankBalance]:
    """The newest posted balance of each account that is at most 72 hours old."""
    return books.derive(_compute_usable_balances)


def _compute_usable_balances(books: Books) -> dict[str, BankBalance]:
    found: dict[str, BankBalance] = {}
    for balance in sorted(books.bank_balances, key=lambda b: (b.read_at, b.posted)):
        if books.read_at - balance.read_at <= BANK_USABLE:
            found[balance.account_id] = balance
    return found


def find_pending(books: Books) -> list[BankTransaction]:
    """Announced bank transactions that no posted one has replaced, by day, then id."""
    replaced = {line.replaces_id for line in books.bank_transactions if line.replaces_id is not None}
    pending = [b for b in books.bank_transactions if b.is_pending and b.external_id not in replaced]
    return sorted(pending, key=lambda line: (line.booked_on, line.external_id))


def find_not_at_bank(books: Books) -> dict[RecordKey, Decimal]:
    """What opening cash has lost to ledger payments that the bank does not show yet: negative, in home currency."""
    found: dict[RecordKey, Decimal] = {}
    for part in _find_not_at_bank(books, books.derive(read_flows), find_usable_bank_balances(books)):
        if part.source is not None:
            found[part.source] = found.get(part.source, ZERO) + part.amount.amount
    return found


def _balance_of(account: Account, bank: BankBalance | None, books: Books, future: Decimal) -> tuple[Decimal, str, str]:
    if bank is not None:
        if books.read_at - bank.read_at <= BANK_FRESH:
            return bank.posted, bank.currency, "posted at the bank"
        return bank.posted, bank.currency, f"posted at the bank, last read {bank.read_at:%Y-%m-%d %H:%M} UTC"
    note = "balance in the ledger"
    if any(balance.account_id == account.external_id for balance in books.bank_balances):
        note += ": the bank has not been read for over 72 hours"
    return account.balance - future, account.currency, note


def _sum_future(flows: Flows, books: Books) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for flow in flows.ledger:
        if flow.on > books.as_of:
            sums[flow.account_id] = sums.get(flow.account_id, ZERO) + flow.amount
    return sums


def _find_pending(books: Books, balances: Mapping[str, BankBalance], rates: HomeRates) -> Iterable[CashPart]:
    for line in find_pending(books):
        home = rates.convert(line.amount, line.currency)
        if line.amount < 0 and line.account_id in balances and home is not None:
            yield _part(f"Pending at the bank: {line.text or line.external_id}", home, books.home, None)


def _find_not_at_bank(books: Books, flows: Flows, balances: Mapping[str, BankBalance]) -> Iterable[CashPart]:
    """Ledger payments that the bank does not show. An account without bank lines cannot tell, so none are taken off."""
    lines: dict[tuple[str, Decimal], list[BankTransaction]] = {}
    first_line: dict[str, date] = {}
    for line in books.bank_transactions:
        if line.account_id in balances:
            first_line[line.account_id] = min(first_line.get(line.account_id, line.booked_on), line.booked_on)
            if line.amount < 0:
                lines.setdefault((line.account_id, line.amount), []).append(line)
    oldest = add_days(books.as_of, -books.company.settings.ledger_outflow_days)
    paid: dict[tuple[RecordKey | None, str], Flow] = {}
    for flow in flows.ledger:
        since = first_line.get(flow.account_id)
        if since is None or flow.kind not in _LEAVES_ONCE:
            continue
        if max(oldest, since) <= flow.on <= books.as_of:
            held = paid.get((flow.key, flow.account_id))
            paid[flow.key, flow.account_id] = flow if held is None else _merge(held, flow)
    waiting: dict[tuple[str, Decimal], list[Flow]] = {}
    for flow in paid.values():
        if flow.amount < 0:
            waiting.setdefault((flow.account_id, flow.amount), []).append(flow)
    unseen: list[Flow] = []
    for which, payments in waiting.items():
        unseen += _match_by_day(payments, lines.get(which, []))
    for flow in sorted(unseen, key=lambda flow: (flow.on, flow.external_id, flow.account_id)):
        if flow.home is not None and flow.kind is not None:
            kind = flow.kind.value.replace("_", " ").capitalize()
            yield _part(f"{kind} of {flow.on}, not yet at the bank", flow.home, books.home, flow.key)


def _merge(one: Flow, other: Flow) -> Flow:
    home = None if one.home is None or other.home is None else one.home + other.home
    return one._replace(amount=one.amount + other.amount, home=home)


def _match_by_day(payments: list[Flow], lines: list[BankTransaction]) -> list[Flow]:
    """Pair payments with bank lines of the same amount, each once; return the payments left over.

    A line takes the oldest payment that was written down by then, so that what is missing is the newest.
    """
    coming = sorted(payments, key=lambda flow: (flow.on, flow.external_id), reverse=True)
    ready: list[tuple[date, str, Flow]] = []
    for line in sorted(lines, key=lambda line: (line.booked_on, line.external_id)):
        while coming and (coming[-1].on - line.booked_on).days <= _SEEN_BEFORE_DAYS:
            flow = coming.pop()
            heappush(ready, (flow.on, flow.external_id, flow))
        if ready:
            heappop(ready)
    return [*coming, *(flow for _, _, flow in ready)]


def _name_excluded(books: Books) -> Iterable[str]:
    excluded = books.company.settings.excluded_account_ids
    names = sorted(
        account.name
        for account in books.accounts
        if account.external_id in excluded and account.account_kind is AccountKind.BANK
    )
    return [f"{name} is set aside by the settings" for name in names]


def _part(label: str, amount: Decimal, currency: str, source: Subject | None) -> CashPart:
    return CashPart(label=label, amount=Money(amount=amount, currency=currency), source=source)
