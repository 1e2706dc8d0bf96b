from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.aging import band_of, compute_payables_aging, compute_receivables_aging
from runway_core.calculators.calendar import roll_forward
from runway_core.calculators.credits import apply_credits
from runway_core.calculators.payables import compute_pay_by, compute_payables
from runway_core.calculators.receivables import Receivable, compute_payment_habits, compute_receivables
from runway_core.calculators.statistics import median, nearest_rank, round_half_up
from runway_core.domain.bills import BillPayment, PaymentMethod, VendorCredit
from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLink
from runway_core.domain.identity import RecordKind
from runway_core.domain.outlook import Aging
from runway_testkit.books_strategies import amounts, books, shuffle_books
from runway_testkit.sample import amend_books, sample_books
from runway_testkit.sample_records import AS_OF


def bucket_sums(aging: Aging) -> dict[str, int]:
    return {bucket.label: int(bucket.amount.amount) for bucket in aging.buckets}


def test_aging_of_the_sample() -> None:
    receivables, payables = compute_receivables_aging(sample_books()), compute_payables_aging(sample_books())

    nothing = {"31-60": 0, "61-90": 0, "over 90": 0}
    assert bucket_sums(receivables) == {"current": 35_000, "1-30": 12_000, "credits": -2_000, **nothing}
    assert receivables.total.amount == 45_000
    assert bucket_sums(payables) == {"current": 36_000, "1-30": 0, "credits": -1_500, **nothing}
    assert payables.total.amount == 34_500


@pytest.mark.parametrize(
    ("days", "band"),
    [(-5, "current"), (0, "current"), (1, "1-30"), (30, "1-30"), (31, "31-60"), (90, "61-90"), (91, "over 90")],
)
def test_bands_end_on_their_last_day(days: int, band: str) -> None:
    assert band_of(days) == band


def expected(sample: Books) -> dict[str, Receivable]:
    return {receivable.invoice.external_id: receivable for receivable in compute_receivables(sample)}


def test_expected_dates_of_the_sample() -> None:
    found = expected(sample_books())

    assert found["I1"].expected == date(2026, 3, 12)
    assert found["I2"].expected == date(2026, 3, 17)
    assert found["I3"].expected == date(2026, 3, 30)
    assert [found[i].balance for i in ("I1", "I2", "I3")] == [12_000, 18_000, 15_000]
    assert not any(receivable.is_at_risk for receivable in found.values())


def test_payment_habits_of_the_sample() -> None:
    habits = compute_payment_habits(sample_books())

    assert habits.delays_of("C1") == [5, 9, 12, 18, 25, 40]
    assert habits.delays_of("C2") == [8, 10]
    assert habits.twice_median_of_all == 2 * 6
    assert habits.late_days("C2") == 7
    assert habits.late_days_p80("C1") == 25
    assert habits.late_days("stranger") == 6
    assert habits.late_days_p80("stranger") is None


def test_an_invoice_beyond_all_habit_is_awaited_for_two_weeks_and_at_risk() -> None:
    sample = sample_books()
    due = AS_OF - timedelta(days=30)
    late = tuple(i.model_copy(update={"due_date": due}) if i.external_id == "I1" else i for i in sample.invoices)

    found = expected(amend_books(sample, invoices=late))["I1"]

    assert found.expected == AS_OF + timedelta(days=14)
    assert found.risk_reason == "no credible date"


@pytest.mark.parametrize(("days_late", "is_at_risk"), [(8, False), (9, True), (30, True), (61, True)])
def test_later_than_four_of_five_is_at_risk_though_a_date_is_credible(days_late: int, is_at_risk: bool) -> None:
    sample = sample_books()
    delays = [1, 2, 3, 4, 5, 6, 7, 8, 70, 75]
    template = next(invoice for invoice in sample.invoices if invoice.external_id == "R01")
    paid = next(payment for payment in sample.customer_payments if payment.external_id == "CP-R01")
    history = [
        (
            template.model_copy(
                update={"external_id": f"H{delay}", "due_date": paid.document_date - timedelta(days=delay)}
            ),
            paid.model_copy(
                update={
                    "external_id": f"HP{delay}",
                    "applied": (DocumentLink(kind=RecordKind.INVOICE, external_id=f"H{delay}"),),
                }
            ),
        )
        for delay in delays
    ]
    waiting = template.model_copy(
        update={
            "external_id": "W",
            "due_date": AS_OF - timedelta(days=days_late),
            "open_balance": Decimal("10000.0000"),
        }
    )
    changed = amend_books(
        sample,
        invoices=(waiting, *(invoice for invoice, _ in history)),
        customer_payments=tuple(payment for _, payment in history),
    )

    found = expected(changed)["W"]

    assert found.is_at_risk is is_at_risk
    assert found.risk_reason != "no credible date"
    # The delays beyond today's are 70 and 75 days: their median, halves up, is 73.
    assert days_late < 9 or found.expected == roll_forward(AS_OF + timedelta(days=73 - days_late))


def test_payables_of_the_sample() -> None:
    found = {payable.bill.external_id: payable for payable in compute_payables(sample_books())}

    assert found["B3"].balance == 8_000
    assert (found["B6"].due, found["B6"].is_due_assumed) == (date(2026, 3, 22), True)
    assert found["B6"].pay_date == date(2026, 3, 23)
    assert sum(payable.balance for payable in found.values()) == 34_500


def test_the_agencys_bill_must_be_released_by_friday_20_march() -> None:
    assert compute_pay_by(date(2026, 3, 25)) == date(2026, 3, 20)
    assert compute_pay_by(date(2026, 3, 25), rail_business_days=0) == date(2026, 3, 25)
    assert compute_pay_by(date(2026, 3, 25), grace_days=3, rail_business_days=0) == date(2026, 3, 30)


def test_an_overdue_bill_is_paid_today_and_a_stranger_without_due_date_in_30_days() -> None:
    sample = sample_books()
    template = next(bill for bill in sample.bills if bill.external_id == "B1")
    overdue = template.model_copy(update={"external_id": "late", "due_date": date(2026, 1, 5)})
    stranger = template.model_copy(
        update={"external_id": "new", "vendor_id": None, "document_date": date(2026, 2, 20), "due_date": None}
    )

    found = {p.bill.external_id: p for p in compute_payables(amend_books(sample, bills=(overdue, stranger)))}

    assert found["late"].pay_date == AS_OF
    assert found["new"].due == date(2026, 3, 22)


def credit(open_balance: int | None, total: int = 500) -> VendorCredit:
    return VendorCredit(
        external_id="C",
        vendor_id="V1",
        document_date=AS_OF,
        currency="USD",
        total=Decimal(total).quantize(Decimal("0.0001")),
        open_balance=None if open_balance is None else Decimal(open_balance).quantize(Decimal("0.0001")),
    )


def paid_with_credit(cash: int, bill: int, used: int | None) -> BillPayment:
    def link(kind: RecordKind, external_id: str, amount: int | None) -> DocumentLink:
        exact = None if amount is None else Decimal(amount).quantize(Decimal("0.0001"))
        return DocumentLink(kind=kind, external_id=external_id, amount=exact)

    return BillPayment(
        external_id="P",
        vendor_id="V1",
        document_date=AS_OF,
        currency="USD",
        total=Decimal(cash).quantize(Decimal("0.0001")),
        method=PaymentMethod.CHECK,
        applied=(link(RecordKind.BILL, "old", bill), link(RecordKind.VENDOR_CREDIT, "C", used)),
    )


@pytest.mark.parametrize(
    ("held", "payments", "rent"),
    [
        ([credit(500)], [], 5_500),
        ([credit(9_000)], [], 0),
        ([credit(None)], [], 5_500),
        ([credit(None)], [paid_with_credit(0, 200, 200)], 5_700),
        ([credit(None)], [paid_with_credit(0, 500, None)], 6_000),
        ([], [paid_with_credit(900, 600, 0)], 5_700),
    ],
    ids=["told", "never below nil", "not told", "partly used", "used up", "payment on account"],
)
def test_credits_reduce_what_is_owed(held: list[VendorCredit], payments: list[BillPayment], rent: int) -> None:
    sample = amend_books(sample_books(), vendor_credits=tuple(held), bill_payments=tuple(payments))
    found = {payable.bill.external_id: payable for payable in compute_payables(sample)}

    assert found["B1"].balance == rent


@given(st.lists(st.tuples(st.sampled_from("AB"), amounts()), max_size=8), amounts(), amounts())
def test_credits_take_the_oldest_first_and_never_more_than_there_is(
    documents: list[tuple[str, Decimal]], for_a: Decimal, for_b: Decimal
) -> None:
    credits_left: dict[tuple[str | None, str], Decimal] = {("A", "USD"): for_a, ("B", "USD"): for_b}
    rests = apply_credits((((party, "USD"), amount) for party, amount in documents), credits_left)

    for party, credit_given in (("A", for_a), ("B", for_b)):
        mine = [(amount, rest) for (who, amount), rest in zip(documents, rests, strict=True) if who == party]
        total = sum((amount for amount, _ in mine), Decimal(0))
        assert sum((rest for _, rest in mine), Decimal(0)) == max(total - credit_given, Decimal(0))
        touched = [0 < rest < amount for amount, rest in mine]
        assert sum(touched) <= 1
        assert all(0 <= rest <= amount for amount, rest in mine)


@given(st.lists(st.integers(-50, 120), min_size=1, max_size=15))
def test_medians_and_ranks_are_among_the_values(values: list[int]) -> None:
    middle = median(values)

    assert sum(value <= middle for value in values) * 2 >= len(values)
    assert sum(value >= middle for value in values) * 2 >= len(values)
    p80 = nearest_rank(values, 80)
    assert p80 in values
    assert sum(value <= p80 for value in values) * 100 >= 80 * len(values)


def test_halves_go_up() -> None:
    assert [round_half_up(Fraction(n, 2)) for n in (-3, -1, 1, 3, 4)] == [-1, 0, 1, 2, 2]
    assert nearest_rank([5, 9, 12, 18, 25, 40], 80) == 25


@given(books(), st.randoms(use_true_random=False))
def test_the_order_of_the_books_changes_nothing(any_books: Books, random: Random) -> None:
    shuffled = shuffle_books(any_books, random)

    assert compute_payables(shuffled) == compute_payables(any_books)
    assert compute_receivables(shuffled) == compute_receivables(any_books)
    assert compute_payables_aging(shuffled) == compute_payables_aging(any_books)
    assert compute_receivables_aging(shuffled) == compute_receivables_aging(any_books)


@given(books())
def test_nothing_is_expected_in_the_past_or_on_a_closed_day(any_books: Books) -> None:
    for receivable in compute_receivables(any_books):
        assert receivable.expected >= any_books.as_of
        assert receivable.late_case >= receivable.expected
        assert receivable.expected.weekday() < 5
        assert receivable.is_at_risk is (receivable.risk_reason is not None)
    for payable in compute_payables(any_books):
        assert payable.pay_date >= max(payable.due, any_books.as_of)
        assert 0 <= payable.balance <= payable.bill.open_balance


@given(books())
def test_aging_adds_up(any_books: Books) -> None:
    for aging in (compute_payables_aging(any_books), compute_receivables_aging(any_books)):
        assert sum((bucket.amount.amount for bucket in aging.buckets), Decimal(0)) == aging.total.amount
        assert aging.buckets[-1].amount.amount <= 0
