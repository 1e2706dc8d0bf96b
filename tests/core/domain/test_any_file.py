"""Files of the log that somebody else may have written are read, or refused in one way; entries of a table too."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.domain.anchors import Anchor, AnchorLeaf, read_anchor, write_anchor
from runway_core.domain.changes import Attribution, Cause
from runway_core.domain.identity import CompanyId
from runway_core.domain.log_archive import encode_said, read_manifest, write_manifest
from runway_core.domain.log_entry import (
    ChainHead,
    LogDraft,
    StoredEntry,
    decode_entry,
    read_copies,
    read_place,
    seal_entries,
)
from runway_core.domain.log_files import read_file, write_end, write_entries, write_start

from tests.any_bytes import bodies, spliced

ACME = CompanyId("acme")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BY = Attribution(cause=Cause.PULL, actor="runway", correlation_id="run-1")
SEALED, HEAD = seal_entries(ACME, ChainHead(), [LogDraft(NOON, "qbo", "bill", "1", "created", BY, content=b"{}")] * 3)
ENTRY = SEALED[0].canonical
STORED = [StoredEntry(e.sequence, e.previous_hash, e.hash, e.canonical, *read_copies(e.canonical)) for e in SEALED]
FILE = write_start(ACME, ChainHead()) + write_entries(STORED) + write_end(HEAD)
ANCHOR = write_anchor(
    Anchor(
        number=1, made_at=NOON, previous=bytes(32), root=bytes(32), size=1, public_key=bytes(32), is_whole=True,
        leaves=(AnchorLeaf(ACME, 3, HEAD.hash),), signature=bytes(64), endorsement=b"",
    )
)  # fmt: skip
MANIFEST = write_manifest(
    encode_said(
        {"company": "acme", "first": 1, "last": 3, "last_hash": "00", "file": "a.gz", "sha256": "00", "anchor": 1}
    ),
    public_key=bytes(32),
    signature=bytes(64),
)
READERS: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "an anchor": (read_anchor, ANCHOR),
    "a manifest": (read_manifest, MANIFEST),
    "a file": (lambda body: list(read_file(body.splitlines(), ACME)), FILE),
    "an entry": (decode_entry, ENTRY),
    "what stands beside an entry": (read_copies, ENTRY),
    "whose an entry is": (read_place, ENTRY),
}


@pytest.mark.parametrize("of", READERS)
@given(data=st.data())
def test_any_bytes_are_read_or_are_a_value_error(of: str, data: st.DataObject) -> None:
    read, whole = READERS[of]
    body = data.draw(spliced(whole) | st.binary(max_size=120) | bodies({"runway_anchor": 1}, {"signed": "e30="}))

    read(whole)
    with suppress(ValueError):
        read(body)
