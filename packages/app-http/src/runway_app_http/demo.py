"""The whole main job against the sandbox: a portfolio connected, settled, mirrored and ready to be looked at."""

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from runway_core.calculators.burn import compute_burn
from runway_core.domain.books import Books
from runway_core.domain.company import EnteredSeries, Rhythm, SeriesKind
from runway_core.domain.documents import LineKind
from runway_core.domain.ledger import AccountKind
from runway_core.domain.money import ZERO, round_to_minor, to_amount
from runway_core.errors import InvalidRequest
from runway_core.experiences.portfolio import PortfolioView
from runway_core.runway import Runway
from runway_core.sync.reports import ProgressListener, SyncReport
from runway_sandbox.serve import SandboxProcess, SandboxStartError, start_sandbox
from runway_sandbox.settings import KNOWN_RAILS

from runway_app_http.sandbox_portfolio import RAIL as LEDGER_RAIL
from runway_app_http.sandbox_portfolio import ReadyLine, connect_portfolio

BUFFER_DAYS = 10
PAYROLL_DAYS = 14
COMPANIES_AT_ONCE = 4
"""Enough to keep two processors busy; each more holds another page of books in memory."""

UNPACED = {"calls_per_second": 1_000, "calls_per_minute": 60_000}
"""For a sandbox that limits no calls."""

ACTOR = "demo"


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """What is to be shown."""

    clients: int = 100
    seed: int = 7
    bills_per_client: int = 120
    rails: tuple[str, ...] = KNOWN_RAILS
    chaos: str = "none"

    @property
    def is_unlimited(self) -> bool:
        """Whether the sandbox limits no calls: with trouble to play, it limits them as the vendor does."""
        return self.chaos == "none"


@dataclass(frozen=True, slots=True)
class DemoTotals:
    """What it took, for the summary and for `--json`. Times are wall time, peaks are resident memory."""

    companies: int
    failed: int
    records: int
    quarantined: int
    calls: int
    log_entries: int
    findings_open: int
    findings_critical: int
    sandbox_ms: int
    first_load_ms: int
    settle_ms: int
    total_ms: int
    records_per_second: int
    peak_memory_mib_app: int
    peak_memory_mib_sandbox: int | None  # None where the system does not tell


@contextmanager
def run_sandbox(plan: DemoPlan) -> Iterator[SandboxProcess]:
    """Run the sandbox as a process of its own, which ends with this one.

    Raises:
        InvalidRequest: it cannot start so, or without the books there is nothing to connect.
    """
    if LEDGER_RAIL not in plan.rails:
        raise InvalidRequest(f"--rails {','.join(plan.rails)}: without {LEDGER_RAIL} there are no companies")
    try:
        with start_sandbox(
            clients=plan.clients,
            bills_per_client=plan.bills_per_client,
            seed=plan.seed,
            chaos=plan.chaos,
            rails=",".join(plan.rails),
            more_arguments=["--no-throttle"] if plan.is_unlimited else [],
        ) as process:
            yield process
    except SandboxStartError as error:
        raise InvalidRequest(str(error)) from error


@contextmanager
def choose_database(url: str | None) -> Iterator[str]:
    """The given database, or a new one that is removed afterwards."""
    if url is not None:
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="runway-demo-") as folder:
        yield f"sqlite:///{Path(folder) / 'demo.db'}"


class Demo:
    """One run of the demo over an open `Runway`."""

    def __init__(self, runway: Runway, sandbox: SandboxProcess, *, began: float, plan: DemoPlan) -> None:
        self._runway = runway
        self._sandbox = sandbox
        self._began = began
        self._sandbox_ms = _since(began)
        self._pace = UNPACED if plan.is_unlimited else None
        self._rails = plan.rails

    def ready_line(self) -> ReadyLine:
        """How the sandbox says that it is reached."""
        ready: dict[str, Any] = self._sandbox.ready
        return ReadyLine.model_validate(ready)

    async def ask_for_webhooks(self, address: str) -> None:
        """Have the sandbox tell the app that listens on `address` what happens in the books."""
        control_url = self.ready_line().control_url
        async with httpx.AsyncClient(trust_env=False) as client:
            for rail in self._rails:
                wanted = {"rail": rail, "url": f"{address}/webhooks/{rail}"}
                (await client.post(f"{control_url}/webhooks", json=wanted, timeout=10)).raise_for_status()

    async def show_main_job(
        self, progress: Callable[[int], AbstractContextManager[ProgressListener]]
    ) -> tuple[DemoTotals, PortfolioView, Sequence[SyncReport]]:
        """Connect, pull, settle, and look."""
        connected = await connect_portfolio(self._runway, self.ready_line(), actor=ACTOR, pace=self._pace)
        companies = list({company.company_id: None for company, _ in connected})
        started = time.monotonic()
        with progress(len(companies)) as listener:
            reports = await self._runway.sync_all(on_progress=listener, at_once=COMPANIES_AT_ONCE)
        first_load_ms = _since(started)
        started = time.monotonic()
        for company_id in companies:
            await settle_company(self._runway, company_id)
        settle_ms = _since(started)
        view = await self._runway.portfolio()
        entries = [await self._runway.log_length(company_id) for company_id in companies]
        counts = [report.counts for report in reports]
        records = sum(c.created + c.updated + c.deleted + c.unchanged + c.outdated for c in counts)
        totals = DemoTotals(
            companies=len(companies),
            failed=sum(1 for report in reports if report.failed),
            records=records,
            quarantined=sum(c.quarantined for c in counts),
            calls=sum(run.calls for report in reports for run in report.runs),
            log_entries=sum(entries),
            findings_open=sum(row.findings_open for row in view.rows),
            findings_critical=sum(row.findings_critical for row in view.rows),
            sandbox_ms=self._sandbox_ms,
            first_load_ms=first_load_ms,
            settle_ms=settle_ms,
            total_ms=_since(self._began),
            records_per_second=records * 1000 // max(first_load_ms, 1),
            peak_memory_mib_app=own_peak_mib(),
            peak_memory_mib_sandbox=peak_mib(self._sandbox.process.pid),
        )
        return totals, view, reports


async def settle_company(runway: Runway, company_id: Any) -> None:
    """Set what an advisor would have set, read off the company's own books, and compute its position anew."""
    changes = propose_settings(await runway.books.read(company_id))
    if changes:
        await runway.companies.change_settings(company_id, changes, actor=ACTOR)
        await runway.recompute(company_id)


def propose_settings(books: Books) -> dict[str, Any]:
    """A buffer of ten days of outflow, and the payroll as it was paid last; nothing where the books tell nothing."""
    changes: dict[str, Any] = {}
    per_day = compute_burn(books).outflow_per_day
    if per_day is not None and per_day > 0:
        # An advisor would set a round number.
        changes["buffer"] = to_amount((per_day * BUFFER_DAYS).quantize(Decimal("1E+2")).quantize(ZERO))
    paid = find_paydays(books)
    if paid:
        last, amount = max(paid)
        next_day = last + timedelta(days=PAYROLL_DAYS)
        while next_day < books.as_of:
            next_day += timedelta(days=PAYROLL_DAYS)
        changes["series"] = (
            EnteredSeries(
                series_id="payroll",
                name="Payroll",
                series_kind=SeriesKind.PAYROLL,
                rhythm=Rhythm.BIWEEKLY,
                first_day=next_day,
                amount=to_amount(round_to_minor(amount, books.home)),
                currency=books.home,
            ),
        )
    return changes


def find_paydays(books: Books) -> list[tuple[date, Decimal]]:
    """The days on which wages left the bank, with what left; told by the word payroll in number or memo."""
    bank = {account.external_id for account in books.accounts if account.account_kind is AccountKind.BANK}
    by_cheque = [
        (purchase.document_date, purchase.total)
        for purchase in books.purchases
        if purchase.account_id in bank and not purchase.is_void and _says_payroll(purchase.number, purchase.memo)
    ]
    by_entry = [
        (
            entry.document_date,
            sum(
                (line.amount for line in entry.lines if line.line_kind is LineKind.CREDIT and line.account_id in bank),
                ZERO,
            ),
        )
        for entry in books.journal_entries
        if _says_payroll(entry.memo)
    ]
    return [(day, amount) for day, amount in by_cheque + by_entry if amount > 0]


def _says_payroll(*texts: str | None) -> bool:
    return any(text is not None and text.strip().casefold() == "payroll" for text in texts)


def _since(began: float) -> int:
    return int((time.monotonic() - began) * 1000)


def own_peak_mib() -> int:
    """The most memory that this process has held, in MiB."""
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held >> 20 if sys.platform == "darwin" else held >> 10


def peak_mib(pid: int) -> int | None:
    """The most memory that a running process has held, in MiB; `None` where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) >> 10
    return None
