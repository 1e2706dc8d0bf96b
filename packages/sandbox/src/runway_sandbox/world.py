"""The whole made-up world of one sandbox: its clock, companies, tokens, trouble and counters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

from runway_sandbox.bank import BankFeed, draw_charges
from runway_sandbox.books import Book
from runway_sandbox.chaos import Chaos
from runway_sandbox.clock import SandboxClock
from runway_sandbox.economy import CompanyIdentity, EconomyCompany, build_company, company_identity
from runway_sandbox.economy.cards import takes_cards
from runway_sandbox.economy.identity import trade_of
from runway_sandbox.oauth import TokenDesk
from runway_sandbox.settings import SandboxSettings, WireRules
from runway_sandbox.spoiling import Spoiler
from runway_sandbox.throttle import Throttle
from runway_sandbox.webhooks import WebhookPost


@dataclass(frozen=True, slots=True)
class Remembered:
    """The first answer to a `requestid`, and what had been asked."""

    asked: str
    status: int
    body: bytes


@dataclass(slots=True)
class Desk:
    """What the server keeps beside one company's books."""

    index: int
    identity: CompanyIdentity
    throttle: Throttle
    book: Book | None = None
    building: Lock = field(default_factory=Lock)
    remembered: dict[str, Remembered] = field(default_factory=dict)

    @property
    def realm_id(self) -> str:
        """The company's id on the wire."""
        return self.identity.realm_id

    @property
    def name(self) -> str:
        """The company's name."""
        return self.identity.name


class World:
    """All companies of a sandbox; books are built when they are first touched."""

    def __init__(self, settings: SandboxSettings, *, companies: Sequence[EconomyCompany] | None = None) -> None:
        self.settings = settings
        self.clock = SandboxClock(settings.start_at)
        self.started_at = self.clock.now()
        self.chaos = Chaos(settings.seed, settings.chaos)
        self.spoiler = Spoiler(self.chaos)
        self.tokens = TokenDesk(settings.oauth, seed=settings.seed)
        self.calls: Counter[tuple[str, str, str]] = Counter()  # (rail, realm id, endpoint)
        self.webhooks = WebhookPost(settings.webhooks, clock=self.clock, chaos=self.chaos)
        self._given = list(companies) if companies is not None else None
        self._desks: dict[str, Desk] = {}
        self._feeds: dict[str, BankFeed] = {}
        self._open_desks()

    def _open_desks(self) -> None:
        if self._given is not None:
            identities = [
                CompanyIdentity(company.realm_id, company.name, company.home_currency, company.time_zone)
                for company in self._given
            ]
        else:
            identities = [company_identity(index, self.settings.seed) for index in range(self.settings.clients)]
        for index, identity in enumerate(identities):
            self._desks[identity.realm_id] = Desk(index, identity, Throttle(self.settings.throttle))

    @property
    def desks(self) -> list[Desk]:
        """List all companies in their order."""
        return list(self._desks.values())

    def desk(self, realm_id: str) -> Desk | None:
        """Find a company by its realm id."""
        return self._desks.get(realm_id)

    def find_desk(self, realm_or_name: str) -> Desk | None:
        """Find a company by its realm id or its name."""
        known = self._desks.get(realm_or_name)
        if known is not None:
            return known
        return next((desk for desk in self._desks.values() if desk.name == realm_or_name), None)

    def takes_cards(self, desk: Desk) -> bool:
        """Tell whether a company's customers pay by card, without building its books."""
        if self._given is not None:
            return bool(self._given[desk.index].card_batches)
        trade = trade_of(desk.index)
        return takes_cards(trade.key, trade.till_share)

    def book(self, desk: Desk) -> Book:
        """Get a company's books, building them at the first touch."""
        if desk.book is None:
            with desk.building:  # a thread may be building them already
                if desk.book is None:
                    company = self._given[desk.index] if self._given is not None else self._build(desk.index)
                    book = shelve_company(company, rules=self.settings.wire)
                    book.bank_charges = draw_charges(desk.realm_id, self.started_at.date())
                    desk.book = book
        return desk.book

    def feed(self, desk: Desk) -> BankFeed:
        """Get what a company's bank shows; all windows read the same."""
        if desk.realm_id not in self._feeds:
            self._feeds[desk.realm_id] = BankFeed(self.book(desk))
        return self._feeds[desk.realm_id]

    def _build(self, index: int) -> EconomyCompany:
        return build_company(
            index=index,
            seed=self.settings.seed,
            bills=self.settings.bills_per_client,
            as_of=self.started_at.date(),
        )


def shelve_company(company: EconomyCompany, *, rules: WireRules) -> Book:
    """Turn what the economy made into books ready to be served."""
    book = Book(
        company.realm_id,
        company.name,
        home_currency=company.home_currency,
        ids_as_text=rules.id_order == "text",
        oldest_first=rules.default_order == "oldest_first",
    )
    book.fill(company.records)
    book.truth = company.truth
    book.unreal = company.unreal
    book.card_batches = company.card_batches
    return book
