"""A process that erases a company and dies at a step of it."""

import asyncio
import os

from runway_core.domain.changes import Attribution, Cause
from runway_core.domain.identity import CompanyId, FirmId
from runway_core.runway import Runway
from runway_store_sql import SqlStore
from runway_testkit.clock import FixedClock
from runway_testkit.store_desk import START

from tests.store.archive_worker import die_at

BY_ANN = Attribution(cause=Cause.PERSON, actor="ann", correlation_id="erasure-1")
SECRET_KEY = "k" * 40


def open_runway(url: str) -> Runway:
    """The firm of a database."""
    clock = FixedClock(START)
    store = SqlStore(url, secret_key=SECRET_KEY, clock=clock)
    return Runway.open(store=store, rails=[], clock=clock, firm_id=FirmId("own"))


AFTER_COMMIT = 0
"""The place between what is committed and the cleaning of the file."""


async def erase(url: str, place: int) -> None:
    async with open_runway(url) as runway:
        if place == AFTER_COMMIT:
            await runway.scope.store.erasures.erase(FirmId("own"), CompanyId("acme"), attribution=BY_ANN, at=START)
            os._exit(9)
        die_at(place)
        await runway.erasures.erase((await runway.companies.find("Acme")).company_id, confirmed="Acme", actor="ann")


def erase_once(url: str, place: int) -> None:
    asyncio.run(erase(url, place))
