"""Records in little room: packed by the example of others of their kind, one takes a sixth of its size.

Those of one kind share their names and most of their values. The books of a hundred companies would take most of the
sandbox's memory otherwise.
"""

import zlib
from collections import defaultdict

MODEL_BYTES = 8_192
_WINDOW = -13  # no header; 8 KB, as long as the model is
_MEMORY = 6


class Press:
    """Packs the records of one kind. The first ones are kept as they are: they become the model for all others.

    Many threads may use it: each packed record comes with the model that it was packed by.
    """

    def __init__(self) -> None:
        self._seen = b""
        self._ready: tuple[bytes, zlib._Compress] | None = None

    def pack(self, wire: bytes) -> tuple[bytes, bytes]:
        """A record packed, and the model to unpack it by; without a model it is as it was."""
        if self._ready is None:
            self._seen += wire
            if len(self._seen) >= MODEL_BYTES:
                model = self._seen[:MODEL_BYTES]
                self._ready = model, zlib.compressobj(1, wbits=_WINDOW, memLevel=_MEMORY, zdict=model)
            return wire, b""
        model, ready = self._ready
        press = ready.copy()  # half the cost of reading the model anew
        return press.compress(wire) + press.flush(), model


def unpack(packed: bytes, model: bytes) -> bytes:
    """What was packed by a model."""
    return zlib.decompressobj(_WINDOW, zdict=model).decompress(packed) if model else packed


PRESSES: defaultdict[str, Press] = defaultdict(Press)
"""The press of each kind: companies share it, for their records are alike."""
