"""Made-up companies with a bank, a rail that pays bills and planned items, and what is wrong between them and books.

The books are the sandbox's. The bank shows every entry of the last months some days later; the rail shows every open
bill and payment alike. Then defects are planted, and near misses beside them that must not be found.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from runway_core.calculators.calendar import add_business_days
from runway_core.calculators.detected_series import find_outflow_series
from runway_core.calculators.matching.ledger_legs import LedgerLeg, read_ledger_legs
from runway_core.calculators.matching.names import second_form
from runway_core.domain.bank import BankBalance, BankTransaction
from runway_core.domain.bills import Bill, BillPayment
from runway_core.domain.books import Books
from runway_core.domain.execution import PaymentDetails, RailBill, RailPayment, RailPaymentState
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.ledger import AccountKind
from runway_core.domain.parties import Vendor
from runway_core.domain.planned_items import PlannedItem
from runway_core.domain.policy import CallBack
from runway_sandbox.economy import build_company

from tests.core.hygiene.planted import AS_OF, HISTORY_FROM, Defects, planted_in
from tests.core.sandbox_books import read_sandbox_books

JUDGED = frozenset({"AP08", "AP14", "AP19", "AP22", "AP23", "PL01", "SY02"})
BANK_DAYS = 150
_FRAMES = (
    "{name}",
    "ACH DEBIT {name} CCD",
    "ORIG CO NAME:{name} ORIG ID:{digits} SEC:CCD TRACE#:{digits}",
    "{name} PPD ID: {digits}",
    "CHECKCARD {name} {digits}",
    "POS PURCHASE {name}",
)


@dataclass(slots=True)
class MadeRails:
    """One company in the making."""

    rng: Random
    books: Books
    planted: Defects
    lines: list[BankTransaction] = field(default_factory=list)
    rail_bills: dict[str, RailBill] = field(default_factory=dict)
    rail_payments: list[RailPayment] = field(default_factory=list)
    details: list[PaymentDetails] = field(default_factory=list)
    call_backs: list[CallBack] = field(default_factory=list)
    planned_items: list[PlannedItem] = field(default_factory=list)
    used: set[str] = field(default_factory=set)  # bills and payments that something was planted on
    sums: set[tuple[str | None, Decimal]] = field(default_factory=set)  # and how much that was for whom
    number: int = 0

    def next_id(self, kind: str) -> str:
        self.number += 1
        return f"{kind}{self.number}"

    def plant(self, check: str, *records: RecordKey) -> None:
        self.planted.add((check, frozenset((kind.value, external_id) for kind, external_id in records)))

    def say(self, name: str) -> str:
        """A bank's text of a payment to somebody."""
        written = name.upper().replace(",", "").replace(".", "")
        return self.rng.choice(_FRAMES).format(name=written, digits=self.rng.randrange(10**8, 10**9))

    def bank(self, account_id: str, on: date, amount: Decimal, *, text: str, **more: Any) -> BankTransaction:
        line = BankTransaction(
            external_id=self.next_id("N"), account_id=account_id, booked_on=on, currency=self.books.home,
            amount=amount, text=text, rail="plaid", **more,
        )  # fmt: skip
        self.lines.append(line)
        return line

    @property
    def checking(self) -> str:
        """The account that bills are paid from."""
        return next(a.external_id for a in self.books.accounts if a.account_kind is AccountKind.BANK)

    def take_bill(self, *, older_than: int = 0, below: int = 10**9) -> Bill | None:
        """An open bill of a sound vendor that nothing was planted on."""
        spoiled = {external_id for _, records in self.planted for kind, external_id in records if kind == "bill"}
        alike = Counter((bill.vendor_id, bill.open_balance) for bill in self.books.open_bills)
        fit = [
            bill
            for bill in self.books.open_bills
            if bill.external_id not in self.used | spoiled
            and alike[bill.vendor_id, bill.open_balance] == 1  # else nobody can say which one was paid
            and (bill.vendor_id, bill.open_balance) not in self.sums
            and bill.open_balance == bill.total
            and bill.document_date < AS_OF - timedelta(days=older_than)
            and bill.open_balance < below
            and bill.due_date is not None
            and bill.due_date + timedelta(days=45) > AS_OF
            and self.is_sound(self.books.vendor_by_id.get(bill.vendor_id or ""))
        ]
        if not fit:
            return None
        bill = self.rng.choice(fit)
        self.used.add(bill.external_id)
        return bill

    def is_sound(self, vendor: Vendor | None) -> bool:
        """Whether a bank's text would name this vendor and nobody else."""
        return vendor is not None and vendor.is_active and len(vendor.name) > 8

    def take_payment(self, *, ages: range) -> BillPayment | None:
        """A payment from the bank of so many days ago that nothing was planted on, of paid bills alone."""
        open_ids = {bill.external_id for bill in self.books.open_bills}
        fit = [
            paid
            for paid in self.books.bill_payments
            if paid.external_id not in self.used
            and (AS_OF - paid.document_date).days in ages
            and paid.account_id == self.checking
            and paid.total > 0
            and paid.applied
            and all(link.kind is RecordKind.BILL and link.external_id not in open_ids for link in paid.applied)
        ]
        if not fit:
            return None
        paid = self.rng.choice(fit)
        self.used.add(paid.external_id)
        self.sums.add((paid.vendor_id, paid.total))
        return paid


def make_rails_company(seed: int, *, bills: int = 120) -> tuple[Books, Defects]:
    """One company's books on the day they are looked at, and what of `JUDGED` is wrong with them."""
    company = build_company(index=seed, seed=seed * 3 + 1, bills=bills, as_of=AS_OF)
    books = read_sandbox_books(company, as_of=AS_OF, history_from=HISTORY_FROM)
    made = MadeRails(Random(f"rails:{seed}"), books, {one for one in planted_in(company) if one[0] in JUDGED})
    _show_at_rail(made)
    unseen = {leg.record for leg in _hide_payments(made)} | set(_plant_states(made))
    _show_at_bank(made, unseen)
    for planter in (_plant_paid_by_bank, _plant_without_bill, _plant_details, _plant_differences, _plant_items):
        planter(made)
    return _close(made), made.planted


def _show_at_bank(made: MadeRails, unseen: set[RecordKey]) -> None:
    """Every entry of the last months on accounts that a bank keeps, when the bank got to it."""
    names = {one.key: one.name for one in made.books.vendors} | {one.key: one.name for one in made.books.customers}
    for leg in sorted(read_ledger_legs(made.books), key=lambda leg: (leg.day, leg.account_id, leg.record)):
        age = (AS_OF - leg.day).days
        if not 0 <= age <= BANK_DAYS or leg.record in unseen:
            continue
        is_slow = leg.is_cheque and (leg.number or "").isdigit() and made.rng.random() < 0.4
        on = add_business_days(leg.day, made.rng.randint(2, 15) if is_slow else made.rng.randint(0, 3))
        name = names.get(leg.party or leg.record, "Deposit" if leg.amount > 0 else "Withdrawal")
        text = f"CHECK {leg.number}" if is_slow else made.say(name)
        if on <= AS_OF:
            made.bank(leg.account_id, on, leg.amount, text=text)
        elif on <= AS_OF + timedelta(days=1):
            made.bank(leg.account_id, AS_OF, leg.amount, text=text, is_pending=True)
        else:
            _expect(made, leg)


def _expect(made: MadeRails, leg: LedgerLeg) -> None:
    """What is not at the bank yet: late by the rule, or still within its days."""
    limit = leg.day + timedelta(days=30) if leg.is_cheque else add_business_days(leg.day, 5)
    if leg.record.kind is RecordKind.BILL_PAYMENT and limit < AS_OF:
        made.plant("AP14", leg.record)


def _hide_payments(made: MadeRails) -> Iterator[LedgerLeg]:
    """Payments that never reach the bank; those that still have days are near misses."""
    chosen = {paid.external_id for _ in range(3) if (paid := made.take_payment(ages=range(1, 120))) is not None}
    for leg in read_ledger_legs(made.books):
        if leg.record.kind is RecordKind.BILL_PAYMENT and leg.record.external_id in chosen:
            _expect(made, leg)
            yield leg


def _show_at_rail(made: MadeRails) -> None:
    for bill in made.books.open_bills:
        made.rail_bills[bill.external_id] = RailBill(
            rail="ramp", external_id=f"R{bill.external_id}", bill_id=bill.external_id, due_date=bill.due_date,
            currency=bill.currency, total=bill.total,
        )  # fmt: skip


def _move(
    made: MadeRails, bill_ids: tuple[str, ...], amount: Decimal, *, days_ago: int | None, **more: Any
) -> RailPayment:
    payment = RailPayment(
        rail="ramp", external_id=made.next_id("P"), currency=made.books.home, amount=amount, bill_ids=bill_ids,
        settles_on=None if days_ago is None else AS_OF - timedelta(days=days_ago), **more,
    )  # fmt: skip
    made.rail_payments.append(payment)
    return payment


def _plant_states(made: MadeRails) -> Iterator[RecordKey]:
    """Payments at the rail. Yields the ledger's records of money that never moved."""
    for paid in made.books.bill_payments:  # most agree
        if paid.applied and made.rng.random() < 0.1:
            ids = tuple(link.external_id for link in paid.applied if link.kind is RecordKind.BILL)
            named = paid.external_id if made.rng.random() < 0.7 else None
            age = (AS_OF - paid.document_date).days
            _move(made, ids, paid.total, days_ago=age, state=RailPaymentState.SETTLED, ledger_payment_id=named)
            made.used.add(paid.external_id)
    for days_ago in (made.rng.randint(4, 20), made.rng.randint(0, 3)):
        bill = made.take_bill(older_than=days_ago)
        if bill is not None:
            payment = _move(
                made, (bill.external_id,), bill.open_balance, days_ago=days_ago, state=RailPaymentState.SETTLED
            )
            if days_ago > 3:
                made.plant("SY02", payment.key, bill.key)
    yield from _plant_failed(made)


def _plant_failed(made: MadeRails) -> Iterator[RecordKey]:
    for ages, is_again in ((range(7, 30), False), (range(4), False), (range(7, 60), True)):
        paid = made.take_payment(ages=ages)
        if paid is None or made.rng.random() < 0.3:
            continue
        ids = tuple(link.external_id for link in paid.applied)
        state = made.rng.choice((RailPaymentState.FAILED, RailPaymentState.RETURNED, RailPaymentState.CANCELLED))
        age = (AS_OF - paid.document_date).days
        failed = _move(made, ids, paid.total, days_ago=age, state=state)
        if is_again:
            _move(made, ids, paid.total, days_ago=max(age - 2, 0), state=RailPaymentState.SETTLED)
            continue
        if age > 3:
            known = {bill.external_id for bill in made.books.bills}
            made.plant("SY02", failed.key, *(RecordKey(RecordKind.BILL, one) for one in ids if one in known))
        for leg in read_ledger_legs(made.books):
            if leg.record == paid.key:
                _expect(made, leg)
        yield paid.key


def _plant_paid_by_bank(made: MadeRails) -> None:
    """Open bills whose money left without the ledger; and money that is not quite theirs."""
    for _ in range(2):
        bill = made.take_bill(older_than=6)
        if bill is None or bill.due_date is None:
            return
        name = made.books.vendor_by_id[bill.vendor_id or ""].name
        earliest, latest = bill.document_date - timedelta(days=3), min(AS_OF, bill.due_date + timedelta(days=45))
        on = earliest + timedelta(days=made.rng.randint(0, (latest - earliest).days))
        off = Decimal(made.rng.choice(("0", "0", "0.01", "-0.01")))
        line = made.bank(made.checking, on, -bill.open_balance + off, text=made.say(name))
        made.plant("AP08", bill.key, line.key)
    near = made.take_bill(older_than=6, below=900)
    paid = {(payment.vendor_id, payment.total) for payment in made.books.bill_payments}
    if near is not None and (near.vendor_id, near.open_balance) not in paid:
        name = made.books.vendor_by_id[near.vendor_id or ""].name
        early = near.document_date - timedelta(days=4)
        made.bank(made.checking, early, -near.open_balance, text=made.say(name))
        made.bank(made.checking, AS_OF, -near.open_balance + Decimal("0.02"), text=made.say(name))
        made.bank(made.checking, AS_OF, -near.open_balance, text="WIRE OUT 5512", is_transfer=True)
        made.bank(made.checking, AS_OF, -near.open_balance, text=made.say(name), is_pending=True)


def _plant_without_bill(made: MadeRails) -> None:
    """Large outflows of which the books know nothing; smaller ones, and those to vendors without bills, are fine."""
    billing = [v for v in made.books.vendors if v.external_id in made.books.bills_by_vendor and made.is_sound(v)]
    rounds = {series.counterparty.external_id for series in find_outflow_series(made.books)}
    alike = [vendor for vendor in billing if vendor.external_id not in rounds]
    for cents, is_large in ((made.rng.randint(100_000, 900_000), True), (made.rng.randint(50_000, 99_999), False)):
        if alike:
            vendor = made.rng.choice(alike)
            amount = Decimal(cents).scaleb(-2) + Decimal("0.37")
            on = AS_OF - timedelta(days=made.rng.randint(0, 30))
            line = made.bank(made.checking, on, -amount, text=made.say(vendor.name))
            if is_large or amount >= 1000:
                made.plant("AP23", line.key)
    billed = {second_form(v.name) for v in made.books.vendors if v.external_id in made.books.bills_by_vendor}
    others = [
        vendor
        for vendor in made.books.vendors
        if vendor.external_id not in made.books.bills_by_vendor and vendor.is_active
        if second_form(vendor.name) not in billed  # a vendor that stands twice may have bills under the other record
    ]
    if others:
        made.bank(made.checking, AS_OF, Decimal("-4444.44"), text=made.say(made.rng.choice(others).name))
    made.bank(made.checking, AS_OF, Decimal("-5123.45"), text="WIRE OUT SOMEBODY NEW")


def _plant_details(made: MadeRails) -> None:
    owed = {bill.vendor_id for bill in made.books.open_bills}
    for vendor in made.books.vendors:
        tail = f"{made.rng.randrange(10_000):04d}"
        fate = made.rng.random()
        if fate > 0.3:
            made.details.append(PaymentDetails(rail="ramp", vendor_id=vendor.external_id, account_tail=tail))
            continue
        ago = made.rng.choice((made.rng.randint(0, 30), made.rng.randint(31, 200)))
        made.details.append(
            PaymentDetails(
                rail="ramp", vendor_id=vendor.external_id, account_tail=tail, previous_tail="none",
                changed_on=AS_OF - timedelta(days=ago), changed_by="bo",
            )
        )  # fmt: skip
        called = made.rng.choice(
            (None, None, 0, 5)
        )  # days after the change; 5 may lie ahead, or before it when negative
        if called is not None:
            before = made.rng.random() < 0.3
            noted = made.books.read_at - timedelta(days=ago + 3 if before else max(ago - called, 0))
            made.call_backs.append(
                CallBack(
                    paper_id=vendor.external_id, changed_at=noted, changed_by="ada", vendor_id=vendor.external_id,
                    spoke_to="Mo", number_called="555 0100", details_tail=tail[-2:],
                )
            )  # fmt: skip
            if not before:
                continue
        if ago <= 30 and vendor.external_id in owed:
            made.plant("AP19", vendor.key)


def _plant_differences(made: MadeRails) -> None:
    for changed in (
        {"total": Decimal("1.0000")},
        {"due_date": timedelta(days=7)},
        {"is_paid": True},
        {"due_date": None},
        {"read_at": made.books.read_at},
    ):
        bill = made.take_bill()
        if bill is None:
            return
        shown = made.rail_bills[bill.external_id]
        update: dict[str, Any] = dict(changed)
        if "total" in update:
            update["total"] += bill.total
        elif update.get("due_date") is not None and bill.due_date is not None:
            update["due_date"] += bill.due_date
        made.rail_bills[bill.external_id] = shown.model_copy(update=update)
        if changed not in ({"due_date": None}, {"read_at": made.books.read_at}):
            made.plant("AP22", bill.key, shown.key)


def _plant_items(made: MadeRails) -> None:
    rng = made.rng
    for _ in range(5):
        on, confirmed = rng.randint(-20, 60), -rng.randint(0, 30)
        item = PlannedItem(
            paper_id=made.next_id("plan"), changed_at=made.books.read_at, changed_by="ada", label="Repair",
            on=AS_OF + timedelta(days=on), amount=Decimal(rng.randint(100, 9_000)), currency=made.books.home,
            owner="ada", confirmed_on=AS_OF + timedelta(days=confirmed),
        )  # fmt: skip
        stands = [bill for bill in made.books.bills if abs((bill.document_date - item.on).days) <= 10]
        if stands and rng.random() < 0.4:
            bill = rng.choice(stands)
            share = Decimal(rng.choice(("0.85", "1", "1.2")))
            item = item.model_copy(update={"vendor_id": bill.vendor_id, "amount": bill.total * share})
        elif on < 0 or confirmed < -14:
            made.plant("PL01", item.subject)
        made.planned_items.append(item)


def _close(made: MadeRails) -> Books:
    """The books with all that was made up beside them."""
    balances = tuple(
        BankBalance(
            account_id=account_id, currency=made.books.home, posted=Decimal("10000.0000"), read_at=made.books.read_at
        )
        for account_id in {line.account_id for line in made.lines}
    )  # fmt: skip
    return made.books.model_copy(
        update={
            "bank_transactions": tuple(made.lines),
            "bank_balances": balances,
            "rail_bills": tuple(made.rail_bills.values()),
            "rail_payments": tuple(made.rail_payments),
            "payment_details": tuple(made.details),
            "call_backs": tuple(made.call_backs),
            "planned_items": tuple(made.planned_items),
        }
    )
