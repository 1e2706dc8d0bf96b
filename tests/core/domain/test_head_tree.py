"""The tree over all heads that moves from anchor to anchor is the one that is built anew."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from runway_core.domain.anchors import Anchor, AnchorLeaf, HeadTree, compute_root, replay_leaves
from runway_core.domain.identity import CompanyId

COMPANIES = [CompanyId(name) for name in ("acme", "birch", "cedar", "dogwood", "elm", "ärle", "firm:own", "zeta", "a")]

steps = st.lists(
    st.tuples(st.booleans(), st.dictionaries(st.sampled_from(COMPANIES), st.integers(1, 3))), min_size=1, max_size=12
)


def make_anchor(number: int, moved: dict[CompanyId, int], *, is_whole: bool) -> Anchor:
    return Anchor(
        number=number,
        made_at=datetime(2026, 3, 2, tzinfo=UTC),
        previous=b"",
        root=b"",
        size=0,
        public_key=b"",
        is_whole=is_whole,
        leaves=tuple(AnchorLeaf(name, sequence, bytes([sequence]) * 32) for name, sequence in moved.items()),
    )


@given(steps=steps)
def test_a_tree_that_follows_anchors_is_the_tree_of_their_heads(steps: list[tuple[bool, dict[CompanyId, int]]]) -> None:
    tree, held = HeadTree(), dict[CompanyId, AnchorLeaf]()
    for number, (is_whole, moved) in enumerate(steps, start=1):
        anchor = make_anchor(number, moved, is_whole=is_whole)
        tree.follow(anchor)
        held = replay_leaves(held, anchor)

        assert (tree.root, len(tree)) == (compute_root(held), len(held))
