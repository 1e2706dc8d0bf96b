"""A receiver of webhooks, for tests over real connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Receiver:
    """A small server on loopback that keeps what it was posted, and answers as it is told."""

    answer: bytes = b"HTTP/1.1 204 No Content\r\n\r\n"
    goes_on: bool = False  # whether the answer has no end
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        headers = {name.lower(): value for name, value in headers.items()}
        self.posts.append((headers, await reader.readexactly(int(headers["content-length"]))))
        self.heard.set()
        writer.write(self.answer)
        try:
            while self.goes_on:
                writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
                await writer.drain()
            await writer.drain()
        except ConnectionError:
            pass
        writer.close()

    async def wait_for(self, count: int) -> None:
        """Until so many posts have come."""
        while len(self.posts) < count:
            self.heard.clear()
            await asyncio.wait_for(self.heard.wait(), 60)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Receiver"]:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
        async with server:
            yield self
