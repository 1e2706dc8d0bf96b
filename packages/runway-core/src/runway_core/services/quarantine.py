"""Records that could not be understood: looked at, read again once their cause is mended, or dropped with a reason."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from runway_core.domain.changes import Cause
from runway_core.domain.identity import CompanyId, RecordKey, RecordKind
from runway_core.domain.log_entry import LogDraft
from runway_core.domain.people import Need
from runway_core.domain.record import encode_plain
from runway_core.domain.sync_run import QuarantinedRecord, SyncRun
from runway_core.errors import InvalidRequest, NotFound
from runway_core.services.dead_letters import LONGEST_REASON
from runway_core.services.scope import Scope
from runway_core.sync.orchestrator import PullRequest
from runway_core.sync.smart_sync import SmartSyncService

DISCARDED = "quarantine_discarded"


@dataclass(frozen=True, slots=True)
class Replay:
    """What reading quarantined records again came to."""

    mended: tuple[QuarantinedRecord, ...]  # they are understood now, and in the mirror
    left: tuple[QuarantinedRecord, ...]  # still not understood, gone at the rail, or without kind or id
    runs: tuple[SyncRun, ...]  # the pulls in which they were read


class QuarantineService:
    """Knows what lies in quarantine, and gets it out."""

    def __init__(self, scope: Scope, sync: SmartSyncService) -> None:
        self._scope = scope
        self._sync = sync

    async def list(self, company_id: CompanyId) -> Sequence[QuarantinedRecord]:
        """The records of a company that could not be understood, newest first.

        Raises:
            NotFound: no such company in this firm.
        """
        await self._scope.company(company_id)
        return await self._scope.store.mirror.quarantine(company_id)

    async def discard(self, company_id: CompanyId, quarantine_id: str, *, reason: str, actor: str) -> None:
        """Drop one record, and log why; it comes back when the rail shows it again and it is still not understood.

        Raises:
            InvalidRequest: no reason, or one of more than 500 characters.
            NotFound: no such company in this firm, or it has no such record in quarantine.
            NotAllowed: the caller may only look.
        """
        by = self._scope.by_person(actor)
        said = " ".join(reason.split())
        if not said or len(said) > LONGEST_REASON:
            raise InvalidRequest(f"say in 1 to {LONGEST_REASON} characters why it is discarded")
        (record,) = await self._choose(company_id, [quarantine_id])
        draft = LogDraft(
            seen_at=self._scope.clock.now(),
            rail=record.rail,
            kind="quarantine",
            external_id=quarantine_id,
            what=DISCARDED,
            attribution=by,
            content=encode_plain(
                {"kind": record.kind, "external_id": record.external_id, "why": record.reason, "reason": said}
            ),
        )
        if not await self._scope.store.mirror.discard_quarantined(company_id, quarantine_id, act=draft):
            raise NotFound(f"company {company_id!r} has no record {quarantine_id!r} in quarantine")

    async def replay(
        self,
        company_id: CompanyId,
        quarantine_ids: Collection[str] | None = None,
        *,
        rail: str | None = None,
        actor: str,
    ) -> Replay:
        """Read these records again, or all of them (of one rail), and mirror those that are understood now.

        A usual pull comes first, so that nothing older overwrites what is newer. Repeating is harmless.

        Raises:
            NotFound: no such company in this firm, or it has no such record in quarantine.
            NotAllowed: the caller may only look.
        """
        self._scope.demand(Need.DECIDE)
        company = await self._scope.company(company_id)
        chosen = [one for one in await self._choose(company_id, quarantine_ids) if rail in (None, one.rail)]
        runs: list[SyncRun] = []
        for connection in await self._scope.connections(company_id):
            keys = tuple(key for one in chosen if one.rail == connection.rail and (key := _key_of(one)) is not None)
            if keys:
                request = PullRequest(cause=Cause.PERSON, actor=self._scope.name_actor(actor), read_again=keys)
                runs += (await self._sync.sync_company(company, [connection], request)).runs
        held = {one.quarantine_id for one in await self._scope.store.mirror.quarantine(company_id)}
        return Replay(
            mended=tuple(one for one in chosen if one.quarantine_id not in held),
            left=tuple(one for one in chosen if one.quarantine_id in held),
            runs=tuple(runs),
        )

    async def _choose(
        self, company_id: CompanyId, quarantine_ids: Collection[str] | None
    ) -> Sequence[QuarantinedRecord]:
        held = await self.list(company_id)
        if quarantine_ids is None:
            return held
        found = {one.quarantine_id: one for one in held}
        for quarantine_id in quarantine_ids:
            if quarantine_id not in found:
                raise NotFound(f"company {company_id!r} has no record {quarantine_id!r} in quarantine")
        return [found[quarantine_id] for quarantine_id in dict.fromkeys(quarantine_ids)]


def _key_of(record: QuarantinedRecord) -> RecordKey | None:
    """By which name the rail may be asked for it; `None` where it has none that is known."""
    if record.kind not in set(RecordKind) or record.external_id is None:
        return None
    return RecordKey(RecordKind(record.kind), record.external_id)
