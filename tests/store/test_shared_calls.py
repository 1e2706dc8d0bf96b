"""Two processes on one database stay within one budget, and few of their calls need a trip to it."""

from tests.processes import processes
from tests.store.calling_worker import LIMIT, run

CALLS = 40


def most_within(moments: list[int], span: int) -> int:
    return max(sum(1 for at in moments if begin <= at < begin + span) for begin in moments)


def test_two_processes_together_keep_every_window_and_the_calls_at_once(database_url: str) -> None:
    context = processes()
    workers = []
    for _ in range(2):
        receiving, sending = context.Pipe(duplex=False)
        process = context.Process(target=run, args=(database_url, CALLS, sending))
        process.start()
        sending.close()
        workers.append((process, receiving))
    told = [receiving.recv() for _, receiving in workers]
    for process, _ in workers:
        process.join()
    times = [call for calls, _ in told for call in calls]
    sent = [begun for begun, _ in times]

    assert len(times) == 2 * CALLS
    for window in LIMIT.windows:
        assert most_within(sent, window.span) <= window.calls
    assert max(sum(1 for begun, ended in times if begun <= at < ended) for at in sent) <= LIMIT.at_once
    assert sum(trips for _, trips in told) <= CALLS
