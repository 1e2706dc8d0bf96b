"""Calls that may be sent again under the same key, and the answers that are given again."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from runway_core.domain.identity import FirmId


class CallKey(NamedTuple):
    """What a caller names a call by."""

    firm_id: FirmId
    caller: str  # the id of the API key; empty where nobody signs in
    key: str


class ClaimState(StrEnum):
    """How a call stands that is sent under a key."""

    MINE = "mine"  # nobody answered it: whoever asked does
    RUNNING = "running"  # somebody is at it
    ANSWERED = "answered"
    OTHER = "other"  # the key names another call


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer as it left."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """What was found under a key."""

    state: ClaimState
    answer: KeptAnswer | None = None  # of one that was answered
