"""The impact of findings on the Sample, and the band they make."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from runway_core.calculators.hygiene.find import find_findings
from runway_core.calculators.hygiene.impact import compute_band, compute_impacts, find_weighed_findings
from runway_core.calculators.outlook import compute_outlook
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.books import Books
from runway_core.domain.findings import Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.money import Money, round_to_minor
from runway_core.domain.outlook import Band
from runway_testkit.books_making import bill, day, invoice, make_books
from runway_testkit.books_strategies import books
from runway_testkit.sample import AS_OF, sample_books

SAMPLE = sample_books()
OUTLOOK = compute_outlook(SAMPLE)


def finding(record: RecordKey, *amendments: Amendment) -> Finding:
    return Finding(
        check="AP99",
        name="made_up",
        company_id=SAMPLE.company.company_id,
        subjects=(record,),
        severity=Severity.LOW,
        effect=RunwayEffect.MOVES_DATES,
        summary="something is wrong",
        fixes=tuple(SuggestedFix(label="Mend it", record=record, amendments=(one,)) for one in amendments),
    )


def removed(kind: RecordKind, external_id: str) -> Finding:
    record = RecordKey(kind, external_id)
    return finding(record, Amendment(action=AmendmentAction.REMOVE, record=record))


B4_TWICE = removed(RecordKind.BILL, "B4")
I1_PAID = removed(RecordKind.INVOICE, "I1")
B6 = RecordKey(RecordKind.BILL, "B6")
B6_DUE_NOW = finding(B6, Amendment(action=AmendmentAction.SET_DUE, record=B6, on=AS_OF))


@pytest.mark.parametrize(
    ("one", "days", "low", "severity"),
    [
        (B4_TWICE, 7, 8_000, Severity.CRITICAL),
        (I1_PAID, -9, -12_000, Severity.CRITICAL),
        (B6_DUE_NOW, 0, 0, Severity.LOW),
    ],
    ids=["the agency's bill is a duplicate", "the hospital's invoice was paid", "the undated bill is due now"],
)
def test_the_impact_of_the_samples_findings(one: Finding, days: int, low: int, severity: Severity) -> None:
    (weighed,) = compute_impacts(SAMPLE, OUTLOOK, [one])

    assert weighed.impact_low is not None
    assert weighed.impact_days == days
    assert round_to_minor(weighed.impact_low.amount, "USD") == low
    assert weighed.severity is severity


def test_the_undated_bill_of_the_sample_may_be_due_now_and_moves_nothing() -> None:
    (undated,) = [one for one in find_findings(SAMPLE) if one.check == "AP01"]
    (weighed,) = compute_impacts(SAMPLE, OUTLOOK, [undated])

    assert [change.on for fix in undated.fixes for change in fix.amendments] == [date(2026, 3, 22), AS_OF]
    assert (weighed.impact_days, weighed.impact_low) == (0, Money.zero("USD"))
    assert weighed.severity is Severity.MEDIUM


@pytest.mark.parametrize(
    ("made", "checks"),
    [
        ({"bills": (bill("B1", 900, due_date=day(-95), document_date=day(-125)),)}, {"AP09": ["B1"]}),
        ({"invoices": (invoice("I1", 900, due_date=day(-125), document_date=day(-155)),)}, {"AR05": ["I1"]}),
        ({"invoices": (invoice("I1", 900), invoice("I2", 900, number="I1"))}, {"AR03": ["I2", "I1"]}),
        ({"bills": (bill("B1", 900, due_date=day(-20)),)}, {"AP03": ["B1"]}),
        ({"invoices": (invoice("I1", 900, due_date=day(-20)),)}, {"AR01": []}),
    ],
    ids=[
        "void a stale bill",
        "write a stale invoice off",
        "void a double",
        "correct a bill's due date",
        "of an invoice",
    ],
)
def test_mending_amends_what_is_expected(made: dict[str, Any], checks: dict[str, list[str]]) -> None:
    amended = {
        one.check: [c.record.external_id for fix in one.fixes for c in fix.amendments if c.record is not None]
        for one in find_findings(make_books(**made))
        if one.check in checks
    }

    assert amended == checks


def test_the_band_of_the_sample_is_23_to_39_days_and_not_reliable() -> None:
    band = compute_band(SAMPLE, OUTLOOK, [B4_TWICE, I1_PAID, B6_DUE_NOW])

    assert (band.worst_days, band.best_days) == (23, 39)
    assert not band.is_reliable(OUTLOOK.runway.days)


def test_a_narrow_band_is_reliable_unless_it_is_over_half_the_figure() -> None:
    assert Band(worst_days=28, best_days=38).is_reliable(32)
    assert not Band(worst_days=28, best_days=39).is_reliable(32)
    assert not Band(worst_days=10, best_days=17).is_reliable(12)


def test_the_duplicate_in_the_sample_is_weighed_by_what_it_does_to_the_outlook() -> None:
    (duplicate,) = [one for one in find_weighed_findings(SAMPLE) if one.check == "AP06"]

    assert duplicate.impact_days == 7
    assert duplicate.impact_low is not None
    assert duplicate.impact_low.amount == Decimal(8_000)


@given(books())
def test_weighing_loses_no_finding_and_never_lowers_a_severity(any_books: Books) -> None:
    plain = {one.finding_id: one.severity.rank for one in find_findings(any_books)}
    weighed = {one.finding_id: one.severity.rank for one in find_weighed_findings(any_books)}

    assert weighed.keys() == plain.keys()
    assert all(weighed[key] <= plain[key] for key in plain)
