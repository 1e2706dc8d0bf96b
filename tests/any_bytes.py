"""What may come from outside: bytes of any kind, JSON of any shape, and payloads of which something was changed."""

import json
from typing import Any

from hypothesis import strategies as st

_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**30, -(2**63), 10**400, -1, 0, 253402300800, 1e308, float("inf"), float("nan")])
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["\x00", "\ud800", "2026-02-30", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "1e999"]
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)

_ODD = [
    b"",
    b"null",
    b"[]",
    b"{}",
    b'"',
    b"\x00",
    b"\xef\xbb\xbf{}",
    b'{"id":"\xff"}',
    b"[" * 50_000,
    b'{"a":' * 50_000,
    b"<html>503</html>",
    b"1" * 5000,
    b'{"id":1e999999}',
    b'{"id":"a","id":"b"}',
]

json_values = _VALUES


def write(value: Any) -> bytes:
    """JSON as lax writers write it, endless numbers and halves of characters included."""
    return json.dumps(value).encode()


@st.composite
def changed(draw: st.DrawFn, sample: Any) -> Any:
    """A payload of which one member, anywhere, is another value or gone."""
    if isinstance(sample, dict) and sample:
        name = draw(st.sampled_from(sorted(sample)))
        rest = {key: value for key, value in sample.items() if key != name}
        match draw(st.sampled_from(["deeper", "other", "gone"])):
            case "gone":
                return rest
            case "other":
                return {**rest, name: draw(_VALUES)}
            case _:
                return {**rest, name: draw(changed(sample[name]))}
    if isinstance(sample, list) and sample:
        at = draw(st.integers(0, len(sample) - 1))
        return [*sample[:at], draw(changed(sample[at])), *sample[at + 1 :]]
    return draw(_VALUES)


@st.composite
def spliced(draw: st.DrawFn, whole: bytes) -> bytes:
    """A body that was cut off, or into which bytes got."""
    at = draw(st.integers(0, len(whole)))
    return whole[:at] + draw(st.binary(max_size=4)) + whole[at + draw(st.integers(0, 8)) :]


def bodies(*samples: Any) -> st.SearchStrategy[bytes]:
    """Anything in place of these payloads."""
    texts = [write(sample) for sample in samples]
    return (
        st.sampled_from(_ODD)
        | st.binary(max_size=60)
        | st.builds(write, _VALUES)
        | st.sampled_from(samples).flatmap(lambda sample: st.builds(write, changed(sample)))
        | st.sampled_from(texts).flatmap(spliced)
    )


def documents(*samples: Any) -> st.SearchStrategy[bytes]:
    """JSON objects in place of these payloads: what is left once an answer was read."""
    return st.builds(
        write, st.sampled_from(samples).flatmap(changed) | st.dictionaries(st.text(max_size=6), _VALUES, max_size=4)
    )
