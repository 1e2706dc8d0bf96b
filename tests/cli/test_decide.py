"""Deciding about bills from the command line."""

import json

from tests.cli.conftest import Run


def test_a_decision_needs_a_company_and_a_payment_that_can_be_read(run: Run) -> None:
    run("companies", "add", "Acme")

    unread = run("decide", "acme", "B1", "--pay", "tomorrow")
    absent = run("decide", "acme", "B1")

    assert (unread.code, absent.code) == (2, 2)
    assert "'tomorrow' is no payment: write it like 2026-03-13:3200" in unread.err
    assert "has no open bill 'B1'" in absent.err


def test_what_is_not_decided_is_not_approved_or_released(run: Run) -> None:
    run("companies", "add", "Acme")

    for arguments in (
        ("approve", "acme", "B1", "--role", "owner"),
        ("release", "acme", "B1"),
        ("withdraw", "acme", "B1"),
    ):
        refused = run(*arguments)
        assert refused.code == 2
        assert "has no decision 'B1'" in refused.err


def test_the_console_has_its_proposal_in_json(run: Run) -> None:
    run("companies", "add", "Acme")

    console = json.loads(run("console", "acme", "--json").out)

    assert (console["ready"], console["decisions"], console["collection_cases"]) == ([], [], [])
    assert console["policy_version"] == 0
