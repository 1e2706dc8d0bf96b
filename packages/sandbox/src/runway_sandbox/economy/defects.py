"""Defects planted in the books, each with its truth: check, records and why (domain.md, section 7).

Each planter makes its own document or spoils one that nothing else was planted on, and takes a vendor or customer
nobody else took, so that one defect never hides or makes another.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

from runway_sandbox.economy.model import Party, Plan
from runway_sandbox.economy.plant_absent import ABSENT_PLANTERS
from runway_sandbox.economy.plant_bills import BILL_PLANTERS, plain_bill
from runway_sandbox.economy.plant_ledger import LEDGER_PLANTERS
from runway_sandbox.economy.plant_paid import PAID_PLANTERS
from runway_sandbox.economy.plant_receipts import RECEIPT_PLANTERS
from runway_sandbox.economy.plant_sales import SALES_PLANTERS
from runway_sandbox.economy.plant_vendors import VENDOR_PLANTERS

Planter = Callable[[Plan, set[Party]], bool]

PLANTERS: dict[str, Planter] = {
    **BILL_PLANTERS,
    **SALES_PLANTERS,
    **RECEIPT_PLANTERS,
    **PAID_PLANTERS,
    **VENDOR_PLANTERS,
    **LEDGER_PLANTERS,
    **ABSENT_PLANTERS,
}

# Planters that add exactly one bill; the others add none.
ADDING_BILL = frozenset({"AP01", "AP02", "AP03", "AP04", "AP05", "AP06", "AP07", "AP08", "AP09", "AP15", "AP20"})

TWICE = frozenset({"AP06", "AP07", "AP10", "AP11", "BK08", "BK09"})
"""Defects of which a company may have two."""

SELDOM = {"SY06": 0.15}
"""Defects that few companies can have, as a share of what others get: few keep money abroad."""

CLEAN_SHARE = 0.15


def choose_defects(plan: Plan) -> None:
    """Draw which checks get a defect: none in some companies, a few in most, many in some.

    Each check is drawn by its own dice, so that a new planter leaves what the others do as it was.
    """
    mess = random.Random(f"defects:{plan.seed}:{plan.index}").random()
    if mess < CLEAN_SHARE:
        return
    chance = 0.3 if mess < 0.65 else 0.65
    chosen: list[tuple[float, str]] = []
    for check in PLANTERS:
        rng = random.Random(f"defects:{plan.seed}:{plan.index}:{check}")
        draws = 2 if check in TWICE else 1
        chosen.extend((rng.random(), check) for _ in range(draws) if rng.random() < chance * SELDOM.get(check, 1))
    plan.defects = [check for _, check in sorted(chosen)][: plan.bills // 8]


def extra_bills(plan: Plan) -> int:
    """Return how many bills the drawn defects will add."""
    return sum(1 for check in plan.defects if check in ADDING_BILL)


def plant(plan: Plan) -> None:
    """Plant the drawn defects; where one finds no place, an ordinary bill takes its place."""
    taken: set[Party] = set()
    missing: Counter[str] = Counter()
    dice = plan.rng
    for place, check in enumerate(plan.defects):
        plan.rng = random.Random(f"plant:{plan.seed}:{plan.index}:{place}:{check}")
        if not PLANTERS[check](plan, taken):
            missing[check] += 1
    plan.rng = dice
    for _ in range(sum(count for check, count in missing.items() if check in ADDING_BILL)):
        plain_bill(plan, taken)


def plant_late(plan: Plan) -> None:
    """Plant what waits for wages, card and tax to be booked."""
    dice = plan.rng
    seen: Counter[str] = Counter()
    for check, finish in plan.late:
        seen[check] += 1
        plan.rng = random.Random(f"late:{plan.seed}:{plan.index}:{check}:{seen[check]}")
        finish(plan)
    plan.rng = dice
