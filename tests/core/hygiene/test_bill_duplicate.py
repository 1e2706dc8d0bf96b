from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.hygiene.checks.bill_duplicate import BillDuplicate
from runway_core.calculators.rhythm import are_different_periods
from runway_core.domain.aliases import NameAlias
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLink
from runway_core.domain.findings import Finding, Severity
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.ledger import Attachment
from runway_testkit.books_making import READ_AT, amount, bill, day, make_books
from runway_testkit.books_strategies import books, shuffle_books
from runway_testkit.sample import amend_books, sample_books

CHECK = BillDuplicate()


def found(*bills: Bill) -> list[Finding]:
    return list(CHECK.find(make_books(bills=bills)))


def rule_of(finding: Finding) -> str:
    return finding.evidence[0].value


def test_the_agencys_bill_of_the_sample_was_paid_already() -> None:
    (finding,) = CHECK.find(sample_books())

    assert {subject.external_id for subject in finding.subjects} == {"B4", "P15"}
    assert finding.severity is Severity.CRITICAL
    assert rule_of(finding) == "D1"
    assert [fix.record.external_id for fix in finding.fixes if fix.record] == ["B4"]


def test_rents_of_different_months_never_pair_though_their_numbers_are_one_slip_apart() -> None:
    rents = [b for b in sample_books().bills if b.vendor_id == "V1"]

    assert len(rents) == 4
    assert found(*rents) == []


@pytest.mark.parametrize(
    ("first", "second", "rule"),
    [
        ({"number": "Inv-0012"}, {"number": "12"}, "D1"),
        ({"number": "1042"}, {"number": "1024"}, "D2"),
        ({"number": "1042"}, {"number": "10422"}, "D2"),
        ({"number": "1042", "open_balance": amount(0)}, {"number": "1024"}, "D2"),
        ({"number": "1042", "open_balance": amount(0)}, {"number": "1042", "open_balance": amount(0)}, "D1"),
        ({"number": "1042", "open_balance": amount(0)}, {"number": "1024", "open_balance": amount(0)}, None),
        ({"number": "1042"}, {"number": "2401"}, None),
        ({"number": "142"}, {"number": "124"}, None),
        ({"number": "1042"}, {"number": "1024", "document_date": day(22)}, None),
        ({"number": "1042"}, {"number": "1024", "document_date": day(21)}, "D2"),
        ({"number": "1042"}, {"number": "1042", "vendor_id": "V2"}, None),
        ({"number": "1042"}, {"number": "1042", "total": amount(101)}, None),
        ({"number": "1042"}, {"number": "1042", "currency": "EUR"}, None),
        ({"number": None}, {"number": None}, None),
        ({"number": "#"}, {"number": "INV"}, None),
        ({"number": "7", "vendor_id": None}, {"number": "7", "vendor_id": None}, None),
    ],
)
def test_pairs_are_those_of_the_reference(first: dict[str, Any], second: dict[str, Any], rule: str | None) -> None:
    findings = found(bill("A", **first), bill("B", **second))

    assert [rule_of(finding) for finding in findings] == ([rule] if rule else [])


def monthly(count: int, *, number: str = "ACC-77", **more: Any) -> list[Bill]:
    first = date(2025, 9, 1)
    months = [date(first.year + (8 + n) // 12, (8 + n) % 12 + 1, 1) for n in range(count)]
    return [bill(f"M{n}", number=number, document_date=on, **more) for n, on in enumerate(months)]


def test_an_account_number_on_every_months_bill_is_no_duplicate_until_a_month_has_two() -> None:
    series = monthly(6)
    again = series[3].model_copy(
        update={"external_id": "again", "document_date": series[3].document_date + timedelta(days=5)}
    )

    assert found(*series) == []
    (finding,) = found(*series, again)
    assert {subject.external_id for subject in finding.subjects} == {"M3", "again"}


def varied(count: int) -> list[Bill]:
    """Monthly bills over about one amount with running numbers, the last two over the same."""
    totals = [*("100", "104", "97", "101", "95", "103")[: count - 2], "99", "99"]
    months = monthly(count)
    return [
        one.model_copy(update={"number": f"{7040 + n}", "total": amount(total), "open_balance": amount(total)})
        for n, (one, total) in enumerate(zip(months, totals, strict=True))
    ]


def test_similar_amounts_need_six_members_to_be_a_series() -> None:
    """Chance makes short chains among a supplier's many bills over about one amount."""
    assert found(*varied(6)) == []
    # From 1 January to 1 February are 31 days.
    assert [rule_of(finding) for finding in found(*varied(6)[3:])] == ["D2"]


def test_a_slip_among_irregular_bills_is_found_though_some_lie_a_week_apart() -> None:
    totals = ("285.02", "282.10", "282.10", "279.39", "275.06")
    numbers = ("28502", "28521", "28591", "28581", "28604")
    dates = (date(2025, 12, 15), date(2026, 1, 16), date(2026, 1, 20), date(2026, 1, 27), date(2026, 2, 4))
    bills = [
        bill(f"Q{n}", total, number=number, document_date=on)
        for n, (total, number, on) in enumerate(zip(totals, numbers, dates, strict=True))
    ]

    assert [[s.external_id for s in finding.subjects] for finding in found(*bills)] == [["Q1", "Q2"]]


def test_two_bills_with_one_number_are_no_series() -> None:
    assert len(found(*monthly(2))) == 1


def test_three_copies_make_two_pairs() -> None:
    copies = [bill(external_id, number="7", document_date=day(-n)) for n, external_id in enumerate("CBA")]

    assert [[s.external_id for s in finding.subjects] for finding in found(*copies)] == [["A", "B"], ["B", "C"]]


def test_evidence_stands_side_by_side() -> None:
    (finding,) = found(bill("A", number="7", memo="first"), bill("B", number="07", document_date=day(-9)))
    shown = {(e.record.external_id, e.name): e.value for e in finding.evidence if e.record}

    assert shown["A", "number"] == "7"
    assert shown["B", "number"] == "07"
    assert shown["A", "memo"] == "first"
    assert finding.summary.startswith("Bills 7 and 07 of Ada Ltd, 100.00 USD each")


@pytest.mark.parametrize("gap", [7, 14, 30, 91])
def test_a_series_is_three_members_with_one_gap(gap: int) -> None:
    members = [date(2025, 1, 15) + timedelta(days=gap * n) for n in range(3)]

    assert are_different_periods(members[0], members[1], members)
    assert are_different_periods(members[1], members[2], members)
    assert not are_different_periods(members[0], members[1], members[:2])
    close = members[1] + timedelta(days=gap // 2 - 1)
    assert not are_different_periods(members[1], close, sorted([*members, close]))


@given(books(), st.integers(0, 6), st.randoms(use_true_random=False))
def test_a_planted_copy_is_always_found(any_books: Books, days_later: int, random: Random) -> None:
    original = bill("original", "8123.45", number="XK-90817", document_date=day(-12))
    copy = original.model_copy(
        update={"external_id": "copy", "document_date": original.document_date + timedelta(days=days_later)}
    )
    planted = amend_books(any_books, bills=(*any_books.bills, original, copy))
    findings = list(CHECK.find(shuffle_books(planted, random)))

    assert {"original", "copy"} in [{s.external_id for s in finding.subjects} for finding in findings]


def attachment(*bill_ids: str) -> Attachment:
    links = tuple(DocumentLink(kind=RecordKind.BILL, external_id=bill_id) for bill_id in bill_ids)
    return Attachment(external_id="scan", file_name="scan.pdf", links=links)


@pytest.mark.parametrize(
    ("second", "is_found"),
    [
        ({"total": amount(180), "vendor_id": "V2", "document_date": day(-90)}, True),
        ({"total": amount(180), "currency": "EUR"}, False),
        ({"total": amount(-180)}, False),
    ],
    ids=["whatever the fields", "another currency", "a credit"],
)
def test_one_file_on_two_bills_makes_them_one(second: dict[str, Any], is_found: bool) -> None:
    bills = (bill("A", number="7"), bill("B", number="9", **second))

    findings = list(CHECK.find(make_books(bills=bills, attachments=(attachment("A", "B"),))))

    assert [rule_of(finding) for finding in findings] == (["D7"] if is_found else [])
    assert list(CHECK.find(make_books(bills=bills, attachments=(attachment("A"), attachment("B"))))) == []


def test_one_file_on_the_months_of_a_series_is_a_contract() -> None:
    series = monthly(4)

    assert list(CHECK.find(make_books(bills=tuple(series), attachments=(attachment("M1", "M2"),)))) == []


def test_a_person_who_said_whom_a_name_means_made_two_vendors_one() -> None:
    pair = (bill("A", number="7"), bill("B", number="7", vendor_id="V2"))
    alias = NameAlias(
        paper_id="vendor 2", version=1, text="Vendor 2", party=RecordKey(RecordKind.VENDOR, "V1"),
        changed_at=READ_AT, changed_by="Ann",
    )  # fmt: skip

    assert found(*pair) == []
    assert len(list(CHECK.find(make_books(bills=pair, aliases=(alias,))))) == 1


@given(books())
def test_a_pair_shares_vendor_amount_and_currency(any_books: Books) -> None:
    by_id = {b.external_id: b for b in any_books.bills}
    for finding in CHECK.find(any_books):
        one, two = (by_id[subject.external_id] for subject in finding.subjects)
        assert (one.total, one.currency) == (two.total, two.currency)
        names = [any_books.vendor_by_id[b.vendor_id].name for b in (one, two) if b.vendor_id in any_books.vendor_by_id]
        assert one.vendor_id == two.vendor_id or (len(names) == 2 and names[0] == names[1])
