"""The `Broker` on Celery: messages say that there is work, the job table says which.

Celery starts, supervises and scales the worker processes and brings them the word. What it loses, repeats or brings
late costs nothing but time: each word makes a worker look into the job table, and the scheduler sends it again while
work is due.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from urllib.parse import urlsplit

import structlog
from celery import Celery
from celery.signals import worker_process_shutdown, worker_shutdown
from kombu.exceptions import OperationalError
from runway_core.ports.broker import OpenWork, WorkDue

QUEUE = "runway"
TASK = "runway.work_due"
WAITING_AT_MOST = 64
"""Words that may wait to be taken: a queue that nobody empties does not grow."""

VISIBILITY_SECONDS = 3600
"""More than twice the longest job: a word that is being worked on is not given out again."""

_log = structlog.get_logger(__name__)


def make_celery(url: str) -> Celery:
    """An application that acknowledges late, takes one word at a time, and keeps no results."""
    app = Celery("runway", broker=url, set_as_current=False)
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        task_default_queue=QUEUE,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        result_backend=None,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "visibility_timeout": VISIBILITY_SECONDS,
            "socket_timeout": 5,
            "socket_connect_timeout": 5,
        },
    )
    return app


class CeleryBroker:
    """Wake-ups over one Redis database.

    Args:
        url: `redis://host:6379/0`, or `rediss://…` over TLS. The database is Runway's alone, with `appendonly yes` and
            `maxmemory-policy noeviction`.
    """

    def __init__(self, url: str) -> None:
        self._celery = make_celery(url)
        self._where = urlsplit(url).hostname or "the broker"

    def __repr__(self) -> str:
        return f"CeleryBroker({self._where})"

    async def announce(self, due: int) -> int:
        """Send at most `due` words, so that no more than 64 wait; returns how many were sent.

        A broker that does not answer is noted and costs nothing: while work is due, the next call tells of it again.
        """
        if due < 1:
            return 0
        try:
            return await asyncio.to_thread(self._send, due)
        except (OperationalError, OSError) as error:
            _log.warning("broker_silent", broker=self._where, error=type(error).__name__)
            return 0

    def _send(self, due: int) -> int:
        with self._celery.connection_for_write(connect_timeout=5) as connection:
            connection.ensure_connection(max_retries=1, timeout=5)
            waiting: int = connection.default_channel.queue_declare(QUEUE, durable=True).message_count
            wanted: int = max(0, min(due, WAITING_AT_MOST - waiting))
            for _ in range(wanted):
                self._celery.send_task(TASK, connection=connection, ignore_result=True, retry=False)
        return wanted

    def run_worker(self, open_work: OpenWork, *, processes: int) -> None:
        """Work in so many processes until stopped; returns after a graceful stop. Blocks."""
        _Hands(self._celery, open_work)
        pool = "solo" if processes == 1 else "prefork"
        self._celery.worker_main(
            ["worker", f"--pool={pool}", f"--concurrency={processes}", "--loglevel=WARNING", "--without-mingle"]
        )

    def close(self) -> None:
        """Let go of connections. Repeating is harmless."""
        self._celery.close()


class _Hands:
    """What a worker process does with a word. Everything is opened at the first one, in the process that works."""

    def __init__(self, celery: Celery, open_work: OpenWork) -> None:
        self._open_work = open_work
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opened: AbstractAsyncContextManager[WorkDue] | None = None
        self._work_due: WorkDue | None = None
        celery.task(name=TASK, ignore_result=True)(self.take_word())
        self._endings = (worker_process_shutdown, worker_shutdown)
        for ending in self._endings:
            ending.connect(self.end, weak=False)

    def take_word(self) -> Callable[[], None]:
        """The task."""

        def work_due() -> None:
            loop, work = self._open()
            loop.run_until_complete(work())

        return work_due

    def _open(self) -> tuple[asyncio.AbstractEventLoop, WorkDue]:
        if self._loop is None or self._work_due is None:
            self._loop = asyncio.new_event_loop()
            self._opened = self._open_work()
            self._work_due = self._loop.run_until_complete(self._opened.__aenter__())
        return self._loop, self._work_due

    def end(self, **_: object) -> None:
        """Close what was opened, in the process that opened it."""
        loop, opened = self._loop, self._opened
        self._loop = self._opened = self._work_due = None
        if loop is not None and opened is not None:
            loop.run_until_complete(opened.__aexit__(None, None, None))
            loop.close()
