"""BK11 and GL03: what changed after people had closed the book on it."""

from datetime import date, timedelta
from typing import Any

import pytest
from runway_core.calculators.hygiene.checks.closed_period_changed import ClosedPeriodChanged
from runway_core.calculators.hygiene.checks.reconciled_changed import ReconciledChanged
from runway_core.domain.bank import Reconciliation
from runway_core.domain.books import Books
from runway_core.domain.company import CompanySettings
from runway_core.domain.field_changes import WHOLE_RECORD, FieldChange
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.ledger import CompanyInfo
from runway_core.domain.record import Record
from runway_testkit.books_making import READ_AT, bill, day, line, make_books, moment

from tests.core.hygiene.bank_making import purchase

RECONCILED = (Reconciliation(account_id="bank", through=day(-30), reconciled_at=moment(-25)),)


def change(
    field: str,
    before: str | None,
    after: str | None,
    *,
    at: int = -5,
    kind: RecordKind = RecordKind.PURCHASE,
    id_: str = "E",
) -> FieldChange:
    return FieldChange(
        record=RecordKey(kind, id_), field=field, before=before, after=after, seen_at=moment(at), rail="qbo"
    )


def reconciled(*changes: FieldChange, on: int = -40, **more: Any) -> Books:
    held = purchase("E", on, 80).model_copy(update=more)
    return make_books(reconciliations=RECONCILED, purchases=(held,), changes=changes)


@pytest.mark.parametrize(
    ("books", "is_found"),
    [
        (reconciled(change("total", "70.00", "80.00")), True),
        (reconciled(change("document_date", str(day(-45)), str(day(-40)))), True),
        (reconciled(change("account_id", "bank", "other"), account_id="other"), True),
        (reconciled(change("account_id", "other", "bank")), True),
        (reconciled(change("is_void", "false", "true"), is_void=True), True),
        (reconciled(change("document_date", str(day(-40)), str(day(-2))), on=-2), True),
        (reconciled(change("total", "70.00", "80.00"), on=-30), True),
        (reconciled(change("total", "70.00", "80.00"), on=-29), False),
        (reconciled(change("total", "70.00", "80.00", at=-26)), False),
        (reconciled(change("memo", "a", "b")), False),
        (reconciled(change("total", "70.00", "80.00"), account_id="other"), False),
        (reconciled(change("total", "80.00", "70.00", at=-9), change("total", "70.00", "80.00")), False),
        (reconciled(change("total", "70.00", "80.00", id_="gone")), False),
    ],
    ids=[
        "amount",
        "day",
        "moved away",
        "moved here",
        "voided",
        "moved out of the statement",
        "on the last day",
        "after the statement",
        "before it was reconciled",
        "memo",
        "another account",
        "changed back",
        "not in the books",
    ],
)
def test_what_changed_after_it_was_reconciled_is_found(books: Books, is_found: bool) -> None:
    assert bool(list(ReconciledChanged().find(books))) is is_found


def test_before_and_after_are_shown_with_who_did_it() -> None:
    told = change("total", "70.00", "80.00").model_copy(update={"changed_by": "kim"})

    (found,) = ReconciledChanged().find(reconciled(told))

    assert found.evidence[0].name == "total"
    assert found.evidence[0].value == f"70.00 → 80.00 (kim, seen {moment(-5):%Y-%m-%d %H:%M} UTC)"
    assert str(found.amount) == "10.00 USD"


def test_an_entry_is_one_finding_however_often_it_changed() -> None:
    books = reconciled(change("total", "70.00", "75.00", at=-9), change("total", "75.00", "80.00"))

    (found,) = ReconciledChanged().find(books)

    assert [evidence.name for evidence in found.evidence] == ["total", "total", "reconciled_through"]


def test_without_reconciliations_nothing_was_broken() -> None:
    books = reconciled(change("total", "70.00", "80.00")).model_copy(update={"reconciliations": ()})

    assert list(ReconciledChanged().find(books)) == []


def informed(closed: date | None) -> CompanyInfo:
    return CompanyInfo(external_id="1", name="Made", books_closed_through=closed)


def closed(
    *changes: FieldChange, ledger: int | None = -60, setting: int | None = None, on: int = -60, **more: Any
) -> Books:
    settings = CompanySettings(books_closed_through=None if setting is None else day(setting))
    held = bill("B", 80, document_date=day(on), **more)
    info = informed(None if ledger is None else day(ledger))
    return make_books(settings=settings, bills=(held,), changes=changes, company_info=info)


def bill_change(field: str = "total", *, at: int = -5) -> FieldChange:
    return change(field, "70.00", "80.00", kind=RecordKind.BILL, id_="B", at=at)


def closing(at: int) -> FieldChange:
    return change("books_closed_through", None, str(day(-60)), kind=RecordKind.COMPANY_INFO, id_="1", at=at)


@pytest.mark.parametrize(
    ("books", "is_found"),
    [
        (closed(bill_change()), True),
        (closed(bill_change("lines")), True),
        (closed(bill_change("open_balance")), False),
        (closed(bill_change(), on=-59), False),
        (closed(bill_change(), ledger=None), False),
        (closed(bill_change(), ledger=None, setting=-60), True),
        (closed(bill_change(), ledger=-90, setting=-60), True),
        (closed(bill_change(), closing(at=-10)), True),
        (closed(bill_change(), closing(at=-3)), False),
    ],
    ids=[
        "on the closing day",
        "lines",
        "paid since",
        "the day after",
        "never closed",
        "closed by the setting",
        "the later of both",
        "after closing",
        "before closing",
    ],
)
def test_what_changed_in_the_closed_period_is_found(books: Books, is_found: bool) -> None:
    assert bool(list(ClosedPeriodChanged().find(books))) is is_found


@pytest.mark.parametrize(("entered", "is_found"), [(-9, True), (-11, False)], ids=["since", "before"])
def test_what_was_entered_into_the_closed_period_since_it_was_closed_is_found(entered: int, is_found: bool) -> None:
    books = closed(closing(at=-10), created_at=READ_AT + timedelta(days=entered))

    assert bool(list(ClosedPeriodChanged().find(books))) is is_found


def test_without_knowing_when_it_was_closed_what_was_entered_late_is_nobodys_fault() -> None:
    assert list(ClosedPeriodChanged().find(closed(created_at=moment(-2)))) == []


@pytest.mark.parametrize(
    ("after", "is_found"),
    [
        ('[{"line_kind":"account","amount":"80.0000","account_id":"1","account_name":"Rent, old"}]', False),
        ('[{"line_kind":"account","amount":"80.0000","account_id":"2","account_name":"Rent"}]', True),
        ('[{"line_kind":"account","amount":"81.0000","account_id":"1","account_name":"Rent"}]', True),
        ("[]", True),
    ],
    ids=["an account renamed", "another account", "another amount", "gone"],
)
def test_lines_that_say_the_same_in_other_words_did_not_change(after: str, is_found: bool) -> None:
    before = '[{"line_kind":"account","amount":"80.0000","account_id":"1","account_name":"Rent"}]'
    books = closed(change("lines", before, after, kind=RecordKind.BILL, id_="B"))

    assert bool(list(ClosedPeriodChanged().find(books))) is is_found


def deleted(record: Record, *, at: int = -5) -> FieldChange:
    return FieldChange(
        record=record.key, field=WHOLE_RECORD, before=record.content().decode(), after=None, seen_at=moment(at),
        rail="qbo",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("gone", "is_found"),
    [
        (deleted(purchase("E", -30, 80)), True),
        (deleted(purchase("E", -29, 80)), False),  # after the statement
        (deleted(purchase("E", -40, 80), at=-26), False),  # before it was reconciled
        (deleted(purchase("E", -40, 80).model_copy(update={"account_id": "other"})), False),
        (deleted(purchase("E", -40, 80).model_copy(update={"created_at": moment(-9)})), False),  # entered since
        (deleted(bill("E", 80, document_date=day(-40), lines=(line(80, "bank"),))), False),  # moved no money yet
    ],
)
def test_what_was_deleted_after_it_was_reconciled_is_found(gone: FieldChange, is_found: bool) -> None:
    found = list(ReconciledChanged().find(make_books(reconciliations=RECONCILED, changes=(gone,))))

    assert bool(found) is is_found
    if found:
        assert found[0].summary == (
            f"Purchase of {day(-30)} was deleted after its account was reconciled through {day(-30)}"
        )


CLOSED = CompanyInfo(external_id="1", name="Made", books_closed_through=day(-30))
CLOSING = FieldChange(
    record=CLOSED.key, field="books_closed_through", before=None, after=str(day(-30)), seen_at=moment(-20), rail="qbo"
)


@pytest.mark.parametrize(
    ("changes", "is_found"),
    [
        ((deleted(bill("E", 80, document_date=day(-30))),), True),
        ((deleted(bill("E", 80, document_date=day(-29))),), False),
        ((CLOSING, deleted(bill("E", 80, document_date=day(-40)), at=-19)), True),
        ((CLOSING, deleted(bill("E", 80, document_date=day(-40)), at=-21)), False),  # before the books were closed
        ((CLOSING, deleted(bill("E", 80, document_date=day(-40), created_at=moment(-9)))), False),  # entered since
    ],
)
def test_what_was_deleted_from_the_closed_period_is_found(changes: tuple[FieldChange, ...], is_found: bool) -> None:
    found = list(ClosedPeriodChanged().find(make_books(company_info=CLOSED, changes=changes)))

    assert bool(found) is is_found
    if found:
        assert "was deleted though the books are closed through" in found[0].summary
        assert found[0].amount is not None
