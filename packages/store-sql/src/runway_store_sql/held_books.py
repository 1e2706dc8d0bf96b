"""Records of books that were read before, so that the next reading asks only for what changed since.

The log names every change of the mirror and of the working papers, in one transaction with it: the rows that changed
after an entry are those that the later entries name. Which entry the held records agree with is told by its number and
its hash, which identifies all entries before it; after a restored backup they differ, and everything is read again.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from runway_core.domain.field_changes import FieldChange
from runway_core.domain.identity import CompanyId
from runway_core.domain.log_entry import ChainHead
from runway_core.domain.record import Record

RECORDS_HELD = 16_000
"""So many records are held in memory, about 2 KB each; the companies read longest ago are let go first."""


@dataclass(frozen=True, slots=True)
class HeldView:
    """What calculators see of another rail, and what it was made of: records, and links where people may state them."""

    made_of: tuple[Any, ...]
    fields: Mapping[str, Any]  # of `Books`


@dataclass(frozen=True, slots=True)
class HeldRecords:
    """The records and papers of one company by field of `Books`, as they stood when the chain ended at `head`."""

    head: ChainHead
    history_from: date
    records: Mapping[str, tuple[Record, ...]]
    papers: Mapping[str, Any]  # few, and not counted
    changes: tuple[FieldChange, ...]  # of watched fields since `changes_since`, oldest first; likewise
    changes_since: datetime
    views: Mapping[str, HeldView] = field(default_factory=dict)  # by what shows it: a bank, an execution rail

    @property
    def count(self) -> int:
        """How many records it holds."""
        return sum(map(len, self.records.values()))


class HeldBooks:
    """What is held of each company. Many threads may use it."""

    def __init__(self, limit: int = RECORDS_HELD) -> None:
        self._limit = limit
        self._count = 0
        self._held: OrderedDict[CompanyId, HeldRecords] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, company_id: CompanyId, *, history_from: date) -> HeldRecords | None:
        """What is held of a company, read as far back as asked for."""
        with self._lock:
            held = self._held.get(company_id)
            if held is None or held.history_from != history_from:
                return None
            self._held.move_to_end(company_id)
            return held

    def keep(self, company_id: CompanyId, held: HeldRecords) -> None:
        """Hold these instead of what was held, and let go of the oldest beyond the limit."""
        with self._lock:
            before = self._held.pop(company_id, None)
            self._count -= before.count if before is not None else 0
            self._held[company_id] = held
            self._count += held.count
            while self._count > self._limit:
                _, oldest = self._held.popitem(last=False)
                self._count -= oldest.count
