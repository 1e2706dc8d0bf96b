"""Put a company together: books first, then defects, then cash, then the wire objects."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from runway_sandbox.economy import lists, shapes
from runway_sandbox.economy.calendar import DAY_SECONDS
from runway_sandbox.economy.cards import finish_batches, misstate_payouts, settle_cards
from runway_sandbox.economy.defects import choose_defects, extra_bills, plant, plant_late
from runway_sandbox.economy.identity import CompanyIdentity, company_identity, trade_of
from runway_sandbox.economy.ledger import post_all
from runway_sandbox.economy.model import Account, Doc, EconomyCompany, Party, Plan
from runway_sandbox.economy.parties import make_customers, make_vendors, open_books
from runway_sandbox.economy.payroll import charge_card, pay_wages
from runway_sandbox.economy.purchases import make_bills, pay_bills
from runway_sandbox.economy.sales import make_deposits, make_invoices, receive_payments, take_till
from runway_sandbox.economy.treasury import fund, remit_sales_tax, settle_card

DAYS = 548  # eighteen months: how long a company has kept books, unless said otherwise


def build_company(*, index: int, seed: int, bills: int, as_of: date, days: int = DAYS) -> EconomyCompany:
    """Build the books of company `index`, as they stand when `as_of` begins, `days` days after they were opened.

    The same arguments give the same company. Every entry was made before `as_of` begins in UTC; a few planted
    documents bear later dates. `bills` is met exactly, unless it is too small for the defects drawn.
    """
    identity = company_identity(index, seed)
    plan = _new_plan(index=index, seed=seed, bills=bills, as_of=as_of, days=days, home_currency=identity.home_currency)
    choose_defects(plan)
    open_books(plan)
    make_vendors(plan)
    make_bills(plan, max(0, bills - extra_bills(plan)))
    spent = sum(doc.total for doc in plan.docs)
    revenue = _revenue(plan, spent=spent)
    till = int(revenue * plan.trade.till_share)
    count = int(bills * (0.7 if not till else 0.6))
    make_customers(plan, max(3, min(380, count // 5)))
    make_invoices(plan, count=count, revenue=revenue - till)
    scale = spent / plan.trade.bill_share
    pay_bills(plan)
    receive_payments(plan)
    plant(plan)
    make_deposits(plan)
    take_till(plan, revenue=till)
    settle_cards(plan)
    pay_wages(plan, total=int(scale * plan.trade.payroll_share))
    charge_card(plan, total=int(scale * plan.trade.card_share), count=max(4, int(bills * 0.22)))
    settle_card(plan)
    remit_sales_tax(plan)
    misstate_payouts(plan)
    plant_late(plan)
    fund(plan)
    post_all(plan)
    _number(plan)
    return EconomyCompany(
        realm_id=identity.realm_id,
        name=identity.name,
        home_currency=identity.home_currency,
        time_zone=identity.time_zone,
        records=_records(plan, identity.name),
        unreal=frozenset((doc.kind, doc.id) for doc in plan.docs if not doc.is_real),
        card_batches=finish_batches(plan),
        truth=[
            {
                "check": check,
                "records": [{"rail": "qbo", "kind": _kind_of(one), "id": one.id} for one in subjects],
                "note": note,
            }
            for check, subjects, note in plan.truth
        ],
    )


def _kind_of(one: Doc | Party | Account) -> str:
    return "Account" if isinstance(one, Account) else one.kind


def _new_plan(*, index: int, seed: int, bills: int, as_of: date, days: int, home_currency: str) -> Plan:
    rng = random.Random(f"economy:{seed}:{index}:{bills}:{as_of.isoformat()}")
    today = as_of.toordinal()
    draw = random.Random(f"health:{seed}:{index}").random()
    return Plan(
        rng=rng,
        index=index,
        seed=seed,
        bills=bills,
        first=today - days,
        last=today - 1,
        as_of=today,
        trade=trade_of(index),
        home_currency=home_currency,
        health="healthy" if draw < 0.55 else "tight" if draw < 0.82 else "dry",
    )


def _revenue(plan: Plan, *, spent: int) -> int:
    """Return the revenue of the whole period in cents, so that the margin suits the company's health."""
    trade = plan.trade
    low, high = {"healthy": (0.05, 0.16), "tight": (-0.01, 0.05), "dry": (-0.12, -0.02)}[plan.health]
    cost = spent / trade.bill_share * (trade.bill_share + trade.payroll_share * 1.09 + trade.card_share)
    return int(cost * (1 + low + plan.rng.random() * (high - low)))


def _number(plan: Plan) -> None:
    """Give ids in the order of creation: one number row for transactions, one for names."""
    rng = plan.rng
    plan.docs.sort(key=lambda doc: doc.entered)
    number = 0
    for doc in plan.docs:
        number += 1 if rng.random() < 0.97 else rng.randint(2, 5)
        doc.id = str(number)
    names = sorted([*plan.vendors, *plan.customers], key=lambda party: party.created)
    for number, party in enumerate(names, start=1):
        party.id = str(number)


def _records(plan: Plan, name: str) -> dict[str, list[shapes.Wire]]:
    records: dict[str, list[shapes.Wire]] = {kind: [] for kind in shapes.TRANSACTIONS}
    scans: list[Doc] = []
    for doc in plan.docs:
        records[doc.kind].append(shapes.TRANSACTIONS[doc.kind](plan, doc))
        if doc.attached:
            scans.append(doc)
    records["Attachable"] = [
        lists.attachable(plan, doc, number=100_000_000_000_000 + plan.index * 100_000 + place)
        for place, doc in enumerate(scans, start=1)
    ]
    records["Vendor"] = [lists.vendor(plan, party) for party in plan.vendors]
    records["Customer"] = [lists.customer(plan, party) for party in plan.customers]
    _lead_clocks_ahead(plan)
    records["Account"] = [lists.account(plan, one) for one in plan.accounts.values()]
    records["Term"] = [lists.terms(plan, one) for one in plan.terms]
    records["Item"] = [lists.item(plan, one) for one in plan.items]
    records["CompanyInfo"] = [lists.company_facts(plan, name)]
    records["Preferences"] = [lists.preferences(plan)]
    return records


def _lead_clocks_ahead(plan: Plan) -> None:
    """Let one or two accounts claim a change in the future, as the live service was seen to do."""
    for key in ("card", "interest")[: 1 + plan.index % 2]:
        plan.accounts[key].updated = (plan.as_of + 20 + plan.index % 15) * DAY_SECONDS + 60_000


@dataclass(frozen=True, slots=True)
class EconomyWorld:
    """A portfolio: who the companies are is known at once, their books are built when asked for."""

    identities: tuple[CompanyIdentity, ...]
    seed: int
    bills: int
    as_of: date

    def __len__(self) -> int:
        return len(self.identities)

    def build(self, index: int) -> EconomyCompany:
        """Build the books of one company."""
        return build_company(index=index, seed=self.seed, bills=self.bills, as_of=self.as_of)

    def companies(self) -> Iterator[EconomyCompany]:
        """Build company after company; none is kept."""
        return (self.build(index) for index in range(len(self)))


def build_world(*, clients: int, seed: int, bills: int, as_of: date) -> EconomyWorld:
    """Describe a portfolio of `clients` companies without building their books."""
    identities = tuple(company_identity(index, seed) for index in range(clients))
    return EconomyWorld(identities, seed, bills, as_of)
