"""A bucket of an S3-compatible store: anchors are written to it, and archived months are copied there.

Objects are only ever created (`If-None-Match: *`), never replaced. A bucket with object lock, and a key that may only
put and read, is a place that the database's owner cannot rewrite.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store
from pydantic import SecretStr
from runway_core.domain.anchors import Anchor, read_anchor, write_anchor
from runway_core.errors import InvalidRequest, LogBroken, StoreUnavailable

_PREFIX = "anchor-"
_AT_ONCE = 16
_TIMEOUTS = {"connect_timeout": "5s", "timeout": "60s"}
_CHUNK = 1 << 20


def open_bucket(
    address: str,
    *,
    endpoint: str | None = None,
    region: str | None = None,
    key_id: SecretStr | None = None,
    key_secret: SecretStr | None = None,
) -> S3Store:
    """The objects below an address such as `s3://bucket/runway`; nothing is asked yet.

    Without a key, the machine's own is used, as Amazon's programs find it.

    Raises:
        InvalidRequest: the address is none of a bucket.
    """
    if not address.startswith("s3://"):
        raise InvalidRequest(f"{address!r} is no address of a bucket: write 's3://bucket' or 's3://bucket/folder'")
    given: dict[str, Any] = {
        "checksum_algorithm": "SHA256",  # a bucket with object lock takes nothing without one
        "endpoint": endpoint,
        "region": region,
        "access_key_id": None if key_id is None else key_id.get_secret_value(),
        "secret_access_key": None if key_secret is None else key_secret.get_secret_value(),
    }
    timeouts: Any = {**_TIMEOUTS, "allow_http": endpoint is not None and endpoint.startswith("http://")}
    try:
        return S3Store.from_url(
            address,
            client_options=timeouts,
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=30)},
            **{name: value for name, value in given.items() if value is not None},
        )
    except (BaseError, ValueError) as error:
        raise InvalidRequest(f"{address!r} cannot be used as a bucket: {error}") from error


def name_of(bucket: S3Store) -> str:
    """What people call a bucket: its address."""
    return f"s3://{bucket.config['bucket']}{f'/{bucket.prefix}' if bucket.prefix else ''}"


@contextmanager
def _asked(name: str) -> Iterator[None]:
    """Say in one line what is wrong with a bucket, and what to do."""
    try:
        yield
    except (BaseError, OSError) as error:
        said = " ".join(str(error).split())[:200]
        remedy = "check its address, RUNWAY_BUCKET_ENDPOINT and the key"
        raise StoreUnavailable(f"the bucket {name!r} does not answer, or refuses ({said}): {remedy}") from error


class BucketAnchorSink:
    """Anchors as objects of a bucket, one each, created once."""

    def __init__(self, bucket: S3Store) -> None:
        self._bucket = bucket
        self._last = 0  # the newest that was seen: those behind it are asked for alone

    @property
    def name(self) -> str:
        """The bucket's address."""
        return name_of(self._bucket)

    async def put(self, anchor: Anchor) -> None:
        """Write an anchor that it does not hold; the same one again is harmless."""
        document, key = write_anchor(anchor) + b"\n", _key(anchor.number)
        with _asked(self.name):
            try:
                await self._bucket.put_async(key, document, mode="create")
            except AlreadyExistsError:
                if await self._read(key) != document:
                    said = f"{key!r} of {self.name!r} is another anchor than the database's"
                    raise LogBroken(f"{said}: one of them was rewritten") from None

    async def anchors(self, *, after: int = 0) -> Sequence[Anchor]:
        """What it holds after a number, in order."""
        with _asked(self.name):
            numbers = await self._numbers(after)
            documents: list[bytes] = []
            for start in range(0, len(numbers), _AT_ONCE):
                some = numbers[start : start + _AT_ONCE]
                documents += await asyncio.gather(*(self._read(_key(number)) for number in some))
        try:
            return [read_anchor(document) for document in documents]
        except ValueError as error:
            raise LogBroken(f"an anchor in {self.name!r} cannot be read ({error}): it was altered") from error

    async def last_number(self) -> int:
        """The number of the newest anchor it holds; nil when it is empty."""
        with _asked(self.name):
            self._last = max(await self._numbers(self._last), default=self._last)
        return self._last

    async def _read(self, key: str) -> bytes:
        found = await self._bucket.get_async(key)
        return bytes(await found.bytes_async())

    async def _numbers(self, after: int) -> list[int]:
        names: list[str] = []
        async for objects in self._bucket.list(offset=_key(after), chunk_size=1_000):
            names += [found["path"] for found in objects]
        digits = [name.removeprefix(_PREFIX).removesuffix(".json") for name in names if name.startswith(_PREFIX)]
        return sorted(int(number) for number in digits if number.isdigit() and int(number) > after)


def _key(number: int) -> str:
    return f"{_PREFIX}{number:09d}.json"


class BucketCopies:
    """Files of the archive as objects of a bucket, each created once."""

    def __init__(self, bucket: S3Store) -> None:
        self._bucket = bucket

    @property
    def name(self) -> str:
        """The bucket's address."""
        return name_of(self._bucket)

    def put(self, file: Path) -> None:
        """Keep a file under its name; the same one again is harmless."""
        with _asked(self.name):
            try:
                self._bucket.put(file.name, file, mode="create", use_multipart=False)
            except AlreadyExistsError:
                held = self._bucket.get(file.name).bytes()
                if bytes(held) != file.read_bytes():
                    raise LogBroken(f"{file.name!r} of {self.name!r} is another file than {str(file)!r}") from None

    def names(self) -> frozenset[str]:
        """The names of all files that it holds."""
        with _asked(self.name):
            return frozenset(found["path"] for some in self._bucket.list(chunk_size=1_000) for found in some)

    def fetch(self, name: str, to: Path) -> bool:
        """Write a file of that name to a path; false where it holds none."""
        with _asked(self.name):
            try:
                found = self._bucket.get(name)
            except FileNotFoundError:
                return False
            with to.open("wb") as file:
                for chunk in found.stream(min_chunk_size=_CHUNK):
                    file.write(chunk)
        return True
