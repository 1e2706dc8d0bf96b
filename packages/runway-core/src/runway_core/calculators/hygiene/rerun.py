"""Run again only those checks whose inputs changed since they ran last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runway_core.calculators.hygiene.check import Check
from runway_core.calculators.hygiene.checks import CHECKS
from runway_core.domain.books import Books
from runway_core.domain.derived import is_same
from runway_core.domain.findings import Finding

ALWAYS_READ = frozenset({"company", "as_of", "history_from"})
"""What every check may look at: when one of these changed, all of them run."""


@dataclass(frozen=True, slots=True)
class CheckRun:
    """What each check found in one state of the books, and what it read there."""

    inputs: Mapping[str, object]  # by field of `Books`
    found: Mapping[str, tuple[Finding, ...]]  # by check id, as the check found it
    ran: frozenset[str]  # the checks that ran; the others found what they had found before

    @property
    def findings(self) -> list[Finding]:
        """Everything that was found, by check."""
        return [finding for found in self.found.values() for finding in found]


def run_checks(books: Books, before: CheckRun | None = None, *, checks: Sequence[Check] = CHECKS) -> CheckRun:
    """Run the checks over the books; with an earlier run of the same company only those whose `reads` changed.

    What comes out is what a run of every check would find.
    """
    held = before if before is not None and _is_same_day(books, before) else None
    changed: dict[str, bool] = {}
    found: dict[str, tuple[Finding, ...]] = {}
    ran: set[str] = set()
    for check in checks:
        if held is None or check.id not in held.found or _has_changed(check.reads, books, held, known=changed):
            found[check.id] = tuple(check.find(books))
            ran.add(check.id)
        else:
            found[check.id] = held.found[check.id]
    names = ALWAYS_READ.union(*(check.reads for check in checks))
    return CheckRun(inputs={name: getattr(books, name) for name in names}, found=found, ran=frozenset(ran))


def _is_same_day(books: Books, before: CheckRun) -> bool:
    return all(before.inputs[name] == getattr(books, name) for name in ALWAYS_READ)


def _has_changed(reads: frozenset[str], books: Books, before: CheckRun, *, known: dict[str, bool]) -> bool:
    for name in reads:
        if name not in known:
            known[name] = name not in before.inputs or not is_same(before.inputs[name], getattr(books, name))
        if known[name]:
            return True
    return False
