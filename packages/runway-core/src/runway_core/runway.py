"""`Runway`: what an embedding app builds and calls; the bundled app calls nothing else."""

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Self

from runway_core.domain.company import Connection
from runway_core.domain.identity import DEFAULT_FIRM, CompanyId, FirmId
from runway_core.domain.jobs import Work
from runway_core.domain.outlook import OutlookLine
from runway_core.domain.people import Caller, Need
from runway_core.domain.position import Position
from runway_core.domain.sync_run import QuarantinedRecord
from runway_core.experiences.console import ConsoleView, DecisionConsoleExperience
from runway_core.experiences.digest import DigestExperience, DigestView
from runway_core.experiences.firm_digest import FirmDigestView
from runway_core.experiences.firm_tray import FirmTrayExperience
from runway_core.experiences.kept import KeptViews
from runway_core.experiences.outlook import OutlookExperience, OutlookView
from runway_core.experiences.portfolio import PortfolioExperience, PortfolioQuery, PortfolioView
from runway_core.experiences.reconciliation import ReconciliationExperience
from runway_core.experiences.tray import HygieneTrayExperience, TrayQuery, TrayView
from runway_core.orchestrators.decision_console import DecisionConsoleDataOrchestrator
from runway_core.orchestrators.digest import DigestDataOrchestrator
from runway_core.orchestrators.hygiene_tray import HygieneTrayDataOrchestrator
from runway_core.orchestrators.portfolio import PortfolioDataOrchestrator
from runway_core.orchestrators.reconciliation import ReconciliationDataOrchestrator
from runway_core.plugins.registry import RailRegistry
from runway_core.ports.anchors import AnchorSink
from runway_core.ports.clock import Clock, SystemClock
from runway_core.ports.ledger_rail import RailFactory
from runway_core.ports.store import Store, StoreHealth
from runway_core.ports.subscriptions import Announcer
from runway_core.services.across import AcrossService
from runway_core.services.aliases import AliasService
from runway_core.services.anchors import AnchorService
from runway_core.services.archives import ArchiveService
from runway_core.services.balances import BalanceService
from runway_core.services.bills import BillService
from runway_core.services.books import BooksService
from runway_core.services.call_backs import CallBackService
from runway_core.services.cascades import CascadeService
from runway_core.services.collections import CollectionService
from runway_core.services.companies import CompanyService, ConnectionService
from runway_core.services.conflicts import ConflictService
from runway_core.services.coverage import CoverageService
from runway_core.services.custody import CustodyService
from runway_core.services.dead_letters import DeadLetterService
from runway_core.services.decision_batches import DecisionBatchService
from runway_core.services.decisions import DecisionService
from runway_core.services.deliveries import DeliveryService
from runway_core.services.digests import DigestService
from runway_core.services.earmarks import EarmarkService
from runway_core.services.engines import LOOK_EVERY, Keeper, make_engine
from runway_core.services.erasures import ErasureService
from runway_core.services.findings import FindingService
from runway_core.services.firm_digests import FirmDigestService
from runway_core.services.fixes import FixService
from runway_core.services.forecasts import ForecastService
from runway_core.services.health import AlertTeller, CompanyHealth, HealthService
from runway_core.services.held import Held
from runway_core.services.invoices import InvoiceService
from runway_core.services.log_reading import LogReading
from runway_core.services.pacing import PacingService
from runway_core.services.past import PastService
from runway_core.services.people import PeopleService
from runway_core.services.planned_items import PlannedItemService
from runway_core.services.policies import PolicyService
from runway_core.services.positions import PositionService
from runway_core.services.quarantine import QuarantineService
from runway_core.services.questions import QuestionService
from runway_core.services.saved_views import SavedViewService
from runway_core.services.scenarios import ScenarioService
from runway_core.services.scope import Scope
from runway_core.services.sessions import SessionService
from runway_core.services.submissions import SubmissionService
from runway_core.services.subscriptions import SubscriptionService
from runway_core.services.webhooks import WebhookService
from runway_core.sync.engine import Beat, EngineSettings, SyncEngine
from runway_core.sync.freshness import Freshness
from runway_core.sync.health import USUAL_SERVICE, ServiceSettings
from runway_core.sync.orchestrator import PullRequest, SyncOrchestrator
from runway_core.sync.reports import ProgressListener, SyncReport, ignore_progress
from runway_core.sync.schedule import PULLABLE, Intervals
from runway_core.sync.smart_sync import COMPANIES_AT_ONCE, ROUTINE, Flights, SmartSyncService

MOST_VIEWS = 200
"""So many people's views are kept, so that a request needs not build one."""


class Runway(LogReading):
    """One firm's companies, mirrored and answered for. Build it with `Runway.open`, use it as a context manager.

    companies, connections       who is looked after, and how they are connected
    bills, invoices, balances    the services; they read the mirror
    findings, positions          what is wrong with the books, and the stored answers
    conflicts                    where rails do not tell the same, and what people decided about it
    forecasts                    the outlooks that were kept, to be judged
    fixes, questions             writes to the ledger that mend findings, and what the client is asked about them
    submissions                  released bills that wait for people at the rail that pays them
    planned_items, policies      what people know beside the books, and the rules under which money goes out
    scenarios, saved_views       what-ifs, and filters of the portfolio, that are kept by name
    dead_letters, erasures       what could not be processed, and companies that were erased
    decisions, decision_batches, collections    what is paid when and by whose yes, and who is reminded of what he owes
    anchors, archives            signed marks of where every chain ended, and what of the log is in files alone
    across                       one act on many companies, and its one undo
    aliases, earmarks, call_backs    confirmed names, money set aside, confirmed payment details
    watch                        how well data is kept fresh, and whether someone should look
    webhooks, coverage           what rails send by themselves, and whether every change reaches the mirror
    subscriptions, deliveries    addresses that are told of events, and the telling
    people, sessions             who works here, in which role and for which companies, and who is signed in
    """

    def __init__(
        self,
        *,
        store: Store,
        rails: RailRegistry,
        clock: Clock,
        firm_id: FirmId,
        new_id: Callable[[], str],
        anchor_sinks: Sequence[AnchorSink] = (),
        caller: Caller | None = None,
        service: ServiceSettings = USUAL_SERVICE,
        alert_tellers: Sequence[AlertTeller] = (),
        announcer: Announcer | None = None,
        flights: Flights | None = None,
        held: Held | None = None,
    ) -> None:
        self._store = store
        self.rails = rails
        self._held = held or Held()
        self.scope = Scope(store=store, clock=clock, firm_id=firm_id, new_id=new_id, caller=caller)
        self._views: dict[Caller, Runway] = {}
        self.people, self.sessions = PeopleService(self.scope), SessionService(self.scope)
        self.companies = CompanyService(self.scope)
        self.connections = ConnectionService(self.scope, rails)
        self.books = BooksService(self.scope, self._held.books)
        self.findings = FindingService(self.scope)
        self.across = AcrossService(self.scope, self.companies, self.findings)
        self.forecasts = ForecastService(self.scope)
        self.positions = PositionService(self.scope, self.books, self.forecasts, self._held.checks)
        self.past = PastService(self.books, self.findings)
        self.conflicts = ConflictService(self.scope, self.books, past=self.past, positions=self.positions)
        self.balances = BalanceService(self.scope, self.books)
        self.bills = BillService(self.books, self.past)
        self.invoices = InvoiceService(self.books, self.past)
        self.fixes = FixService(self.scope, rails)
        self.questions, self.submissions = QuestionService(self.scope), SubmissionService(self.scope, rails)
        self.policies = PolicyService(self.scope, self.books, self.findings)
        self.scenarios, self.saved_views = ScenarioService(self.scope, self.books), SavedViewService(self.scope)
        self.planned_items, self.aliases = PlannedItemService(self.scope), AliasService(self.scope)
        self.earmarks, self.call_backs = EarmarkService(self.scope), CallBackService(self.scope)
        self.digests, self.firm_digests = DigestService(self.scope), FirmDigestService(self.scope)
        self.dead_letters, self.erasures = DeadLetterService(self.scope), ErasureService(self.scope)
        self.cascades, self.webhooks = CascadeService(self.scope, rails), WebhookService(self.scope, rails)
        self.coverage = CoverageService(self.scope, rails)
        self.decisions = DecisionService(self.scope, self.books, self.findings)
        self.decision_batches = DecisionBatchService(self.scope, self.decisions)
        self.collections = CollectionService(self.scope, self.books)
        self.anchors = AnchorService(self.scope, anchor_sinks)
        self.archives = ArchiveService(self.scope, self.anchors)
        self.custody = CustodyService(self.scope, self.books, self.findings)
        self._service, self._announcer = service, announcer
        self._flights: Flights = {} if flights is None else flights
        self._pacing = PacingService(self.scope, rails, service)
        told = self.scope, announcer
        self.subscriptions, self.deliveries = SubscriptionService(*told), DeliveryService(*told)
        more = (self.anchors.conditions, self.subscriptions.conditions)
        self.watch = HealthService(self.scope, self._pacing, service, alert_tellers, more=more)
        self._sync = self._make_sync()
        self.quarantines = QuarantineService(self.scope, self._sync)
        self._build_experiences()

    def _build_experiences(self) -> None:
        """Put the views on top of the services."""
        read, seen = (self.books, self.connections, self.findings), (self.scope, self.companies, self.connections)
        digest_data = DigestDataOrchestrator(
            *read, self.positions, digests=self.digests, forecasts=self.forecasts, past=self.past
        )
        kept = KeptViews(self.scope, from_records=self._service.keep_views_from)
        self._digest = DigestExperience(digest_data, kept)
        self._outlook = OutlookExperience(digest_data, kept)
        tray_data = HygieneTrayDataOrchestrator(*seen, self.findings, self.positions, past=self.past)
        self._tray = HygieneTrayExperience(tray_data)
        console_data = DecisionConsoleDataOrchestrator(*read, self.decisions, past=self.past)
        self._console = DecisionConsoleExperience(console_data, kept)
        self._portfolio = PortfolioExperience(PortfolioDataOrchestrator(*seen, self.positions, past=self.past))
        self.work = self._portfolio.show_work
        self.firm_tray = FirmTrayExperience(self.scope, self.companies, self.findings).show
        compared = ReconciliationDataOrchestrator(*seen, self.conflicts)
        self.reconcile = ReconciliationExperience(compared).show

    def _make_sync(self) -> SmartSyncService:
        scope = self.scope
        return SmartSyncService(
            SyncOrchestrator(scope.store, self.rails, scope.clock, scope.new_id),
            scope.clock,
            scope.new_id,
            self._keep_in_step,
            breakers=scope.store.breakers,
            time_to_live=self._service.time_to_live,
            flights=self._flights,
        )

    @classmethod
    def open(
        cls,
        *,
        store: Store,
        rails: RailRegistry | Iterable[RailFactory] | None = None,
        clock: Clock | None = None,
        firm_id: FirmId = DEFAULT_FIRM,
        new_id: Callable[[], str] | None = None,
        anchor_sinks: Sequence[AnchorSink] = (),
        service: ServiceSettings = USUAL_SERVICE,
        alert_tellers: Sequence[AlertTeller] = (),
        announcer: Announcer | None = None,
    ) -> "Runway":
        """Build a `Runway` over a store; entering it opens the store.

        Args:
            store: where the mirror and the log live; it is opened and closed with this object.
            rails: the rails that connections may name; those of the installed plugins when absent.
            clock: tells the time; the machine's own when absent.
            firm_id: whose companies may be seen; embedding apps that know one firm leave it.
            new_id: makes ids; random ones when absent.
            anchor_sinks: where anchors of the log are written to, beside the database.
            service: what is promised of freshness, how far apart pulls are, what metered rails allow.
            alert_tellers: who is told of alerts, beside the program's log.
            announcer: carries events to the firm's subscriptions; without one there can be none.

        Raises:
            InvalidRequest: two plugins offer a rail of the same name.
        """
        if rails is None:
            rails = RailRegistry.from_installed_plugins()
        return cls(
            store=store,
            rails=rails if isinstance(rails, RailRegistry) else RailRegistry(rails),
            clock=clock or SystemClock(),
            firm_id=firm_id,
            new_id=new_id or (lambda: uuid.uuid4().hex),
            anchor_sinks=anchor_sinks,
            service=service,
            alert_tellers=alert_tellers,
            announcer=announcer,
        )

    def for_caller(self, caller: Caller) -> "Runway":
        """The same `Runway` as one person may use it.

        Companies that are not assigned to them do not exist, acts beyond their role are refused, and the log names
        them, whatever name an act is given.

        It stands on the same open store; it is neither entered nor closed.
        """
        scope = self.scope
        if caller not in self._views:
            if len(self._views) >= MOST_VIEWS:
                self._views.clear()
            self._views[caller] = Runway(
                store=scope.store,
                rails=self.rails,
                clock=scope.clock,
                firm_id=scope.firm_id,
                new_id=scope.new_id,
                caller=caller,
                service=self._service,
                announcer=self._announcer,
                flights=self._flights,
                held=self._held,
            )
        return self._views[caller]

    async def __aenter__(self) -> Self:
        """Open the store.

        Raises:
            SchemaMismatch: the database is not migrated, or newer than this code.
            StoreUnavailable: it cannot be reached or written.
        """
        await self._store.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the rails' connections, then the store."""
        try:
            for rail in self.rails.installed.values():
                await rail.factory.aclose()
        finally:
            await self._store.__aexit__(kind, error, trace)

    async def _keep_in_step(self, company_id: CompanyId, has_moved: bool) -> None:
        """After a pull: see what it says of fixes and open decisions, then bring findings and position up to date."""
        await self.fixes.follow_up(company_id)
        if has_moved or not await self.positions.is_current(company_id):
            await self.decisions.observe(company_id)
            await self.recompute(company_id)

    async def recompute(self, company_id: CompanyId) -> Position:
        """Compute findings and position of a company anew, and lay out the views of a large one before someone asks.

        Raises:
            NotFound: no such company in this firm.
        """
        position = await self.positions.recompute(company_id)
        if self._held.books.count(company_id) >= self._service.keep_views_from:
            for experience in (self._digest, self._console, self._outlook):
                await experience.keep(company_id)
        return position

    def engine(
        self,
        name: str,
        *,
        intervals: Intervals | None = None,
        settings: EngineSettings | None = None,
        works: bool = True,
        plans: bool = True,
    ) -> SyncEngine:
        """What keeps the firm's companies fresh until it is stopped: it plans what is due, and works it off.

        Args:
            name: names this process among others on the same database.
            intervals: how far apart pulls are; a company's own setting goes before them.
            settings: how it works.
            works: whether it takes jobs; a scheduler only plans them.
            plans: whether it plans; a worker only takes what others planned.
        """
        services = (self.webhooks, self.cascades, self.watch, self.coverage, self.deliveries)
        own = [beat for service in services for beat in service.beats()]
        keeper = Keeper(self.scope, intervals or self._service.intervals, self._pacing)
        return make_engine(
            keeper,
            self._sync,
            lambda company_id: self._keep_in_step(company_id, False),
            more_handlers={Work.ANNOUNCE: self.deliveries.deliver},
            name=name,
            settings=settings or EngineSettings(),
            works=works,
            plans=plans,
            more_beats=[Beat("anchor", LOOK_EVERY, self.anchors.anchor_due), *own],
        )

    async def sync(
        self,
        company_id: CompanyId,
        *,
        rail: str | None = None,
        request: PullRequest = ROUTINE,
        on_progress: ProgressListener = ignore_progress,
    ) -> SyncReport:
        """Pull one company's connections now, then compute its position.

        A rail's trouble is in the report, not raised: the mirror keeps what it has.

        Raises:
            NotFound: no such company in this firm, or it has no connection (to that rail).
            NotAllowed: the caller may only look.
            StoreUnavailable: the database does not answer.
        """
        self.scope.demand(Need.DECIDE)
        request = replace(request, actor=self.scope.name_actor(request.actor))
        company = await self.companies.get(company_id)
        connections = await self.connections.of(company_id, rail)
        return await self._sync.sync_company(company, connections, request, on_progress)

    async def sync_all(
        self,
        *,
        rail: str | None = None,
        request: PullRequest = ROUTINE,
        on_progress: ProgressListener = ignore_progress,
        only: frozenset[CompanyId] | None = None,
        at_once: int = COMPANIES_AT_ONCE,
    ) -> Sequence[SyncReport]:
        """Pull every company of the firm, or `only` some, side by side; reports come by company name.

        Connections that wait for a person are left alone.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        held: dict[CompanyId, list[Connection]] = {}
        for connection in await self.connections.list():
            if connection.state in PULLABLE and (rail is None or connection.rail == rail):
                held.setdefault(connection.company_id, []).append(connection)
        wanted = held.keys() if only is None else held.keys() & only
        companies = [c for c in await self.companies.list() if c.company_id in wanted]
        work = [(company, held[company.company_id]) for company in companies]
        return await self._sync.sync_companies(work, request, on_progress, at_once)

    async def portfolio(
        self, query: PortfolioQuery | None = None, *, known_at: datetime | None = None
    ) -> PortfolioView:
        """The firm's companies from their stored positions, those that need attention first.

        `known_at`, here and below: as Runway knew it at that moment, rebuilt from the log and not pulled before.

        Raises:
            InvalidRequest: a limit outside 1…100, a cursor that is not ours, or a moment that lies ahead.
        """
        return await self._portfolio.show(query or PortfolioQuery(), known_at)

    async def firm_digest(self) -> FirmDigestView:
        """What there is to say today of the firm's companies: those otherwise than told, or with something to do."""
        return await self._portfolio.show_firm_digest(await self.firm_digests.last_sent())

    async def digest(
        self, company_id: CompanyId, *, freshness: Freshness = Freshness.CACHED_OK, known_at: datetime | None = None
    ) -> DigestView:
        """Answer "Are we okay?" for one company.

        Raises:
            NotFound: no such company in this firm.
        """
        await self._freshen(company_id, freshness)
        return await self._digest.show(company_id, known_at)

    async def tray(
        self,
        company_id: CompanyId,
        query: TrayQuery | None = None,
        *,
        freshness: Freshness = Freshness.CACHED_OK,
        known_at: datetime | None = None,
    ) -> TrayView:
        """Answer "Can I trust the numbers?" for one company.

        Raises:
            NotFound: no such company in this firm.
        """
        await self._freshen(company_id, freshness)
        return await self._tray.show(company_id, query, known_at)

    async def console(
        self, company_id: CompanyId, *, freshness: Freshness = Freshness.CACHED_OK, known_at: datetime | None = None
    ) -> ConsoleView:
        """Answer "What should we do next?" for one company.

        Raises:
            NotFound: no such company in this firm.
        """
        await self._freshen(company_id, freshness)
        return await self._console.show(company_id, known_at)

    async def outlook(
        self,
        company_id: CompanyId,
        *,
        line: OutlookLine = OutlookLine.EXPECTED,
        freshness: Freshness = Freshness.CACHED_OK,
        known_at: datetime | None = None,
    ) -> OutlookView:
        """Answer "What is coming?" for one company: as expected, without new sales, or cautiously.

        Raises:
            NotFound: no such company in this firm.
        """
        await self._freshen(company_id, freshness)
        return await self._outlook.show(company_id, line, known_at)

    async def _freshen(self, company_id: CompanyId, freshness: Freshness) -> None:
        """Pull first when asked to; when the rail is down, the labelled mirror answers."""
        if freshness is Freshness.CACHED_OK:
            return
        self.scope.demand(Need.DECIDE)
        company = await self.companies.get(company_id)
        await self._sync.freshen(company, await self.connections.of(company_id), freshness)

    async def health(self) -> Sequence[CompanyHealth]:
        """How fresh each company's data is, by company name; `watch` has the service as a whole."""
        return await self.watch.companies()

    async def quarantine(self, company_id: CompanyId) -> Sequence[QuarantinedRecord]:
        """The records of a company that could not be understood, newest first.

        Raises:
            NotFound: no such company in this firm.
        """
        return await self.quarantines.list(company_id)

    async def check_store(self) -> StoreHealth:
        """Look at the database.

        Raises:
            StoreUnavailable: it cannot be reached.
        """
        return await self._store.check()
