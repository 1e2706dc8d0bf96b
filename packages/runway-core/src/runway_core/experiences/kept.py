"""Keeping the views of large companies, so that the first look of a morning is as quick as the second.

A company of ten thousand documents takes a third of a second to read and compute. Its views are laid out right after
its position was, by whoever pulled it, and shown as long as all that they were made of is the same.
"""

import zlib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from importlib.metadata import version
from typing import TypeVar

from pydantic import ValidationError

from runway_core.domain.books import Books
from runway_core.domain.company import Connection
from runway_core.domain.identity import CompanyId
from runway_core.domain.kept_views import KeptView
from runway_core.domain.policy import DEFAULT_POLICY, Policy
from runway_core.domain.position import Position
from runway_core.domain.record import encode_plain
from runway_core.errors import StoreError
from runway_core.experiences.view import CompanyView
from runway_core.services.house_papers import HouseDesk
from runway_core.services.last_books import count_records
from runway_core.services.scope import Scope, local_day
from runway_core.sync.freshness import label_freshness

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_RELEASE = version("runway-core")  # another one may lay out other figures

View_ = TypeVar("View_", bound=CompanyView)
LayOut = Callable[[CompanyId], Awaitable[tuple[View_, Books]]]


class KeptViews:
    """Finds and keeps the views of companies from so many records on. Losing one costs time only."""

    def __init__(self, scope: Scope, *, from_records: int) -> None:
        """Smaller books are read and computed nearly as fast as a kept view is found."""
        self._scope = scope
        self._from = from_records
        self._house = HouseDesk(scope)

    async def show(self, company_id: CompanyId, shape: type[View_], lay_out: LayOut[View_]) -> View_:
        """The kept view of that shape if it still holds, with ages as of now; else a new one, which is kept.

        Raises:
            NotFound: no such company in this firm.
        """
        return await self._find(company_id, shape) or await self.keep(company_id, lay_out)

    async def keep(self, company_id: CompanyId, lay_out: LayOut[View_]) -> View_:
        """Lay out a view, and keep it where the books are large. One that cannot be written is shown all the same.

        Raises:
            NotFound: no such company in this firm.
        """
        before = await self._scope.position(company_id)  # one that is computed meanwhile makes another stamp
        view, books = await lay_out(company_id)
        if count_records(books) >= self._from:
            with suppress(StoreError):
                await self._save(view, books, before)
        return view

    async def _find(self, company_id: CompanyId, shape: type[View_]) -> View_ | None:
        kept = await self._scope.view(company_id, shape.__name__)
        now = self._scope.clock.now()
        if kept is None or now >= kept.holds_until:
            return None
        company = await self._scope.company(company_id)
        connections = await self._scope.connections(company_id)
        firm_policy = await self._house.find(Policy, DEFAULT_POLICY.paper_id)
        stamp = _stamp(
            log_sequence=(await self._scope.store.log.head(company_id)).sequence,
            as_of=local_day(now, company),
            firm_policy_version=0 if firm_policy is None else firm_policy.version,
            position=await self._scope.position(company_id),
            connections=connections,
            now=now,
        )
        if kept.stamp != stamp:
            return None
        try:
            view = shape.model_validate_json(zlib.decompress(kept.document))
        except (ValidationError, zlib.error):
            return None  # of a build whose views had other fields
        return view.model_copy(update={"books_read_at": now, "freshness": label_freshness(connections, now)})

    async def _save(self, view: CompanyView, books: Books, position: Position | None) -> None:
        company_id = books.company.company_id
        stamp = _stamp(
            log_sequence=books.log_sequence,
            as_of=books.as_of,
            firm_policy_version=books.policy.firm_version,
            position=position,
            connections=books.connections,
            now=books.read_at,
        )
        document = zlib.compress(encode_plain(view), level=1)
        kept = KeptView(self._scope.firm_id, company_id, type(view).__name__, stamp, _find_end(books), document)
        await self._scope.store.positions.save_view(kept)


def _stamp(
    *,
    log_sequence: int,
    as_of: date,
    firm_policy_version: int,
    position: Position | None,
    connections: Sequence[Connection],
    now: datetime,
) -> str:
    """All that a view is made of. Policy counts the age of what was read in whole hours, and so does this.

    What a card processor holds is told as of the day it was read. The states of connections are in the log.
    """
    computed_at = None if position is None else position.computed_at
    read = (f"{one.connection_id} {_say_age(one.source_read_at, now)}" for one in connections)
    return "; ".join(
        (_RELEASE, str(log_sequence), str(as_of), str(firm_policy_version), str(computed_at), *sorted(read))
    )


def _say_age(read_at: datetime | None, now: datetime) -> str:
    return "never" if read_at is None else f"{read_at.date()} {max(now - read_at, timedelta(0)) // _HOUR}"


def _find_end(books: Books) -> datetime:
    """When the age of a bank's balance, by the bank's own clock, is an hour more; a day where there is no bank."""
    ages = [(one.read_at, books.read_at - one.read_at) for one in books.bank_balances]
    return min((read_at + (age // _HOUR + 1) * _HOUR for read_at, age in ages), default=books.read_at + _DAY)
