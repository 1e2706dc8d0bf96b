"""What was planted in the sandbox's companies, and what the checks find there."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from runway_core.calculators.hygiene.checks import CHECKS
from runway_core.calculators.hygiene.find import find_findings
from runway_core.domain.books import Books
from runway_core.domain.identity import RecordKind
from runway_rail_qbo.mapping import KIND_BY_NAME
from runway_sandbox.economy import EconomyCompany, build_company

from tests.core.sandbox_books import read_sandbox_books

AS_OF = date(2026, 3, 2)
HISTORY_FROM = AS_OF - timedelta(days=400)
BUILT = {check.id for check in CHECKS}
UNSEEN = {RecordKind.SERIES}
"""Kinds of subject that no record of the sandbox is."""

Defects = set[tuple[str, frozenset[tuple[str, str]]]]


@dataclass(slots=True)
class Judgement:
    """How many defects of each check were planted, how many of them were found, and how many others."""

    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    extra: Counter[str] = field(default_factory=Counter)

    def weigh(self, planted: Defects, found: Defects) -> None:
        """Count what was planted in one company against what the checks found there."""
        self.planted.update(check for check, _ in planted)
        self.found.update(check for check, _ in planted & found)
        self.extra.update(check for check, _ in found - planted)


def read_books(made: EconomyCompany) -> Books:
    """A made-up company as the mirror would hold it."""
    return read_sandbox_books(made, as_of=AS_OF, history_from=HISTORY_FROM)


def planted_in(made: EconomyCompany) -> Defects:
    """The defects that the company's truth names, of the checks there are."""
    return {
        (truth["check"], frozenset((KIND_BY_NAME[r["kind"]].kind.value, r["id"]) for r in truth["records"]))
        for truth in made.truth
        if truth["check"] in BUILT
    }


def found_in(books: Books) -> Defects:
    """The defects that the checks find; a series is told by whom it is with."""
    return {
        (finding.check, frozenset((s.kind.value, s.external_id) for s in finding.subjects if s.kind not in UNSEEN))
        for finding in find_findings(books)
    }


def make_companies(seeds: Iterable[int], *, count: int, bills: int) -> Iterator[EconomyCompany]:
    """So many companies of each seed."""
    for seed in seeds:
        for index in range(count):
            yield build_company(index=index, seed=seed, bills=bills, as_of=AS_OF)


def judge_checks(companies: Iterable[EconomyCompany]) -> Judgement:
    """Count what was planted and found over many companies."""
    judgement = Judgement()
    for made in companies:
        judgement.weigh(planted_in(made), found_in(read_books(made)))
    return judgement


def judge_made(companies: Iterable[tuple[Books, Defects]], *, checks: Collection[str]) -> Judgement:
    """The same of some checks over made-up books, whose subjects are all told."""
    judgement, wanted = Judgement(), [check for check in CHECKS if check.id in checks]
    for books, planted in companies:
        found = {
            (finding.check, frozenset((s.kind.value, s.external_id) for s in finding.subjects))
            for finding in find_findings(books, checks=wanted)
        }
        judgement.weigh(planted, found)
    return judgement
