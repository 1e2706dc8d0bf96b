"""Wire → domain: accounts and lines, with signs turned to what the company has. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
from msgspec import Raw
from runway_core.domain.bank import BankAccount, BankAccountKind, BankLine
from runway_core.domain.changes import Change, RejectedRecord
from runway_core.domain.identity import RecordKind
from runway_core.errors import InvalidRequest, RecordRejected
from runway_rail_kit import UNREADABLE

from runway_rail_plaid import wire

FEED = "plaid"
_OWED = frozenset({"credit", "loan"})
_account_decoder = msgspec.json.Decoder(wire.Account)
_transaction_decoder = msgspec.json.Decoder(wire.Transaction)
_loose_decoder = msgspec.json.Decoder(dict[str, object])


def to_bank_account(raw: bytes, *, institution: str | None, read_at: datetime | None) -> Change:
    """Read an account. `read_at` is when Plaid read the bank, unless the account tells it itself.

    Raises:
        RecordRejected: it cannot be understood; the reason is for a person.
    """
    try:
        account = _account_decoder.decode(raw)
    except UNREADABLE as error:
        raise RecordRejected(f"the account cannot be read: {error}") from error
    balances = account.balances
    sign = -1 if account.type in _OWED else 1
    own_time = balances.last_updated_datetime
    values = {
        "external_id": account.account_id,
        "feed": FEED,
        "name": account.name or account.official_name or "Account",
        "mask": account.mask,
        "bank_account_kind": _kind_of(account),
        "currency": _currency(balances.iso_currency_code, balances.unofficial_currency_code),
        "posted": _amount(balances.current, sign),
        "available": _amount(balances.available, 1),
        "credit_limit": _amount(balances.limit, 1),
        "institution": institution,
        "read_at": read_at if own_time is None else own_time.astimezone(UTC),
    }
    return Change(record=_check(BankAccount, values), raw=raw)


def to_bank_line(raw: bytes) -> Change:
    """Read a transaction.

    Raises:
        RecordRejected: it cannot be understood; the reason is for a person.
    """
    try:
        line = _transaction_decoder.decode(raw)
    except UNREADABLE as error:
        raise RecordRejected(f"the transaction cannot be read: {error}") from error
    category = line.personal_finance_category
    values = {
        "external_id": line.transaction_id,
        "bank_account_id": line.account_id,
        "booked_on": line.date,
        "made_on": line.authorized_date,
        "currency": _currency(line.iso_currency_code, line.unofficial_currency_code),
        "amount": _amount(line.amount, -1),
        "is_pending": line.pending,
        "replaces_id": line.pending_transaction_id,
        "text": line.original_description or line.name or "",
        "counterparty": line.merchant_name,
        "cheque_number": line.check_number,
        "category": None if category is None else category.detailed or category.primary,
    }
    return Change(record=_check(BankLine, values), raw=raw)


def reject(kind: RecordKind, raw: bytes, reason: str) -> RejectedRecord:
    """What goes to quarantine, under the id that it bears, if any."""
    try:
        held = _loose_decoder.decode(raw)
    except UNREADABLE:
        held = {}
    name = held.get("account_id" if kind is RecordKind.BANK_ACCOUNT else "transaction_id")
    return RejectedRecord(kind=kind, external_id=name if isinstance(name, str) else None, reason=reason, raw=raw)


def map_rows(
    accounts: list[Raw], lines: list[Raw], *, institution: str | None, read_at: datetime | None
) -> tuple[list[Change], list[RejectedRecord]]:
    """Map each row: the good ones to changes, the bad ones to reasons. Of rows of one id the last stands."""
    changes: dict[object, Change] = {}
    rejected: list[RejectedRecord] = []
    for row in accounts:
        try:
            change = to_bank_account(bytes(row), institution=institution, read_at=read_at)
        except RecordRejected as error:
            rejected.append(reject(RecordKind.BANK_ACCOUNT, bytes(row), error.reason))
        else:
            changes[change.key] = change
    for row in lines:
        try:
            change = to_bank_line(bytes(row))
        except RecordRejected as error:
            rejected.append(reject(RecordKind.BANK_TRANSACTION, bytes(row), error.reason))
        else:
            changes[change.key] = change
    return list(changes.values()), rejected


def _check(record: type[BankAccount] | type[BankLine], values: Mapping[str, object]) -> BankAccount | BankLine:
    try:
        return record.from_typed(**values)
    except InvalidRequest as error:
        raise RecordRejected(str(error)) from error


def _kind_of(account: wire.Account) -> BankAccountKind:
    if account.type == "depository":
        return BankAccountKind.SAVINGS if account.subtype in {"savings", "money market"} else BankAccountKind.CHECKING
    if account.type == "credit":
        return BankAccountKind.CREDIT_CARD
    return BankAccountKind.LOAN if account.type == "loan" else BankAccountKind.OTHER


def _currency(official: str | None, unofficial: str | None) -> str:
    if official is not None and len(official) == 3 and official.isascii() and official.isalpha() and official.isupper():
        return official
    raise RecordRejected(
        f"its currency is {official or unofficial or 'not given'}, which is no currency of ISO 4217: it is left out"
    )


def _amount(value: Decimal | None, sign: int) -> Decimal | None:
    return None if value is None else value if sign > 0 else 0 - value
