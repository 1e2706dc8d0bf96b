"""The Sample company: one small company whose every figure is known, as of Monday 2 March 2026.

Its ledger and its bank agree but for one cheque, so that every figure can be computed with the bank rail and without it
(`sample_books(with_bank=False)`). All amounts are in USD.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from runway_core.domain.books import Books
from runway_core.domain.company import (
    Company,
    CompanySettings,
    Connection,
    ConnectionState,
    EnteredSeries,
    Rhythm,
    SeriesKind,
)
from runway_core.domain.identity import DEFAULT_FIRM, CompanyId, ConnectionId
from runway_core.domain.parties import Term

from runway_testkit import sample_records as records
from runway_testkit.sample_records import AS_OF, READ_AT, USD

__all__ = ["AS_OF", "READ_AT", "amend_books", "amend_settings", "sample_books", "sample_company"]


def sample_company() -> Company:
    """The company with its settings: a buffer of 10,000, payroll, rent and card as entered series."""

    def series(
        name: str,
        kind: SeriesKind,
        rhythm: Rhythm,
        *,
        first_day: date,
        amount: int,
        last_day: date | None = None,
        vendor_id: str | None = None,
    ) -> EnteredSeries:
        return EnteredSeries(
            series_id=f"{kind.value}-{first_day}",
            name=name,
            series_kind=kind,
            rhythm=rhythm,
            first_day=first_day,
            last_day=last_day,
            amount=records.exact(amount),
            currency=USD,
            vendor_id=vendor_id,
        )

    statement = date(2026, 3, 20)
    return Company(
        company_id=CompanyId("sample"),
        firm_id=DEFAULT_FIRM,
        name="Sample",
        home_currency=USD,
        time_zone="America/Chicago",
        created_at=datetime(2025, 1, 6, 9, 0, tzinfo=UTC),
        owner="ada",
        settings=CompanySettings(
            buffer=records.exact(10_000),
            series=(
                series("Payroll", SeriesKind.PAYROLL, Rhythm.BIWEEKLY, first_day=date(2026, 3, 6), amount=18_500),
                series(
                    "Rent",
                    SeriesKind.RENT,
                    Rhythm.MONTHLY,
                    first_day=date(2026, 3, 5),
                    amount=6_000,
                    vendor_id="V1",
                ),
                series(
                    "Card statement",
                    SeriesKind.CARD,
                    Rhythm.MONTHLY,
                    first_day=statement,
                    last_day=statement,
                    amount=5_900,
                ),
                series("Card", SeriesKind.CARD, Rhythm.MONTHLY, first_day=date(2026, 4, 20), amount=6_000),
            ),
        ),
    )


def sample_books(*, with_bank: bool = True) -> Books:
    """The books of the Sample company. Without the bank, the ledger's balances and flows give the same figures."""
    company = sample_company()
    payments, deposits = records.receipts()
    return Books(
        company=company,
        as_of=AS_OF,
        read_at=READ_AT,
        history_from=AS_OF - timedelta(days=400),
        log_sequence=1,
        connections=(
            Connection(
                connection_id=ConnectionId("sample-ledger"),
                company_id=company.company_id,
                firm_id=company.firm_id,
                rail="qbo",
                settings={},
                state=ConnectionState.ACTIVE,
                created_at=company.created_at,
                last_attempt_at=READ_AT,
                last_success_at=READ_AT,
                last_full_at=READ_AT,
                source_read_at=READ_AT,
            ),
        ),
        accounts=records.accounts(),
        terms=(Term(external_id="T30", name="Net 30", due_days=30),),
        vendors=records.vendors(),
        customers=records.customers(),
        bills=(*records.open_bills(), *records.paid_bills()),
        vendor_credits=(records.vendor_credit(),),
        bill_payments=tuple(records.bill_payments()),
        invoices=(*records.open_invoices(), *records.paid_invoices()),
        credit_memos=(records.credit_memo(),),
        customer_payments=payments,
        purchases=records.purchases(),
        deposits=deposits,
        transfers=records.transfers(),
        journal_entries=records.journal_entries(),
        bank_balances=records.bank_balances() if with_bank else (),
        bank_transactions=records.bank_transactions() if with_bank else (),
    )


def amend_books(books: Books, **changed: Any) -> Books:
    """The same books with some fields changed, validated anew."""
    return Books(**{**{name: getattr(books, name) for name in Books.model_fields}, **changed})


def amend_settings(books: Books, **changed: Any) -> Books:
    """The same books of a company with some settings changed."""
    settings = books.company.settings.model_copy(update=changed)
    return amend_books(books, company=books.company.model_copy(update={"settings": settings}))
