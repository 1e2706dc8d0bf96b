"""The proposal: which ready bill to pay on which day, under the policy.

Bills are placed one after the other, those that can wait least first, each on the latest payment day that keeps every
rule with all that were placed before it. Where there is none, it is put off within its tolerance, or a person is asked.
Same books and same policy, same proposal.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from runway_core.calculators.calendar import ONE_DAY, add_business_days, roll_forward
from runway_core.calculators.discounts import compute_late_fee
from runway_core.calculators.outlook import order_events, project_outlook
from runway_core.calculators.payables import Payable
from runway_core.calculators.policy.case import PaymentCase, find_first_release
from runway_core.calculators.policy.discount import Discount, find_discount
from runway_core.calculators.policy.ground import PolicyGround
from runway_core.calculators.policy.judge import find_strictest
from runway_core.calculators.policy.late_tolerance import find_tolerance_days
from runway_core.calculators.policy.line import CashLine, Movement
from runway_core.calculators.policy.payment_calendar import is_payment_day
from runway_core.calculators.policy.rules import CASH_RULES, RULES
from runway_core.calculators.policy.wording import say_day, say_days
from runway_core.calculators.what_if import read_figures
from runway_core.domain.decisions import BillReadiness, DecisionOutcome, Proposal, ProposedPayment, RuleResult
from runway_core.domain.identity import RecordKind
from runway_core.domain.money import ZERO, Money
from runway_core.domain.outlook import Outlook
from runway_core.domain.policy import RuleName, Ruling, VendorTier

_OF_THE_DAY = frozenset({*CASH_RULES, RuleName.PAYMENT_DAYS, RuleName.DISCOUNT, RuleName.LATE_TOLERANCE})
_OF_ALL_BILLS = frozenset({RuleName.DATA_AGE})
"""These look at the books alone and say the same of every bill."""

_WORSE_WHEN_EARLIER = frozenset({RuleName.MINIMUM_CASH, RuleName.PAYROLL_COVER})
"""Where these fail on a day, they fail on every earlier one."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    payable: Payable
    home: Decimal
    rail_days: int
    offer: Discount | None


@dataclass(frozen=True, slots=True)
class _Placed:
    candidate: _Candidate
    on: date | None  # None: escalated
    static: Mapping[RuleName, RuleResult]  # of the rules that no day changes
    failed: RuleResult | None = None  # what kept it from its day


def compute_proposal(ground: PolicyGround, readiness: Sequence[BillReadiness]) -> Proposal:
    """Place every ready bill that is not decided yet; in the order in which they are to be paid."""
    candidates, without_money = _find_candidates(ground, readiness)
    bare = _take_out_all(ground, candidates)
    line, placed, shared = bare, [], dict[RuleName, RuleResult]()
    for candidate in candidates:
        place = _place(ground, candidate, line=line, bare=bare, shared=shared)
        placed.append(place)
        if place.on is not None:
            line = line.spend(place.on, candidate.home).settle()
    payments = [_tell(ground, place, line=line, bare=bare) for place in placed]
    payments += [_escalate_unpayable(ground, payable) for payable in without_money]
    return Proposal(
        payments=tuple(payments),
        before=read_figures(ground.outlook),
        after=read_figures(project_proposal(ground, payments)),
    )


def project_proposal(ground: PolicyGround, payments: Sequence[ProposedPayment]) -> Outlook:
    """The outlook when every payment of a proposal leaves as proposed; escalated bills stay where they were."""
    days = {payment.bill_id: payment.on for payment in payments if payment.on is not None}
    last = ground.outlook.days[-1].day
    events = []
    for event in ground.outlook.events:
        on = days.get(event.source.external_id) if event.source and event.source.kind is RecordKind.BILL else None
        if on is None:
            events.append(event)
        elif on <= last:
            events.append(event.model_copy(update={"on": on, "reason": f"proposed for {on}"}))
    return project_outlook(ground.books, ground.cash, order_events(events), left_out=ground.outlook.left_out)


def plan_ground(ground: PolicyGround, proposal: Proposal) -> PolicyGround:
    """The ground on which one payment is judged while all others go as proposed, and escalated bills wait."""
    expected = dict(ground.expected)
    moved: list[Movement] = []
    for payment in proposal.payments:
        moved += [(on, -amount) for on, amount in expected.pop(payment.bill_id, ())]
        home = ground.payables[payment.bill_id].home
        if payment.on is not None and home:
            expected[payment.bill_id] = ((payment.on, home),)
            moved.append((payment.on, home))
    return ground.on_line(ground.line.spend_all(moved), expected)


def _find_candidates(
    ground: PolicyGround, readiness: Sequence[BillReadiness]
) -> tuple[list[_Candidate], list[Payable]]:
    """Ready and undecided bills in order of payment, and those of them that no amount of cash can be named for."""
    decided = {decision.bill_id for decision in ground.books.decisions if not decision.is_closed}
    found: list[_Candidate] = []
    without_money: list[Payable] = []
    for ready in readiness:
        payable = ground.payables.get(ready.bill_id)
        if payable is None or not ready.is_ready or ready.bill_id in decided:
            continue
        if payable.home:
            offer = find_discount(ground, payable) if RuleName.DISCOUNT in ground.policy.rules else None
            worth = offer if offer is not None and offer.yearly_rate >= ground.policy.hurdle_rate else None
            found.append(_Candidate(payable, payable.home, ground.rail_days_of(payable), worth))
        else:
            without_money.append(payable)
    found.sort(key=lambda candidate: _urgency(ground, candidate))
    without_money.sort(key=lambda payable: (payable.due, payable.bill.external_id))
    return found, without_money


def _urgency(ground: PolicyGround, candidate: _Candidate) -> tuple[int, Decimal, date, Decimal, str]:
    payable = candidate.payable
    monthly = ground.policy.late_fee_monthly.get(payable.bill.vendor_id or "", ZERO)
    yearly = candidate.offer.yearly_rate if candidate.offer is not None else ZERO
    cost_per_dollar = monthly * 12 + yearly
    bill_id = payable.bill.external_id
    return ground.tiers[bill_id], -cost_per_dollar, payable.due, candidate.home, bill_id


def _take_out_all(ground: PolicyGround, candidates: Sequence[_Candidate]) -> CashLine:
    return ground.line.spend_all(
        (on, -amount)
        for candidate in candidates
        for on, amount in ground.expected.get(candidate.payable.bill.external_id, ())
    )


def _place(
    ground: PolicyGround, candidate: _Candidate, *, line: CashLine, bare: CashLine, shared: dict[RuleName, RuleResult]
) -> _Placed:
    """Find the day of one bill. `shared` keeps what the rules of all bills alike said of the first of them."""
    first_case = _case(ground, candidate, _first_day(ground, candidate), line=line, bare=bare)
    static: dict[RuleName, RuleResult] = {}
    for name in ground.policy.rules:
        if name in _OF_ALL_BILLS:
            static[name] = shared[name] = shared[name] if name in shared else RULES[name](first_case)
        elif name not in _OF_THE_DAY:
            static[name] = RULES[name](first_case)
    blocked = next((result for result in static.values() if result.ruling is Ruling.BLOCK), None)
    if blocked is not None:
        return _Placed(candidate, None, static, blocked)
    failed: RuleResult | None = None
    offer = candidate.offer
    if offer is not None and _find_failing(_try_on(ground, candidate, offer.on, line=line, bare=bare)) is None:
        return _Placed(candidate, offer.on, static)
    for on in _find_days_in_time(ground, candidate):
        failing = _find_failing(_try_on(ground, candidate, on, line=line, bare=bare))
        if failing is None:
            return _Placed(candidate, on, static)
        failed = failed or failing
        if failing.rule in _WORSE_WHEN_EARLIER:
            break
    for on in _find_later_days(ground, candidate):
        failing = _find_failing(_try_on(ground, candidate, on, line=line, bare=bare))
        if failing is None:
            return _Placed(candidate, on, static, failed)
        failed = failed or failing
    return _Placed(candidate, None, static, failed)


def _find_failing(case: PaymentCase) -> RuleResult | None:
    """The first cash rule that does not let the payment go by itself."""
    for name in case.ground.policy.rules:
        if name in CASH_RULES and not CASH_RULES[name](case):
            return RULES[name](case)
    return None


def _case(ground: PolicyGround, candidate: _Candidate, on: date, *, line: CashLine, bare: CashLine) -> PaymentCase:
    """The payment of a bill on a line that it has left already."""
    return PaymentCase(
        ground=ground,
        payable=candidate.payable,
        on=on,
        amount=candidate.payable.balance,
        home=candidate.home,
        line=line,
        line_without=bare,
    )


def _try_on(ground: PolicyGround, candidate: _Candidate, on: date, *, line: CashLine, bare: CashLine) -> PaymentCase:
    """The payment of a bill on a line that it has not left yet."""
    return _case(ground, candidate, on, line=line.spend(on, candidate.home), bare=bare)


def _due_on(candidate: _Candidate) -> date:
    return roll_forward(candidate.payable.due)


def _pay_by(candidate: _Candidate) -> date:
    return add_business_days(_due_on(candidate), -candidate.rail_days)


def _earliest(ground: PolicyGround, candidate: _Candidate) -> date:
    tier = ground.tiers[candidate.payable.bill.external_id]
    return add_business_days(find_first_release(ground, tier), candidate.rail_days)


def _find_days_in_time(ground: PolicyGround, candidate: _Candidate) -> Iterator[date]:
    """Arrivals of releases on payment days up to the pay-by day, the latest first.

    What cannot wait and has no payment day left is released on its pay-by day, or today where that is past.
    """
    release_on, as_of, is_found = _pay_by(candidate), ground.books.as_of, False
    while release_on >= as_of:
        if is_payment_day(ground.policy, release_on):
            is_found = True
            yield add_business_days(release_on, candidate.rail_days)
        release_on -= ONE_DAY
    if not is_found and ground.tiers[candidate.payable.bill.external_id] <= VendorTier.CRITICAL:
        yield max(add_business_days(_pay_by(candidate), candidate.rail_days), _earliest(ground, candidate))


def _first_day(ground: PolicyGround, candidate: _Candidate) -> date:
    """Where a bill would be placed if every rule held."""
    return next(_find_days_in_time(ground, candidate), _earliest(ground, candidate))


def _find_later_days(ground: PolicyGround, candidate: _Candidate) -> Iterator[date]:
    """Arrivals of later releases, the first first: as soon as can be, and as late as the vendor waits."""
    tolerance = find_tolerance_days(ground.policy, ground.tiers[candidate.payable.bill.external_id])
    in_time = max(_due_on(candidate), _earliest(ground, candidate))
    release_on = max(_pay_by(candidate) + ONE_DAY, ground.books.as_of)
    while (on := add_business_days(release_on, candidate.rail_days)) <= in_time or (on - in_time).days <= tolerance:
        if is_payment_day(ground.policy, release_on):
            yield on
        release_on += ONE_DAY


def _tell(ground: PolicyGround, place: _Placed, *, line: CashLine, bare: CashLine) -> ProposedPayment:
    """Judge a bill where it was placed, with all others, and say why it is there."""
    candidate, on = place.candidate, place.on
    payable = candidate.payable
    if on is None:
        case = _try_on(ground, candidate, _first_day(ground, candidate), line=line, bare=bare)
    else:
        case = _case(ground, candidate, on, line=line, bare=bare)
    names = dict.fromkeys(ground.policy.rules)
    results = tuple(place.static[name] if name in place.static else RULES[name](case) for name in names)
    late = 0 if on is None else max((on - _due_on(candidate)).days, 0)
    bill = payable.bill
    monthly = ground.policy.late_fee_monthly.get(bill.vendor_id or "")
    fee = None
    if monthly and late:
        amount = compute_late_fee(payable.balance, monthly_rate=monthly, days_late=late, currency=bill.currency)
        fee = Money(amount=amount, currency=bill.currency)
    is_delayed = on is not None and case.days_late > 0
    outcome = DecisionOutcome.DELAY if is_delayed else DecisionOutcome.PAY
    return ProposedPayment(
        bill_id=bill.external_id,
        outcome=DecisionOutcome.ESCALATE if on is None else outcome,
        tier=ground.tiers[bill.external_id],
        amount=payable.balance,
        currency=bill.currency,
        pay_by=_pay_by(candidate),
        release_on=None if on is None else case.release_on,
        on=on,
        days_late=late,
        late_fee=fee,
        reason=_say_why(place, case),
        results=results,
        ruling=find_strictest(results),
    )


def _say_why(place: _Placed, case: PaymentCase) -> str:
    candidate, on = place.candidate, place.on
    if on is None:
        return place.failed.reason if place.failed is not None else "No day keeps every rule"
    when = f"released {say_day(case.release_on)}, it arrives {say_day(on)}"
    if case.days_late:
        cause = f": {place.failed.reason}" if place.failed is not None else ""
        return f"Delayed by {say_days(case.days_late)}, {when}{cause}"
    if candidate.offer is not None and on <= candidate.offer.on:
        return f"Takes the discount of {candidate.offer.percent.normalize():f} %: {when}"
    late = (case.ground.books.as_of - case.payable.due).days
    if late > 0:
        return f"{say_days(late)} past due, as soon as can be: {when}"
    if on > case.due_on:
        return f"Due {say_day(case.payable.due)}, too near for payments of the rail, as soon as can be: {when}"
    return f"Due {say_day(case.payable.due)}: {when}"


def _escalate_unpayable(ground: PolicyGround, payable: Payable) -> ProposedPayment:
    bill = payable.bill
    if payable.home is None:
        reason = f"{bill.currency} has no exchange rate: set one for this company"
    else:
        reason = "The vendor's credits cover it: apply them in the ledger"
    rail_days = ground.rail_days_of(payable)
    return ProposedPayment(
        bill_id=bill.external_id,
        outcome=DecisionOutcome.ESCALATE,
        tier=ground.tiers[bill.external_id],
        amount=payable.balance,
        currency=bill.currency,
        pay_by=add_business_days(roll_forward(payable.due), -rail_days),
        release_on=None,
        on=None,
        reason=reason,
        results=(),
        ruling=Ruling.ALLOW,
    )


def find_proposed(proposal: Proposal) -> Mapping[str, ProposedPayment]:
    """The proposed payments by bill id."""
    return {payment.bill_id: payment for payment in proposal.payments}
