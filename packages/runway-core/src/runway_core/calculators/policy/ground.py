"""What the rules look at, gathered once for all bills of a company, so that judging one more costs microseconds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from runway_core.calculators.burn import compute_burn
from runway_core.calculators.cash import compute_cash
from runway_core.calculators.exchange import HomeRates
from runway_core.calculators.outlook import compute_outlook
from runway_core.calculators.payables import RAIL_BUSINESS_DAYS, Payable, compute_payables
from runway_core.calculators.policy.budgets import AccountMonth, sum_budgeted
from runway_core.calculators.policy.line import CashLine, Movement
from runway_core.calculators.policy.payment_calendar import find_payment_day
from runway_core.calculators.policy.set_aside import SetAside, find_set_aside
from runway_core.calculators.policy.vendor_tiers import VendorTiers
from runway_core.domain.bills import PaymentMethod
from runway_core.domain.books import Books
from runway_core.domain.execution import PaymentDetails
from runway_core.domain.findings import Finding, FindingState, TrackedFinding
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.money import ZERO
from runway_core.domain.outlook import Cash, Outlook
from runway_core.domain.policy import CallBack, Policy, VendorTier

_STANDING = frozenset({FindingState.OPEN, FindingState.ASKED, FindingState.SNOOZED})


@dataclass(frozen=True, slots=True)
class PolicyGround:
    """Everything that rules may know, by bill or vendor where they ask for one."""

    books: Books
    policy: Policy
    cash: Cash
    outlook: Outlook
    line: CashLine
    floor: Decimal  # minimum cash, home currency
    first_payment_day: date  # the next one, today included
    payables: Mapping[str, Payable]  # by bill id
    tiers: Mapping[str, VendorTier]  # by bill id
    expected: Mapping[str, tuple[Movement, ...]]  # when the line has each bill leave; absent when it does not
    findings: Mapping[str, tuple[Finding, ...]]  # standing ones, by bill id
    set_aside: SetAside
    budgeted: Mapping[AccountMonth, Decimal]  # what is booked to accounts with a budget, home currency
    paid_vendor_ids: frozenset[str]
    card_vendor_ids: frozenset[str]  # last paid by card
    details: Mapping[str, PaymentDetails]  # by vendor id, the newest
    call_backs: Mapping[str, CallBack]  # by vendor id
    authors: Mapping[str, frozenset[str]]  # who entered or changed a bill or how its vendor is paid, by bill id

    def rail_days_of(self, payable: Payable) -> int:
        """Business days from release to arrival: nil by card and wire, 3 by ACH, 5 by cheque."""
        vendor_id = payable.bill.vendor_id or ""
        method = self.policy.payment_methods.get(vendor_id)
        if method is not None:
            return RAIL_BUSINESS_DAYS[method]
        return 0 if vendor_id in self.card_vendor_ids else self.policy.rail_business_days

    def on_line(self, line: CashLine, expected: Mapping[str, tuple[Movement, ...]]) -> "PolicyGround":
        """The same ground with other payments planned."""
        return replace(self, line=line, expected=expected)


def gather_ground(books: Books, findings: Sequence[TrackedFinding]) -> PolicyGround:
    """Read books and findings once."""
    policy = books.policy
    cash, outlook = books.derive(compute_cash), books.derive(compute_outlook)
    payables = books.derive(compute_payables)
    tiers = VendorTiers(books, policy)
    tier_of = {payable.bill.external_id: tiers.tier_of(payable) for payable in payables}
    expected = _group_expected(outlook)
    details = {d.vendor_id: d for d in sorted(books.payment_details, key=lambda d: (d.changed_on or date.min, d.rail))}
    return PolicyGround(
        books=books,
        policy=policy,
        cash=cash,
        outlook=outlook,
        line=CashLine.of(outlook),
        floor=_find_floor(books, policy),
        first_payment_day=find_payment_day(policy, books.as_of),
        payables={payable.bill.external_id: payable for payable in payables},
        tiers=tier_of,
        expected=expected,
        findings=_group_findings(findings),
        set_aside=find_set_aside(books, outlook, tier_of),
        budgeted=sum_budgeted(books, policy),
        paid_vendor_ids=_find_paid_vendors(books),
        card_vendor_ids=_find_card_vendors(books),
        details=details,
        call_backs={call.vendor_id: call for call in sorted(books.call_backs, key=lambda call: call.changed_at)},
        authors=_find_authors(books, payables, details),
    )


def _find_floor(books: Books, policy: Policy) -> Decimal:
    buffer = books.company.settings.buffer
    if policy.minimum_cash_days is None:
        return buffer
    per_day = compute_burn(books).outflow_per_day
    return buffer if per_day is None else max(buffer, per_day * policy.minimum_cash_days)


def _group_expected(outlook: Outlook) -> dict[str, tuple[Movement, ...]]:
    found: dict[str, tuple[Movement, ...]] = {}
    for event in outlook.events:
        if event.source is not None and event.source.kind is RecordKind.BILL:
            bill_id = event.source.external_id
            found[bill_id] = (*found.get(bill_id, ()), (event.on, -event.amount))
    return found


def _group_findings(findings: Iterable[TrackedFinding]) -> dict[str, tuple[Finding, ...]]:
    found: dict[str, list[Finding]] = {}
    for tracked in findings:
        if tracked.state in _STANDING:
            for subject in tracked.finding.subjects:
                if subject.kind is RecordKind.BILL:
                    found.setdefault(subject.external_id, []).append(tracked.finding)
    return {bill_id: tuple(sorted(held, key=lambda f: (f.check, f.subjects))) for bill_id, held in found.items()}


def _find_paid_vendors(books: Books) -> frozenset[str]:
    """Vendors that money was sent to before."""
    paid = {p.vendor_id for p in books.bill_payments if p.vendor_id is not None and p.total > ZERO and not p.is_void}
    bought = {
        p.payee_id
        for p in books.purchases
        if p.payee_id is not None and p.payee_kind is RecordKind.VENDOR and not p.is_void and not p.is_refund
    }
    return frozenset(paid | bought)


def _find_card_vendors(books: Books) -> frozenset[str]:
    last: dict[str, tuple[date, str, PaymentMethod]] = {}
    for payment in books.bill_payments:
        if payment.vendor_id is not None and payment.total and not payment.is_void:
            told = (payment.document_date, payment.external_id, payment.method)
            if payment.vendor_id not in last or told > last[payment.vendor_id]:
                last[payment.vendor_id] = told
    return frozenset(vendor_id for vendor_id, (_, _, method) in last.items() if method is PaymentMethod.CARD)


def _find_authors(
    books: Books, payables: Iterable[Payable], details: Mapping[str, PaymentDetails]
) -> dict[str, frozenset[str]]:
    changed: dict[RecordKey, set[str]] = {}
    for change in books.changes:
        if change.changed_by is not None:
            changed.setdefault(change.record, set()).add(change.changed_by)
    found: dict[str, frozenset[str]] = {}
    for payable in payables:
        bill = payable.bill
        authors = set(changed.get(bill.key, ()))
        shown = details.get(bill.vendor_id or "")
        if shown is not None and shown.changed_by is not None:
            authors.add(shown.changed_by)
        if authors:
            found[bill.external_id] = frozenset(authors)
    return found


def to_home(ground: PolicyGround, payable: Payable, amount: Decimal) -> Decimal | None:
    """An amount of a bill in home currency; `None` without a rate."""
    if amount == payable.balance:
        return payable.home
    return HomeRates.of(ground.books).convert(amount, payable.bill.currency)
