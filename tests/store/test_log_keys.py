"""Keys that sign the log change in the open: endorsed by the one before, or not and said so, never by themselves."""

import base64
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from runway_core.domain.anchors import SIGNED_AS, encode_anchor
from runway_core.domain.identity import FirmId
from runway_core.errors import InvalidRequest, StoreUnavailable
from runway_core.runway import Runway
from runway_store_sql import FolderAnchorSink, SqlStore
from runway_testkit.clock import FixedClock
from runway_testkit.store_desk import START, StoreDesk, make_bill
from sqlalchemy import text

SECRET_KEY = "a key for tests alone, of 32 characters and more"

Open = Callable[..., AbstractAsyncContextManager[Runway]]


def make_key(number: int) -> SecretStr:
    return SecretStr(base64.b64encode(bytes([number]) * 32).decode())


@pytest.fixture
def open_runway(tmp_path: Path) -> Open:
    """Open the same database as a process would that has these keys; its chain moves a little and time goes on."""
    clock = FixedClock(START)

    @asynccontextmanager
    async def opened(*, key: int | None = None, before: int | None = None) -> AsyncIterator[Runway]:
        store = SqlStore(
            f"sqlite:///{tmp_path / 'books.db'}",
            secret_key=SECRET_KEY,
            log_key=None if key is None else make_key(key),
            log_key_before=None if before is None else make_key(before),
            clock=clock,
        )
        sink = FolderAnchorSink(tmp_path / "anchors")
        runway = Runway.open(store=store, rails=[], clock=clock, firm_id=FirmId("own"), anchor_sinks=[sink])
        async with runway:
            clock.advance(timedelta(hours=1))
            desk = StoreDesk(store)
            if await runway.companies.list():
                await desk.reopen()
            else:
                await desk.open()
            await desk.put(make_bill(memo=clock.now().isoformat()))
            yield runway

    return opened


async def find_faults(runway: Runway, *, trusted: tuple[bytes, ...] = ()) -> tuple[str, ...]:
    return (await runway.anchors.verify([], trusted=trusted)).faults


async def test_a_key_from_outside_is_changed_with_the_word_of_the_one_before(open_runway: Open) -> None:
    async with open_runway(key=1) as runway:
        await runway.anchors.anchor()
    async with open_runway(key=2, before=1) as runway:
        new = await runway.anchors.rotate_key()
    async with open_runway(key=2) as runway:
        anchor = await runway.anchors.anchor()

        assert anchor.public_key == new.public_key
        assert new.endorsement
        assert await find_faults(runway) == ()


async def test_a_sealed_key_vouches_for_the_first_one_from_outside(open_runway: Open) -> None:
    async with open_runway() as runway:
        await runway.anchors.anchor()
    async with open_runway(key=1) as runway:
        new = await runway.anchors.rotate_key()

        assert new.endorsement
        assert await find_faults(runway) == ()


async def test_setting_another_key_changes_none(open_runway: Open) -> None:
    async with open_runway(key=1) as runway:
        await runway.anchors.anchor()
    async with open_runway(key=2) as runway:
        with pytest.raises(InvalidRequest, match="RUNWAY_LOG_KEY_BEFORE"):
            await runway.anchors.anchor()
        with pytest.raises(StoreUnavailable, match="set it as RUNWAY_LOG_KEY, or RUNWAY_LOG_KEY_BEFORE"):
            await runway.anchors.rotate_key()

        assert len(await runway.anchors.keys()) == 1
        assert await find_faults(runway) == ()


async def test_a_key_that_signed_before_does_not_come_back(open_runway: Open) -> None:
    async with open_runway(key=1) as runway:
        await runway.anchors.anchor()
        with pytest.raises(InvalidRequest, match="it signed already"):
            await runway.anchors.rotate_key()


async def test_a_lost_key_is_left_on_demand_and_the_break_is_told_once_until_the_new_key_is_trusted(
    open_runway: Open,
) -> None:
    async with open_runway(key=1) as runway:
        first = (await runway.anchors.anchor()).public_key
    async with open_runway() as runway:
        with pytest.raises(StoreUnavailable, match="--unendorsed"):
            await runway.anchors.rotate_key()
        second = (await runway.anchors.rotate_key(unendorsed=True)).public_key
    async with open_runway() as runway:
        third = (await runway.anchors.rotate_key()).public_key
        [said] = await find_faults(runway)

        assert f"a new key, {second.hex()}, that the one before it did not endorse" in said
        assert await find_faults(runway, trusted=(first, second)) == ()
        assert len(await find_faults(runway, trusted=(third,))) == 2  # nobody trusts the first, and the break


async def test_a_rotation_that_was_cut_short_before_its_anchor_breaks_nothing(open_runway: Open) -> None:
    """Killed between the new key and the anchor that shows its endorsement, then rotated again."""
    async with open_runway(key=1) as runway:
        await runway.anchors.anchor()
    async with open_runway(key=2, before=1) as runway:
        await runway.scope.store.log_keys.rotate(START)
    async with open_runway(key=3, before=2) as runway:
        await runway.anchors.rotate_key()

        assert len({anchor.public_key for anchor in await runway.scope.store.anchors.anchors()}) == 3
        assert await find_faults(runway) == ()


async def test_a_sealed_key_that_was_altered_stops_no_rotation_that_is_asked_for(open_runway: Open) -> None:
    async with open_runway() as runway:
        await runway.anchors.anchor()
        store = runway.scope.store
        assert isinstance(store, SqlStore)
        alter = text("UPDATE log_keys SET sealed_key = X'00112233445566778899AABBCCDDEEFF00112233445566778899'")
        await store.database.write(lambda connection: connection.execute(alter))
        with pytest.raises(StoreUnavailable, match=r"was altered.*rotate-key --unendorsed"):
            await runway.anchors.rotate_key()
        new = await runway.anchors.rotate_key(unendorsed=True)

        assert new.endorsement == b""
        assert [key.public_key for key in await runway.anchors.keys()][1:] == [new.public_key]
        assert await store.rotate_secrets() == 0  # the old one is no obstacle


async def test_an_anchor_is_signed_by_the_key_that_it_names_though_another_came_meanwhile(open_runway: Open) -> None:
    async with open_runway() as runway:
        keys = runway.scope.store.log_keys
        anchor = await runway.anchors.anchor()
        message = SIGNED_AS + encode_anchor(anchor)
        await runway.anchors.rotate_key()
        signature = await keys.sign(message, public_key=anchor.public_key)

        assert keys.is_signed(message, signature=signature, public_key=anchor.public_key)
