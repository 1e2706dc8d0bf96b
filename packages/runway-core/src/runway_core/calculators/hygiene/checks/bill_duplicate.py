"""AP06: the same bill twice, so that money may be paid twice."""

from collections.abc import Iterable

from runway_core.calculators.hygiene.check import build_finding, say_amount
from runway_core.calculators.hygiene.duplicate_report import count_attachments, show_pair, suggest_voiding
from runway_core.calculators.hygiene.duplicates import DuplicatePair, DuplicateRule, find_duplicate_pairs
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity

_HOW = {
    DuplicateRule.D1: "carry the same number",
    DuplicateRule.D2: "have numbers one slip apart",
    DuplicateRule.D7: "have the same file attached",
}


class BillDuplicate:
    """Two bills in one currency that are certainly one.

    D1: one vendor, one amount, equal normal numbers. D2: numbers of at least four signs are one slip apart, their dates
    at most 31 days, and one of them is still open. D7: one file hangs on both, whatever else they say. Members of one
    series in different periods never pair.
    """

    id = "AP06"
    name = "bill_duplicate"
    floor = Severity.CRITICAL
    effect = RunwayEffect.LENGTHENS
    reads = frozenset({"aliases", "attachments", "bills", "vendor_list"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every pair; of three alike, the first with the second and the second with the third."""
        pairs = [pair for pair in books.derive(find_duplicate_pairs) if pair.rule.is_certain]
        files = count_attachments(books) if pairs else {}
        return [self._report(books, pair, files) for pair in pairs]

    def _report(self, books: Books, pair: DuplicatePair, files: dict[str, int]) -> Finding:
        one, two = pair.one, pair.two
        each = say_amount(two.total, two.currency)
        amounts = f"{each} each" if one.total == two.total else f"{say_amount(one.total, one.currency)} and {each}"
        names = f"{one.number or one.external_id} and {two.number or two.external_id}"
        return build_finding(
            self,
            books,
            subjects=(one.key, two.key),
            amount=min(one.total, two.total),
            currency=two.currency,
            summary=f"Bills {names} of {two.vendor_name or 'one vendor'}, {amounts}, {_HOW[pair.rule]}",
            evidence=(Evidence(name="rule", value=pair.rule.value), *show_pair(one, two, files)),
            fixes=suggest_voiding(one, two),
        )
