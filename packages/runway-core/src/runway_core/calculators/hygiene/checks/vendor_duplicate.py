"""AP17: one vendor entered twice."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from runway_core.calculators.hygiene.check import build_finding
from runway_core.calculators.hygiene.name_pairs import find_name_pairs
from runway_core.calculators.matching.name_match import NamedParty
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.parties import Vendor

MOST_SHARING = 2
"""An address that more vendors than these share is somebody else's: a payment service's, or the bookkeeper's own."""


class _Pair(NamedTuple):
    one: Vendor
    other: Vendor
    reasons: tuple[str, ...]


class VendorDuplicate:
    """Two active vendors of one currency whose names are spelt alike, or who share e-mail address or phone number.

    Alike are names that are equal once legal forms, signs and accents are gone, in whatever order and with whatever
    gaps; names that differ by words which many names have; and names of six letters or more that are one slip apart.
    """

    id = "AP17"
    name = "vendor_duplicate"
    floor = Severity.LOW
    effect = RunwayEffect.CONFIDENCE
    reads = frozenset({"bills", "payment_details", "purchases", "vendor_list"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every pair; of three alike, the first with the second and the second with the third."""
        pairs = books.derive(_find_pairs)
        if not pairs:
            return
        uses, tails = _count_uses(books), _find_tails(books)
        for pair in pairs:
            yield self._report(books, pair, uses=uses, tails=tails)

    def _report(self, books: Books, pair: _Pair, *, uses: dict[str, int], tails: dict[str, str]) -> Finding:
        both = (pair.one, pair.other)
        kept, left = sorted(both, key=lambda vendor: (-uses.get(vendor.external_id, 0), vendor.external_id))
        return build_finding(
            self,
            books,
            subjects=[vendor.key for vendor in both],
            summary=f"Vendors {pair.one.name!r} and {pair.other.name!r} look like one: {', '.join(pair.reasons)}",
            evidence=(
                Evidence(name="alike", value="; ".join(pair.reasons)),
                *(evidence for vendor in both for evidence in _show(vendor, uses, tails=tails)),
            ),
            fixes=(
                SuggestedFix(label=f"Merge {left.name} into {kept.name} in the ledger", record=left.key),
                SuggestedFix(label="Keep both: they are two", record=left.key),
            ),
        )


def _find_pairs(books: Books) -> list[_Pair]:
    by_currency: dict[str, list[Vendor]] = {}
    for vendor in books.vendor_list:
        if vendor.is_active:
            by_currency.setdefault(vendor.currency, []).append(vendor)
    return [pair for _, vendors in sorted(by_currency.items()) for pair in _pair_up(vendors)]


def _pair_up(vendors: Iterable[Vendor]) -> Iterator[_Pair]:
    by_key = {vendor.key: vendor for vendor in sorted(vendors, key=lambda vendor: vendor.external_id)}
    named = [NamedParty(v.key, tuple(filter(None, (v.name, v.company_name)))) for v in by_key.values()]
    reasons: dict[tuple[RecordKey, RecordKey], list[str]] = {}
    for one, other, why in (*find_name_pairs(named), *_find_shared(by_key.values())):
        reasons.setdefault((one, other), []).append(why)
    for (one, other), found in sorted(reasons.items()):
        yield _Pair(by_key[one], by_key[other], tuple(found))


def _find_shared(vendors: Iterable[Vendor]) -> Iterator[tuple[RecordKey, RecordKey, str]]:
    """Vendors with one e-mail address or one phone number."""
    holders: dict[tuple[str, str], list[Vendor]] = {}
    for vendor in vendors:
        if vendor.email and "@" in vendor.email:
            holders.setdefault(("e-mail address", vendor.email.strip().casefold()), []).append(vendor)
        digits = "".join(sign for sign in vendor.phone or "" if sign.isdigit())[-10:]
        if len(digits) >= 7:
            holders.setdefault(("phone number", digits), []).append(vendor)
    for (what, _), sharing in holders.items():
        if len(sharing) == MOST_SHARING:
            yield sharing[0].key, sharing[1].key, f"same {what}"


def _count_uses(books: Books) -> dict[str, int]:
    """How many bills and expenses name each vendor."""
    counts: dict[str, int] = {}
    for bill in books.bills:
        if bill.vendor_id is not None:
            counts[bill.vendor_id] = counts.get(bill.vendor_id, 0) + 1
    for purchase in books.purchases:
        if purchase.payee_id is not None and purchase.payee_kind is RecordKind.VENDOR:
            counts[purchase.payee_id] = counts.get(purchase.payee_id, 0) + 1
    return counts


def _find_tails(books: Books) -> dict[str, str]:
    tails: dict[str, set[str]] = {}
    for details in books.payment_details:
        tails.setdefault(details.vendor_id, set()).add(details.account_tail)
    return {vendor_id: ", ".join(sorted(found)) for vendor_id, found in tails.items()}


def _show(vendor: Vendor, uses: dict[str, int], *, tails: dict[str, str]) -> Iterator[Evidence]:
    for name, value in (
        ("name", vendor.name),
        ("company_name", vendor.company_name),
        ("email", vendor.email),
        ("phone", vendor.phone),
        ("account_tail", tails.get(vendor.external_id)),
        ("uses", str(uses.get(vendor.external_id, 0))),
    ):
        yield Evidence(name=name, value=value or "none", record=vendor.key)
