"""What saving working papers does, decided on what is stored: every store carries out the same decision."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, cast

from runway_core.domain.changes import Attribution
from runway_core.domain.log_entry import LogDraft
from runway_core.domain.papers import Paper, PaperKey, WorkingPaper
from runway_core.domain.record import encode_plain, plain_field
from runway_core.errors import InvalidRequest, StaleRevision

_STAMP = frozenset({"version", "changed_at", "changed_by"})
"""What storing sets: two papers that differ in nothing else say the same."""


@dataclass(frozen=True, slots=True)
class PaperPlan(Generic[Paper]):
    """What becomes of the papers of one save."""

    results: tuple[Paper, ...]  # as they are stored afterwards, in the order in which they were given
    changed: tuple[Paper, ...]  # those to write
    drafts: tuple[LogDraft, ...]  # one for each of them


def plan_papers(
    held: Mapping[PaperKey, WorkingPaper], papers: Iterable[Paper], *, attribution: Attribution, at: datetime
) -> PaperPlan[Paper]:
    """Decide which of `papers` are news. `held` is what is stored under their keys.

    Raises:
        StaleRevision: a paper was changed since the version it carries, or is new and its id is taken.
        InvalidRequest: an id that no database can hold.
    """
    known = dict(held)
    results: list[Paper] = []
    changed: list[Paper] = []
    drafts: list[LogDraft] = []
    for paper in papers:
        before = known.get(paper.key)
        if before is not None and _says_the_same(before, paper):
            results.append(cast("Paper", before))  # of one key, so of one class
            continue
        _demand_current(before, paper)
        stored = paper.model_copy(
            update={"version": paper.version + 1, "changed_at": at, "changed_by": attribution.actor}
        )
        known[paper.key] = stored
        results.append(stored)
        changed.append(stored)
        drafts.append(_draft(before, stored, attribution=attribution, at=at))
    return PaperPlan(tuple(results), tuple(changed), tuple(drafts))


def _says_the_same(before: WorkingPaper, paper: WorkingPaper) -> bool:
    return all(before.__dict__[name] == value for name, value in paper.__dict__.items() if name not in _STAMP)


def _demand_current(before: WorkingPaper | None, paper: WorkingPaper) -> None:
    if "\x00" in paper.paper_id or not paper.paper_id:
        raise InvalidRequest(f"{paper.paper_id!r} cannot name a {paper.title}: an id has letters, and no NUL character")
    stored = 0 if before is None else before.version
    if paper.version != stored:
        changed = f"was changed to version {stored} meanwhile" if stored else "is not there any more"
        raise StaleRevision(
            f"the {paper.title} {paper.paper_id!r} {changed} (yours is {paper.version}): read it, then change it again"
        )


def _draft(before: WorkingPaper | None, stored: WorkingPaper, *, attribution: Attribution, at: datetime) -> LogDraft:
    changes = {} if before is None else _find_changes(before, stored)
    return LogDraft(
        seen_at=at,
        rail="",
        kind=stored.paper_kind.value,
        external_id=stored.paper_id,
        what=f"{stored.paper_kind.value}_{_name_act(before, stored)}",
        attribution=attribution,
        revision=str(stored.version),
        content=encode_plain(stored),
        changed=encode_plain(changes) if changes else b"",
    )


def _name_act(before: WorkingPaper | None, stored: WorkingPaper) -> str:
    if before is None:
        return "added"
    if before.is_closed == stored.is_closed:
        return "updated"
    return "closed" if stored.is_closed else "reopened"


def _find_changes(before: WorkingPaper, stored: WorkingPaper) -> dict[str, Sequence[Any]]:
    old, new = before.__dict__, stored.__dict__
    return {
        name: (plain_field(old[name]), plain_field(value))
        for name, value in new.items()
        if name not in _STAMP and old[name] != value
    }
