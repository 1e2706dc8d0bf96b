"""What anchors show: that they are what was signed, and which chains are not what was anchored."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from runway_core.domain.anchors import (
    ENDORSED_AS,
    FIRST_PREVIOUS,
    SIGNED_AS,
    Anchor,
    HeadTree,
    encode_anchor,
    hash_anchor,
)
from runway_core.domain.identity import CompanyId
from runway_core.ports.anchors import LogKeys
from runway_core.sync.verification import LogDifference, LogFault


@dataclass(frozen=True, slots=True)
class AnchorsVerification:
    """What verifying the anchors of all chains found.

    `faults` are about anchors themselves, and about anchored chains that are gone whole, each for a person. `chains`
    names for each company of the firm, and for the firm's own chain, that is not what was anchored the first entry that
    may differ.
    """

    anchors: int
    last: Anchor | None
    faults: tuple[str, ...]
    chains: dict[CompanyId, LogFault]

    @property
    def is_sound(self) -> bool:
        """Anchors are what was signed, and chains are what was anchored."""
        return not self.faults and not self.chains


def find_unanchored(anchored: dict[int, bytes], held: dict[int, bytes]) -> LogFault | None:
    """The first anchored entry of a chain that is not there, or is another one."""
    good = 0
    for sequence, head_hash in sorted(anchored.items()):
        if sequence == 0 or held.get(sequence) == head_hash:
            good = sequence
            continue
        where = f"an anchor knows entry {sequence}"
        if sequence not in held:
            said = f"{where}, which is not there: entries behind {good} were cut off"
            return LogFault(good + 1, LogDifference.TRUNCATED, said)
        said = f"{where} by another hash: history was written anew between entries {good + 1} and {sequence}"
        return LogFault(good + 1, LogDifference.REWRITTEN, said)
    return None


def compare_anchors(kept: Sequence[Anchor], outside: Sequence[Anchor], where: str) -> list[str]:
    """Which anchors that are kept outside are others than the database's."""
    held = {anchor.number: hash_anchor(anchor) for anchor in kept}
    return [
        f"anchor {anchor.number} of {where} is not in the database"
        if anchor.number not in held
        else f"anchor {anchor.number} of {where} is another one than the database's"
        for anchor in outside
        if held.get(anchor.number) != hash_anchor(anchor)
    ]


def find_faults(
    anchors: Sequence[Anchor], keys: LogKeys, *, first: int = 1, trusted: Collection[bytes] = ()
) -> list[str]:
    """What is wrong with a chain of anchors.

    It must begin at anchor `first`, which holds all heads; what that follows and whose key it names is not asked where
    it is a later one. Where public keys are `trusted`, anchor 1 must be signed by one of them, and they need no
    endorsement.
    """
    faults: list[str] = []
    tree, key = HeadTree(), b""
    previous = anchors[0].previous if anchors and first > 1 else FIRST_PREVIOUS
    for number, anchor in enumerate(anchors, start=first):
        name = f"anchor {anchor.number}"
        if anchor.number != number:
            return [*faults, f"anchor {number} is missing"]
        if anchor.previous != previous:
            faults.append(f"{name} does not follow the one before it")
        tree.follow(anchor)
        if tree.root != anchor.root or len(tree) != anchor.size:
            faults.append(f"the heads of {name} are not those that were signed")
        signed = SIGNED_AS + encode_anchor(anchor)
        if not keys.is_signed(signed, signature=anchor.signature, public_key=anchor.public_key):
            faults.append(f"{name} is not signed by the key that it names")
        if number == 1 and trusted and anchor.public_key not in trusted:
            faults.append(f"{name} is signed by {anchor.public_key.hex()}, which is none of the keys you trust")
        if key and anchor.public_key != key and anchor.public_key not in trusted:
            endorsed = ENDORSED_AS + anchor.public_key
            if not keys.is_signed(endorsed, signature=anchor.endorsement, public_key=key):
                new = f"a new key, {anchor.public_key.hex()}, that the one before it did not endorse"
                faults.append(f"{name} is signed by {new}")
        previous, key = hash_anchor(anchor), anchor.public_key
    return faults


def find_wiped(anchored: Mapping[CompanyId, Mapping[int, bytes]], there: Collection[CompanyId]) -> list[str]:
    """Which anchored chains are gone whole, so that not even a head is left."""
    return [
        f"the chain of {company_id!r} is gone: an anchor knows {max(heads)} entries, and not even its head is left"
        for company_id, heads in sorted(anchored.items())
        if company_id not in there
    ]
