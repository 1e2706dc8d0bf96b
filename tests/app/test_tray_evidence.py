"""Evidence in the tray says when the rail that told it was read, though the finding itself does not."""

from datetime import timedelta

from runway_app_http.ui.evidence import lay_out_evidence
from runway_core.calculators.hygiene.impact import find_weighed_findings
from runway_core.calculators.hygiene.tracking import track_findings
from runway_core.domain.books import Books
from runway_core.domain.execution import RailBill
from runway_core.experiences.tray import TrayQuery, TrayView, lay_out_tray
from runway_core.orchestrators.hygiene_tray import TrayData
from runway_testkit.books_making import amount, bill, connection, make_books

READ_AT = make_books().read_at - timedelta(hours=3)


def books() -> Books:
    """A bill that a payer shows over another amount."""
    shown = RailBill(rail="payrail", external_id="r1", bill_id="B", currency="USD", total=amount(120))
    return make_books(bills=(bill(),), rail_bills=(shown,))


def tray_of(found: Books, **read: object) -> TrayView:
    tracked = track_findings([], find_weighed_findings(found), at=found.read_at, today=found.as_of)
    payer = connection(rail="payrail", **read)
    data = TrayData(
        now=found.read_at,
        today=found.as_of,
        company=found.company,
        connections=[*found.connections, payer],
        findings=tracked,
        position=None,
    )
    return lay_out_tray(data, TrayQuery(check="AP22"))


def test_what_another_rail_told_is_dated_by_its_last_reading_and_what_the_ledger_told_is_not() -> None:
    (group,) = tray_of(books(), source_read_at=READ_AT).groups
    (row,) = group.rows
    evidence = row.tracked.finding.evidence

    assert {(one.rail, one.read_at) for one in evidence} == {(None, None), ("payrail", READ_AT)}


def test_a_rail_that_was_never_read_dates_nothing() -> None:
    (group,) = tray_of(books(), source_read_at=None).groups

    assert {one.read_at for row in group.rows for one in row.tracked.finding.evidence} == {None}


def test_the_page_says_who_told_a_value_and_when() -> None:
    (group,) = tray_of(books(), source_read_at=READ_AT).groups
    sides = lay_out_evidence(group.rows[0].tracked.finding.evidence, group.rows[0].tracked.finding.amount)
    told = dict(sides.rows)["told by"]

    assert told[sides.records.index(group.rows[0].tracked.finding.subjects[0])] == ""
    assert [one for one in told if one] == ["payrail, read 2 Mar 2026, 12:00 UTC"]
