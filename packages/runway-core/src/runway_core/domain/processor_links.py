"""What calculators see of a card processor: payouts with their parts, and what it has not paid out yet."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Any

from runway_core.domain.company import Connection
from runway_core.domain.ledger import Deposit
from runway_core.domain.money import ZERO
from runway_core.domain.processor import (
    Charge,
    Dispute,
    Payout,
    PayoutPart,
    PayoutPartKind,
    PayoutState,
    ProcessorBalance,
    ProcessorEntry,
    ProcessorEntryKind,
    Refund,
    SentPayout,
)

BOOKED_WITHIN_DAYS = 4
"""A deposit over a payout's amount so near to its arrival is taken for it."""

OLDEST_PART_DAYS = 90
"""A part of a payout may be so much older than the payout."""

USUAL_GAP_DAYS = 7
"""So far apart payouts are taken to be where fewer than two are known."""

_NEVER_ARRIVES = frozenset({PayoutState.FAILED, PayoutState.CANCELLED})
_PART_KINDS = {
    ProcessorEntryKind.CHARGE: PayoutPartKind.CHARGE,
    ProcessorEntryKind.REFUND: PayoutPartKind.REFUND,
    ProcessorEntryKind.DISPUTE: PayoutPartKind.DISPUTE,
    ProcessorEntryKind.FEE: PayoutPartKind.FEE,
}


PROCESSOR_RECORDS = ("charges", "refunds", "disputes", "sent_payouts", "processor_entries")
"""The names under which stores hand over what a processor shows."""


def see_processor(
    records: Mapping[str, Sequence[Any]], *, deposits: Iterable[Deposit], read_on: date, history_from: date
) -> dict[str, tuple[Any, ...]]:
    """The fields of `Books` that are made of these records, which stand under `PROCESSOR_RECORDS`.

    Payouts begin later than the books that reach back to `history_from`, so that all parts of each can be there.
    """
    entries, charges, payouts = records["processor_entries"], records["charges"], records["sent_payouts"]
    since = history_from + timedelta(days=OLDEST_PART_DAYS)
    return {
        "payouts": make_payouts(
            [payout for payout in payouts if payout.booked_on >= since],
            entries,
            charges,
            refunds=records["refunds"],
            disputes=records["disputes"],
            deposits=deposits,
        ),
        "processor_balances": make_processor_balances(entries, payouts, charges, read_on=read_on),
    }


def make_payouts(
    payouts: Iterable[SentPayout],
    entries: Sequence[ProcessorEntry],
    charges: Sequence[Charge],
    *,
    refunds: Sequence[Refund],
    disputes: Sequence[Dispute],
    deposits: Iterable[Deposit],
) -> tuple[Payout, ...]:
    """Payouts that reach the bank, each with its parts, in the order of `payouts`.

    A payout counts as arrived once the processor says so, or a deposit over its amount is booked: the ledger has it
    then. One whose parts are not held is shown as one without a list.
    """
    charge_of = _find_charges(charges, refunds, disputes)
    parts: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in entries:
        if entry.payout_id is not None and entry.entry_kind is not ProcessorEntryKind.PAYOUT:
            parts[entry.payout_id].append(_describe_part(entry, charge_of.get(entry.source_id or "")))
    booked = _group_deposits(deposits)
    found = []
    for payout in payouts:
        if payout.state in _NEVER_ARRIVES:
            continue
        held = tuple(PayoutPart.trusted_many(parts.get(payout.external_id, [])))
        found.append(
            Payout.trusted(
                {
                    "rail": payout.feed,
                    "external_id": payout.external_id,
                    "account_id": None,
                    "currency": payout.currency,
                    "amount": payout.amount,
                    "arrives_on": payout.arrives_on,
                    "is_automatic": payout.is_automatic and bool(held),
                    "has_arrived": payout.state is PayoutState.PAID or _is_booked(payout, booked),
                    "parts": held,
                }
            )
        )
    return tuple(found)


def make_processor_balances(
    entries: Iterable[ProcessorEntry],
    payouts: Sequence[SentPayout],
    charges: Sequence[Charge],
    *,
    read_on: date,
) -> tuple[ProcessorBalance, ...]:
    """What a processor holds, by currency and day on which it can be paid out.

    Held is what no payout took. A charge that pays an invoice is left out: the ledger shows the open invoice or the
    receipt, and it must not count twice. Where payouts are made by hand nobody knows what they took, so that only what
    is not available yet is told. What is available is expected with the next payout.
    """
    by_hand = {payout.currency for payout in payouts if not payout.is_automatic}
    of_invoices = {charge.external_id for charge in charges if charge.invoice_number is not None}
    next_arrival = _expect_next(payouts, read_on)
    sums: dict[tuple[str, str, bool, date], Decimal] = defaultdict(lambda: ZERO)
    for entry in entries:
        is_available = entry.available_on <= read_on
        if (
            entry.payout_id is not None
            or entry.source_id in of_invoices
            or (is_available and entry.currency in by_hand)
        ):
            continue
        expected = next_arrival if is_available else entry.available_on
        sums[entry.feed, entry.currency, is_available, expected] += entry.net
    return tuple(
        ProcessorBalance(rail=rail, currency=currency, amount=amount, is_available=is_available, available_on=on)
        for (rail, currency, is_available, on), amount in sorted(sums.items())
        if amount
    )


def find_reading_day(entries: Iterable[ProcessorEntry], connections: Iterable[Connection]) -> date:
    """The day, in UTC, on which the processor was last read; without that the day of its newest movement."""
    held = list(entries)
    feeds = {entry.feed for entry in held}
    moments = [one.source_read_at or one.last_success_at for one in connections if one.rail in feeds]
    read = [moment.astimezone(UTC).date() for moment in moments if moment is not None]
    return max([*read, *(entry.booked_on for entry in held)], default=date.min)


def _find_charges(
    charges: Iterable[Charge], refunds: Iterable[Refund], disputes: Iterable[Dispute]
) -> Mapping[str, Charge]:
    """The charge behind each source of an entry, by the source's id."""
    own = {charge.external_id: charge for charge in charges}
    named = {one.external_id: one.charge_id for one in refunds} | {one.external_id: one.charge_id for one in disputes}
    return own | {source: own[charge] for source, charge in named.items() if charge in own}


def _describe_part(entry: ProcessorEntry, charge: Charge | None) -> dict[str, Any]:
    return {
        "external_id": entry.external_id,
        "part_kind": _PART_KINDS.get(entry.entry_kind, PayoutPartKind.ADJUSTMENT),
        "gross": entry.gross,
        "fee": entry.fee,
        "net": entry.net,
        "text": entry.text if charge is None else charge.text,
        "invoice_number": None if charge is None else charge.invoice_number,
        "customer_name": None if charge is None else charge.customer_name,
    }


def _group_deposits(deposits: Iterable[Deposit]) -> Mapping[tuple[str, Decimal], list[date]]:
    days: dict[tuple[str, Decimal], list[date]] = defaultdict(list)
    for deposit in deposits:
        days[deposit.currency, deposit.total].append(deposit.document_date)
    return days


def _is_booked(payout: SentPayout, booked: Mapping[tuple[str, Decimal], list[date]]) -> bool:
    reach = timedelta(days=BOOKED_WITHIN_DAYS)
    return any(abs(day - payout.arrives_on) <= reach for day in booked.get((payout.currency, payout.amount), ()))


def _expect_next(payouts: Iterable[SentPayout], read_on: date) -> date:
    """The day the next payout arrives, if it comes as long after the last as that after the one before."""
    days = sorted({one.arrives_on for one in payouts if one.is_automatic and one.state not in _NEVER_ARRIVES})
    gap = (days[-1] - days[-2]).days if len(days) > 1 else USUAL_GAP_DAYS
    return max(days[-1] + timedelta(days=gap) if days else read_on, read_on)
