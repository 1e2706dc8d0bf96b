"""What can be written to the ledger from the tray: each plan, batches of like ones, and what was written already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from runway_core.domain.fixes import Fix
from runway_core.experiences.tray import TrayView
from runway_core.runway import Runway
from runway_core.services.fixes import MOST_AT_ONCE, FixChoice


@dataclass(frozen=True, slots=True)
class TrayFixes:
    """What can be written from the tray, and what was."""

    plans: Mapping[str, Sequence[tuple[int, Fix]]]  # by finding: which of its fixes, and what it would write
    under_way: Mapping[str, Fix]  # by finding
    batches: Mapping[str, "FixBatch"]  # by check, where several can be written at once
    undoable: Sequence[Fix]  # the last changed first
    rails: Mapping[str, str]  # titles by name


@dataclass(frozen=True, slots=True)
class FixBatch:
    """The first fix of each finding of one check, to be written together. `seal` tells this very batch from others."""

    choices: tuple[FixChoice, ...]
    fixes: tuple[Fix, ...]

    @property
    def seal(self) -> str:
        """A hash of what would be written: a batch that changed since it was shown is not written."""
        return sha256(" ".join(fix.paper_id for fix in self.fixes).encode()).hexdigest()[:32]


async def gather_fixes(runway: Runway, view: TrayView) -> TrayFixes:
    """Plan every fix on the page that a rail can write, and find those that were written within a day."""
    company_id = view.company.company_id
    choices = [
        FixChoice(row.finding_id, number)
        for group in view.groups
        for row in group.rows
        for number, fix in enumerate(row.tracked.finding.fixes)
        if fix.fields
    ]
    plans: dict[str, list[tuple[int, Fix]]] = {}
    for outcome in await runway.fixes.plan_all(company_id, choices) if choices else ():
        if outcome.fix is not None:
            plans.setdefault(outcome.choice.finding_id, []).append((outcome.choice.fix_index, outcome.fix))
    known = await runway.fixes.list(company_id, include_closed=True)
    under_way = {fix.finding_id: fix for fix in known if not fix.is_closed}
    return TrayFixes(
        plans=plans,
        batches=_gather_batches(view, plans, under_way),
        under_way=under_way,
        undoable=runway.fixes.undoable(known),
        rails={name: rail.factory.title for name, rail in runway.rails.installed.items()},
    )


def _gather_batches(
    view: TrayView, plans: Mapping[str, Sequence[tuple[int, Fix]]], under_way: Mapping[str, Fix]
) -> dict[str, FixBatch]:
    batches: dict[str, FixBatch] = {}
    for group in view.groups:
        firsts = [
            (FixChoice(row.finding_id, plans[row.finding_id][0][0]), plans[row.finding_id][0][1])
            for row in group.rows
            if row.finding_id in plans and row.finding_id not in under_way
        ][:MOST_AT_ONCE]
        if len(firsts) > 1:
            batches[group.check] = FixBatch(
                choices=tuple(choice for choice, _ in firsts), fixes=tuple(fix for _, fix in firsts)
            )
    return batches
