"""A real Redis on loopback, and worker processes as an operator starts them."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


class RedisServer:
    """One server with its data in a folder; it can be killed, and started again on its data."""

    def __init__(self, folder: Path) -> None:
        found = shutil.which("redis-server")
        assert found is not None, "redis-server is absent: `make test` installs it"
        self._command = found
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        settings = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self._folder), "--save", ""]
        command = [self._command, *settings, "--appendonly", "yes"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert any(b"Ready to accept connections" in line for line in self._process.stdout), "redis-server ended"

    def say(self, *words: str) -> bytes:
        """One command in Redis's own protocol."""
        sent = b"".join([f"*{len(words)}\r\n".encode(), *(f"${len(w)}\r\n{w}\r\n".encode() for w in words)])
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as line:
            line.sendall(sent)
            return line.recv(4096)

    def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    folder = tmp_path / "redis"
    folder.mkdir()
    server = RedisServer(folder)
    yield server
    server.kill()


Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start `runway …` with settings of its own; all that still runs is killed at the end, with its children."""
    running: list[subprocess.Popen[bytes]] = []
    folder = tmp_path / "desk"
    folder.mkdir()

    def begin(*words: str, **settings: str) -> subprocess.Popen[bytes]:
        held = {name: value for name, value in os.environ.items() if not name.startswith("RUNWAY_")}
        log = (folder / f"{'-'.join(words)}-{len(running)}.log").open("wb")
        process = subprocess.Popen(
            [Path(sys.executable).with_name("runway"), *words],
            cwd=folder,
            env=held | settings,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        if process.poll() is None:
            os.killpg(process.pid, 9)
            process.wait()
    if os.environ.get("RUNWAY_TEST_SHOW_LOGS"):
        for log in sorted(folder.glob("*.log")):
            sys.stderr.write(f"--- {log.name}\n{log.read_text(errors='replace')[-4000:]}\n")
