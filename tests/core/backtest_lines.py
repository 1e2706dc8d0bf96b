"""Where the error of a forecast lies: what moved by line, beside what the outlook had of that line."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from statistics import mean, median
from typing import NamedTuple

from runway_core.calculators.flows import Flow, FlowSort, read_flows
from runway_core.calculators.outflows import find_card_account_ids, find_wage_account_ids
from runway_core.domain.books import Books
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.ledger import AccountKind
from runway_core.domain.outlook import Outlook, OutlookEvent, OutlookKind

ENTERED_WITHIN_DAYS = 60
_PAYMENTS = ("bill_payments", "customer_payments", "purchases", "deposits", "transfers", "journal_entries")
_TAXES = frozenset({AccountKind.PAYROLL_LIABILITY, AccountKind.SALES_TAX_PAYABLE})


class Line(StrEnum):
    """What money is for, as far as both the ledger and the outlook tell."""

    RECEIPTS = "receipts of invoices"
    TAKINGS = "takings without invoices"
    BILLS = "bills and cards"
    WAGES = "payroll and taxes"
    OTHER = "other payments"
    FINANCING = "owners, loans, equipment"


class SplitError(NamedTuple):
    """The error of one forecast by line, in weeks of the company's outflow: actual − forecast."""

    by_line: dict[Line, Decimal]
    moved: dict[Line, Decimal]  # what really moved

    @property
    def whole(self) -> Decimal:
        return sum(self.by_line.values(), Decimal(0))


class ErrorSplitter:
    """Splits errors of forecasts that were made on the books of one company, turned back."""

    def __init__(self, books: Books, first: date) -> None:
        self._flows = [
            flow
            for flow in read_flows(books, since=first - timedelta(days=ENTERED_WITHIN_DAYS)).ledger
            if flow.home is not None
        ]
        self._records = {record.key: record for name in _PAYMENTS for record in getattr(books, name)}
        self._wages = find_wage_account_ids(books)
        self._cards = find_card_account_ids(books)
        self._taxes = {a.external_id for a in books.accounts if a.account_kind in _TAXES}

    def split(self, then: Books, outlook: Outlook, *, ends_on: date, week_outflow: Decimal) -> SplitError:
        """The error of what was foreseen `then` for the end of a later day."""
        known = {record.key for name in _PAYMENTS for record in getattr(then, name)}
        moved = dict.fromkeys(Line, Decimal(0))
        for flow in self._flows:
            if flow.on <= ends_on and (flow.key not in known or flow.on > then.as_of):
                for line, home in self._split_flow(flow):
                    moved[line] += home
        missed = dict(moved)
        for event in outlook.events:
            if event.on <= ends_on:
                missed[self._find_line(event)] -= event.amount
        return SplitError(
            {line: amount / week_outflow for line, amount in missed.items()},
            {line: amount / week_outflow for line, amount in moved.items()},
        )

    def _split_flow(self, flow: Flow) -> Iterator[tuple[Line, Decimal]]:
        home = flow.home or Decimal(0)
        record = self._records[flow.key] if flow.key is not None else None
        if flow.kind is RecordKind.DEPOSIT and record is not None and flow.sort is FlowSort.OPERATING:
            keys = [RecordKey(RecordKind.CUSTOMER_PAYMENT, link.external_id) for link in record.links]
            taken = sum((self._records[key].total for key in keys if key in self._records), Decimal(0))
            yield Line.RECEIPTS, min(taken, home)
            yield Line.TAKINGS, home - min(taken, home)
        else:
            yield self._find_line_of(flow.key, is_financing=flow.sort is not FlowSort.OPERATING), home

    def _find_line_of(self, key: RecordKey | None, *, is_financing: bool) -> Line:
        record = self._records.get(key) if key is not None else None
        if record is None or key is None:
            return Line.OTHER
        if key.kind is RecordKind.CUSTOMER_PAYMENT:
            return Line.RECEIPTS
        if key.kind is RecordKind.BILL_PAYMENT or getattr(record, "to_account_id", None) in self._cards:
            return Line.BILLS
        if is_financing:
            return Line.FINANCING
        booked = {line.account_id for line in getattr(record, "lines", ())}
        return Line.WAGES if booked & (self._wages | self._taxes) else Line.OTHER

    def _find_line(self, event: OutlookEvent) -> Line:
        series_id = event.series_id or ""
        if event.kind is OutlookKind.IN_FLIGHT:
            return self._find_line_of(event.source if isinstance(event.source, RecordKey) else None, is_financing=False)
        if event.kind is OutlookKind.RESIDUAL:
            return Line.TAKINGS if event.amount > 0 else Line.OTHER
        if event.kind is OutlookKind.SERIES:
            if series_id.startswith("bill:") or series_id.removeprefix("liability:") in self._cards:
                return Line.BILLS
            return Line.WAGES if event.is_payroll or series_id.startswith("liability:") else Line.OTHER
        if event.kind is OutlookKind.PLANNED:
            return Line.OTHER
        if event.source is None and event.kind is OutlookKind.DOCUMENT:
            return Line.RECEIPTS if event.label.startswith("Invoices") else Line.BILLS
        return Line.RECEIPTS if event.amount > 0 else Line.BILLS


def tabulate(split: list[SplitError]) -> list[tuple[str, ...]]:
    """By line: how much moves, the mean error and its bias, and the whole's median error were the line foreseen."""
    return [
        (
            line,
            f"{mean(abs(each.moved[line]) for each in split):.2f}",
            f"{mean(abs(each.by_line[line]) for each in split):.2f}",
            f"{mean(each.by_line[line] for each in split):+.2f}",
            f"{median(abs(each.whole - each.by_line[line]) for each in split):.2f}",
        )
        for line in Line
    ]
