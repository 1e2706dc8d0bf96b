"""What was deleted in the ledger since cash was last told is a cause of its own, to the cent."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from runway_core.calculators.cash_changes import explain_cash
from runway_core.calculators.deleted_entries import find_deleted_entries
from runway_core.domain.bank import BankBalance, BankTransaction
from runway_core.domain.bills import BillPayment, PaymentMethod
from runway_core.domain.cash_changes import CashChange, CashThen
from runway_core.domain.documents import DocumentLine, LineKind
from runway_core.domain.field_changes import WHOLE_RECORD, FieldChange
from runway_core.domain.ledger import Account, AccountKind, JournalEntry, Purchase
from runway_core.domain.money import Money
from runway_core.domain.record import Record
from runway_testkit.books_making import READ_AT, amount, customer_payment, day, make_books, moment


def account(external_id: str, balance: int) -> Account:
    return Account(
        external_id=external_id, name=external_id, full_name=external_id, account_kind=AccountKind.BANK,
        account_type="bank", currency="USD", balance=amount(balance),
    )  # fmt: skip


def paid(external_id: str, total: int, *, on: int = -10, entered: int | None = None) -> BillPayment:
    return BillPayment(
        external_id=external_id, vendor_id="V1", vendor_name="Hill Estates", document_date=day(on), currency="USD",
        total=amount(total), account_id="bank", created_at=moment(on if entered is None else entered),
        method=PaymentMethod.CHECK,
    )  # fmt: skip


def deleted(record: Record, *, on: int = -1) -> FieldChange:
    return FieldChange(
        record=record.key, field=WHOLE_RECORD, before=record.content().decode(), after=None, seen_at=moment(on),
        rail="qbo",
    )  # fmt: skip


def explain(before: int, now: int, *gone: FieldChange, **records: Any) -> CashChange:
    """A week ago cash was told as `before`; the ledger's balance is `now`."""
    since = CashThen(as_of=day(-7), read_at=moment(-7), opening=Money(amount=amount(before), currency="USD"))
    records.setdefault("accounts", (account("bank", now),))
    return explain_cash(make_books(changes=gone, **records), since)


def said(change: CashChange) -> list[tuple[str, Decimal]]:
    return [(cause.label, cause.amount.amount) for cause in change.causes]


def test_a_payment_that_was_deleted_gives_its_money_back_by_name() -> None:
    payment = paid("P", 300)

    change = explain(1_000, 1_300, deleted(payment))

    assert said(change) == [("Bills paid and deleted since: Hill Estates, 2026-02-20", amount(300))]
    assert change.causes[0].record == payment.key
    assert change.unexplained.amount == 0


def test_a_receipt_that_was_deleted_takes_its_money_away() -> None:
    receipt = customer_payment("R", 450, account_id="bank", document_date=day(-9), created_at=moment(-9))

    change = explain(1_000, 550, deleted(receipt))

    assert [(label.split(":")[0], home) for label, home in said(change)] == [
        ("Received from customers and deleted since", amount(-450))
    ]
    assert change.unexplained.amount == 0


def test_many_small_ones_share_a_line_apart_from_what_was_paid() -> None:
    gone = [deleted(paid(f"G{number}", 10)) for number in range(6)]
    standing = tuple(paid(f"S{number}", 200, on=-2) for number in range(6))

    change = explain(5_000, 3_860, *gone, bill_payments=standing)

    assert ("Bills paid and deleted since", amount(60)) in said(change)
    assert change.unexplained.amount == 0


@pytest.mark.parametrize(
    ("payment", "seen"),
    [
        (paid("entered since, and gone before anyone was told", 300, entered=-3), -1),
        (paid("dated after the day that was told", 300, on=-6, entered=-10), -1),
        (paid("gone before cash was told", 300), -8),
    ],
    ids=lambda value: value.external_id if isinstance(value, BillPayment) else "",
)
def test_what_was_not_in_the_cash_that_was_told_is_no_cause(payment: BillPayment, seen: int) -> None:
    change = explain(1_000, 1_000, deleted(payment, on=seen))

    assert (change.causes, change.unexplained.amount) == ((), amount(0))


def test_a_record_that_came_back_was_not_deleted() -> None:
    payment = paid("P", 300)

    change = explain(1_000, 1_000, deleted(payment), bill_payments=(payment,))

    assert (change.causes, change.unexplained.amount) == ((), amount(0))


def test_where_the_bank_is_read_a_deletion_in_the_ledger_moves_no_cash() -> None:
    balance = BankBalance(account_id="bank", currency="USD", posted=amount(1_000), read_at=READ_AT - timedelta(hours=1))
    line = BankTransaction(external_id="L", account_id="bank", booked_on=day(-20), currency="USD", amount=amount(1))

    change = explain(1_000, 1_300, deleted(paid("P", 300)), bank_balances=(balance,), bank_transactions=(line,))

    assert (change.causes, change.unexplained.amount) == ((), amount(0))


def test_the_money_of_a_deleted_journal_entry_is_what_its_lines_moved() -> None:
    lines = (
        DocumentLine(line_kind=LineKind.DEBIT, amount=amount(80), account_id="fees"),
        DocumentLine(line_kind=LineKind.CREDIT, amount=amount(80), account_id="bank"),
    )
    entry = JournalEntry(
        external_id="J", document_date=day(-9), currency="USD", total=amount(80), lines=lines, created_at=moment(-9)
    )

    change = explain(1_000, 1_080, deleted(entry))

    assert said(change) == [("Journal entries, out and deleted since, 2026-02-21", amount(80))]


def test_an_entry_reads_back_as_it_was_whatever_the_order_of_the_changes() -> None:
    """Deleted twice, it is what it was the second time."""
    first, second = paid("P", 300), paid("P", 310)
    other = Purchase(
        external_id="X", document_date=day(-9), currency="USD", total=amount(20), account_id="bank",
        method=PaymentMethod.CASH,
    )  # fmt: skip
    changes = [deleted(first, on=-5), deleted(second, on=-2), deleted(other)]

    def read(ordered: Sequence[FieldChange]) -> list[Record]:
        return [entry.record for entry in find_deleted_entries(make_books(changes=tuple(ordered)))]

    assert all(read(ordered) == [second, other] for ordered in permutations(changes))
