"""Versions of working papers over HTTP: told as `ETag`, demanded with `If-Match`."""

import hashlib
import re
from typing import Annotated

from fastapi import Depends, Header
from runway_core.domain.findings import TrackedFinding
from runway_core.domain.papers import WorkingPaper
from runway_core.domain.record import encode_plain
from runway_core.errors import InvalidRequest

_TAG = re.compile(r'(?:W/)?"?(\d{1,9})"?')


def tag_of(paper: WorkingPaper) -> dict[str, str]:
    """The header that tells a paper's version."""
    return {"ETag": f'"{paper.version}"'}


def _read_if_match(
    if_match: Annotated[
        str | None,
        Header(
            max_length=100,
            description="The `ETag` that the change was thought out on; answered 412 when it is no longer so.",
        ),
    ] = None,
) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    found = _TAG.fullmatch(if_match.strip())
    if found is None:
        raise InvalidRequest(f"If-Match {if_match!r} is no version: send the ETag as it came")
    return int(found[1])


IfMatch = Annotated[int | None, Depends(_read_if_match)]
"""The version that a change is made on; `None` takes the paper as it stands."""


def tag_of_finding(tracked: TrackedFinding) -> str:
    """What tells one decision about a finding from another: findings have no version, and reading them changes none."""
    decided = [tracked.state, tracked.reason, tracked.snoozed_until, tracked.decided_by, tracked.decided_at]
    return hashlib.sha256(encode_plain(decided)).hexdigest()[:16]


def _read_decision_tag(
    if_match: Annotated[
        str | None,
        Header(
            max_length=100,
            description="The `ETag` that the decision was thought out on; answered 412 when it is no longer so.",
        ),
    ] = None,
) -> str | None:
    if if_match is None or if_match.strip() == "*":
        return None
    return if_match.strip().removeprefix("W/").strip('"')


IfDecision = Annotated[str | None, Depends(_read_decision_tag)]
"""The decision that a change of it is made on; `None` takes the finding as it stands."""
