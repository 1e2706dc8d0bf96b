"""Whether the mirror is what its log says: rebuilt from the log alone, record by record."""

from collections.abc import Sequence

from runway_core.domain.identity import CompanyId, RecordKey
from runway_core.domain.kinds import RECORD_CLASSES
from runway_core.domain.past import fold_drafts
from runway_core.domain.record import Record
from runway_core.ports.store import Store

_PAGE = 1_000
_SHOWN = 20
"""So many differences are named; whoever has more has them all over."""


async def find_mirror_differences(store: Store, company_id: CompanyId) -> Sequence[str]:
    """Name the records that the mirror holds otherwise than the log says, at most twenty, each for a person.

    Raises:
        LogBroken: an entry of the log cannot be read.
    """
    head = await store.log.head(company_id)
    kinds = [kind.value for kind in RECORD_CLASSES]
    drafts = await store.log.last_drafts(company_id, through=head.sequence, kinds=kinds)
    past = fold_drafts(drafts, company_id=company_id)
    logged: dict[RecordKey, Record] = {record.key: record for records in past.records.values() for record in records}
    found: list[str] = []
    for kind in RECORD_CLASSES:
        after: str | None = None
        while True:
            page = await store.mirror.find_records(company_id, kind, limit=_PAGE, after=after)
            for held in page:
                said = logged.pop(held.record.key, None)
                if said is None:
                    found.append(f"{held.record.key} is in the mirror, and not in the log")
                elif said.content() != held.record.content():
                    found.append(f"{held.record.key} is another one in the mirror than in the log")
            if len(page) < _PAGE:
                break
            after = page[-1].record.external_id
    if (await store.log.head(company_id)).sequence != head.sequence:  # it moved meanwhile: look again
        return await find_mirror_differences(store, company_id)
    found += [f"{key} is in the log, and not in the mirror" for key in sorted(logged)]
    return found[:_SHOWN]
