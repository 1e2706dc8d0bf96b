from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.detected_series import find_series
from runway_core.calculators.hygiene.checks import CHECKS
from runway_core.calculators.hygiene.find import find_findings, grade_amount
from runway_core.domain.books import Books
from runway_core.domain.company import CompanySettings
from runway_core.domain.findings import Severity
from runway_core.domain.identity import RecordKey, RecordKind
from runway_testkit.books_making import amount, bill, make_books
from runway_testkit.books_strategies import books, shuffle_books
from runway_testkit.sample import sample_books

GROUPS = ["AP", "AR", "BK", "GL", "SY", "PL"]


def test_every_check_is_registered_once_under_its_own_name_and_in_the_order_of_the_catalogue() -> None:
    ids = [check.id for check in CHECKS]

    assert ids == sorted(set(ids), key=lambda id_: (GROUPS.index(id_[:2]), id_))
    assert len({check.name for check in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize("with_bank", [True, False])
def test_the_findings_of_the_sample(with_bank: bool) -> None:
    findings = find_findings(sample_books(with_bank=with_bank))

    assert [(f.check, f.severity) for f in findings] == [
        ("AP06", Severity.CRITICAL),
        ("AR08", Severity.HIGH),
        ("AP01", Severity.MEDIUM),
        ("AP12", Severity.MEDIUM),
        ("AR07", Severity.MEDIUM),
    ]


@pytest.mark.parametrize(
    ("size", "week", "severity"),
    [
        (499, 10_000, Severity.LOW),
        (500, 10_000, Severity.MEDIUM),
        (9_999, 10_000, Severity.MEDIUM),
        (10_000, 10_000, Severity.HIGH),
        (-10_000, 10_000, Severity.HIGH),
        (1_000_000, None, Severity.MEDIUM),
        (10, 0, Severity.LOW),
    ],
)
def test_the_amount_raises_the_severity(size: int, week: int | None, severity: Severity) -> None:
    assert grade_amount(amount(size), week_outflow=None if week is None else amount(week)) is severity


def test_a_severity_is_raised_by_the_amount_in_home_currency_and_never_lowered() -> None:
    foreign = bill("E", 480, currency="EUR", vendor_id=None)
    settings = CompanySettings(exchange_rates={"EUR": amount("1.0850")})
    small = bill("S", 5, number="77")
    copy = bill("T", 5, number="77")

    plain = find_findings(make_books(bills=(foreign,)))
    rated = find_findings(make_books(bills=(foreign,), settings=settings))
    duplicate = find_findings(make_books(bills=(small, copy)))

    assert [[f.severity for f in found if f.check == "AP04"] for found in (plain, rated)] == [[Severity.MEDIUM]] * 2
    assert [f.severity for f in duplicate if f.check == "AP06"] == [Severity.CRITICAL]


@given(books(), st.randoms(use_true_random=False))
def test_the_order_of_the_books_changes_no_finding(any_books: Books, random: Random) -> None:
    assert find_findings(shuffle_books(any_books, random)) == find_findings(any_books)


@given(books())
def test_findings_hold_what_the_reference_promises(any_books: Books) -> None:
    findings = find_findings(any_books)
    floors = {check.id: check.floor for check in CHECKS}
    known = {
        record.key
        for name in Books.model_fields
        if isinstance(getattr(any_books, name), tuple)
        for record in getattr(any_books, name)
        if hasattr(record, "key")
    }
    known |= {RecordKey(RecordKind.SERIES, series.series_id) for series in any_books.company.settings.series}
    known |= {item.subject for item in any_books.planned_items}
    known |= {series.key for series in find_series(any_books)}

    assert len({finding.finding_id for finding in findings}) == len(findings)
    assert [finding.severity.rank for finding in findings] == sorted(finding.severity.rank for finding in findings)
    for finding in findings:
        assert finding.severity.rank <= floors[finding.check].rank
        assert set(finding.subjects) <= known
        assert finding.summary
        assert finding.evidence
        assert finding.fixes


@given(books())
def test_every_fix_that_is_a_write_names_fields_of_its_record(any_books: Books) -> None:
    records = {r.key: r for r in (*any_books.bills, *any_books.invoices)}
    for finding in find_findings(any_books):
        for fix in finding.fixes:
            if fix.fields:
                assert fix.record is not None
                # Where lines go is written for a bill as a whole, as no field of it.
                assert fix.fields.keys() <= type(records[fix.record]).model_fields.keys() | {"line_account"}
