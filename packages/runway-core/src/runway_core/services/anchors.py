"""Anchoring the log: making anchors, writing them out, and holding chains to them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from runway_core.domain.alerts import AlertKind, Condition, Severity
from runway_core.domain.anchors import (
    FIRST_PREVIOUS,
    SIGNED_AS,
    Anchor,
    AnchorLeaf,
    compute_root,
    encode_anchor,
    hash_anchor,
    replay_leaves,
)
from runway_core.domain.identity import CompanyId
from runway_core.domain.log_archive import find_absent
from runway_core.domain.log_entry import ChainHead
from runway_core.domain.log_files import ARCHIVE_SIGNED_AS
from runway_core.domain.people import firm_chain
from runway_core.errors import LogBroken, RunwayError
from runway_core.ports.anchors import AnchorSink, LogKey
from runway_core.services.anchor_checks import (
    AnchorsVerification,
    compare_anchors,
    find_faults,
    find_unanchored,
    find_wiped,
)
from runway_core.services.scope import Scope
from runway_core.sync.verification import LogFault

EVERY = timedelta(minutes=15)
LATE_AFTER = timedelta(minutes=10)
"""Beats that fail for so long are told; a database that is locked for a moment is not."""
WHOLE_EVERY = timedelta(days=1)


class AnchorService:
    """Makes and verifies anchors over all chains of the database, whichever firm's they are."""

    def __init__(self, scope: Scope, sinks: Sequence[AnchorSink] = ()) -> None:
        self._scope = scope
        self._sinks = tuple(sinks)
        self._failed: tuple[datetime, RunwayError] | None = None  # since when the beat fails, and how

    @property
    def sinks(self) -> tuple[str, ...]:
        """Where anchors are written to, beside the database."""
        return tuple(sink.name for sink in self._sinks)

    async def anchor_due(self) -> Anchor | None:
        """Make an anchor when the last one is a quarter of an hour old and a chain moved since, else nothing.

        Sinks that missed anchors get them. Several processes may call it at any pace: one of them makes the anchor.
        That it failed is kept until it succeeds again, for `conditions`.

        Raises:
            StoreUnavailable: the database or a sink does not answer, or no key is at hand or can be kept.
            InvalidRequest: this process is given another key than the one that signs.
            LogBroken: a sink holds another anchor than the database.
        """
        try:
            made = await self._make_due()
        except RunwayError as error:
            since = self._scope.clock.now() if self._failed is None else self._failed[0]
            self._failed = (since, error)
            raise
        self._failed = None
        return made

    async def _make_due(self) -> Anchor | None:
        last = await self._scope.store.anchors.last()
        if last is None or self._scope.clock.now() - last.made_at >= EVERY:
            return await self._make(last)
        if self._failed is not None:  # made, and not written out everywhere
            await self._write_out_all()
        return None

    async def conditions(self) -> Sequence[Condition]:
        """What someone should know: that anchors are not made or not written out, as this process's beat finds it.

        At once where a sink says that the log was set back or rewritten, else when it lasts.
        """
        if self._failed is None:
            return ()
        since, error = self._failed
        is_broken = isinstance(error, LogBroken)
        if not is_broken and self._scope.clock.now() - since < LATE_AFTER:
            return ()
        said = "a place outside holds another anchor than the database" if is_broken else "anchors are not made"
        return [
            Condition(
                "log:anchors",
                AlertKind.ANCHORS_LATE,
                Severity.PAGE if is_broken else Severity.TICKET,
                f"{said} ({error.code}): what the log says from now on is not vouched for outside the database",
            )
        ]

    async def anchor(self) -> Anchor:
        """Make an anchor now; the last one where no chain moved since.

        Raises:
            StoreUnavailable: the database or a sink does not answer, or no key is at hand or can be kept.
            InvalidRequest: this process is given another key than the one that signs.
            LogBroken: a sink holds another anchor than the database.
        """
        made = await self._make(await self._scope.store.anchors.last())
        last = made or await self._scope.store.anchors.last()
        assert last is not None, "an anchor is made where none is"
        return last

    async def _make(self, last: Anchor | None, *, is_wanted: bool = False, key: LogKey | None = None) -> Anchor | None:
        store, at = self._scope.store, self._scope.clock.now()
        held = await self._replay_held()
        heads = {leaf.company_id: leaf for leaf in await store.anchors.heads()}
        moved = tuple(heads[name] for name in sorted(heads) if held.get(name) != heads[name])
        made: Anchor | None = None
        if is_wanted or last is None or moved or held.keys() - heads.keys():
            key = key or await store.log_keys.current(at)
            whole = await self._is_whole_due(at) or bool(held.keys() - heads.keys())
            is_new_key = last is not None and last.public_key != key.public_key
            anchor = Anchor(
                number=1 if last is None else last.number + 1,
                made_at=at,
                previous=FIRST_PREVIOUS if last is None else hash_anchor(last),
                root=compute_root(heads),
                size=len(heads),
                public_key=key.public_key,
                is_whole=whole,
                leaves=tuple(heads[name] for name in sorted(heads)) if whole else moved,
                endorsement=key.endorsement if is_new_key else b"",
            )
            signed = replace(
                anchor,
                signature=await store.log_keys.sign(SIGNED_AS + encode_anchor(anchor), public_key=key.public_key),
            )
            made = signed if await store.anchors.save(signed) else None
        await self._write_out_all()
        return made

    async def _write_out_all(self) -> None:
        for sink in self._sinks:
            await self._write_out(sink)

    async def _write_out(self, sink: AnchorSink) -> None:
        """Put what a sink missed behind its last anchor, which must be the database's too.

        A database that was set back makes its next anchors under numbers that the sink has: they would never be put.
        """
        last = await sink.last_number()
        outside = await sink.anchors(after=max(last - 1, 0))  # read first: what is there, the database has already
        kept = await self._scope.store.anchors.anchors(after=max(last - 1, 0))
        if last:
            if not outside or not kept or hash_anchor(kept[0]) != hash_anchor(outside[0]):
                raise LogBroken(
                    f"anchor {last} of {sink.name!r} is not the database's: that was set back or rewritten, and "
                    "nothing more is written there. Where it was restored with reason, keep those anchors for auditors "
                    "and begin with an empty place: move the folder away, or name another in RUNWAY_ANCHOR_FOLDER"
                )
            kept = kept[1:]
        for missed in kept:
            await sink.put(missed)

    async def _replay_held(self) -> dict[CompanyId, AnchorLeaf]:
        """All heads as the last anchor has them."""
        store = self._scope.store.anchors
        held: dict[CompanyId, AnchorLeaf] = {}
        for anchor in await store.anchors(after=max(await store.last_whole() - 1, 0)):
            held = replay_leaves(held, anchor)
        return held

    async def _is_whole_due(self, at: datetime) -> bool:
        store = self._scope.store.anchors
        number = await store.last_whole()
        whole = (await store.anchors(after=number - 1))[0] if number else None
        return whole is None or at - whole.made_at >= WHOLE_EVERY

    async def keys(self) -> Sequence[LogKey]:
        """The keys that sign, the first one first."""
        return await self._scope.store.log_keys.keys()

    async def current_key(self) -> LogKey:
        """The key that signs; the first time it is made.

        Raises:
            StoreUnavailable: no key can be kept.
            InvalidRequest: this process is given another key than the one that signs.
        """
        return await self._scope.store.log_keys.current(self._scope.clock.now())

    async def sign_archive(self, manifest: bytes) -> tuple[bytes, bytes]:
        """Sign the manifest of an archive; returns the public key and the signature.

        Raises:
            StoreUnavailable: this process does not have the private key, or none can be kept.
            InvalidRequest: this process is given another key than the one that signs.
        """
        key = await self.current_key()
        signed = ARCHIVE_SIGNED_AS + manifest
        return key.public_key, await self._scope.store.log_keys.sign(signed, public_key=key.public_key)

    async def rotate_key(self, *, unendorsed: bool = False) -> LogKey:
        """Make a new key that signs from now on; anchors that the old one signed stay valid.

        Args:
            unendorsed: also where the old key is not at hand to endorse it. Verifying then names the break until it is
                told to trust the new key.

        Raises:
            StoreUnavailable: the old key is not at hand, or no key can be kept.
            InvalidRequest: the key is given from outside, and signs already.
        """
        at, keys = self._scope.clock.now(), self._scope.store.log_keys
        known, last = await keys.keys(), await self._scope.store.anchors.last()
        if not known:
            await keys.current(at)
        elif last is not None and last.public_key != known[-1].public_key and not unendorsed:
            await self._make(last, is_wanted=True, key=known[-1])  # a rotation that was cut short left this undone
        key = await keys.rotate(at, unendorsed=unendorsed)
        await self._make(await self._scope.store.anchors.last(), is_wanted=True)  # shows the endorsement
        return key

    async def heads_before(self, moment: datetime, *, trusted: Collection[bytes] = ()) -> Mapping[CompanyId, ChainHead]:
        """Where all chains ended by the last anchor before a moment; nothing of those that none knows.

        Only the anchors since the last one before the moment that holds all heads are looked at: of the first sink that
        knows most, which has them however the database was rewritten; without sinks, of the database.

        Raises:
            LogBroken: these anchors are not what was signed.
        """
        store = self._scope.store
        first = max(await store.anchors.last_whole(before=moment), 1)
        outside = [await sink.anchors(after=first - 1) for sink in self._sinks]
        anchors = max(outside, key=len, default=()) or await store.anchors.anchors(after=first - 1)
        earlier = [anchor for anchor in anchors if anchor.made_at < moment]
        faults = find_faults(earlier, store.log_keys, first=first, trusted=trusted)
        if faults:
            raise LogBroken(f"the anchors cannot be trusted: {faults[0]}")
        return {leaf.company_id: leaf.head for anchor in earlier for leaf in anchor.leaves}

    async def covered_outside(self) -> Mapping[CompanyId, int]:
        """Up to which entry of each chain every place outside the database holds an anchor.

        Raises:
            StoreUnavailable: one does not answer.
            LogBroken: an anchor cannot be read.
        """
        first = max(await self._scope.store.anchors.last_whole(), 1)
        covered: list[dict[CompanyId, int]] = []
        for _, anchors in await self._read_sinks(after=first - 1):
            held: dict[CompanyId, AnchorLeaf] = {}
            for anchor in anchors:
                held = replay_leaves(held, anchor)
            covered.append({owner: leaf.sequence for owner, leaf in held.items()})
        owners = set.intersection(*(set(one) for one in covered)) if covered else set()
        return {owner: min(one[owner] for one in covered) for owner in owners}

    async def verify(
        self, companies: Iterable[CompanyId], *, since: datetime | None = None, trusted: Collection[bytes] = ()
    ) -> AnchorsVerification:
        """Hold anchors to their signatures, sinks to the database, and chains to the anchors.

        These are the chains of `companies` and the firm's own; of all others it is asked whether they are still there.

        Args:
            companies: whose chains.
            since: begin at the last anchor before this moment that holds all heads; earlier ones are not looked at.
            trusted: public keys, one of which must have signed the first anchor of all, and which need no endorsement.

        Raises:
            StoreUnavailable: the database or a sink does not answer.
            LogBroken: an anchor cannot be read.
        """
        store = self._scope.store
        first = 1 if since is None else max(await store.anchors.last_whole(before=since), 1)
        kept = await store.anchors.anchors(after=first - 1)
        faults = find_faults(kept, store.log_keys, first=first, trusted=trusted)
        own = frozenset(faults)
        anchored: dict[CompanyId, dict[int, bytes]] = defaultdict(dict)
        for where, anchors in [("the database", kept), *await self._read_sinks(after=first - 1)]:
            if anchors is not kept:
                others = find_faults(anchors, store.log_keys, first=first, trusted=trusted)
                faults += [f"{fault} in {where}" for fault in others if fault not in own]
                faults += compare_anchors(kept, anchors, where)
            for number, leaf in ((anchor.number, leaf) for anchor in anchors for leaf in anchor.leaves):
                known = anchored[leaf.company_id].setdefault(leaf.sequence, leaf.head_hash)
                if known != leaf.head_hash:
                    faults.append(f"anchor {number} of {where} knows an entry by another hash than one elsewhere")
        chains: dict[CompanyId, LogFault] = {}
        held_to = {*companies, firm_chain(self._scope.firm_id)}
        faults += find_wiped(anchored, held_to | {leaf.company_id for leaf in await store.anchors.heads()})
        for company_id in sorted(held_to):
            heads = await self._leave_absent(company_id, anchored.get(company_id, {}))
            fault = find_unanchored(heads, await store.log.hashes(company_id, sorted(heads)))
            if fault is not None:
                chains[company_id] = fault
        return AnchorsVerification(
            anchors=len(kept), last=kept[-1] if kept else None, faults=tuple(faults), chains=chains
        )

    async def _leave_absent(self, owner: CompanyId, heads: Mapping[int, bytes]) -> dict[int, bytes]:
        """Anchored heads but for those within archived files that are not at hand; their last entries are known."""
        pieces = await self._scope.store.log_archives.detached(owner)
        absent = find_absent(pieces)
        ends = {piece.last for piece in pieces}
        return {place: head for place, head in heads.items() if place > absent or place in ends}

    async def _read_sinks(self, *, after: int) -> list[tuple[str, Sequence[Anchor]]]:
        return [(sink.name, await sink.anchors(after=after)) for sink in self._sinks]
