from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.hygiene.tracking import track_findings
from runway_core.domain.findings import Evidence, Finding, FindingState, RunwayEffect, Severity, TrackedFinding
from runway_core.domain.identity import CompanyId, RecordKey, RecordKind
from runway_testkit.books_making import AS_OF, READ_AT

LATER = READ_AT + timedelta(hours=1)


def finding(external_id: str = "B1", value: str = "none", severity: Severity = Severity.MEDIUM) -> Finding:
    return Finding(
        check="AP01",
        name="bill_due_date_missing",
        company_id=CompanyId("c"),
        subjects=(RecordKey(RecordKind.BILL, external_id),),
        severity=severity,
        effect=RunwayEffect.MOVES_DATES,
        summary=f"{external_id} {value}",
        evidence=(Evidence(name="due_date", value=value),),
    )


def held(state: FindingState, **more: Any) -> TrackedFinding:
    values: dict[str, Any] = {"finding": finding(), "first_seen_at": READ_AT, "last_seen_at": READ_AT}
    return TrackedFinding(**(values | {"state": state} | more))


def after(before: TrackedFinding, *found: Finding) -> TrackedFinding:
    (tracked,) = track_findings([before], found, at=LATER, today=AS_OF)
    return tracked


def test_what_is_found_the_first_time_is_open() -> None:
    (tracked,) = track_findings([], [finding()], at=READ_AT, today=AS_OF)

    assert tracked == held(FindingState.OPEN)


def test_what_is_gone_is_fixed_and_keeps_its_history() -> None:
    for state in FindingState:
        tracked = after(held(state, reason="why", snoozed_until=AS_OF + timedelta(days=9)))

        assert tracked.state is FindingState.FIXED
        assert (tracked.first_seen_at, tracked.last_seen_at) == (READ_AT, READ_AT)


def test_what_comes_back_is_open_again_with_its_first_day() -> None:
    tracked = after(held(FindingState.FIXED, reason="old", accepted_basis=finding().basis), finding())

    assert tracked.state is FindingState.OPEN
    assert (tracked.first_seen_at, tracked.last_seen_at) == (READ_AT, LATER)
    assert (tracked.reason, tracked.accepted_basis) == (None, None)


def test_an_accepted_finding_stays_until_a_value_it_rests_on_changes() -> None:
    accepted = held(FindingState.ACCEPTED, reason="agreed", decided_by="ada", accepted_basis=finding().basis)

    same, changed = after(accepted, finding()), after(accepted, finding(value="2026-03-09"))

    assert (same.state, same.reason, same.last_seen_at) == (FindingState.ACCEPTED, "agreed", LATER)
    assert (changed.state, changed.reason, changed.decided_by) == (FindingState.OPEN, None, None)
    assert changed.finding.evidence[0].value == "2026-03-09"


def test_severity_and_words_alone_do_not_bring_an_accepted_finding_back() -> None:
    accepted = held(FindingState.ACCEPTED, accepted_basis=finding().basis)

    assert after(accepted, finding(severity=Severity.HIGH)).state is FindingState.ACCEPTED


@pytest.mark.parametrize(
    ("ahead", "state"), [(1, FindingState.SNOOZED), (0, FindingState.OPEN), (-5, FindingState.OPEN)]
)
def test_a_snoozed_finding_returns_on_its_day(ahead: int, state: FindingState) -> None:
    tracked = after(held(FindingState.SNOOZED, snoozed_until=AS_OF + timedelta(days=ahead)), finding())

    assert tracked.state is state


def test_an_asked_finding_stays_with_the_company() -> None:
    assert after(held(FindingState.ASKED, reason="sent"), finding(value="other")).state is FindingState.ASKED


FINDINGS = st.lists(
    st.builds(
        finding,
        st.sampled_from(("B1", "B2", "B3", "B4")),
        st.sampled_from(("none", "other")),
        st.sampled_from(Severity),
    ),
    max_size=4,
    unique_by=lambda found: found.finding_id,
)


@given(FINDINGS, FINDINGS, st.randoms(use_true_random=False))
def test_tracking_forgets_nothing_and_settles(first: list[Finding], second: list[Finding], random: Any) -> None:
    once = track_findings([], first, at=READ_AT, today=AS_OF)
    twice = track_findings(once, second, at=LATER, today=AS_OF)
    again = track_findings(random.sample(twice, len(twice)), random.sample(second, len(second)), at=LATER, today=AS_OF)

    assert {t.finding_id for t in twice} == {f.finding_id for f in (*first, *second)}
    assert {t.finding_id for t in twice if t.state is FindingState.OPEN} == {f.finding_id for f in second}
    assert again == twice
    order = [(t.finding.severity.rank, t.finding_id) for t in twice]
    assert order == sorted(order)
