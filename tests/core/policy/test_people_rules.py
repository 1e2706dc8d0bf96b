"""Rules about who says yes, and about what stands out."""

import pytest
from runway_core.calculators.policy.judge import Payment, judge_payment
from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLine
from runway_core.domain.execution import PaymentDetails
from runway_core.domain.field_changes import FieldChange
from runway_core.domain.findings import FindingState
from runway_core.domain.policy import DEFAULT_POLICY, CallBack, Role, RuleName, Ruling
from runway_testkit.books_making import line, moment

from tests.core.policy.policy_making import READ_AT, amount, ask, bill, books_with, day, finding, ground_of


@pytest.mark.parametrize(
    ("total", "roles"),
    [
        ("999.99", (Role.BOOKKEEPER,)),
        ("1000", (Role.CONTROLLER,)),
        ("9999.99", (Role.CONTROLLER,)),
        ("10000", (Role.CONTROLLER, Role.OWNER)),
    ],
)
def test_the_larger_a_payment_the_more_people_say_yes(total: str, roles: tuple[Role, ...]) -> None:
    result = ask(RuleName.AMOUNT_TIERS, books_with(90_000, bill(total=total)), on=day(10))

    assert result.ruling is Ruling.NEED_APPROVAL
    assert result.roles == roles


def test_a_bill_paid_in_parts_needs_the_approval_of_the_whole() -> None:
    result = ask(RuleName.AMOUNT_TIERS, books_with(90_000, bill(total=12_000)), on=day(10), part=900)

    assert result.roles == (Role.CONTROLLER, Role.OWNER)


def changed_by(person: str) -> Books:
    change = FieldChange(
        record=bill().key, field="total", before="90", after="100", seen_at=READ_AT, rail="qbo", changed_by=person
    )
    return books_with(5000, bill(), changes=(change,))


@pytest.mark.parametrize(
    ("approvers", "ruling"),
    [((), Ruling.ALLOW), (("ben",), Ruling.BLOCK), (("ben", "ada"), Ruling.ALLOW), (("ada",), Ruling.ALLOW)],
)
def test_who_changed_a_bill_does_not_approve_it_alone(approvers: tuple[str, ...], ruling: Ruling) -> None:
    assert ask(RuleName.TWO_PEOPLE, changed_by("ben"), on=day(10), approvers=approvers).ruling is ruling


def test_who_changed_the_payment_details_does_not_approve_alone() -> None:
    details = PaymentDetails(rail="ramp", vendor_id="V1", account_tail="42", changed_on=day(-200), changed_by="ben")
    books = books_with(5000, bill(), payment_details=(details,))

    assert ask(RuleName.TWO_PEOPLE, books, on=day(10), approvers=("ben",)).ruling is Ruling.BLOCK


def test_where_nobody_is_known_to_have_changed_a_bill_one_approves_it() -> None:
    assert ask(RuleName.TWO_PEOPLE, books_with(5000, bill()), on=day(10), approvers=("ben",)).ruling is Ruling.ALLOW


def called(*, on: int, tail: str = "") -> CallBack:
    return CallBack(
        paper_id="V1",
        changed_at=moment(on),
        changed_by="ada",
        vendor_id="V1",
        spoke_to="Mr Lee",
        number_called="555 0100",
        details_tail=tail,
    )


def test_the_first_payment_to_a_vendor_wants_a_call_back() -> None:
    first = books_with(5000, bill(), bill_payments=())
    confirmed = books_with(5000, bill(), bill_payments=(), call_backs=(called(on=-1),))

    result = ask(RuleName.NEW_VENDOR, first, on=day(10))

    assert (result.ruling, result.roles) == (Ruling.NEED_APPROVAL, (Role.CONTROLLER,))
    assert ask(RuleName.NEW_VENDOR, confirmed, on=day(10)).ruling is Ruling.ALLOW
    assert ask(RuleName.NEW_VENDOR, books_with(5000, bill()), on=day(10)).ruling is Ruling.ALLOW


@pytest.mark.parametrize(
    ("changed", "call", "ruling"),
    [
        (-31, None, Ruling.ALLOW),
        (-30, None, Ruling.NEED_APPROVAL),
        (-5, called(on=-6), Ruling.NEED_APPROVAL),
        (-5, called(on=-5, tail="41"), Ruling.NEED_APPROVAL),
        (-5, called(on=-5, tail="42"), Ruling.ALLOW),
    ],
    ids=["long ago", "lately", "called before the change", "other details confirmed", "called and confirmed"],
)
def test_changed_payment_details_want_a_call_after_the_change(
    changed: int, call: CallBack | None, ruling: Ruling
) -> None:
    details = PaymentDetails(rail="ramp", vendor_id="V1", account_tail="42", changed_on=day(changed))
    books = books_with(5000, bill(), payment_details=(details,), call_backs=(call,) if call else ())

    assert ask(RuleName.NEW_VENDOR, books, on=day(10)).ruling is ruling


@pytest.mark.parametrize(
    ("check", "state", "ruling"),
    [
        ("AP06", FindingState.OPEN, Ruling.BLOCK),
        ("AP08", FindingState.ASKED, Ruling.BLOCK),
        ("AP07", FindingState.OPEN, Ruling.NEED_APPROVAL),
        ("AP06", FindingState.ACCEPTED, Ruling.ALLOW),
        ("AP10", FindingState.OPEN, Ruling.ALLOW),
    ],
)
def test_money_is_not_sent_twice(check: str, state: FindingState, ruling: Ruling) -> None:
    found = [finding(check, bill(), state=state)]

    assert ask(RuleName.DUPLICATE, books_with(5000, bill()), on=day(10), findings=found).ruling is ruling


def test_an_unusual_amount_is_told_and_goes() -> None:
    found = [finding("AP20", bill())]

    assert ask(RuleName.UNUSUAL_AMOUNT, books_with(5000, bill()), on=day(10), findings=found).ruling is Ruling.WARN


@pytest.mark.parametrize(("budget", "ruling"), [(300, Ruling.ALLOW), (299, Ruling.WARN)])
def test_a_budget_counts_all_bills_of_the_month_and_none_of_the_next(budget: int, ruling: Ruling) -> None:
    def booked(*total: int) -> tuple[DocumentLine, ...]:
        return tuple(line(each, "expenses") for each in total)

    policy = DEFAULT_POLICY.model_copy(update={"account_budgets": {"expenses": amount(budget)}})
    bills = (
        bill(total=100, document_date=day(-10), lines=booked(40, 60)),
        bill("same month", 200, document_date=day(-20), lines=booked(200)),
        bill("next month", 900, document_date=day(0), lines=booked(900)),
    )

    assert ask(RuleName.UNUSUAL_AMOUNT, books_with(5000, *bills, policy=policy), on=day(10)).ruling is ruling


def test_rules_speak_in_the_order_of_the_policy_and_absent_ones_are_silent() -> None:
    order = (RuleName.LATE_TOLERANCE, RuleName.MINIMUM_CASH)
    books = books_with(50, bill(), policy=DEFAULT_POLICY.model_copy(update={"rules": order}))

    judged = judge_payment(ground_of(books), Payment("B", day(10), amount(100)))

    assert [result.rule for result in judged.results] == list(order)
    assert judged.ruling is Ruling.BLOCK
