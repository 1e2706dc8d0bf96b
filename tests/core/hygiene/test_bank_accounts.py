"""BK02, BK10 and BK12: whether the bank is read, read whole, and compared with its statements."""

from datetime import timedelta
from typing import Any

import pytest
from runway_core.calculators.hygiene.checks.account_unmapped import AccountUnmapped
from runway_core.calculators.hygiene.checks.bank_connection_stale import BankConnectionStale
from runway_core.calculators.hygiene.checks.reconciliation_old import ReconciliationOld
from runway_core.domain.bank import Reconciliation
from runway_core.domain.books import Books
from runway_core.domain.company import CompanySettings, ConnectionState
from runway_core.domain.findings import Severity
from runway_core.domain.identity import ConnectionId
from runway_testkit.books_making import READ_AT, connection, day

from tests.core.hygiene.bank_making import RAIL, account, bank_balance, banked, purchase


def read_before(*, state: ConnectionState = ConnectionState.ACTIVE, **since: float) -> Books:
    at = READ_AT - timedelta(**since)
    link = connection(connection_id=ConnectionId("link"), rail=RAIL, state=state, last_success_at=at)
    return banked(connections=(connection(), link), bank_balances=(bank_balance(read_at=at),))


@pytest.mark.parametrize(
    ("hours", "minutes", "severity"),
    [(24, 0, None), (24, 1, Severity.MEDIUM), (72, 0, Severity.MEDIUM), (72, 1, Severity.HIGH)],
)
def test_a_bank_that_was_not_read_for_a_day_is_found_and_matters_more_after_three(
    hours: int, minutes: int, severity: Severity | None
) -> None:
    found = list(BankConnectionStale().find(read_before(hours=hours, minutes=minutes)))

    assert [finding.severity for finding in found] == ([] if severity is None else [severity])


def test_consent_that_expired_is_found_however_fresh_the_last_reading() -> None:
    (found,) = BankConnectionStale().find(read_before(state=ConnectionState.RECONNECT_NEEDED, hours=1))

    assert found.subjects[0].external_id == "link"
    assert found.fixes[0].label == "Connect bank again"


def test_a_bank_that_was_switched_off_is_left_alone() -> None:
    assert list(BankConnectionStale().find(read_before(state=ConnectionState.DISCONNECTED, hours=90))) == []


def test_a_ledger_that_is_old_is_no_matter_of_the_bank() -> None:
    old = connection(last_success_at=READ_AT - timedelta(hours=90))

    assert list(BankConnectionStale().find(banked(connections=(old,)))) == []


def reconciled(days: int | None, **more: Any) -> Books:
    through = () if days is None else (_reconciliation("bank", days),)
    return banked(reconciliations=(*through, _reconciliation("elsewhere", 1)), **more)


def _reconciliation(account_id: str, days: int) -> Reconciliation:
    return Reconciliation(account_id=account_id, through=day(-days), reconciled_at=READ_AT)


@pytest.mark.parametrize(
    ("days", "is_found"), [(45, False), (46, True), (None, True)], ids=["45 days", "46 days", "never"]
)
def test_an_account_that_nobody_compared_with_its_statement_for_45_days_is_found(
    days: int | None, is_found: bool
) -> None:
    assert bool(list(ReconciliationOld().find(reconciled(days)))) is is_found


def test_where_no_rail_tells_of_reconciliations_none_is_missed() -> None:
    assert list(ReconciliationOld().find(banked())) == []


@pytest.mark.parametrize(
    ("more", "is_found"),
    [
        ({"accounts": (account("bank", 0),), "purchases": (purchase("E", -300, 5),)}, False),
        ({"accounts": (account("bank", 0),), "purchases": (purchase("E", -300, 5), purchase("F", -45, 5))}, True),
        ({"accounts": (account("bank", 0),), "purchases": (purchase("E", -300, 5), purchase("F", 0, 5))}, True),
        ({"accounts": (account("bank", 0),), "purchases": (purchase("E", -300, 5), purchase("F", 1, 5))}, False),
        ({"accounts": (account("bank", 9, is_active=False),)}, False),
        ({"purchases": (purchase("E", -45, 5),)}, False),
    ],
    ids=[
        "empty, asleep",
        "empty, used",
        "empty, used today",
        "empty, dated ahead",
        "closed",
        "younger than a statement",
    ],
)
def test_only_an_account_in_use_wants_reconciling(more: dict[str, Any], is_found: bool) -> None:
    made = reconciled(60).model_copy(update=more)

    assert bool(list(ReconciliationOld().find(made))) is is_found


def unread(*, on: int = -60, settings: CompanySettings | None = None, **more: Any) -> Books:
    """The account `bank` is read; `other` is not, and moved once."""
    moved = (purchase("E-other", on, 5, account_id="other"),)
    return banked(purchases=moved, settings=settings, accounts=(account("bank"), account("other", **more)))


@pytest.mark.parametrize(
    ("made", "is_found"),
    [
        (unread(), True),
        (unread(on=-61), False),
        (unread(settings=CompanySettings(excluded_account_ids=("other",))), False),
        (unread(name="Petty Cash"), False),
    ],
    ids=["used sixty days ago", "asleep", "excluded", "cash in hand"],
)
def test_an_account_in_use_that_no_bank_reads_is_found(made: Books, is_found: bool) -> None:
    assert [f.subjects[0].external_id for f in AccountUnmapped().find(made)] == (["other"] if is_found else [])


def test_a_bank_account_in_another_currency_is_found() -> None:
    (found,) = AccountUnmapped().find(banked(bank_balances=(bank_balance(currency="CAD"),)))

    assert [evidence.value for evidence in found.evidence] == ["USD", "CAD"]


def test_a_company_without_any_bank_rail_is_left_alone() -> None:
    assert (
        list(AccountUnmapped().find(unread().model_copy(update={"bank_balances": (), "bank_transactions": ()}))) == []
    )
