"""Packed records come back byte for byte, whichever were packed before them."""

from hypothesis import given
from hypothesis import strategies as st
from runway_sandbox.press import MODEL_BYTES, Press, unpack

RECORDS = st.lists(st.binary(max_size=400), max_size=40)


@given(RECORDS)
def test_what_was_packed_is_unpacked_as_it_was(records: list[bytes]) -> None:
    press = Press()
    for n in range(20):
        press.pack(b'{"Id":"%d","Line":[{"Amount":12.50}],"TotalAmt":12.50}' % n * 10)

    assert [unpack(*press.pack(record)) for record in records] == records


def test_records_of_a_kind_take_half_their_size_once_some_were_seen() -> None:
    press = Press()
    records = [
        b'{"Id":"%d","MetaData":{"CreateTime":"2026-03-%02dT09:00:00-08:00"},"TotalAmt":%d.00}' % (n, 1 + n % 28, n * 7)
        for n in range(500)
    ]
    packed = [press.pack(record) for record in records]

    assert [unpack(*one) for one in packed] == records
    assert packed[0] == (records[0], b"")
    assert sum(map(len, records[:50])) < MODEL_BYTES
    assert sum(len(one) for one, _ in packed[250:]) * 2 < sum(map(len, records[250:]))
