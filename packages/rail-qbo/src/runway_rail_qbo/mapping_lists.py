"""Mapping of names and settings: vendors, customers, accounts, terms, attachments, and the company itself."""

from runway_core.domain.documents import DocumentLink
from runway_core.domain.ledger import Account, AccountKind, Attachment, CompanyInfo
from runway_core.domain.money import ZERO
from runway_core.domain.parties import Customer, Term, TermKind, Vendor
from runway_core.errors import RecordRejected

from runway_rail_qbo import wire
from runway_rail_qbo.mapping_documents import (
    check_currency,
    currency_of,
    in_utc,
    revision_number,
)
from runway_rail_qbo.mapping_lines import kind_of, strip_deleted

_ACCOUNT_KINDS = {
    "Bank": AccountKind.BANK,
    "Credit Card": AccountKind.CREDIT_CARD,
    "Accounts Payable": AccountKind.ACCOUNTS_PAYABLE,
    "Accounts Receivable": AccountKind.ACCOUNTS_RECEIVABLE,
    "Other Current Asset": AccountKind.OTHER_CURRENT_ASSET,
    "Fixed Asset": AccountKind.FIXED_ASSET,
    "Other Asset": AccountKind.OTHER_ASSET,
    "Other Current Liability": AccountKind.OTHER_CURRENT_LIABILITY,
    "Long Term Liability": AccountKind.LONG_TERM_LIABILITY,
    "Equity": AccountKind.EQUITY,
    "Income": AccountKind.INCOME,
    "Other Income": AccountKind.OTHER_INCOME,
    "Cost of Goods Sold": AccountKind.COST_OF_GOODS_SOLD,
    "Expense": AccountKind.EXPENSE,
    "Other Expense": AccountKind.OTHER_EXPENSE,
}
_SUBTYPE_KINDS = {
    "UndepositedFunds": AccountKind.UNDEPOSITED_FUNDS,
    "GlobalTaxPayable": AccountKind.SALES_TAX_PAYABLE,
    "SalesTaxPayable": AccountKind.SALES_TAX_PAYABLE,
    "StateLocalIncomeTaxPayable": AccountKind.OTHER_CURRENT_LIABILITY,
    "PayrollTaxPayable": AccountKind.PAYROLL_LIABILITY,
    "PayrollClearing": AccountKind.PAYROLL_LIABILITY,
    "DirectDepositPayable": AccountKind.PAYROLL_LIABILITY,
}


def map_vendor(entity: wire.Vendor, home_currency: str) -> Vendor:
    """A vendor."""
    meta = entity.MetaData or wire.Meta()
    return Vendor(
        external_id=entity.Id,
        revision=entity.SyncToken or "",
        revision_number=revision_number(entity.SyncToken),
        created_at=in_utc(meta.CreateTime),
        modified_at=in_utc(meta.LastUpdatedTime),
        name=_name(entity.DisplayName, "DisplayName"),
        company_name=entity.CompanyName,
        is_active=entity.Active is not False,
        currency=currency_of(entity.CurrencyRef, home_currency),
        balance=entity.Balance if entity.Balance is not None else ZERO,
        term_id=entity.TermRef.value or None if entity.TermRef else None,
        email=entity.PrimaryEmailAddr.Address if entity.PrimaryEmailAddr else None,
        phone=entity.PrimaryPhone.FreeFormNumber if entity.PrimaryPhone else None,
        account_number=entity.AcctNum or None,
        is_1099=entity.Vendor1099 is True,
    )


def map_customer(entity: wire.Customer, home_currency: str) -> Customer:
    """A customer, or a job of one. `Balance` is its own; that of its jobs stands with them."""
    meta = entity.MetaData or wire.Meta()
    return Customer(
        external_id=entity.Id,
        revision=entity.SyncToken or "",
        revision_number=revision_number(entity.SyncToken),
        created_at=in_utc(meta.CreateTime),
        modified_at=in_utc(meta.LastUpdatedTime),
        name=_name(entity.DisplayName, "DisplayName"),
        company_name=entity.CompanyName,
        is_active=entity.Active is not False,
        currency=currency_of(entity.CurrencyRef, home_currency),
        balance=entity.Balance if entity.Balance is not None else ZERO,
        parent_id=entity.ParentRef.value or None if entity.ParentRef else None,
        is_job=entity.Job is True,
        email=entity.PrimaryEmailAddr.Address if entity.PrimaryEmailAddr else None,
        phone=entity.PrimaryPhone.FreeFormNumber if entity.PrimaryPhone else None,
    )


def map_account(entity: wire.Account, home_currency: str) -> Account:
    """A ledger account. QuickBooks shows what is owed as negative, as the domain does."""
    meta = entity.MetaData or wire.Meta()
    name = _name(entity.Name, "Name")
    kind = _SUBTYPE_KINDS.get(entity.AccountSubType or "") or _ACCOUNT_KINDS.get(entity.AccountType or "")
    return Account(
        external_id=entity.Id,
        revision=entity.SyncToken or "",
        revision_number=revision_number(entity.SyncToken),
        created_at=in_utc(meta.CreateTime),
        modified_at=in_utc(meta.LastUpdatedTime),
        name=name,
        full_name=strip_deleted(entity.FullyQualifiedName) or name,
        number=entity.AcctNum or None,
        account_kind=kind or AccountKind.UNKNOWN,
        account_type=entity.AccountType or "",
        account_subtype=entity.AccountSubType,
        is_active=entity.Active is not False,
        currency=currency_of(entity.CurrencyRef, home_currency),
        balance=entity.CurrentBalance if entity.CurrentBalance is not None else ZERO,
        parent_id=entity.ParentRef.value or None if entity.ParentRef else None,
    )


def map_term(entity: wire.Term, home_currency: str) -> Term:  # noqa: ARG001 - every mapper is called alike
    """Payment terms."""
    meta = entity.MetaData or wire.Meta()
    return Term(
        external_id=entity.Id,
        revision=entity.SyncToken or "",
        revision_number=revision_number(entity.SyncToken),
        created_at=in_utc(meta.CreateTime),
        modified_at=in_utc(meta.LastUpdatedTime),
        name=_name(entity.Name, "Name"),
        is_active=entity.Active is not False,
        term_kind=TermKind.DATE_DRIVEN if entity.Type == "DATE_DRIVEN" else TermKind.STANDARD,
        due_days=entity.DueDays,
        discount_percent=entity.DiscountPercent,
        discount_days=entity.DiscountDays,
        day_of_month_due=entity.DayOfMonthDue,
        due_next_month_days=entity.DueNextMonthDays,
    )


def map_attachment(entity: wire.Attachable, home_currency: str) -> Attachment:  # noqa: ARG001 - called alike
    """A file or note: its name and what it hangs on."""
    meta = entity.MetaData or wire.Meta()
    links = []
    for reference in entity.AttachableRef or ():
        target = reference.EntityRef
        if target is None or not target.value:
            continue
        kind = kind_of(target.type)
        links.append(
            DocumentLink(kind=kind, external_id=target.value, foreign_kind=None if kind else target.type or "unnamed")
        )
    return Attachment(
        external_id=entity.Id,
        revision=entity.SyncToken or "",
        revision_number=revision_number(entity.SyncToken),
        created_at=in_utc(meta.CreateTime),
        modified_at=in_utc(meta.LastUpdatedTime),
        file_name=entity.FileName,
        content_type=entity.ContentType,
        size_bytes=entity.Size,
        note=entity.Note,
        links=tuple(links),
    )


_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def map_company(info: wire.CompanyInfo, preferences: wire.Preferences) -> CompanyInfo:
    """The company's own record, from its two parts. Its time zone is in neither."""
    meta = info.MetaData or wire.Meta()
    currency = preferences.CurrencyPrefs or wire.CurrencySettings()
    accounting = preferences.AccountingInfoPrefs or wire.AccountingSettings()
    home = currency.HomeCurrency.value if currency.HomeCurrency else None
    month = info.FiscalYearStartMonth
    return CompanyInfo(
        external_id=info.Id,
        revision=info.SyncToken or "",
        revision_number=revision_number(info.SyncToken),
        created_at=in_utc(meta.CreateTime),
        modified_at=in_utc(meta.LastUpdatedTime),
        name=_name(info.CompanyName, "CompanyName"),
        legal_name=info.LegalName,
        country=info.Country,
        email=info.Email.Address if info.Email else None,
        fiscal_year_start_month=_MONTHS.index(month) + 1 if month in _MONTHS else None,
        home_currency=check_currency(home) if home else None,
        is_multi_currency=currency.MultiCurrencyEnabled,
        books_closed_through=accounting.BookCloseDate,
    )


def _name(name: str | None, field: str) -> str:
    stripped = strip_deleted(name)
    if not stripped:
        raise RecordRejected(f"{field}: the name is missing")
    return stripped
