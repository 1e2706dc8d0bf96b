"""What bytes from outside do to whoever decodes them, named once for all rails."""

import msgspec

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""All that `msgspec` raises when bytes are not what is expected: text that is not UTF-8 and brackets without an end are
told apart from other malformed JSON there, and by no one else."""
