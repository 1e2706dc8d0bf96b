from typing import Any

import pytest
from runway_core.calculators.hygiene.checks.payment_state_conflict import PaymentStateConflict
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.bank import BankBalance
from runway_core.domain.bills import BillPayment, PaymentMethod
from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLink
from runway_core.domain.execution import RailPayment, RailPaymentState
from runway_core.domain.findings import Finding, Severity
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.invoices import CustomerPayment
from runway_testkit.books_making import READ_AT, amount, bill, day, invoice, make_books

BILL = RecordKey(RecordKind.BILL, "B")
PAYMENT = RecordKey(RecordKind.RAIL_PAYMENT, "ramp:P")
CLOSED = bill(open_balance=amount(0))
MOVING = (RailPaymentState.DRAFT, RailPaymentState.APPROVED, RailPaymentState.SCHEDULED, RailPaymentState.IN_FLIGHT)
UNDONE = (RailPaymentState.FAILED, RailPaymentState.RETURNED, RailPaymentState.CANCELLED)


def moved(on: int | None = -5, state: RailPaymentState = RailPaymentState.SETTLED, **more: Any) -> RailPayment:
    """A payment over the bill's 100 as a rail shows it."""
    values: dict[str, Any] = {"external_id": "P", "amount": amount(100), "bill_ids": ("B",), "read_at": READ_AT}
    on_day = None if on is None else day(on)
    return RailPayment(rail="ramp", currency="USD", state=state, settles_on=on_day, **(values | more))


def written(on: int = -5, total: int = 100, **more: Any) -> BillPayment:
    """A payment of the bill in the ledger."""
    link = DocumentLink(kind=RecordKind.BILL, external_id="B", amount=amount(total))
    values: dict[str, Any] = {"external_id": "BP", "method": PaymentMethod.TRANSFER, "applied": (link,)}
    return BillPayment(document_date=day(on), currency="USD", total=amount(total), **(values | more))


def find(*payments: RailPayment, **more: Any) -> list[Finding]:
    return list(PaymentStateConflict().find(made(*payments, **more)))


def made(*payments: RailPayment, **more: Any) -> Books:
    return make_books(**({"bills": (bill(),), "rail_payments": payments} | more))


@pytest.mark.parametrize(("on", "is_found"), [(-3, False), (-4, True), (None, False)])
def test_settled_at_the_rail_and_open_in_the_ledger_for_over_three_days(on: int | None, is_found: bool) -> None:
    findings = find(moved(on))

    assert [finding.severity for finding in findings] == ([Severity.CRITICAL] if is_found else [])


def test_it_shows_both_states_and_what_recording_it_would_do() -> None:
    (finding,) = find(moved())
    removed = Amendment(action=AmendmentAction.REMOVE, record=BILL)
    spent = Amendment(action=AmendmentAction.ADJUST_CASH, amount=amount(-100))

    assert finding.subjects == (BILL, PAYMENT)
    assert finding.fixes[0].amendments == (removed, spent)
    assert [(e.name, e.value) for e in finding.evidence] == [
        ("state", "settled"),
        ("amount", "100.00"),
        ("settles_on", "2026-02-25"),
        ("open_balance", "100.00"),
    ]


def test_where_the_bank_is_read_its_balance_knows_already_and_a_part_pays_a_part() -> None:
    bank = BankBalance(account_id="bank", currency="USD", posted=amount(5), read_at=READ_AT)

    (finding,) = find(moved(amount=amount(40)), bank_balances=(bank,))

    assert finding.fixes[0].amendments == (Amendment(action=AmendmentAction.REDUCE, record=BILL, amount=amount(40)),)


@pytest.mark.parametrize(
    ("more", "is_found"),
    [
        ({"total": 100}, False),
        ({"is_void": True}, True),
        ({"total": 60}, True),
        ({"applied": ()}, True),
    ],
)
def test_a_payment_of_it_in_the_ledger_settles_the_matter(more: dict[str, Any], is_found: bool) -> None:
    """A part payment that is recorded leaves a bill open by right; one over another amount is another payment."""
    assert bool(find(moved(), bill_payments=(written(**more),))) is is_found


def test_the_payment_that_the_rail_names_stands_for_it_whatever_its_amount() -> None:
    assert not find(moved(ledger_payment_id="BP"), bill_payments=(written(total=99),))
    assert find(moved(ledger_payment_id="gone"), bill_payments=(written(total=99),))


def test_two_payments_at_the_rail_need_two_in_the_ledger() -> None:
    findings = find(moved(), moved(external_id="Q"), bill_payments=(written(),))

    assert len(findings) == 1


@pytest.mark.parametrize("state", UNDONE)
def test_paid_in_the_ledger_while_the_money_never_moved(state: RailPaymentState) -> None:
    late = find(moved(-5, state), bills=(CLOSED,), bill_payments=(written(-4),))
    soon = find(moved(-5, state), bills=(CLOSED,), bill_payments=(written(-3),))

    assert [finding.subjects for finding in late] == [(BILL, PAYMENT)]
    assert soon == []


@pytest.mark.parametrize("state", MOVING)
def test_what_is_on_its_way_has_until_three_days_after_its_expected_day(state: RailPaymentState) -> None:
    assert not find(moved(-3, state), bills=(CLOSED,), bill_payments=(written(-20),))
    assert find(moved(-4, state), bills=(CLOSED,), bill_payments=(written(-20),))


def test_a_draft_beside_a_payment_in_the_ledger_would_pay_twice() -> None:
    assert find(moved(None, RailPaymentState.DRAFT), bills=(CLOSED,), bill_payments=(written(-4),))
    assert not find(moved(None, RailPaymentState.IN_FLIGHT), bills=(CLOSED,), bill_payments=(written(-4),))


def test_a_failed_payment_that_was_made_again_is_no_conflict() -> None:
    failed = moved(-9, RailPaymentState.FAILED)
    again = moved(-5, external_id="Q")

    assert not find(failed, again, bills=(CLOSED,), bill_payments=(written(-5),))


def test_of_two_halves_each_stands_for_its_own() -> None:
    """A cent apart, both on one bill: the first was paid long ago, the second failed and was made again."""
    failed = moved(-9, RailPaymentState.FAILED, amount=amount("50.01"))
    again = moved(-7, external_id="Q", amount=amount("50.01"))
    halves = tuple(
        written(on, external_id=f"H{on}", applied=(DocumentLink(kind=RecordKind.BILL, external_id="B"),)).model_copy(
            update={"total": amount(total)}
        )
        for on, total in ((-40, "50.00"), (-9, "50.01"))
    )

    (alone,) = find(failed, bills=(CLOSED,), bill_payments=halves)

    assert not find(failed, again, bills=(CLOSED,), bill_payments=halves)
    assert [e.value for e in alone.evidence if e.name == "paid_on"] == [str(day(-9))]


def test_a_failed_payment_that_the_ledger_never_had_is_no_conflict() -> None:
    assert not find(moved(-9, RailPaymentState.FAILED))


def test_money_that_came_in_is_judged_alike() -> None:
    came = moved(bill_ids=(), invoice_ids=("I",), is_inflow=True)
    link = DocumentLink(kind=RecordKind.INVOICE, external_id="I", amount=amount(100))
    received = CustomerPayment(
        external_id="CP",
        document_date=day(-5),
        currency="USD",
        total=amount(100),
        unapplied=amount(0),
        applied=(link,),
    )

    (finding,) = find(came, invoices=(invoice(),))

    assert finding.subjects == (RecordKey(RecordKind.INVOICE, "I"), PAYMENT)
    assert finding.fixes[0].amendments[1].amount == 100
    assert not find(came, invoices=(invoice(),), customer_payments=(received,))
    assert not find(came, invoices=(invoice(is_void=True),))
    assert find(
        came.model_copy(update={"state": RailPaymentState.RETURNED}),
        invoices=(invoice(open_balance=amount(0)),),
        customer_payments=(received,),
    )
