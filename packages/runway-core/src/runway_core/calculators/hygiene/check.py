"""What a check is, and how findings are put together."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Protocol

from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.identity import Subject
from runway_core.domain.money import Money, round_to_minor


class Check(Protocol):
    """One rule over the books: pure, and blind to the order of its input."""

    id: str  # "AP01"
    name: str  # "bill_due_date_missing"
    floor: Severity  # a finding's severity is never below
    effect: RunwayEffect  # which way mending moves the runway
    reads: frozenset[str]  # the fields of `Books` it looks at, beside company and as_of: it runs again when one changed

    def find(self, books: Books) -> Iterable[Finding]:
        """Every defect of this kind, in any order, at the check's floor unless the rule itself raises it."""
        ...


def build_finding(
    check: Check,
    books: Books,
    *,
    subjects: Iterable[Subject],
    summary: str,
    evidence: Iterable[Evidence] = (),
    fixes: Iterable[SuggestedFix] = (),
    amount: Decimal | None = None,
    currency: str | None = None,
    severity: Severity | None = None,
) -> Finding:
    """A finding of `check`; `currency` is the home currency unless given."""
    return Finding(
        check=check.id,
        name=check.name,
        company_id=books.company.company_id,
        subjects=tuple(sorted(subjects)),
        severity=severity or check.floor,
        effect=check.effect,
        summary=summary,
        amount=None if amount is None else Money(amount=amount, currency=currency or books.home),
        evidence=tuple(evidence),
        fixes=tuple(fixes),
    )


def plain_amount(amount: Decimal, currency: str) -> str:
    """An amount for evidence: a plain decimal with the currency's own digits, and more only where it has more."""
    rounded = round_to_minor(amount, currency)
    return str(rounded if rounded == amount else amount)


def say_amount(amount: Decimal, currency: str) -> str:
    """An amount for a summary, with its currency."""
    return str(Money(amount=amount, currency=currency))
