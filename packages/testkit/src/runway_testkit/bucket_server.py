"""A bucket over HTTP on this machine: as much of the S3 protocol as creating, reading and listing objects takes.

Signatures are not looked at; what is put must carry its checksum, as a bucket with object lock wants it. `objects` may
be changed by tests, as by somebody who owns the bucket.
"""

import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from hashlib import md5, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

_AT_MOST = 2
"""So few objects a page, that listing meets more than one."""


class BucketServer:
    """One store with buckets that exist when they are named."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}  # by `bucket/key`
        self.calls: list[tuple[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._make_handler())

    @property
    def endpoint(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def serving(self) -> Iterator["BucketServer"]:
        """Answer for the length of a block."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def _make_handler(self) -> type[BaseHTTPRequestHandler]:
        held = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                """Nothing is printed."""

            def do_PUT(self) -> None:
                name = unquote(urlsplit(self.path).path).lstrip("/")
                content = self.rfile.read(int(self.headers["Content-Length"]))
                held.calls.append(("PUT", name))
                checksum = b64encode(sha256(content).digest()).decode()
                if self.headers.get("x-amz-checksum-sha256") != checksum:
                    self._answer(400, b"<Error><Code>InvalidRequest</Code></Error>")
                    return
                if self.headers.get("If-None-Match") == "*" and name in held.objects:
                    self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
                    return
                held.objects[name] = content
                self._answer(200, b"", tag=content)

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                name, asked = unquote(parts.path).lstrip("/"), parse_qs(parts.query)
                held.calls.append(("GET", name))
                if "list-type" in asked:
                    self._answer(200, held.list_page(name.rstrip("/"), {key: one[0] for key, one in asked.items()}))
                elif name in held.objects:
                    self._answer(200, held.objects[name], tag=held.objects[name])
                else:
                    self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

            def _answer(self, status: int, body: bytes, *, tag: bytes = b"") -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("ETag", f'"{md5(tag).hexdigest()}"')
                self.send_header("Last-Modified", formatdate(0, usegmt=True))
                self.end_headers()
                self.wfile.write(body)

        return Handler

    def list_page(self, bucket: str, asked: dict[str, str]) -> bytes:
        """One page of the objects of a bucket behind a name, by name."""
        after = asked.get("continuation-token") or asked.get("start-after", "")
        names = sorted(name.removeprefix(f"{bucket}/") for name in self.objects if name.startswith(f"{bucket}/"))
        found = [name for name in names if name.startswith(asked.get("prefix", "")) and name > after]
        page = found[:_AT_MOST]
        rows = "".join(
            f"<Contents><Key>{escape(name)}</Key><LastModified>1970-01-01T00:00:00.000Z</LastModified><ETag>e</ETag>"
            f"<Size>{len(self.objects[f'{bucket}/{name}'])}</Size></Contents>"
            for name in page
        )
        more = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if len(found) > len(page) else ""
        cut = "true" if more else "false"
        return f"<ListBucketResult><IsTruncated>{cut}</IsTruncated>{more}{rows}</ListBucketResult>".encode()
