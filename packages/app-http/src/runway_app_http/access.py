"""What every route asks for: the `Runway` behind the app, a company of the firm, and the filters of a portfolio."""

import re
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator
from runway_core.domain.findings import FindingState, Severity
from runway_core.domain.identity import CompanyId
from runway_core.domain.position import PositionStatus
from runway_core.errors import NotFound
from runway_core.experiences.portfolio import PortfolioQuery, PortfolioSort
from runway_core.experiences.tray import TrayQuery
from runway_core.runway import Runway
from starlette.requests import Request

from runway_app_http.digest_sending import DigestSender
from runway_app_http.firm_digest_sending import FirmDigestWriter
from runway_app_http.gate import visitor_of
from runway_app_http.moments import read_known_at

_ID = re.compile(r"[\x21-\x7e]{1,128}")


async def get_runway(request: Request) -> Runway:
    """The open `Runway` as whoever asks may use it. Async, because a plain function would go through a thread."""
    return visitor_of(request).runway


async def get_sender(request: Request) -> DigestSender:
    """What sends digests."""
    sender: DigestSender = request.app.state.digest_sender
    return sender.for_runway(visitor_of(request).runway)


async def get_daily_writer(request: Request) -> FirmDigestWriter:
    """What lays the firm's daily digest out."""
    writer: FirmDigestWriter = request.app.state.write_daily
    return writer


DailyWriterOfApp = Annotated[FirmDigestWriter, Depends(get_daily_writer)]
"""Lays the firm's daily digest out."""

SenderOfApp = Annotated[DigestSender, Depends(get_sender)]
"""Sends digests."""

RunwayOfApp = Annotated[Runway, Depends(get_runway)]
"""The facade; the app calls nothing else."""


def require_id(text: str, what: str) -> str:
    """Take an id from an address; what can be nobody's id is not found, and never reaches the database.

    Raises:
        NotFound: it is empty, longer than 128 characters, or holds blanks or control characters.
    """
    if _ID.fullmatch(text) is None:
        raise NotFound(f"no {what} {text[:40]!r}")
    return text


async def _company_id(
    company_id: Annotated[str, Path(description="The company's id, as `/v1/companies` lists it.")],
) -> Any:
    return CompanyId(require_id(company_id, "company"))


CompanyInPath = Annotated[CompanyId, Depends(_company_id)]
"""The company that the address names. Whether the firm has it, the facade says."""

_SORTS = "|".join(sort.value for sort in PortfolioSort)
_STATES = "|".join(state.value for state in FindingState)


def forget_empty(given: Any) -> Any:
    """Drop what a form sends empty."""
    if isinstance(given, dict):
        return {name: value for name, value in given.items() if value not in ("", None)}
    return given


class PortfolioParams(BaseModel):
    """The portfolio's filters as they stand in an address. Empty ones, as forms send them, count as absent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: PositionStatus | None = Field(None, description="Only companies of this status.")
    owner: str | None = Field(None, max_length=200, description="Only companies that this person looks after.")
    tag: str | None = Field(None, max_length=200, description="Only companies with this tag.")
    search: str | None = Field(None, max_length=200, description="Part of the name, whatever its case.")
    runway_below: int | None = Field(None, ge=0, le=10_000, description="Fewer days of runway than this.")
    older_than_hours: int | None = Field(None, ge=0, le=100_000, description="Data older than this, or never read.")
    no_digest_for_days: int | None = Field(
        None, ge=0, le=10_000, description="No digest was sent for as many days, or none ever."
    )
    has_critical: bool = Field(False, description="Only companies with a critical finding.")
    sort: str = Field(
        PortfolioSort.ATTENTION.value,
        pattern=f"^-?({_SORTS})$",
        description="The column to order by; a leading `-` turns the order round.",
    )
    limit: int = Field(100, ge=1, le=100, description="At most so many rows.")
    cursor: str | None = Field(None, max_length=200, description="`next_cursor` of the page before.")

    as_of: str | None = Field(
        None, max_length=40, description="As Runway knew it at this moment, or at the end of this day (UTC)."
    )

    @model_validator(mode="before")
    @classmethod
    def _forget_empty(cls, given: Any) -> Any:
        return forget_empty(given)

    def to_query(self) -> PortfolioQuery:
        """What the portfolio is asked."""
        values = self.model_dump(exclude={"sort", "as_of"})
        return PortfolioQuery(
            **values, sort=PortfolioSort(self.sort.removeprefix("-")), descending=self.sort.startswith("-")
        )

    def to_address(self, **changes: object) -> dict[str, str]:
        """The filters that differ from the defaults, with `changes`, in the form of an address; `None` drops one."""
        held = self.model_dump(mode="json", exclude_defaults=True) | changes
        return {
            name: "true" if value is True else str(value)
            for name, value in held.items()
            if value not in (None, False, "")
        }


class ForgivingPortfolioParams(PortfolioParams):
    """The same for pages: a stray word in a link that somebody mailed is no reason for an error."""

    model_config = ConfigDict(extra="ignore", frozen=True)


PortfolioFilters = Annotated[PortfolioParams, Query()]
PageFilters = Annotated[ForgivingPortfolioParams, Query()]


class TrayParams(BaseModel):
    """The tray's filters as they stand in an address. `state` is a list with commas, or `all`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    state: str | None = Field(None, pattern=f"^(all|({_STATES})(,({_STATES}))*)$", description="By default open,asked.")
    severity: Severity | None = Field(None, description="Only findings of this severity.")
    check: str | None = Field(None, max_length=20, description="Only findings of this check, such as AP06.")

    @model_validator(mode="before")
    @classmethod
    def _forget_empty(cls, given: Any) -> Any:
        return forget_empty(given)

    def to_query(self) -> TrayQuery:
        """What the tray is asked."""
        if self.state is None:
            return TrayQuery(severity=self.severity, check=self.check)
        states = FindingState if self.state == "all" else (FindingState(word) for word in self.state.split(","))
        return TrayQuery(states=frozenset(states), severity=self.severity, check=self.check)

    def to_address(self, **changes: object) -> dict[str, str]:
        """The filters that differ from the defaults, with `changes`, in the form of an address; `None` drops one."""
        held = self.model_dump(mode="json", exclude_defaults=True) | changes
        return {name: str(value) for name, value in held.items() if value not in (None, "")}


TrayFilters = Annotated[TrayParams, Query()]

AsOf = Annotated[
    str | None,
    Query(
        alias="as_of",
        max_length=40,
        description="As Runway knew it at this moment, or at the end of this day where the company is: "
        "rebuilt from the log.",
        examples=["2026-03-31"],
    ),
]
"""A past moment that is asked about, as text."""


async def _known_at(company_id: CompanyInPath, runway: RunwayOfApp, as_of: AsOf = None) -> datetime | None:
    company = await runway.companies.get(company_id, or_erased=True)
    return read_known_at(as_of, now=runway.scope.clock.now(), company=company)


KnownAt = Annotated[datetime | None, Depends(_known_at)]
"""The same as a moment, of one company."""
