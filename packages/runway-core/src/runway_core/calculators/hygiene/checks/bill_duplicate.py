"""AP06: the same bill twice, so that money may be paid twice."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.calculators.numbers import is_one_slip_apart, normal_number, slip_keys
from runway_core.calculators.rhythm import are_different_periods
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.identity import RecordKind

SLIP_DAYS = 31
SLIP_LENGTH = 4
MANY_MEMBERS = 6
"""So many members a series of merely similar amounts needs before it clears a pair with different numbers."""

_ALIKE = Decimal("0.1")  # amounts of one series differ by a tenth at most

_Numbered = tuple[str, Bill]


class BillDuplicate:
    """Two bills of one vendor over one amount in one currency.

    D1: their normal numbers are equal. D2: their numbers, of at least four signs, are one slip apart, their dates at
    most 31 days, and one of them is still open. Members of one series in different periods never pair.
    """

    id = "AP06"
    name = "bill_duplicate"
    floor = Severity.CRITICAL
    effect = RunwayEffect.LENGTHENS
    reads = frozenset({"attachments", "bills"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every pair; of three alike, the first with the second and the second with the third."""
        series = _SeriesDays(books)
        files: dict[str, int] | None = None
        for group in _group_alike(books.bills):
            numbered = [(number, bill) for bill in group if (number := normal_number(bill.number)) is not None]
            if len(numbered) < 2:
                continue
            numbered.sort(key=lambda pair: (pair[1].document_date, pair[1].external_id))
            pairs = [(one, two, "D1") for one, two in _find_equal(numbered, series)]
            pairs += [(one, two, "D2") for one, two in _find_slips(numbered, series)]
            for one, two, rule in pairs:
                files = _count_attachments(books) if files is None else files
                yield self._report(books, one, two, rule=rule, files=files)

    def _report(self, books: Books, one: Bill, two: Bill, *, rule: str, files: dict[str, int]) -> Finding:
        names = f"{one.number} and {two.number}"
        how = "carry the same number" if rule == "D1" else "have numbers one slip apart"
        return build_finding(
            self,
            books,
            subjects=(one.key, two.key),
            amount=two.total,
            currency=two.currency,
            summary=f"Bills {names} of {two.vendor_name or 'one vendor'}, {say_amount(two.total, two.currency)} each, "
            + how,
            evidence=(
                Evidence(name="rule", value=rule),
                *_show(one, files.get(one.external_id, 0)),
                *_show(two, files.get(two.external_id, 0)),
            ),
            fixes=_suggest(one, two),
        )


class _SeriesDays:
    """The days on which a vendor's bills over about one amount are dated."""

    def __init__(self, books: Books) -> None:
        self._bills = books.bills
        self._by_vendor: dict[str, list[Bill]] | None = None

    def are_different(self, one: Bill, two: Bill, *, number: str | None) -> bool:
        """Whether the two are members of one series in different periods.

        With `number`, only bills of that normal number make the series: a vendor who puts the same account number on
        every bill.
        """
        if self._by_vendor is None:
            self._by_vendor = {}
            for bill in self._bills:
                self._by_vendor.setdefault(bill.vendor_id or "", []).append(bill)
        bills = [
            bill
            for bill in self._by_vendor[one.vendor_id or ""]
            if bill.currency == one.currency
            and abs(bill.total - one.total) <= one.total * _ALIKE
            and (number is None or normal_number(bill.number) == number)
        ]
        days = sorted({bill.document_date for bill in bills})
        if number is not None:
            return are_different_periods(one.document_date, two.document_date, days)
        same = sorted({bill.document_date for bill in bills if bill.total == one.total})
        return are_different_periods(one.document_date, two.document_date, same) or are_different_periods(
            one.document_date, two.document_date, days, least_members=MANY_MEMBERS
        )


def _group_alike(bills: Iterable[Bill]) -> Iterator[list[Bill]]:
    groups: dict[tuple[str, Decimal, str], list[Bill]] = {}
    for bill in bills:
        if bill.vendor_id is not None and bill.total > 0:
            groups.setdefault((bill.vendor_id, bill.total, bill.currency), []).append(bill)
    return (group for group in groups.values() if len(group) > 1)


def _find_equal(numbered: list[_Numbered], series: _SeriesDays) -> Iterator[tuple[Bill, Bill]]:
    """D1: neighbours in time with one number."""
    last: dict[str, Bill] = {}
    for number, bill in numbered:
        before = last.get(number)
        if before is not None and not series.are_different(before, bill, number=number):
            yield before, bill
        last[number] = bill


def _find_slips(numbered: list[_Numbered], series: _SeriesDays) -> Iterator[tuple[Bill, Bill]]:
    """D2: numbers that share a slip key are looked at, so that a long list costs no square."""
    keyed: dict[str, list[_Numbered]] = {}
    for number, bill in numbered:
        if len(number) < SLIP_LENGTH:
            continue
        near: dict[str, _Numbered] = {}
        keys = slip_keys(number)
        for key in keys:
            for before in keyed.get(key, ()):
                if (bill.document_date - before[1].document_date).days <= SLIP_DAYS:
                    near[before[1].external_id] = before
        for _, (other, before_bill) in sorted(near.items()):
            is_open = bill.open_balance > 0 or before_bill.open_balance > 0
            if (
                is_open
                and is_one_slip_apart(other, number)
                and not series.are_different(before_bill, bill, number=None)
            ):
                yield before_bill, bill
        for key in keys:
            keyed.setdefault(key, []).append((number, bill))


def _count_attachments(books: Books) -> dict[str, int]:
    counts: dict[str, int] = {}
    for attachment in books.attachments:
        for link in attachment.links:
            if link.kind is RecordKind.BILL:
                counts[link.external_id] = counts.get(link.external_id, 0) + 1
    return counts


def _show(bill: Bill, files: int) -> Iterator[Evidence]:
    for name, value in (
        ("number", bill.number or "none"),
        ("document_date", bill.document_date.isoformat()),
        ("due_date", str(bill.due_date or "none")),
        ("total", plain_amount(bill.total, bill.currency)),
        ("open_balance", plain_amount(bill.open_balance, bill.currency)),
        ("memo", bill.memo or "none"),
        ("attachments", str(files)),
    ):
        yield Evidence(name=name, value=value, record=bill.key)


def _suggest(one: Bill, two: Bill) -> tuple[SuggestedFix, ...]:
    still_open = [bill for bill in (one, two) if bill.open_balance > 0]
    if not still_open:
        return (SuggestedFix(label="Both are paid: ask the vendor for the money back", record=two.key),)
    return tuple(
        SuggestedFix(
            label=f"Delete or void {bill.number or bill.external_id} of {bill.document_date}",
            record=bill.key,
            amendments=(Amendment(action=AmendmentAction.REMOVE, record=bill.key),),
        )
        for bill in reversed(still_open)
    )
