"""Pages of QuickBooks Online on which people see a record.

A page alone opens the record of that id in whichever company the browser stands in. By way of the sign-in page, with
`deeplinkcompanyid`, the right company is chosen first. Intuit's reference of the API does not state the form; it is the
one of many public programs that link to QuickBooks (looked at in November 2026).
"""

import re
from urllib.parse import urlencode

from runway_core.domain.identity import RecordKey, RecordKind

from runway_rail_qbo.settings import QboSettings

_DOORS = {
    "production": "https://qbo.intuit.com/app/login",
    "sandbox": "https://sandbox.qbo.intuit.com/login",
}
_ID = re.compile(r"\d{1,20}")
_PAGES = {
    RecordKind.BILL: ("bill", "txnId"),
    RecordKind.BILL_PAYMENT: ("billpayment", "txnId"),
    RecordKind.VENDOR_CREDIT: ("vendorcredit", "txnId"),
    RecordKind.INVOICE: ("invoice", "txnId"),
    RecordKind.CUSTOMER_PAYMENT: ("recvpayment", "txnId"),
    RecordKind.CREDIT_MEMO: ("creditmemo", "txnId"),
    RecordKind.PURCHASE: ("expense", "txnId"),
    RecordKind.DEPOSIT: ("deposit", "txnId"),
    RecordKind.TRANSFER: ("transfer", "txnId"),
    RecordKind.JOURNAL_ENTRY: ("journal", "txnId"),
    RecordKind.VENDOR: ("vendordetail", "nameId"),
    RecordKind.CUSTOMER: ("customerdetail", "nameId"),
    RecordKind.ACCOUNT: ("register", "accountId"),
}


def link_record(settings: QboSettings, key: RecordKey) -> str | None:
    """The page of a record; `None` for kinds without one, and for companies that are not at Intuit."""
    door, page = _DOORS.get(settings.environment), _PAGES.get(key.kind)
    if door is None or page is None or _ID.fullmatch(key.external_id) is None:
        return None
    name, parameter = page
    words = {"pagereq": f"{name}?{parameter}={key.external_id}", "deeplinkcompanyid": settings.realm_id}
    return f"{door}?{urlencode(words)}"
