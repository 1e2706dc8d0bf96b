"""The Sample company on every page, with the figures that the reference works out by hand.

Its ledger stands in for the bank here, which gives the same figures.
"""

from datetime import date
from decimal import Decimal

import pytest
from runway_core.calculators.outlook import compute_outlook
from runway_core.domain.company import Company
from runway_core.domain.findings import FindingState, Severity
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.outlook import ESTIMATED_KINDS, Band, OutlookKind
from runway_core.experiences.digest import CashMark
from runway_core.experiences.tray import TrayQuery
from runway_testkit.sample import sample_books

from tests.core.calculators.test_outlook import sum_by_week
from tests.core.desk import FirmDesk

Pulled = tuple[FirmDesk, Company]


@pytest.fixture
async def pulled() -> Pulled:
    desk = FirmDesk(page_size=50)
    sample = await desk.connect_sample()
    await desk.runway.sync(sample.company_id)
    return desk, sample


def units(amount: Decimal) -> int:
    assert amount == int(amount)
    return int(amount)


def money(amounts: list[tuple[str, str]]) -> dict[str, Decimal]:
    return {name: Decimal(amount) for name, amount in amounts}


async def test_the_digest_says_whether_all_is_well(pulled: Pulled) -> None:
    desk, sample = pulled

    view = await desk.runway.digest(sample.company_id)
    found = await desk.runway.findings.list(sample.company_id)

    assert view.verdict == (
        f"Covered through 2 Apr, 32 days (32–39); payroll 6 Mar is covered; 7 days hang on 2 bills; "
        f"{len(found)} findings to clear"
    )
    assert (view.status.value, view.status_reason) == (
        "amber",
        "The buffer of 10,000.00 USD is breached on 25 Mar 2026, in 23 days.",
    )
    assert (view.buffer_breach.days, view.buffer_breach.falls_on) == (23, date(2026, 3, 25))
    assert (units(view.cash.opening.amount), units(view.cash.available.amount)) == (51_200, 41_200)
    assert view.next_payday is not None
    assert (view.next_payday.on, view.next_payday.is_covered) == (date(2026, 3, 6), True)
    assert [(t.finding.check, t.finding.severity) for t in view.top_findings[:2]] == [
        ("AP06", Severity.CRITICAL),
        ("AR08", Severity.HIGH),
    ]


async def test_the_digests_burn_is_that_of_the_three_full_months(pulled: Pulled) -> None:
    desk, sample = pulled

    burn = (await desk.runway.digest(sample.company_id)).burn

    assert (burn.cash_buffer_days, burn.burn_runway_days, burn.weighted_burn_runway_days) == (20, 109, 100)
    assert [(units(month.inflow), units(month.outflow)) for month in burn.months] == [
        (60_000, 75_000),
        (66_000, 72_000),
        (54_000, 75_000),
    ]


async def test_the_digests_receivables_by_age(pulled: Pulled) -> None:
    desk, sample = pulled

    aging = (await desk.runway.digest(sample.company_id)).receivables

    assert {bucket.label: bucket.amount.amount for bucket in aging.buckets if bucket.count} == money(
        [("current", "35000"), ("1-30", "12000"), ("credits", "-2000")]
    )
    assert aging.total.amount == 45_000


async def test_every_figure_of_the_digest_is_one_of_the_outlook(pulled: Pulled) -> None:
    desk, sample = pulled
    view = await desk.runway.digest(sample.company_id)
    outlook = (await desk.runway.outlook(sample.company_id)).outlook
    closings = {day.day: day.closing for day in outlook.days}
    figures = {figure.mark: figure for figure in view.figures}

    assert figures[CashMark.NOW].cash == view.cash.opening == outlook.opening_cash
    assert figures[CashMark.MONTH_END].on == date(2026, 3, 31)
    assert figures[CashMark.MONTH_END].cash.amount == closings[date(2026, 3, 31)]
    assert figures[CashMark.THREE_MONTHS].cash.amount == outlook.days[-1].closing
    assert (figures[CashMark.LOWEST].cash, figures[CashMark.LOWEST].on) == (outlook.low, outlook.low_on)


async def test_what_falls_due_leaves_the_cash_that_the_day_has_left(pulled: Pulled) -> None:
    """The last payment of a day leaves its low; 51,200 + 1,000 on 4 Mar − 6,000 on the 5th − 18,500 on the 6th.

    Of the 1,400 that are usual on that Friday no line speaks, and the cash is without them.
    """
    desk, sample = pulled
    view = await desk.runway.digest(sample.company_id)
    lows = {day.day: day.low for day in (await desk.runway.outlook(sample.company_id)).outlook.days}
    last_of_day = {line.event.on: line.cash_after.amount for line in view.due}

    assert last_of_day == {day: lows[day] for day in last_of_day}
    assert [(line.event.on.day, units(line.event.amount), units(line.cash_after.amount)) for line in view.due] == [
        (5, -6_000, 46_200),
        (6, -18_500, 26_300),
        (12, -3_200, 23_100),  # before the 12,000 of I1, which come that day
        (16, -8_000, 25_700),  # B3 less the vendor's credit
    ]


async def test_the_outlook_with_bank_and_with_ledger_agree(pulled: Pulled) -> None:
    desk, sample = pulled

    view = await desk.runway.outlook(sample.company_id)

    with_bank = compute_outlook(sample_books())
    assert [week.closing for week in view.outlook.weeks] == [week.closing for week in with_bank.weeks]
    assert view.outlook.runway == with_bank.runway
    assert view.headline == "Covered through 2 Apr, 32 days"
    assert (units(view.payables.total.amount), len(view.outlook.days), len(view.outlook.weeks)) == (34_500, 91, 13)


async def test_known_money_of_the_first_weeks_is_that_of_the_reference(pulled: Pulled) -> None:
    """Known in and known out of section 5, weeks 1 to 5."""
    desk, sample = pulled

    outlook = (await desk.runway.outlook(sample.company_id)).outlook
    known = sum_by_week(outlook, set(OutlookKind) - ESTIMATED_KINDS)[:5]

    assert [(units(come), units(go)) for come, go in known] == [
        (1_000, 24_500),
        (12_000, 3_200),
        (18_000, 32_400),
        (0, 13_000),
        (15_000, 22_800),
    ]


async def test_the_console_puts_ready_bills_in_the_order_in_which_they_are_to_be_paid(pulled: Pulled) -> None:
    desk, sample = pulled

    view = await desk.runway.console(sample.company_id)

    assert view.headline == "Covered through 2 Apr, 32 days; 4 ready to decide, 2 held back"
    assert [(bill.bill_id, bill.pay_by) for bill in view.ready] == [
        ("B1", date(2026, 3, 2)),  # 5 Mar, less three business days of ACH
        ("B5", date(2026, 3, 26)),  # insurance cannot wait either
        ("B2", date(2026, 3, 9)),
        ("B3", date(2026, 3, 11)),
    ]
    assert [bill.proposed.release_on for bill in view.ready if bill.proposed] == [
        date(2026, 3, 2),  # no payment day is left in time
        date(2026, 3, 26),
        None,  # these would take the buffer: a person is asked
        None,
    ]
    assert view.as_booked.runway_days == view.as_proposed.runway_days == 32
    assert [total.amount for total in view.ready_totals] == [6_000 + 3_200 + 9_500 + 4_300]
    assert {bill.bill_id for bill in view.held} == {"B4", "B6"}
    assert all(bill.held_back for bill in view.held)
    assert not any(bill.held_back for bill in view.ready)


async def test_the_console_names_who_to_call(pulled: Pulled) -> None:
    desk, sample = pulled

    (line,) = (await desk.runway.console(sample.company_id)).collections

    assert (line.customer_name, units(line.overdue.amount), line.days_late, line.oldest_due) == (
        "Elm Hospital",
        12_000,
        15,
        date(2026, 2, 15),
    )


async def test_the_tray_puts_first_what_moves_the_runway_most(pulled: Pulled) -> None:
    desk, sample = pulled

    view = await desk.runway.tray(sample.company_id)
    found = await desk.runway.findings.list(sample.company_id)
    groups = {group.check: group for group in view.groups}

    assert view.headline == f"{len(found)} findings to clear, 1 of them critical"
    assert view.band == Band(worst_days=32, best_days=39)
    assert view.band_sentence == "2 findings make the band 32–39 days"
    assert [group.check for group in view.groups[:2]] == ["AP06", "AP01"]  # days, then money: 8,000 and 5,000
    assert [(group.name, group.worst, group.count) for group in (view.groups[0], groups["AP01"])] == [
        ("bill_duplicate", Severity.CRITICAL, 1),
        ("bill_due_date_missing", Severity.MEDIUM, 1),
    ]
    assert [[amount.amount for amount in groups[check].amounts] for check in ("AP06", "AP01")] == [[8_000], [5_000]]
    [twin] = view.groups[0].rows
    assert twin.tracked.finding.subjects == (
        RecordKey(RecordKind.BILL, "B4"),
        RecordKey(RecordKind.BILL, "P15"),
    )


async def test_the_tray_is_filtered_and_counts_every_state_whatever_the_filter(pulled: Pulled) -> None:
    desk, sample = pulled
    found = {tracked.finding.check: tracked for tracked in await desk.runway.findings.list(sample.company_id)}
    duplicate, missing = found["AP06"], found["AP01"]
    await desk.runway.findings.decide(
        sample.company_id, missing.finding_id, FindingState.ACCEPTED, actor="ada", reason="known"
    )
    plain = await desk.runway.tray(sample.company_id)
    accepted = await desk.runway.tray(sample.company_id, TrayQuery(states=frozenset({FindingState.ACCEPTED})))
    low = await desk.runway.tray(sample.company_id, TrayQuery(severity=Severity.LOW))
    by_check = await desk.runway.tray(sample.company_id, TrayQuery(check="AP06"))

    assert [view.matching for view in (plain, accepted, low, by_check)] == [len(found) - 1, 1, 0, 1]
    assert plain.groups[0].rows[0].finding_id == duplicate.finding_id
    for view in (plain, accepted, low, by_check):
        assert {count.state: count.count for count in view.states if count.count} == {
            FindingState.OPEN: len(found) - 1,
            FindingState.ACCEPTED: 1,
        }


async def test_bills_and_invoices_with_issues(pulled: Pulled) -> None:
    desk, sample = pulled
    runway = desk.runway
    issues = await runway.bills.get_bills_with_issues(sample.company_id)

    assert [one.external_id for one in await runway.bills.get_open_bills(sample.company_id)] == [
        "B1", "B2", "B3", "B4", "B5", "B6",
    ]  # fmt: skip
    assert [(one.bill.external_id, [t.finding.check for t in one.findings]) for one in issues] == [
        ("B4", ["AP06"]),
        ("B6", ["AP01"]),
    ]
    assert [one.bill.external_id for one in await runway.bills.get_bills_ready_for_decision(sample.company_id)] == [
        "B1", "B2", "B3", "B5",
    ]  # fmt: skip
    assert [one.external_id for one in await runway.invoices.get_open_invoices(sample.company_id)] == ["I1", "I2", "I3"]
    assert [one.external_id for one in await runway.invoices.get_overdue_invoices(sample.company_id)] == ["I1"]
    assert await runway.invoices.get_invoices_with_issues(sample.company_id) == []


async def test_balances_now_over_time_and_at_the_end_of_days(pulled: Pulled) -> None:
    desk, sample = pulled
    balances = desk.runway.balances
    cash = await balances.get_balances(sample.company_id)
    everything = await balances.get_balances(sample.company_id, cash_only=False)
    operating = next(account for account in cash if account.name == "Operating")
    desk.later(days=1)
    desk.ledger("Sample").put(operating.model_copy(update={"balance": Decimal("40000.0000")}))
    await desk.runway.sync(sample.company_id)
    history = await balances.get_history(sample.company_id, operating.external_id)
    closes = await balances.get_closes(sample.company_id, first_day=date(2026, 3, 1), last_day=date(2026, 3, 3))

    assert {account.name: account.balance for account in cash} == money(
        [("Company card", "-6400"), ("Operating", "41200"), ("Savings", "10000"), ("Undeposited funds", "3000")]
    )
    assert len(everything) == 8
    assert [change.balance for change in history] == [41_200, 40_000]
    assert [(close.day.day, units(close.balance)) for close in closes if close.account_id == operating.external_id] == [
        (2, 41_200),
        (3, 40_000),
    ]
