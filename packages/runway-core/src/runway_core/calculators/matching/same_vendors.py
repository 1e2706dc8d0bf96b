"""Which vendor records are one vendor, by the proofs that act alone; and which are merely alike."""

from collections.abc import Iterator
from functools import cached_property

from runway_core.calculators.matching.name_index import NameIndex
from runway_core.calculators.matching.names import is_generic_name, normal_bank_text, normal_name, second_form
from runway_core.calculators.names import is_placeholder_name
from runway_core.calculators.numbers import is_one_slip_apart
from runway_core.domain.books import Books
from runway_core.domain.identity import RecordKind
from runway_core.domain.parties import Vendor

LEAST_SLIP_LENGTH = 5
"""Shorter names that differ in one letter are two names."""

MOST_ALIKE = 10


class SameVendors:
    """The vendor records of one company, those that are proven to be one vendor taken together.

    Proofs are a confirmed alias and equal first forms of any of their names. No ledger rail tells tax ids, and the end
    of an account number, which is all that rails show, proves nothing.
    """

    def __init__(self, books: Books) -> None:
        """Compare all vendors by look-up, so that many cost no square."""
        self._vendors = books.vendor_by_id
        self._above: dict[str, str] = {}
        first: dict[str, str] = {}
        for vendor in books.vendor_list:
            for form in _forms_of(vendor):
                self._join(vendor.external_id, first.setdefault(form, vendor.external_id))
        if books.aliases:
            self._join_aliases(books)

    def one_of(self, vendor_id: str) -> str:
        """The id that stands for a vendor and all that are proven the same: the least of theirs."""
        at = vendor_id
        while (above := self._above.get(at, at)) != at:
            at = above
        return at

    def are_alike(self, one_id: str, other_id: str) -> bool:
        """Whether two records may be one vendor: equal second forms, one slip apart, or likeness of at least 60."""
        one, other = (self._vendors.get(vendor_id) for vendor_id in (one_id, other_id))
        if one is None or other is None:
            return False
        for mine in _forms_of(one):
            for theirs in _forms_of(other):
                is_slip = min(len(mine), len(theirs)) >= LEAST_SLIP_LENGTH and is_one_slip_apart(mine, theirs)
                if is_slip or second_form(mine) == second_form(theirs):
                    return True
        return any(
            candidate.party == theirs.key
            for mine, theirs in ((one, other), (other, one))
            for candidate in self._index.suggest(mine.name, MOST_ALIKE)
        )

    @cached_property
    def _index(self) -> NameIndex:
        # Most books never ask for it.
        return NameIndex.of_vendors(self._vendors.values())

    def _join_aliases(self, books: Books) -> None:
        """Take a vendor whose name a person said to mean another one together with that one."""
        meant = {
            alias.paper_id: alias.party.external_id
            for alias in books.aliases
            if alias.party.kind is RecordKind.VENDOR and alias.party.external_id in books.vendor_by_id
        }
        for vendor in books.vendor_list:
            for form in (normal_name(vendor.name), normal_bank_text(vendor.name)):
                if form in meant:
                    self._join(vendor.external_id, meant[form])

    def _join(self, one_id: str, other_id: str) -> None:
        least, most = sorted((self.one_of(one_id), self.one_of(other_id)))
        if least != most:
            self._above[most] = least


def _forms_of(vendor: Vendor) -> Iterator[str]:
    """The first forms of a vendor's names that say who it is."""
    for name in (vendor.name, vendor.company_name):
        if name is not None and not is_placeholder_name(name) and not is_generic_name(form := normal_name(name)):
            yield form
