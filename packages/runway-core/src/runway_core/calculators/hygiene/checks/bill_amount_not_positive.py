"""AP05: a bill over nothing, or less."""

from collections.abc import Iterable

from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix


class BillAmountNotPositive:
    """A bill whose total is nil or negative: most often a vendor credit entered as a bill."""

    id = "AP05"
    name = "bill_amount_not_positive"
    floor = Severity.MEDIUM
    effect = RunwayEffect.LENGTHENS
    reads = frozenset({"bills"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every bill with a total of nil or less. Voided ones are none."""
        for bill in books.bills:
            if bill.total <= 0 and not _is_void(bill):
                what = "as a vendor credit" if bill.total < 0 else "with its amount, or delete it"
                yield build_finding(
                    self,
                    books,
                    subjects=(bill.key,),
                    amount=abs(bill.total),
                    currency=bill.currency,
                    summary=f"Bill {bill.number or bill.external_id} of {bill.vendor_name or 'an unknown vendor'} "
                    f"is over {say_amount(bill.total, bill.currency)}",
                    evidence=(
                        Evidence(name="total", value=plain_amount(bill.total, bill.currency), record=bill.key),
                        Evidence(
                            name="lines",
                            value="; ".join(plain_amount(line.amount, bill.currency) for line in bill.lines[:20]),
                        ),
                    ),
                    fixes=(SuggestedFix(label=f"Enter it again {what}", record=bill.key),),
                )


def _is_void(bill: Bill) -> bool:
    """Ledgers void by setting amounts to nil and saying so in the memo."""
    return not bill.total and (bill.memo or "").strip().casefold().startswith("void")
