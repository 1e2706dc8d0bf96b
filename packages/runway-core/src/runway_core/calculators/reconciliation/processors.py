"""Payouts of card processors: what they are made of, their deposits in the ledger, and their lines at the bank."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from runway_core.calculators.calendar import add_days
from runway_core.calculators.hygiene.check import plain_amount, say_amount
from runway_core.calculators.matching.ledger_legs import read_ledger_legs
from runway_core.calculators.matching.money_match import MoneyMatch
from runway_core.calculators.matching.money_sides import MoneyMovement, SideKey
from runway_core.calculators.matching.payouts import ARRIVAL_DAYS, match_payouts, outline_payout
from runway_core.calculators.numbers import normal_number
from runway_core.calculators.reconciliation.build import build_conflict
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.bank import BankTransaction
from runway_core.domain.books import Books
from runway_core.domain.conflicts import LEDGER, Conflict, ConflictKind, MatchSuggestion
from runway_core.domain.findings import Evidence
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.invoices import Invoice
from runway_core.domain.ledger import Deposit
from runway_core.domain.money import ZERO
from runway_core.domain.processor import Payout, PayoutPart, PayoutPartKind
from runway_core.domain.processor_links import BOOKED_WITHIN_DAYS
from runway_core.domain.reconciliation import RailPair

WAITING_DAYS = 5
"""So long after its arrival a payout must be seen on the other side."""

EARLY_DAYS = 2
LATE_DAYS = 7
"""How far from its arrival another side may date a payout."""


def compare_processors(books: Books) -> tuple[tuple[RailPair, ...], tuple[Conflict, ...]]:
    """Each processor's payouts with the ledger's deposits and with the bank's lines, by processor."""
    sent: dict[str, list[Payout]] = {}
    for payout in books.payouts:
        if payout.amount > 0:
            sent.setdefault(payout.rail, []).append(payout)
    pairs: list[RailPair] = []
    conflicts: list[Conflict] = []
    for rail, payouts in sorted(sent.items()):
        held = {payout.external_id: payout for payout in sorted(payouts, key=lambda one: one.external_id)}
        amounts = {(one.currency, one.amount) for one in payouts}
        deposits = [one for one in books.deposits if (one.currency, one.total) in amounts]
        lines = [one for one in books.bank_transactions if not one.is_pending and (one.currency, one.amount) in amounts]
        booked = _pair(books, held, map(_read_deposit, deposits), within_days=BOOKED_WITHIN_DAYS)
        arrived = _pair(books, held, map(_read_line, lines), within_days=ARRIVAL_DAYS)
        by_id = {one.external_id: one for one in deposits}
        doubts = [_tell_doubt(books, held[key], matches, by_id) for key, matches in sorted(booked.doubts.items())]
        pairs.append(
            RailPair(
                here=LEDGER,
                there=rail,
                what="payouts",
                matched=len(booked.found),
                suggested=len(doubts),
                left_here=len(deposits) - len(booked.found),
                left_there=len(held) - len(booked.found) - len(doubts),
            )
        )
        if lines:
            pairs += _count_lines(held, arrived.found, lines, rail=rail)
        for payout in held.values():
            conflicts += _judge(books, payout, by_id.get(booked.found.get(payout.external_id, ("", ""))[1]))
        conflicts += doubts
        conflicts += _find_unseen(books, held.values())
        conflicts += _find_paid_invoices(books, held.values())
    return tuple(pairs), tuple(conflicts)


class _Paired(NamedTuple):
    """Which key each payout has on another side; and those of which more came there than was sent."""

    found: Mapping[str, SideKey]
    doubts: Mapping[str, list[MoneyMatch]]


def _pair(
    books: Books, payouts: Mapping[str, Payout], movements: Iterable[MoneyMovement], *, within_days: int
) -> _Paired:
    """What each payout is on another side, where there is one answer: by what people said, else by amount and day.

    Equal payouts beside as many equal deposits are nobody's trouble, whichever is which.
    """
    said = _find_confirmed(books)
    moved = [replace(one, rail_ids=one.rail_ids | said.get(one.key, frozenset())) for one in movements]
    report = match_payouts(map(outline_payout, payouts.values()), moved, within_days=within_days)
    amounts = {one.key: one.amount for one in moved}
    found: dict[str, SideKey] = {}
    tied: dict[tuple[str, Decimal], dict[str, list[MoneyMatch]]] = {}
    for match in (*report.acted, *report.suggested):
        payout = payouts[match.documents[0][1]]
        if amounts[match.movements[0]] != payout.amount:
            continue
        if _is_whole(match):
            found[payout.external_id] = match.movements[0]
        elif match.is_tied:
            tied.setdefault((payout.currency, payout.amount), {}).setdefault(payout.external_id, []).append(match)
    doubts = {
        payout_id: matches
        for group in tied.values()
        for payout_id, matches in group.items()
        if len({match.movements[0] for some in group.values() for match in some}) > len(group)
    }
    return _Paired(found, doubts)


def _tell_doubt(
    books: Books, payout: Payout, matches: Sequence[MoneyMatch], deposits: Mapping[str, Deposit]
) -> Conflict:
    """A payout for which more deposits fit than there are payouts: one of them may be entered twice."""
    ordered = sorted(matches, key=lambda match: match.movements)
    found = [deposits[match.movements[0][1]] for match in ordered]
    key = RecordKey(RecordKind.PAYOUT, payout.external_id)
    return build_conflict(
        books,
        ConflictKind.AMBIGUOUS_MATCH,
        about=(key,),
        with_records=(deposit.key for deposit in found),
        rail=payout.rail,
        amount=payout.amount,
        currency=payout.currency,
        since=payout.arrives_on,
        summary=f"{len(found)} deposits fit the payout of {payout.rail} of {payout.arrives_on} over "
        f"{say_amount(payout.amount, payout.currency)}: one may be entered twice",
        suggested="Say which deposit it is, and void the other if it is the same money",
        evidence=(*_show(payout), *(told for deposit in found for told in _show_deposit(deposit))),
        matches=(
            MatchSuggestion(
                tier=match.tier.value, there=(key,), here=(deposit.key,), evidence=match.evidence, may_confirm=True
            )
            for match, deposit in zip(ordered, found, strict=True)
        ),
    )


def _is_whole(match: MoneyMatch) -> bool:
    return not match.is_tied and len(match.movements) == len(match.documents) == 1


def _find_confirmed(books: Books) -> Mapping[tuple[str, str], frozenset[str]]:
    """Payouts that people said deposits and lines to be, by the key of these."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for decided in books.conflict_decisions:
        for there, here in decided.pairs:
            if there.kind is RecordKind.PAYOUT:
                found[here] = found.get(here, frozenset()) | {there.external_id}
    return found


def _read_deposit(deposit: Deposit) -> MoneyMovement:
    said = (deposit.memo, *(line.description for line in deposit.lines))
    return MoneyMovement(
        deposit.key,
        deposit.document_date,
        deposit.total,
        deposit.currency,
        text=" ".join(filter(None, said)),
        record=deposit.key,
    )


def _read_line(line: BankTransaction) -> MoneyMovement:
    return MoneyMovement(line.key, line.booked_on, line.amount, line.currency, text=line.text)


def _count_lines(
    payouts: Mapping[str, Payout],
    found: Mapping[str, SideKey],
    lines: Sequence[BankTransaction],
    *,
    rail: str,
) -> Iterator[RailPair]:
    rails = {line.external_id: line.rail for line in lines}
    for bank in sorted(set(rails.values())):
        here = {payout: key for payout, key in found.items() if rails[key[1]] == bank}
        yield RailPair(
            here=rail,
            there=bank,
            what="payouts",
            matched=len(here),
            left_here=len(payouts) - len(here),
            left_there=sum(1 for one in rails.values() if one == bank) - len(here),
        )


def _judge(books: Books, payout: Payout, deposit: Deposit | None) -> Iterator[Conflict]:
    """A payout against its parts, and its deposit against its fees. One without a list of parts says neither."""
    if not payout.is_automatic or not payout.parts:
        return
    nets = sum((part.net for part in payout.parts), ZERO)
    key = RecordKey(RecordKind.PAYOUT, payout.external_id)
    others = () if deposit is None else (deposit.key,)
    if nets != payout.amount:
        yield build_conflict(
            books,
            ConflictKind.PAYOUT_SUM_WRONG,
            about=(key,),
            with_records=others,
            rail=payout.rail,
            amount=abs(payout.amount - nets),
            currency=payout.currency,
            since=payout.arrives_on,
            summary=f"The parts of a payout of {payout.rail} of {payout.arrives_on} make up "
            f"{say_amount(nets, payout.currency)}, and {say_amount(payout.amount, payout.currency)} was paid",
            suggested=f"Ask {payout.rail} for the part that is missing",
            evidence=(*_show(payout, sum_of_parts=nets), *_show_deposit(deposit)),
        )
    fees = sum((part.fee for part in payout.parts), ZERO)
    booked = ZERO if deposit is None else -sum((line.amount for line in deposit.lines if line.amount < 0), ZERO)
    if deposit is not None and booked < fees:
        yield build_conflict(
            books,
            ConflictKind.AMOUNT_DIFFERS,
            about=(key,),
            with_records=others,
            rail=payout.rail,
            amount=fees - booked,
            currency=payout.currency,
            since=payout.arrives_on,
            summary=f"{payout.rail} took fees of {say_amount(fees, payout.currency)} from the payout of "
            f"{payout.arrives_on}, and its deposit books {say_amount(booked, payout.currency)}",
            suggested="Book sales gross, and the fees on a line of their own",
            evidence=(
                *_show(payout, fees=fees),
                *_show_deposit(deposit),
                Evidence(name="fees", value=plain_amount(booked, deposit.currency), record=deposit.key),
            ),
        )


def _find_paid_invoices(books: Books, payouts: Iterable[Payout]) -> Iterator[Conflict]:
    """Invoices that are open in the ledger, though a card paid them and the money was sent on days ago."""
    named: dict[str | None, list[Invoice]] = {}
    for invoice in books.open_invoices:
        named.setdefault(normal_number(invoice.number), []).append(invoice)
    if not named:
        return
    for payout in payouts:
        if add_days(payout.arrives_on, WAITING_DAYS) >= books.as_of:
            continue
        for part in payout.parts:
            alike = named.get(normal_number(part.invoice_number), []) if part.invoice_number else []
            if part.part_kind is PayoutPartKind.CHARGE and len(alike) == 1 and _may_pay(part, payout, alike[0]):
                yield _tell_paid(books, alike[0], payout, part)


def _may_pay(part: PayoutPart, payout: Payout, invoice: Invoice) -> bool:
    """Whether the charge is what is open of the invoice: more or less of it is a part, and a person's to judge."""
    return invoice.currency == payout.currency and part.gross == invoice.open_balance


def _tell_paid(books: Books, invoice: Invoice, payout: Payout, part: PayoutPart) -> Conflict:
    entry = RecordKey(RecordKind.PROCESSOR_ENTRY, part.external_id)
    gross = plain_amount(part.gross, payout.currency)
    return build_conflict(
        books,
        ConflictKind.STATE_DIFFERS,
        about=(invoice.key, entry),
        with_records=(RecordKey(RecordKind.PAYOUT, payout.external_id),),
        rail=payout.rail,
        amount=part.gross,
        currency=payout.currency,
        since=payout.arrives_on,
        summary=f"Invoice {invoice.number} of {invoice.customer_name or 'a customer'} over "
        f"{say_amount(part.gross, payout.currency)} was paid at {payout.rail} and is open in the ledger",
        suggested="Receive the payment against the invoice",
        evidence=(
            Evidence(name="state", value="open", record=invoice.key),
            Evidence(name="amount", value=plain_amount(invoice.open_balance, invoice.currency), record=invoice.key),
            Evidence(name="state", value="paid", record=entry, rail=payout.rail),
            Evidence(name="amount", value=gross, record=entry, rail=payout.rail),
            Evidence(name="document_date", value=payout.arrives_on.isoformat(), record=entry, rail=payout.rail),
        ),
        amendments=(Amendment(action=AmendmentAction.REMOVE, record=invoice.key),),
    )


def _find_unseen(books: Books, payouts: Iterable[Payout]) -> Iterator[Conflict]:
    """Payouts that should have arrived: nothing at the bank moved as much, or, where no bank is read, in the ledger."""
    days: dict[tuple[str, Decimal], list[date]] = {}
    at_bank = [line for line in books.bank_transactions if not line.is_pending]
    if at_bank:
        began, through = min(line.booked_on for line in at_bank), max(line.booked_on for line in at_bank)
        for line in at_bank:
            days.setdefault((line.currency, line.amount), []).append(line.booked_on)
    else:
        began, through = books.history_from, books.as_of
        for leg in read_ledger_legs(books):
            days.setdefault((leg.currency, leg.amount), []).append(leg.day)
    where = at_bank[0].rail or "the bank" if at_bank else LEDGER
    kind = ConflictKind.MISSING_AT_RAIL if at_bank else ConflictKind.MISSING_IN_LEDGER
    for payout in payouts:
        since, until = add_days(payout.arrives_on, -EARLY_DAYS), add_days(payout.arrives_on, LATE_DAYS)
        if since < began or add_days(payout.arrives_on, WAITING_DAYS) >= through:
            continue
        if not any(since <= day <= until for day in days.get((payout.currency, payout.amount), ())):
            yield build_conflict(
                books,
                kind,
                about=(RecordKey(RecordKind.PAYOUT, payout.external_id),),
                rail=where if at_bank else payout.rail,
                here=payout.rail if at_bank else LEDGER,
                amount=payout.amount,
                currency=payout.currency,
                since=payout.arrives_on,
                summary=f"A payout of {payout.rail} of {say_amount(payout.amount, payout.currency)} should have "
                f"arrived on {payout.arrives_on}, and {where} shows nothing of that amount",
                suggested=f"Trace it with {payout.rail}" if at_bank else "Enter its deposit",
                evidence=_show(payout),
            )


def _show(payout: Payout, **more: Decimal) -> Iterator[Evidence]:
    key = RecordKey(RecordKind.PAYOUT, payout.external_id)
    yield Evidence(name="document_date", value=payout.arrives_on.isoformat(), record=key, rail=payout.rail)
    for name, amount in {"payout": payout.amount, **more}.items():
        yield Evidence(name=name, value=plain_amount(amount, payout.currency), record=key, rail=payout.rail)


def _show_deposit(deposit: Deposit | None) -> Iterator[Evidence]:
    if deposit is not None:
        yield Evidence(name="document_date", value=deposit.document_date.isoformat(), record=deposit.key)
        yield Evidence(name="payout", value=plain_amount(deposit.total, deposit.currency), record=deposit.key)
