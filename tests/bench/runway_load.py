"""Our own first load, mirror and log, in a process of its own."""

import json
import sys

from runway_app_http.collector import tune_collector
from runway_app_http.loops import run_async

from tests.bench.connected import connected
from tests.bench.machine import Stopwatch, peak_mib


async def load(arguments: dict[str, object]) -> dict[str, object]:
    """Connect every company, pull everything, and say what it took; connecting is not counted, positions are."""
    async with connected(str(arguments["url"]), dict(arguments["ready"])) as runway:  # type: ignore[call-overload]  # JSON
        with Stopwatch() as watch:
            reports = await runway.sync_all()
        for report in reports:
            assert not report.failed, [run.error for run in report.failed]
        rows = sum(report.counts.created for report in reports)
        return {"rows": rows, "seconds": watch.seconds, "peak_mib": peak_mib()}


if __name__ == "__main__":
    tune_collector()  # as the app does
    print(json.dumps(run_async(load(json.loads(sys.argv[1])))))
