"""What Plaid sends becomes accounts and lines in the company's own signs, or is refused with a reason."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw
from runway_core.domain.bank import BankAccount, BankAccountKind, BankLine
from runway_core.domain.identity import RecordKind
from runway_core.errors import RecordRejected
from runway_rail_plaid import wire
from runway_rail_plaid.mapping import map_rows, to_bank_account, to_bank_line

SAMPLES = Path("/work/shared/samples/plaid")
READ_AT = datetime(2026, 5, 5, 6, tzinfo=UTC)


def line(**more: Any) -> bytes:
    held = {
        "transaction_id": "aB3",
        "account_id": "Zz9",
        "amount": 72.1,
        "iso_currency_code": "USD",
        "unofficial_currency_code": None,
        "date": "2026-05-04",
        "authorized_date": "2026-05-02",
        "name": "PURCHASE #1700",
        "merchant_name": "Corner Shop",
        "pending": False,
        "pending_transaction_id": "pEn",
        "check_number": None,
        "something_new": {"deep": [1]},
    }
    return msgspec.json.encode({**held, **more})


def account(**more: Any) -> bytes:
    balances = {"available": None, "current": 410.55, "limit": 2000, "iso_currency_code": "USD"}
    held = {"account_id": "Zz9", "balances": balances, "mask": "3333", "name": "Card", "type": "credit"}
    return msgspec.json.encode({**held, **more})


def test_money_that_leaves_is_negative_and_the_pending_line_is_named() -> None:
    record = to_bank_line(line()).record

    assert isinstance(record, BankLine)
    assert record == BankLine(
        external_id="aB3",
        bank_account_id="Zz9",
        booked_on=date(2026, 5, 4),
        made_on=date(2026, 5, 2),
        currency="USD",
        amount=Decimal("-72.1000"),
        replaces_id="pEn",
        text="PURCHASE #1700",
        counterparty="Corner Shop",
    )


def test_what_is_owed_on_a_card_is_negative() -> None:
    record = to_bank_account(account(), institution="Bank", read_at=READ_AT).record

    assert isinstance(record, BankAccount)
    assert (record.bank_account_kind, record.posted, record.available) == (
        BankAccountKind.CREDIT_CARD,
        Decimal("-410.5500"),
        None,
    )
    assert (record.credit_limit, record.read_at, record.institution) == (Decimal(2000), READ_AT, "Bank")


def test_amounts_keep_every_digit_that_was_sent() -> None:
    raw = line().replace(b"72.1", b"23631.9805")
    record = to_bank_line(raw).record

    assert isinstance(record, BankLine)
    assert record.amount == Decimal("-23631.9805")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (line(iso_currency_code=None, unofficial_currency_code="BTC"), "BTC"),
        (line(iso_currency_code=None), "not given"),
        (line(date="yesterday"), "cannot be read"),
        (line(amount="lots"), "cannot be read"),
        (line(amount=0.00001), "ten-thousandth"),
        (b'{"transaction_id": "aB3"', "cannot be read"),
    ],
)
def test_a_line_that_makes_no_sense_is_refused_with_a_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(RecordRejected, match=reason):
        to_bank_line(raw)


def test_a_bad_row_spoils_no_other_and_keeps_its_id_and_payload() -> None:
    bad = line(iso_currency_code="??")
    changes, rejected = map_rows(
        [Raw(account())], [Raw(bad), Raw(line(transaction_id="good"))], institution=None, read_at=None
    )

    assert [change.key.external_id for change in changes] == ["Zz9", "good"]
    assert [(one.kind, one.external_id, one.raw) for one in rejected] == [(RecordKind.BANK_TRANSACTION, "aB3", bad)]


@pytest.mark.skipif(not SAMPLES.exists(), reason="the recorded payloads are not on this machine")
def test_recorded_answers_map() -> None:
    page = msgspec.json.decode((SAMPLES / "transactions_sync.json").read_bytes(), type=wire.SyncAnswer)
    accounts = [
        row
        for name in ("accounts_get", "accounts_balance_get")
        for row in msgspec.json.decode((SAMPLES / f"{name}.json").read_bytes(), type=wire.AccountsAnswer).accounts
    ]
    changes, rejected = map_rows(accounts, list(page.shown), institution=None, read_at=READ_AT)
    amounts = {
        change.key.external_id: change.record.amount for change in changes if isinstance(change.record, BankLine)
    }

    assert rejected == []
    assert amounts == {
        "lPNjeW1nR6CDn5okmGQ6hEpMo4lLNoSrzqDje": Decimal("-72.1000"),
        "yhnUVvtcGGcCKU0bcz8PDQr5ZUxUXebUvbKC0": Decimal("-28.3400"),
    }
    assert len({change.key for change in changes}) == len(changes)
