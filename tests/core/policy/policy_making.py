"""Payments before the rules: books with a little cash, and what one rule says."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from runway_core.calculators.policy.ground import PolicyGround, gather_ground
from runway_core.calculators.policy.judge import Payment, judge_payment
from runway_core.domain.bills import Bill, BillPayment, PaymentMethod
from runway_core.domain.books import Books
from runway_core.domain.company import CompanySettings, EnteredSeries, Rhythm, SeriesKind
from runway_core.domain.decisions import RuleResult
from runway_core.domain.documents import DocumentLink
from runway_core.domain.findings import Finding, FindingState, RunwayEffect, Severity, TrackedFinding
from runway_core.domain.identity import CompanyId, RecordKind
from runway_core.domain.ledger import Account, AccountKind
from runway_core.domain.policy import DEFAULT_POLICY, Policy, RuleName
from runway_testkit.books_making import READ_AT, amount, bill, day, make_books

TUESDAY, THURSDAY = day(1), day(3)  # of the week of Monday 2 March 2026, the day the books are read


def account(account_id: str, kind: AccountKind, balance: int = 0, name: str | None = None) -> Account:
    """A ledger account."""
    name = name or account_id
    return Account(
        external_id=account_id,
        name=name,
        full_name=name,
        account_kind=kind,
        account_type=kind.value,
        currency="USD",
        balance=amount(balance),
    )


def books_with(
    cash: int, *bills: Bill, accounts: Sequence[Account] = (), policy: Policy = DEFAULT_POLICY, **more: Any
) -> Books:
    """Books with so much at the bank and these bills, of a vendor that was paid before."""
    settings = {name: more.pop(name) for name in CompanySettings.model_fields if name in more}
    values: dict[str, Any] = {
        "settings": CompanySettings(**settings),
        "accounts": (
            account("bank", AccountKind.BANK, cash),
            account("expenses", AccountKind.EXPENSE),
            account("income", AccountKind.INCOME),
            *accounts,
        ),
        "bills": bills,
        "bill_payments": (paid("V1"),),
        "policy": policy,
    }
    return make_books(**(values | more))


def paid(vendor_id: str, *, method: PaymentMethod = PaymentMethod.CHECK) -> BillPayment:
    """A payment to a vendor half a year ago, of a bill that is long forgotten."""
    return BillPayment(
        external_id=f"paid-{vendor_id}",
        vendor_id=vendor_id,
        document_date=day(-180),
        currency="USD",
        total=amount(10),
        method=method,
        account_id="bank",
        applied=(DocumentLink(kind=RecordKind.BILL, external_id="old", amount=amount(10)),),
    )


def payroll(on: date, total: int, **more: Any) -> EnteredSeries:
    """One payroll."""
    values: dict[str, Any] = {
        "series_id": "payroll",
        "name": "Payroll",
        "series_kind": SeriesKind.PAYROLL,
        "rhythm": Rhythm.MONTHLY,
        "first_day": on,
        "last_day": on,
        "amount": amount(total),
        "currency": "USD",
    }
    return EnteredSeries(**(values | more))


def finding(check: str, *bills: Bill, state: FindingState = FindingState.OPEN) -> TrackedFinding:
    """A standing finding about bills."""
    found = Finding(
        company_id=CompanyId("made"),
        check=check,
        name=check.lower(),
        subjects=tuple(bill.key for bill in bills),
        severity=Severity.LOW,
        effect=RunwayEffect.CONFIDENCE,
        summary="Something is odd",
    )
    return TrackedFinding(finding=found, state=state, first_seen_at=READ_AT, last_seen_at=READ_AT)


def ground_of(books: Books, findings: Sequence[TrackedFinding] = ()) -> PolicyGround:
    """The ground of books and findings."""
    return gather_ground(books, findings)


def ask(
    rule: RuleName,
    books: Books,
    *,
    on: date,
    bill_id: str = "B",
    part: int | None = None,
    findings: Sequence[TrackedFinding] = (),
    approvers: Sequence[str] = (),
) -> RuleResult:
    """What one rule says of paying a bill, or a part of it, on a day."""
    ground = ground_of(books, findings)
    owed = ground.payables[bill_id].balance
    payment = Payment(bill_id=bill_id, on=on, amount=owed if part is None else amount(part))
    judged = judge_payment(ground, payment, approvers=approvers)
    (result,) = [result for result in judged.results if result.rule is rule]
    return result


__all__ = [
    "READ_AT", "THURSDAY", "TUESDAY", "account", "amount", "ask", "bill", "books_with", "day", "finding", "ground_of",
    "paid", "payroll",
]  # fmt: skip
