"""Books in which bills at execution rails are the ledger's that people said they are."""

from runway_core.domain.books import Books
from runway_core.domain.identity import RecordKind


def apply_confirmed_bills(books: Books) -> Books:
    """The books with confirmed bills linked; the same books where there are none, or where they are linked already.

    A person's answer goes before a link by likeness, and never points to a bill that is not in the books.
    """
    named = {
        there.external_id: here.external_id
        for decided in books.conflict_decisions
        for there, here in decided.pairs
        if there.kind is RecordKind.RAIL_BILL and here.kind is RecordKind.BILL
    }
    if not named:
        return books
    known = {bill.external_id for bill in books.bills} & set(named.values())
    links = {there: here for there, here in named.items() if here in known}
    bills = tuple(
        bill.model_copy(update={"bill_id": links[bill.key.external_id]}) if bill.key.external_id in links else bill
        for bill in books.rail_bills
    )
    payments = tuple(
        payment.model_copy(update={"bill_ids": (links[paid],)})
        if payment.rail_bill_id is not None and (paid := f"{payment.rail}:{payment.rail_bill_id}") in links
        else payment
        for payment in books.rail_payments
    )
    return books.model_copy(update={"rail_bills": bills, "rail_payments": payments})
