"""Name lists, company facts and attachments as wire objects (facts/qbo.md, sections 8.6, 8.7 and 8.9)."""

from __future__ import annotations

import random
from decimal import Decimal

from runway_sandbox.economy.calendar import DAY_SECONDS, iso, pacific_text
from runway_sandbox.economy.model import Account, Doc, Item, Party, Plan, Terms
from runway_sandbox.economy.parties import address_of
from runway_sandbox.economy.shapes import Wire, currency, mail_address, money, reference

_GIVEN = ("Alex", "Noor", "Chris", "Jordan", "Zoë", "Sam", "Renée", "Pat", "Morgan", "José")
_FAMILY = ("Baker", "Lindqvist", "Nguyễn", "Okafor", "Rossi", "Schäfer", "Silva", "Turner", "Walsh", "Yıldız")


def _pseudonym(rng: random.Random) -> str:
    return f"002098{rng.getrandbits(128):032x}"


def _meta(created: int, updated: int) -> Wire:
    return {"CreateTime": pacific_text(created), "LastUpdatedTime": pacific_text(updated)}


def vendor(plan: Plan, party: Party) -> Wire:
    """Return a vendor."""
    rng = plan.rng
    row: Wire = {"Balance": money(party.balance), "Vendor1099": party.account is plan.accounts["contractors"]}
    row |= {"CurrencyRef": currency(plan), "domain": "QBO", "sparse": False, "Id": party.id, "SyncToken": "0"}
    row["MetaData"] = _meta(party.created, party.updated)
    plain = party.name.removesuffix(" (deleted)")
    if rng.random() < 0.8:
        row["CompanyName"] = plain
    row |= {"DisplayName": party.name, "PrintOnCheckName": plain, "Active": party.active}
    row["V4IDPseudonym"] = _pseudonym(rng)
    if party.terms is not None:
        row["TermRef"] = {"value": party.terms.id}
    if party.address is not None:
        row["BillAddr"] = dict(party.address)
    if rng.random() < 0.65:
        row["PrimaryPhone"] = {"FreeFormNumber": _own_phone(plan)}
    if rng.random() < 0.5 or party.email is not None:
        row["PrimaryEmailAddr"] = {"Address": party.email or mail_address(party)}
    if rng.random() < 0.54:
        row["GivenName"] = _GIVEN[rng.randrange(len(_GIVEN))]
        row["FamilyName"] = _FAMILY[rng.randrange(len(_FAMILY))]
    if rng.random() < 0.43:
        row["AcctNum"] = f"{rng.randrange(1, 99_999_999):010d}"
    return row


def _own_phone(plan: Plan) -> str:
    """Make up a number that no other vendor has: such pairs are planted, not met by chance."""
    while True:
        number = _phone(plan.rng)
        if number not in plan.used_phones:
            plan.used_phones.add(number)
            return number


def _phone(rng: random.Random) -> str:
    return f"({rng.randrange(201, 989)}) 555-{rng.randrange(100, 199):04d}"


def customer(plan: Plan, party: Party) -> Wire:
    """Return a customer; `BalanceWithJobs` adds what its jobs owe."""
    jobs = sum(one.balance for one in plan.customers if one.parent is party)
    rng = plan.rng
    plain = party.name.removesuffix(" (deleted)")
    row: Wire = {"Taxable": plan.trade.taxable}
    if party.address is not None:
        row["BillAddr"] = dict(party.address)
        if rng.random() < 0.75:
            row["ShipAddr"] = dict(party.address)
    row |= {
        "Job": party.parent is not None,
        "BillWithParent": False,
        "Balance": money(party.balance),
        "BalanceWithJobs": money(party.balance + jobs),
        "CurrencyRef": currency(plan),
        "PreferredDeliveryMethod": "Email",
        "IsProject": False,
        "ClientEntityId": "0",
        "domain": "QBO",
        "sparse": False,
        "Id": party.id,
        "SyncToken": "0",
        "MetaData": _meta(party.created, party.updated),
        "GivenName": _GIVEN[rng.randrange(len(_GIVEN))],
        "FamilyName": _FAMILY[rng.randrange(len(_FAMILY))],
        "FullyQualifiedName": f"{party.parent.name}:{plain}" if party.parent else plain,
    }
    if party.parent is not None:
        row["ParentRef"] = {"value": party.parent.id}
        row["Level"] = 1
    if rng.random() < 0.6:
        row["CompanyName"] = plain
    row |= {"DisplayName": party.name, "PrintOnCheckName": plain, "Active": party.active}
    row["V4IDPseudonym"] = _pseudonym(rng)
    if rng.random() < 0.94:
        row["PrimaryPhone"] = {"FreeFormNumber": _phone(rng)}
    row["PrimaryEmailAddr"] = {"Address": mail_address(party)}
    if rng.random() < 0.08:
        row["Notes"] = "Asks for a statement each quarter; call before noon."
    return row


def account(plan: Plan, one: Account) -> Wire:
    """Return an account; income and expense accounts show no balance on the wire."""
    shown = money(one.balance if one.on_balance_sheet else 0)
    return {
        "Name": one.name,
        "SubAccount": one.parent is not None,
        **({"ParentRef": {"value": one.parent.id}} if one.parent else {}),
        "FullyQualifiedName": one.full_name,
        "Active": True,
        "Classification": one.classification,
        "AccountType": one.kind,
        "AccountSubType": one.subkind,
        "CurrentBalance": shown,
        "CurrentBalanceWithSubAccounts": shown,
        "CurrencyRef": currency(plan, one.currency),
        "domain": "QBO",
        "sparse": False,
        "Id": one.id,
        "SyncToken": "0",
        "MetaData": _meta(one.created, one.updated),
    }


def terms(plan: Plan, one: Terms) -> Wire:
    """Return payment terms."""
    created = plan.accounts["checking"].created
    return {
        "SyncToken": "0",
        "domain": "QBO",
        "Name": one.name,
        "DiscountPercent": Decimal(one.discount_percent),
        "DiscountDays": one.discount_days,
        "Type": "STANDARD",
        "sparse": False,
        "Active": True,
        "DueDays": one.days,
        "Id": one.id,
        "MetaData": _meta(created, created),
    }


def item(plan: Plan, one: Item) -> Wire:
    """Return something the company sells."""
    created = plan.accounts["checking"].created
    return {
        "Name": one.name,
        "Description": one.name,
        "Active": True,
        "FullyQualifiedName": one.name,
        "Taxable": one.taxable,
        "UnitPrice": money(one.price),
        "Type": "Service",
        "IncomeAccountRef": reference(one.account),
        "PurchaseCost": money(0),
        "TrackQtyOnHand": False,
        "domain": "QBO",
        "sparse": False,
        "Id": one.id,
        "SyncToken": "0",
        "MetaData": _meta(created, created),
    }


def attachable(plan: Plan, doc: Doc, *, number: int) -> Wire:
    """Return the scan that belongs to a bill."""
    moment = min(doc.entered + 40, doc.updated + 40)
    name = f"bill-{doc.id}.pdf"
    return {
        "SyncToken": "0",
        "domain": "QBO",
        "FileAccessUri": f"/v3/company/attachments/{number}/{name}",
        "TempDownloadUri": f"https://downloads.example/{plan.index}/{number}/{name}",
        "AttachableRef": [{"IncludeOnSend": False, "EntityRef": {"type": doc.kind, "value": doc.id}}],
        "MetaData": _meta(moment, moment),
        "sparse": False,
        "ContentType": "application/pdf",
        "FileName": name,
        "Id": str(number),
        "Size": 20_000 + doc.total % 900_000,
    }


def company_facts(plan: Plan, name: str) -> Wire:
    """Return CompanyInfo; it names no time zone."""
    home = {key: value for key, value in address_of(plan).items() if key not in {"Lat", "Long"}}
    country = "CA" if plan.home_currency == "CAD" else "US"
    home |= {"Country": country, "Id": "1"}
    created = (plan.first - 60) * DAY_SECONDS + 40_000
    return {
        "SyncToken": "4",
        "domain": "QBO",
        "LegalAddr": dict(home),
        "SupportedLanguages": "en",
        "CompanyName": name,
        "Country": country,
        "CompanyAddr": dict(home),
        "sparse": False,
        "Id": "1",
        "WebAddr": {},
        "FiscalYearStartMonth": "January",
        "CustomerCommunicationAddr": dict(home),
        "PrimaryPhone": {"FreeFormNumber": _phone(plan.rng)},
        "LegalName": name,
        "CompanyStartDate": iso(plan.first - 60),
        "Email": {"Address": "owner@books.example"},
        "NameValue": [
            {"Name": "NeoEnabled", "Value": "true"},
            {"Name": "OfferingSku", "Value": "QuickBooks Online Plus"},
        ],
        "MetaData": _meta(created, created),
    }


def preferences(plan: Plan) -> Wire:
    """Return the company's preferences; the books are closed up to the year before they begin here."""
    created = (plan.first - 60) * DAY_SECONDS + 40_000
    return {
        "AccountingInfoPrefs": {
            "FirstMonthOfFiscalYear": "January",
            "UseAccountNumbers": False,
            "TaxYearMonth": "January",
            "ClassTrackingPerTxn": False,
            "TrackDepartments": False,
            "CustomerTerminology": "Customers",
            "BookCloseDate": iso(plan.first - 45),
        },
        "CurrencyPrefs": {
            "MultiCurrencyEnabled": any(one.currency for one in plan.accounts.values()),
            "HomeCurrency": {"value": plan.home_currency},
        },
        "domain": "QBO",
        "sparse": False,
        "Id": "1",
        "SyncToken": "0",
        "MetaData": _meta(created, created),
    }
