"""AP07: what may be the same bill twice, and why that is not certain."""

from collections.abc import Iterable

from runway_core.calculators.hygiene.check import build_finding, say_amount
from runway_core.calculators.hygiene.duplicate_report import count_attachments, say_bill, show_pair, suggest_voiding
from runway_core.calculators.hygiene.duplicates import DuplicatePair, DuplicateRule, find_duplicate_pairs
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix

_DOUBTS = {
    DuplicateRule.D3: "the numbers do not agree: two deliveries may cost the same",
    DuplicateRule.D4: "the amounts differ: one may correct, revise or be a part of the other",
    DuplicateRule.D5: "the vendors are two records, alike but not proven to be one",
    DuplicateRule.D6: "one number only begins with the other: one may be a part or a revision of the other",
}


class BillDuplicateLikely:
    """Two bills in one currency, at least one of them open, that are likely one.

    D3: one vendor and amount, at most five days apart, a number missing or the numbers unlike. D4: one vendor and
    number, different amounts. D5: one amount and number, vendors alike but not the same. D6: one vendor, amounts at
    most one per cent and dates at most 30 days apart, one number begins with the other. What AP06 tells is not told
    again. Where one of the two is paid already, money may go out twice: that is critical.
    """

    id = "AP07"
    name = "bill_duplicate_likely"
    floor = Severity.HIGH
    effect = RunwayEffect.LENGTHENS
    reads = frozenset({"aliases", "attachments", "bills", "vendor_list"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every pair; of three alike, the first with the second and the second with the third."""
        pairs = [pair for pair in books.derive(find_duplicate_pairs) if not pair.rule.is_certain]
        files = count_attachments(books) if pairs else {}
        return [self._report(books, pair, files) for pair in pairs]

    def _report(self, books: Books, pair: DuplicatePair, files: dict[str, int]) -> Finding:
        one, two = pair.one, pair.two
        is_one_paid = min(one.open_balance, two.open_balance) <= 0
        totals = dict.fromkeys(say_amount(bill.total, bill.currency) for bill in (one, two))
        vendors = dict.fromkeys(bill.vendor_name or "an unknown vendor" for bill in (one, two))
        return build_finding(
            self,
            books,
            subjects=(one.key, two.key),
            amount=min(one.total, two.total),
            currency=two.currency,
            severity=Severity.CRITICAL if is_one_paid else None,
            summary=f"Bills {say_bill(one)} and {say_bill(two)} of {' and '.join(vendors)} over "
            f"{' and '.join(totals)} may be one",
            evidence=(
                Evidence(name="rule", value=pair.rule.value),
                Evidence(name="why_not_certain", value=_DOUBTS[pair.rule]),
                *show_pair(one, two, files),
            ),
            fixes=(SuggestedFix(label="Compare them; accept this if both are owed"), *suggest_voiding(one, two)),
        )
