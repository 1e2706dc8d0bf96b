"""The whole comparison of one company's rails, and where each conflict stands."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from runway_core.calculators.reconciliation.banks import BankComparison
from runway_core.calculators.reconciliation.from_findings import compares_rails, read_conflict
from runway_core.calculators.reconciliation.impact import weigh_conflicts
from runway_core.calculators.reconciliation.payers import compare_payers
from runway_core.calculators.reconciliation.processors import compare_processors
from runway_core.domain.books import Books
from runway_core.domain.conflicts import (
    Conflict,
    ConflictDecision,
    ConflictState,
    Resolution,
    TrackedConflict,
)
from runway_core.domain.findings import FindingState, TrackedFinding
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.money import ZERO
from runway_core.domain.reconciliation import RailPair, Reconciliation


def reconcile(books: Books, findings: Iterable[TrackedFinding] = (), *, with_impact: bool = True) -> Reconciliation:
    """What the rails of a company say of one another. The order of what is given changes nothing.

    `findings` are those of the same books, in every state; conflicts among them are taken over, not looked for again.
    `with_impact` counts the runway anew for conflicts that no check raises, for which books that have no outlook yet
    make one.
    """
    banks = BankComparison(books)
    payer_pairs, payer_conflicts = books.derive(compare_payers)
    processor_pairs, processor_conflicts = books.derive(compare_processors)
    raised = {one.finding_id: one for one in findings if compares_rails(one.finding)}
    bank_rail = min((line.rail for line in books.bank_transactions), default="") or "bank"
    taken = [(read_conflict(one, bank_rail=bank_rail, matches=banks.suggestions), one) for one in raised.values()]
    covered = {
        record
        for conflict, one in taken
        if one.state is not FindingState.FIXED
        for record in conflict.records
        if record.kind is not RecordKind.ACCOUNT
    }
    left = [conflict for conflict in (*payer_conflicts, *processor_conflicts) if not _is_told(conflict, covered)]
    own = weigh_conflicts(books, left) if with_impact else left
    decided = {one.paper_id: one for one in books.conflict_decisions}
    tracked = [
        *(_track_finding(conflict, one, decided.get(conflict.conflict_id)) for conflict, one in taken),
        *_track(own, decided, taken={conflict.conflict_id for conflict, _ in taken}),
    ]
    ordered = tuple(sorted(tracked, key=_order))
    pairs = (*banks.pairs, *payer_pairs, *processor_pairs)
    return Reconciliation(
        company_id=books.company.company_id,
        as_of=books.as_of,
        pairs=_count_differing(pairs, ordered),
        drifts=banks.drifts,
        conflicts=ordered,
        notes=banks.notes,
    )


def _is_told(conflict: Conflict, covered: set[RecordKey]) -> bool:
    """Whether a finding tells of the same records: then it is worked there."""
    return any(record in covered for record in conflict.records)


def _track(
    own: Sequence[Conflict], decided: Mapping[str, ConflictDecision], *, taken: set[str]
) -> Iterable[TrackedConflict]:
    """Conflicts that no check raises, with people's decisions; one that is gone is shown as it was decided."""
    for conflict in own:
        paper = decided.get(conflict.conflict_id)
        if paper is None:
            yield TrackedConflict(conflict=conflict, state=ConflictState.OPEN)
        else:
            is_same = paper.basis == conflict.basis
            yield _with_paper(conflict, paper, ConflictState.RESOLVED if is_same else ConflictState.REOPENED)
    found = {conflict.conflict_id for conflict in own} | taken
    for paper in decided.values():
        if paper.paper_id not in found:
            yield _with_paper(paper.conflict, paper, ConflictState.RESOLVED)


def _with_paper(conflict: Conflict, paper: ConflictDecision, state: ConflictState) -> TrackedConflict:
    return TrackedConflict(
        conflict=conflict,
        state=state,
        resolution=paper.resolution,
        reason=paper.reason,
        decided_by=paper.changed_by,
        decided_at=paper.changed_at,
        version=paper.version,
    )


def _track_finding(conflict: Conflict, one: TrackedFinding, paper: ConflictDecision | None) -> TrackedConflict:
    """A conflict that is a finding stands where the finding stands."""
    version = 0 if paper is None else paper.version
    match one.state:
        case FindingState.FIXED if paper is not None:
            return _with_paper(conflict, paper, ConflictState.RESOLVED)
        case FindingState.FIXED:
            return TrackedConflict(conflict=conflict, state=ConflictState.RESOLVED, resolution=Resolution.FIXED)
        case FindingState.ACCEPTED:
            return TrackedConflict(
                conflict=conflict,
                state=ConflictState.RESOLVED,
                resolution=Resolution.ACCEPTED,
                reason=one.reason,
                decided_by=one.decided_by,
                decided_at=one.decided_at,
                version=version,
            )
        case FindingState.OPEN | FindingState.ASKED | FindingState.SNOOZED:
            return TrackedConflict(conflict=conflict, state=ConflictState.OPEN, version=version)


def _count_differing(pairs: Iterable[RailPair], conflicts: Iterable[TrackedConflict]) -> tuple[RailPair, ...]:
    """Each pair with the conflicts that wait between its two sides; of one that two pairs share, with the first."""
    counts = Counter(
        (one.conflict.rails[0], rail)
        for one in conflicts
        if one.state is not ConflictState.RESOLVED
        for rail in one.conflict.rails[1:]
    )
    told: list[RailPair] = []
    for pair in pairs:
        count = counts.pop((pair.here, pair.there), 0)
        told.append(pair.model_copy(update={"differing": count}))
    return tuple(told)


_STATE_ORDER = {ConflictState.REOPENED: 0, ConflictState.OPEN: 0, ConflictState.RESOLVED: 1}


def _order(one: TrackedConflict) -> tuple[int, int, int, Decimal, str]:
    """Those that wait first, then the worst, by |days|, money and id."""
    conflict = one.conflict
    days = 0 if conflict.impact_days is None else -abs(conflict.impact_days)
    amount = ZERO if conflict.amount is None else -abs(conflict.amount.amount)
    return _STATE_ORDER[one.state], conflict.severity.rank, days, amount, conflict.conflict_id
