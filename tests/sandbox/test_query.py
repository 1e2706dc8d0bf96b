from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_sandbox.books import Book, decode_wire
from runway_sandbox.faults import ServiceFaultError
from runway_sandbox.query import parse_query
from runway_sandbox.query_run import run_query
from runway_sandbox.settings import WireRules
from runway_sandbox.world import shelve_company

NOW = datetime(2026, 5, 5, 10, 0, tzinfo=UTC)


@pytest.fixture
def book(company: Any) -> Book:
    return shelve_company(company(more_bills=5), rules=WireRules())


def _ids(book: Book, statement: str, **rules: Any) -> list[str]:
    page = run_query(book, statement, rules=WireRules(**rules), now=NOW)
    return [decode_wire(row)["Id"] for row in page.rows]


def _fault(statement: str, book: Book | None = None) -> tuple[str, str]:
    run = parse_query if book is None else partial(run_query, book, rules=WireRules(), now=NOW)
    with pytest.raises(ServiceFaultError) as caught:
        run(statement)
    return caught.value.code, caught.value.detail


def test_reads_every_part_of_a_statement() -> None:
    select = parse_query(
        "select * from Bill where TotalAmt > '10.00' and VendorRef IN ('1', '2') "
        "order by DueDate desc, Id maxresults 5 startposition 3"
    )

    assert (select.entity, select.start, select.limit) == ("Bill", 3, 5)
    assert [(one.field, one.operator) for one in select.where] == [("TotalAmt", ">"), ("VendorRef", "IN")]
    assert [(one.field, one.descending) for one in select.order] == [("DueDate", True), ("Id", False)]


def test_an_apostrophe_is_escaped_and_never_doubled() -> None:
    assert parse_query(r"SELECT * FROM Vendor WHERE DisplayName = 'Bob\'s'").where[0].values[0].text == "Bob's"
    code, detail = _fault("SELECT * FROM Vendor WHERE DisplayName = 'Bob''s'")
    assert code == "4000"
    assert detail == 'QueryParserError: Encountered " <STRING> "\'s\' "" at line 1, column 47.'


def test_a_parse_error_names_what_was_met_and_where() -> None:
    assert _fault("SELECT * FROM Purchase ORDER TxnDate") == (
        "4000",
        'QueryParserError: Encountered " <IDENTIFIER> "TxnDate "" at line 1, column 30.',
    )
    assert _fault("SELECT * FROM Bill WHERE")[1].endswith('Encountered "<EOF>" at line 1, column 24.')


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM Bill WHERE Id = '1' OR Id = '2'",
        "SELECT * FROM Bill WHERE NOT Id = '1'",
        "SELECT * FROM Bill GROUP BY VendorRef",
        "SELECT * FROM Bill, Vendor",
        "SELECT * FROM Bill WHERE TxnDate BETWEEN '1' AND '2'",
        "DELETE FROM Bill",
        "SELECT * FROM Bill WHERE Id = '1",
        "SELECT * FROM Bill; DROP TABLE Bill",
        "SELECT * FROM Bill MAXRESULTS ten",
        "",
    ],
)
def test_what_the_language_has_not_is_a_grammar_error(statement: str) -> None:
    assert _fault(statement)[0] == "4000"


@pytest.mark.parametrize(
    ("statement", "detail"),
    [
        ("SELECT * FROM Bill WHERE NoSuchField = '1'", "Property NoSuchField not found for Entity Bill"),
        ("SELECT * FROM Bill WHERE DepartmentRef = '1'", "property 'DepartmentRef' is not queryable"),
        ("SELECT * FROM Bill WHERE CustomerRef = '1'", "Property CustomerRef not found for Entity Bill"),
        ("SELECT * FROM Bill STARTPOSITION 0", "value 0 is too small. Min allowed value is 1"),
        ("SELECT * FROM Bill MAXRESULTS 1001", "value 1001 is too large. Max allowed value is 1000."),
        ("SELECT * FROM Bill WHERE Id > '10'", "Operator > is not supported for property Id"),
        ("SELECT * FROM Bill WHERE TxnDate > 'soon'", "Invalid value 'soon' for property TxnDate"),
        ("SELECT Line FROM Bill", "Property Line not found for Entity Bill"),
        ("SELECT * FROM Bil", "Metadata not found for Entity Bil"),
    ],
)
def test_what_cannot_be_asked_is_a_content_error(book: Book, statement: str, detail: str) -> None:
    assert _fault(statement, book) == ("4001", f"QueryValidationError: {detail}")


def test_documents_come_newest_first_and_names_by_name(book: Book) -> None:
    assert _ids(book, "SELECT * FROM Bill")[:2] == ["11", "10"]
    assert _ids(book, "SELECT * FROM Vendor") == ["2", "1"]
    assert _ids(book, "select * from Vendor where Active IN (true, false)") == ["2", "1", "3"]
    assert _ids(book, "SELECT * FROM Vendor WHERE Active = false") == ["3"]


def test_ids_sort_as_numbers_or_as_text(company: Any) -> None:
    as_text = shelve_company(company(more_bills=1), rules=WireRules(id_order="text"))

    assert _ids(shelve_company(company(more_bills=1), rules=WireRules()), "SELECT * FROM Bill ORDERBY Id") == [
        "10",
        "11",
        "100",
    ]
    assert _ids(as_text, "SELECT * FROM Bill ORDERBY Id") == ["10", "100", "11"]


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ("TotalAmt > '100.00'", ["11"]),
        ("TotalAmt = 100", ["10"]),
        ("VendorRef = '1' AND DueDate <= '2026-05-02' AND Balance > '0'", ["10"]),
        ("MetaData.LastUpdatedTime >= '2026-04-03T19:00:00Z'", ["11"]),
        ("Metadata.LastUpdatedTime > '2026-04-03T12:00:00-07:00'", []),
        ("Id IN ('10', '11', '999')", ["11", "10"]),
        ("TxnDate LIKE '2026-04-0%' AND Id = '10'", ["10"]),
        ("DueDate > CURRENT_DATE AND Id = '10'", []),
        ("DocNumber = ' ' AND Balance > '0'", ["11", "10"]),
    ],
)
def test_filters(book: Book, where: str, ids: list[str]) -> None:
    assert _ids(book, f"SELECT * FROM Bill WHERE {where}") == ids


def test_bare_numbers_may_be_refused(book: Book) -> None:
    with pytest.raises(ServiceFaultError, match="Error parsing query"):
        _ids(book, "SELECT * FROM Bill WHERE TotalAmt > 5", bare_numbers=False)


def test_the_answer_has_the_recorded_shapes(book: Book) -> None:
    def answer(statement: str) -> Any:
        return decode_wire(run_query(book, statement, rules=WireRules(), now=NOW).query_response())

    full = answer("SELECT * FROM Bill MAXRESULTS 3")
    assert (full["startPosition"], full["maxResults"], full["totalCount"]) == (1, 3, 7)
    assert "totalCount" not in answer("SELECT * FROM Bill STARTPOSITION 2")
    assert "totalCount" not in answer("SELECT * FROM Vendor")
    assert answer("SELECT * FROM Bill STARTPOSITION 8") == {}
    assert answer("SELECT * FROM Estimate") == {}
    assert answer("SELECT COUNT(*) FROM Bill WHERE Balance > '0'") == {"totalCount": 2}
    assert answer("SELECT TotalAmt, DocNumber FROM Bill WHERE Id = '10'")["Bill"][0].keys() == {
        *("TotalAmt", "Id", "domain", "sparse")
    }


def test_amounts_are_sent_digit_for_digit(book: Book) -> None:
    page = run_query(book, "SELECT * FROM Bill WHERE Id = '11'", rules=WireRules(), now=NOW)

    assert b'"TotalAmt":200.50' in page.rows[0]


@given(st.text(max_size=60))
def test_no_statement_makes_the_parser_stumble(statement: str) -> None:
    with suppress(ServiceFaultError):
        parse_query("SELECT * FROM Bill WHERE " + statement)
