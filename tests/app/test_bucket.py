"""Anchors and archived months in a bucket: an S3-compatible store over HTTP, real but for its disks."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from runway_app_http.bucket import BucketAnchorSink, BucketCopies, open_bucket
from runway_app_http.log_archive import copy_pieces
from runway_core.domain.anchors import hash_anchor
from runway_core.errors import InvalidRequest, LogBroken, StoreUnavailable
from runway_store_sql import SqlStore
from runway_testkit.bucket_server import BucketServer
from runway_testkit.store_desk import make_bill

from tests.store.archive_desk import BILL, SECRET_KEY, ArchiveDesk, history


@pytest.fixture
def server() -> Iterator[BucketServer]:
    with BucketServer().serving() as server:
        yield server


def make_sink(server: BucketServer, address: str = "s3://vault/anchors") -> BucketAnchorSink:
    return BucketAnchorSink(
        open_bucket(address, endpoint=server.endpoint, key_id=SecretStr("id"), key_secret=SecretStr("secret"))
    )


def make_copies(server: BucketServer) -> BucketCopies:
    return BucketCopies(
        open_bucket("s3://vault/log", endpoint=server.endpoint, key_id=SecretStr("id"), key_secret=SecretStr("secret"))
    )


async def test_anchors_are_created_in_order_and_held_to_the_chains(server: BucketServer, tmp_path: Path) -> None:
    desk = ArchiveDesk(f"sqlite:///{tmp_path / 'books.db'}", tmp_path, sinks=[make_sink(server)])
    async with desk.runway:
        await desk.desk.open()
        for revision in range(5):
            await desk.desk.put(make_bill(revision=revision))
            desk.clock.advance(timedelta(minutes=15))
            await desk.runway.anchors.anchor_due()
        found = await desk.runway.anchors.verify([desk.id])
        kept = await desk.store.anchors.anchors()
        outside = await make_sink(server).anchors(after=2)

    assert found.is_sound
    assert sorted(server.objects) == [f"vault/anchors/anchor-{number:09d}.json" for number in range(1, 6)]
    assert [hash_anchor(anchor) for anchor in outside] == [hash_anchor(anchor) for anchor in kept[2:]]
    assert (found.anchors, await make_sink(server).last_number()) == (5, 5)


async def test_an_anchor_in_the_bucket_is_never_replaced(server: BucketServer, tmp_path: Path) -> None:
    desk = ArchiveDesk(f"sqlite:///{tmp_path / 'books.db'}", tmp_path, sinks=[make_sink(server)])
    async with desk.runway:
        await desk.desk.open()
        await desk.runway.anchors.anchor()
        [first] = await desk.store.anchors.anchors()
        await make_sink(server).put(first)  # the same again
        key = "vault/anchors/anchor-000000001.json"
        server.objects[key] = server.objects[key].replace(b'"size":1', b'"size":2')
        altered = dict(server.objects)
        with pytest.raises(LogBroken, match="is another anchor than the database's"):
            await make_sink(server).put(first)
        found = await desk.runway.anchors.verify([desk.id])

    assert server.objects == altered
    assert any("s3://vault/anchors" in fault for fault in found.faults)


async def test_the_newest_anchor_is_found_without_listing_all(server: BucketServer, tmp_path: Path) -> None:
    sink = make_sink(server)
    desk = ArchiveDesk(f"sqlite:///{tmp_path / 'books.db'}", tmp_path, sinks=[sink])
    async with desk.runway:
        await desk.desk.open()
        for revision in range(7):
            await desk.desk.put(make_bill(revision=revision))
            await desk.runway.anchors.anchor()
        server.calls.clear()
        number = await sink.last_number()

    assert number == 7
    assert len(server.calls) == 1  # the first time there were four pages


async def test_a_month_that_is_in_the_bucket_alone_is_fetched_when_it_is_read(
    server: BucketServer, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'books.db'}"
    desk = ArchiveDesk(url, tmp_path)
    async with desk.runway:
        await desk.put_months(3)
        told = await history(desk)
        gone = await desk.detach()
        for _ in range(2):
            copy_pieces(desk.folder, desk.id, make_copies(server))
    shutil.rmtree(desk.folder)
    store = SqlStore(url, secret_key=SECRET_KEY, log_archive=desk.folder, archive_copies=make_copies(server))
    async with store:
        entries = [entry.draft async for entry in store.log.entries(desk.id)]
        again = [entry.draft for entry in await store.log.history(desk.id, BILL)]

    assert len([name for name in server.objects if name.endswith(".jsonl.gz")]) == len(gone) == 3
    assert again == told
    assert len(entries) == 17
    assert sorted(path.name for path in desk.folder.iterdir()) == sorted(piece.file for piece in gone)


async def test_a_month_that_the_bucket_lost_or_altered_is_named(server: BucketServer, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'books.db'}"
    desk = ArchiveDesk(url, tmp_path)
    async with desk.runway:
        await desk.put_months(2)
        gone = await desk.detach()
        copy_pieces(desk.folder, desk.id, make_copies(server))
        server.objects[f"vault/log/{gone[0].file}"] += b"x"
        with pytest.raises(LogBroken, match="is another file"):
            copy_pieces(desk.folder, desk.id, make_copies(server))
    shutil.rmtree(desk.folder)
    del server.objects[f"vault/log/{gone[1].file}"]
    async with SqlStore(
        url, secret_key=SECRET_KEY, log_archive=desk.folder, archive_copies=make_copies(server)
    ) as store:
        with pytest.raises(LogBroken, match="is not the file that was archived"):
            await store.log.history(desk.id, BILL)
        (desk.folder / gone[0].file).unlink()
        server.objects[f"vault/log/{gone[0].file}"] = server.objects[f"vault/log/{gone[0].file}"][:-1]
        with pytest.raises(StoreUnavailable, match=gone[1].file):
            await store.log.history(desk.id, BILL)


async def test_a_bucket_that_does_not_answer_says_what_to_look_at(tmp_path: Path) -> None:
    with BucketServer().serving() as gone:
        sink = make_sink(gone)
    with pytest.raises(StoreUnavailable, match="RUNWAY_BUCKET_ENDPOINT"):
        await sink.last_number()
    with pytest.raises(InvalidRequest, match="s3://bucket"):
        open_bucket("vault")
