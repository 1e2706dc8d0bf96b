"""Bills in the ledger, and bills at the rails that pay them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from runway_core.calculators.calendar import add_days
from runway_core.calculators.exchange import HomeRates
from runway_core.calculators.hygiene.check import plain_amount, say_amount
from runway_core.calculators.matching.at_bank import index_vendors
from runway_core.calculators.matching.money import match_money
from runway_core.calculators.matching.money_match import MoneyMatch, MoneyTier
from runway_core.calculators.matching.money_sides import MoneyDocument, MoneyMovement
from runway_core.calculators.matching.name_match import NameProof
from runway_core.calculators.matching.same_vendors import SameVendors
from runway_core.calculators.numbers import is_one_slip_apart, normal_number
from runway_core.calculators.reconciliation.build import build_conflict
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.conflicts import LEDGER, Conflict, ConflictKind, MatchSuggestion
from runway_core.domain.execution import ExecutionState, RailBill
from runway_core.domain.findings import Evidence
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.parties import Vendor
from runway_core.domain.reconciliation import RailPair

SLIP_LENGTH = 4
SLIP_DAYS = 31
NEAR_DAYS = 5
"""As for two bills of the ledger (domain.md, section 7, D2 and D3)."""

WINDOW_DAYS = 31
"""So far apart the two sides may have dated one bill."""

_NOT_OWED = frozenset({ExecutionState.REJECTED})
_NOT_YET = frozenset({ExecutionState.AWAITING_APPROVAL})
"""What nobody has approved need not be in the ledger."""

_TELLING = frozenset({MoneyTier.NUMBER, MoneyTier.PARTY_AND_AMOUNT, MoneyTier.PART_PAYMENT})
"""Evidence on which a bill is shown to a person as another one: an amount alone is not."""

_Block = tuple[str, Decimal, str]


class _Twin(NamedTuple):
    """A bill at the rail, and the ledger's bill that it repeats; `words` say why."""

    shown: RailBill
    bill: Bill
    words: str


def compare_payers(books: Books) -> tuple[tuple[RailPair, ...], tuple[Conflict, ...]]:
    """Each execution rail with the ledger, by rail: what is linked, missing, double or spelled otherwise."""
    shown: dict[str, list[RailBill]] = {}
    for bill in books.rail_bills:
        if bill.state not in _NOT_OWED:
            shown.setdefault(bill.rail, []).append(bill)
    compared = [_Payer(books, rail, bills) for rail, bills in sorted(shown.items())]
    return tuple(one.pair for one in compared), tuple(conflict for one in compared for conflict in one.conflicts)


class _Payer:
    """One rail and the ledger."""

    def __init__(self, books: Books, rail: str, shown: Sequence[RailBill]) -> None:
        self._books, self._rail = books, rail
        self._bills = {bill.external_id: bill for bill in books.bills}
        self._linked = {one.bill_id: one for one in sorted(shown, key=_order) if one.bill_id in self._bills}
        self._same = books.derive(SameVendors)
        self._vendor_of = self._find_vendors(shown)
        loose = sorted((one for one in shown if one.bill_id not in self._bills), key=_order)
        twins = {twin.shown.key: twin for twin in self._find_twins(loose)}
        matches = self._find_matches([one for one in loose if one.key not in twins])
        rest = [one for one in loose if one.key not in twins and one.key not in matches]
        self.conflicts = [
            *map(self._tell_twin, twins.values()),
            *(self._tell_doubt(one, matches[one.key]) for one in loose if one.key in matches),
            *(self._tell_missing(one) for one in rest if self._is_missing(one)),
            *self._tell_names(shown),
        ]
        self.pair = RailPair(
            here=LEDGER,
            there=rail,
            what="bills",
            matched=len(shown) - len(loose),
            suggested=len(matches),
            left_here=sum(1 for bill in books.open_bills if bill.external_id not in self._linked),
            left_there=len(rest) + len(twins),
        )

    def _find_vendors(self, shown: Iterable[RailBill]) -> Mapping[str, str]:
        """The ledger's vendor of each vendor of the rail: as it names him, else by bills that are one, else by name."""
        named: dict[str, str] = {}
        seen: dict[str, set[str]] = {}
        names: dict[str, str] = {}
        for one in shown:
            who = _who(one)
            if one.vendor_id is not None and one.vendor_id in self._books.vendor_by_id:
                named[who] = one.vendor_id
            bill = self._bills.get(one.bill_id or "")
            if bill is not None and bill.vendor_id is not None:
                seen.setdefault(who, set()).add(bill.vendor_id)
            if one.vendor_name:
                names[who] = one.vendor_name
        for who, name in names.items():
            if who in named:
                continue
            if len({self._same.one_of(vendor_id) for vendor_id in seen.get(who, ())}) == 1:
                named[who] = min(seen[who])
                continue
            found = index_vendors(self._books).prove(name)
            if found is not None and found.may_act:
                named[who] = found.party.external_id
        return named

    def _find_twins(self, loose: Iterable[RailBill]) -> Iterator[_Twin]:
        """Bills that stand at the rail a second time: the ledger's bill is there already, under another number."""
        blocks: dict[_Block, list[Bill]] = {}
        for bill_id in self._linked:
            bill = self._bills[bill_id or ""]
            if bill.vendor_id is not None:
                blocks.setdefault((self._same.one_of(bill.vendor_id), bill.total, bill.currency), []).append(bill)
        for one in loose:
            vendor = self._vendor_of.get(_who(one))
            if vendor is None:
                continue
            alike = blocks.get((self._same.one_of(vendor), one.total, one.currency), ())
            told = [_Twin(one, bill, words) for bill in alike if (words := _say_twin(one, bill))]
            if told:
                yield min(told, key=lambda twin: (_days_apart(one, twin.bill), twin.bill.external_id))

    def _find_matches(self, loose: Sequence[RailBill]) -> Mapping[RecordKey, list[MoneyMatch]]:
        """Bills of the ledger that those at the rail may be: nothing acts, for two taken for one hide a difference.

        Only those are asked about of which evidence that tells can speak: one number, or one vendor and amount.
        """
        numbers = {normal_number(one.number) for one in loose} - {None}
        traits = {
            (self._same.one_of(vendor), one.total, one.currency)
            for one in loose
            if (vendor := self._vendor_of.get(_who(one))) is not None
        }
        candidates = [
            bill
            for bill in self._books.bills
            if bill.external_id not in self._linked
            and bill.total > 0
            and (
                normal_number(bill.number) in numbers
                or (bill.vendor_id and (self._same.one_of(bill.vendor_id), bill.total, bill.currency) in traits)
            )
        ]
        if not candidates:
            return {}
        report = match_money(map(self._as_movement, loose), map(self._as_document, candidates))
        found: dict[RecordKey, list[MoneyMatch]] = {}
        for match in (*report.acted, *report.suggested):
            if match.tier in _TELLING:
                found.setdefault(RecordKey(RecordKind.RAIL_BILL, match.movements[0][1]), []).append(match)
        return found

    def _as_movement(self, one: RailBill) -> MoneyMovement:
        day = one.document_date or self._books.as_of
        vendor = self._vendor_of.get(_who(one))
        party = None if vendor is None else RecordKey(RecordKind.VENDOR, self._same.one_of(vendor))
        return MoneyMovement(one.key, day, -one.total, one.currency, party=party, text=one.number or "")

    def _as_document(self, bill: Bill) -> MoneyDocument:
        vendor = None if bill.vendor_id is None else RecordKey(RecordKind.VENDOR, self._same.one_of(bill.vendor_id))
        return MoneyDocument(
            bill.key,
            -bill.total,
            bill.currency,
            since=add_days(bill.document_date, -WINDOW_DAYS),
            until=add_days(bill.document_date, WINDOW_DAYS),
            party=vendor,
            party_name=bill.vendor_name or "",
            number=bill.number,
            record=bill.key,
        )

    def _is_missing(self, one: RailBill) -> bool:
        """Whether the ledger should have it: approved, from before today, and not from where the books begin."""
        on = one.document_date
        if one.state in _NOT_YET or on is None or one.total <= 0:
            return False
        return self._books.history_from + timedelta(days=WINDOW_DAYS) < on < self._books.as_of

    def _tell_twin(self, twin: _Twin) -> Conflict:
        one, bill = twin.shown, twin.bill
        first = self._linked[bill.external_id]
        return build_conflict(
            self._books,
            ConflictKind.DUPLICATE,
            about=(bill.key, one.key),
            with_records=(first.key,),
            rail=self._rail,
            amount=one.total,
            currency=one.currency,
            since=one.document_date,
            summary=f"Bill {bill.number or bill.external_id} of {bill.vendor_name or 'a vendor'} over "
            f"{say_amount(bill.total, bill.currency)} stands twice at {self._rail}, the second time as "
            f"{one.number or 'one without a number'}: {twin.words}",
            suggested=f"Reject the second one at {self._rail}",
            evidence=(*_show_bill(bill), *_show(first), *_show(one)),
        )

    def _tell_doubt(self, one: RailBill, matches: Iterable[MoneyMatch]) -> Conflict:
        told = tuple(
            MatchSuggestion(
                tier=match.tier.value,
                there=(one.key,),
                here=(RecordKey(RecordKind.BILL, match.documents[0][1]),),
                evidence=match.evidence,
                may_confirm=True,
            )
            for match in sorted(matches, key=lambda match: (match.tier, match.documents))
        )
        bills = [self._bills[match.here[0].external_id] for match in told]
        titles = " or ".join(bill.number or bill.external_id for bill in bills)
        return build_conflict(
            self._books,
            ConflictKind.AMBIGUOUS_MATCH,
            about=(one.key,),
            with_records=(bill.key for bill in bills),
            rail=self._rail,
            amount=one.total,
            currency=one.currency,
            since=one.document_date,
            summary=f"{_title(one)} over {say_amount(one.total, one.currency)} at {self._rail} may be bill {titles} of "
            "the ledger",
            suggested="Say which bill it is, or accept that it is none",
            evidence=(*_show(one), *(evidence for bill in bills for evidence in _show_bill(bill))),
            matches=told,
        )

    def _tell_missing(self, one: RailBill) -> Conflict:
        return build_conflict(
            self._books,
            ConflictKind.MISSING_IN_LEDGER,
            about=(one.key,),
            rail=self._rail,
            amount=one.total,
            currency=one.currency,
            since=one.document_date,
            summary=f"{_title(one)} over {say_amount(one.total, one.currency)} is approved at {self._rail} and not in "
            "the ledger",
            suggested="Enter it in the ledger",
            evidence=_show(one),
            amendments=self._expect(one),
        )

    def _expect(self, one: RailBill) -> tuple[Amendment, ...]:
        """What leaves once it is entered; nothing where the rail has paid it, for the bank knows that already."""
        home = HomeRates.of(self._books).convert(one.total, one.currency)
        if one.is_paid or home is None:
            return ()
        on = max(one.due_date or self._books.as_of, self._books.as_of)
        return (Amendment(action=AmendmentAction.ADD, on=on, amount=-home, label=_title(one)),)

    def _tell_names(self, shown: Iterable[RailBill]) -> Iterator[Conflict]:
        """Vendors that the rail does not join to the ledger's, and writes otherwise."""
        groups: dict[str, list[RailBill]] = {}
        for one in sorted(shown, key=_order):
            if one.rail_vendor_id is not None and one.vendor_name:
                groups.setdefault(one.rail_vendor_id, []).append(one)
        for rail_vendor_id, bills in groups.items():
            vendor = self._books.vendor_by_id.get(self._vendor_of.get(_who(bills[0]), ""))
            name = _trim(bills[-1].vendor_name or "")
            if vendor is None or any(one.vendor_id is not None for one in bills) or name in _names_of(vendor):
                continue
            found = index_vendors(self._books).prove(name)
            proven = found if found is not None and found.party == vendor.key else None
            if proven is not None and proven.proof is NameProof.ALIAS:
                continue
            words = () if proven is None else proven.evidence
            yield self._tell_name(vendor, name, bills, key=_key_of_vendor(self._rail, rail_vendor_id), words=words)

    def _tell_name(
        self, vendor: Vendor, name: str, bills: Sequence[RailBill], *, key: RecordKey, words: tuple[str, ...]
    ) -> Conflict:
        one = [bill for bill in bills if bill.bill_id in self._bills]
        told = f"{_say_bills(len(one))} of {vendor.name}" if one else words[0]
        match = MatchSuggestion(
            tier=MoneyTier.NUMBER.value if one else MoneyTier.PARTY_AND_AMOUNT.value,
            there=(key,),
            here=(vendor.key,),
            evidence=(told, *words) if one else words,
            may_confirm=True,
        )
        return build_conflict(
            self._books,
            ConflictKind.NAME_DIFFERS,
            about=(vendor.key, key),
            rail=self._rail,
            summary=f'{self._rail} writes {vendor.name} as "{name}" and does not join the two: {told}',
            suggested="Confirm the name, and join the two there",
            evidence=(
                Evidence(name="name", value=vendor.name, record=vendor.key),
                Evidence(name="name", value=name, record=key, rail=self._rail),
            ),
            matches=(match,),
            name=name,
        )


def _say_bills(count: int) -> str:
    return "1 of its bills is a bill" if count == 1 else f"{count} of its bills are bills"


def _say_twin(one: RailBill, bill: Bill) -> str:
    """Why a bill at the rail repeats one of the same vendor and amount; "" when it does not."""
    mine, theirs = normal_number(one.number), normal_number(bill.number)
    if mine is None or theirs is None:
        return "same vendor and amount, days apart" if _days_apart(one, bill) <= NEAR_DAYS else ""
    if mine == theirs:
        return "same vendor, amount and number"
    is_slip = min(len(mine), len(theirs)) >= SLIP_LENGTH and is_one_slip_apart(mine, theirs)
    return "same vendor and amount, a number one slip apart" if is_slip and _days_apart(one, bill) <= SLIP_DAYS else ""


def _days_apart(one: RailBill, bill: Bill) -> int:
    return SLIP_DAYS + 1 if one.document_date is None else abs((one.document_date - bill.document_date).days)


def _who(one: RailBill) -> str:
    """A vendor of the rail: by its id, else by its name."""
    return one.rail_vendor_id or f"\x1f{one.vendor_name or ''}"


def _key_of_vendor(rail: str, rail_vendor_id: str) -> RecordKey:
    return RecordKey(RecordKind.RAIL_VENDOR, f"{rail}:{rail_vendor_id}")


def _trim(name: str) -> str:
    return " ".join(name.split())


def _names_of(vendor: Vendor) -> set[str]:
    return {_trim(name) for name in (vendor.name, vendor.company_name) if name}


def _title(one: RailBill) -> str:
    return f"Bill {one.number or one.external_id} of {one.vendor_name or 'a vendor'}"


def _show(one: RailBill) -> Iterator[Evidence]:
    for name, value in (
        ("number", one.number or "none"),
        ("vendor", one.vendor_name or "none"),
        ("amount", plain_amount(one.total, one.currency)),
        ("document_date", "" if one.document_date is None else one.document_date.isoformat()),
        ("state", "paid" if one.is_paid else "open"),  # not each step on the way: they would bring it back
    ):
        yield Evidence(name=name, value=value, record=one.key, rail=one.rail, read_at=one.read_at)


def _show_bill(bill: Bill) -> Iterator[Evidence]:
    for name, value in (
        ("number", bill.number or "none"),
        ("vendor", bill.vendor_name or "none"),
        ("amount", plain_amount(bill.total, bill.currency)),
        ("document_date", bill.document_date.isoformat()),
        ("state", "open" if bill.open_balance else "paid"),
    ):
        yield Evidence(name=name, value=value, record=bill.key)


def _order(one: RailBill) -> tuple[str, str]:
    return one.rail, one.external_id
