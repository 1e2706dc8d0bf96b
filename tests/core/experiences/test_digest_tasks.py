"""The digest says who does what by when, and what changed cash since it was told last."""

from datetime import date, timedelta

from runway_core.calculators.hygiene.impact import find_weighed_findings
from runway_core.calculators.hygiene.tracking import track_findings
from runway_core.domain.books import Books
from runway_core.domain.cash_changes import CashThen
from runway_core.domain.company import CompanySettings, EnteredSeries, Rhythm, SeriesKind
from runway_core.domain.decisions import (
    BillFacts,
    Decision,
    DecisionOutcome,
    DecisionState,
    Figures,
    PaymentPart,
)
from runway_core.domain.money import Money
from runway_core.domain.policy import Role
from runway_core.experiences.digest import DigestView, lay_out_digest
from runway_core.orchestrators.gathered import CompanyData
from runway_testkit.books_making import amount, bill, connection, day, invoice, make_books, moment
from runway_testkit.sample import sample_books


def digest(books: Books, told: CashThen | None = None) -> DigestView:
    findings = track_findings([], find_weighed_findings(books), at=books.read_at, today=books.as_of)
    return lay_out_digest(
        CompanyData(books=books, connections=(connection(),), findings=findings, position=None, last_told=told)
    )


def test_the_sample_asks_for_decisions_today_and_the_duplicate_tomorrow() -> None:
    tasks = digest(sample_books()).tasks

    assert (tasks[0].by, tasks[0].who) == (date(2026, 3, 2), Role.CONTROLLER)
    assert tasks[0].what == "Decide about 2 bills of 9,200.00 USD to be released by 9 Mar"
    assert (tasks[1].by, tasks[1].who, tasks[1].finding_id is not None) == (date(2026, 3, 3), Role.BOOKKEEPER, True)
    assert tasks[1].what.startswith("Delete or void INV-BA1042")
    assert [task.by for task in tasks] == sorted(task.by for task in tasks)


def test_a_payroll_that_is_not_covered_is_the_owners_to_cover() -> None:
    payroll = EnteredSeries(
        series_id="pay", name="Payroll", series_kind=SeriesKind.PAYROLL, rhythm=Rhythm.BIWEEKLY,
        first_day=day(4), amount=amount(900), currency="USD",
    )  # fmt: skip
    tasks = digest(make_books(settings=CompanySettings(series=(payroll,)))).tasks

    assert [(task.who, task.what, task.by) for task in tasks if task.who is Role.OWNER] == [
        (Role.OWNER, "Cover the payroll of 6 Mar: 900.00 USD are missing", day(4))
    ]


def test_customers_far_behind_are_to_be_called_on_the_next_business_day_the_largest_first() -> None:
    late = {"document_date": day(-120), "due_date": day(-90)}
    view = digest(make_books(invoices=(invoice("S", 100, **late), invoice("L", 700, **late), invoice("N", 50))))

    assert [(call.number, call.owed.amount, call.days_late) for call in view.to_call] == [
        ("L", amount(700), 90),
        ("S", amount(100), 90),
    ]
    calls = [task for task in view.tasks if task.what.startswith("Call ")]
    assert [task.by for task in calls] == [day(1), day(1)]
    assert calls[0].what.startswith("Call Bo Inc about invoice L: 700.00 USD, ")


def test_held_back_bills_are_not_asked_to_be_decided() -> None:
    tasks = digest(make_books(bills=(bill("B", 100, due_date=day(2), vendor_id=None),))).tasks

    assert not any(task.what.startswith("Decide") for task in tasks)


def decided(bill_id: str, state: DecisionState, *, moved: int, pay_on: int | None = 3) -> Decision:
    figures = Figures(
        runway_days=30, buffer_breach_on=None, low_28_days=Money(amount=amount(700), currency="USD"),
        low_28_days_on=day(9),
    )  # fmt: skip
    return Decision(
        paper_id=f"D-{bill_id}", changed_at=moment(moved), changed_by="ada", bill_id=bill_id,
        outcome=DecisionOutcome.ESCALATE if pay_on is None else DecisionOutcome.PAY,
        payments=() if pay_on is None else (PaymentPart(on=day(pay_on), amount=amount(100)),),
        state=state, facts=BillFacts(vendor_id="V1", open_balance=amount(100), currency="USD", due_date=day(20)),
        before=figures, after=figures, results=(), policy_version=1, log_sequence=1,
    )  # fmt: skip


def test_decisions_that_wait_come_first_and_old_ones_are_not_told() -> None:
    made = make_books(
        bills=tuple(bill(name, 100) for name in "ABCDE"),
        decisions=(
            decided("A", DecisionState.RECORDED, moved=-2),
            decided("B", DecisionState.APPROVED, moved=-9, pay_on=8),
            decided("C", DecisionState.RECORDED, moved=-8),
            decided("D", DecisionState.DECIDED, moved=-1, pay_on=None),
            decided("E", DecisionState.RELEASED, moved=0),
        ),
    )

    assert [(line.bill_id, line.is_open, line.pay_on) for line in digest(made).decisions] == [
        ("B", True, day(8)),
        ("D", True, None),
        ("E", False, day(3)),
        ("A", False, day(3)),
    ]


def test_a_first_digest_tells_no_change_and_a_later_one_all_of_it() -> None:
    books = sample_books()
    told = CashThen(
        as_of=books.as_of - timedelta(days=7),
        read_at=books.read_at - timedelta(days=7),
        opening=Money(amount=amount(50_000), currency="USD"),
    )
    change = digest(books, told).change

    assert digest(books).change is None
    assert change is not None
    assert change.before + Money.total([c.amount for c in change.causes], "USD") + change.unexplained == change.now
    assert change.now.amount == amount(51_200)


def test_a_sentence_says_which_way_cash_went_and_by_what_most() -> None:
    books = sample_books()
    long_ago = {"as_of": books.as_of - timedelta(days=7), "read_at": books.read_at - timedelta(days=7)}

    def said(opening: int) -> str:
        return digest(
            books, CashThen(**long_ago, opening=Money(amount=amount(opening), currency="USD"))
        ).change_sentence

    assert digest(books).change_sentence == "Nothing was told before, so there is nothing to compare with yet"
    assert said(51_200) == "Cash is what it was on 23 Feb"
    assert said(60_000).startswith("Cash fell by 8,800.00 USD since 23 Feb, most of all by ")
    assert said(60_000).partition(": ")[2].startswith("−")
    assert said(40_000).startswith("Cash rose by 11,200.00 USD since 23 Feb")


def test_the_findings_that_most_days_hang_on_come_first_whatever_their_severity() -> None:
    view = digest(sample_books())
    findings = track_findings([], find_weighed_findings(sample_books()), at=view.books_read_at, today=view.as_of)
    days = sorted((abs(one.finding.impact_days or 0) for one in findings), reverse=True)

    assert [abs(one.finding.impact_days or 0) for one in view.top_findings] == days[:3]
    assert f"{days[0]} days hang on 2 bills" in view.verdict
