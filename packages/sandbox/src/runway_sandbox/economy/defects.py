"""Defects planted in the books, each with its truth: check, records and why (domain.md, section 7).

Each planter makes its own document or spoils one that nothing else was planted on, and takes a vendor or customer
nobody else took, so that one defect never hides or makes another.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

from runway_sandbox.economy.model import Party, Plan
from runway_sandbox.economy.plant_bills import BILL_PLANTERS, plain_bill
from runway_sandbox.economy.plant_sales import SALES_PLANTERS

Planter = Callable[[Plan, set[Party]], bool]

PLANTERS: dict[str, Planter] = {**BILL_PLANTERS, **SALES_PLANTERS}

# Planters that add exactly one bill; the others add none.
ADDING_BILL = frozenset({"AP01", "AP02", "AP03", "AP04", "AP05", "AP06", "AP07", "AP09", "AP15"})

CLEAN_SHARE = 0.15


def choose_defects(plan: Plan) -> None:
    """Draw which checks get a defect: none in some companies, a few in most, many in some."""
    rng = random.Random(f"defects:{plan.seed}:{plan.index}")
    mess = rng.random()
    if mess < CLEAN_SHARE:
        return
    chance = 0.3 if mess < 0.65 else 0.65
    chosen: list[str] = []
    for check in PLANTERS:
        if rng.random() < chance:
            chosen.append(check)
        if check in {"AP06", "AP07", "AP10", "AP11"} and rng.random() < chance:
            chosen.append(check)
    rng.shuffle(chosen)
    plan.defects = chosen[: plan.bills // 8]


def extra_bills(plan: Plan) -> int:
    """Return how many bills the drawn defects will add."""
    return sum(1 for check in plan.defects if check in ADDING_BILL)


def plant(plan: Plan) -> None:
    """Plant the drawn defects; where one finds no place, an ordinary bill takes its place."""
    taken: set[Party] = set()
    missing: Counter[str] = Counter()
    for check in plan.defects:
        if not PLANTERS[check](plan, taken):
            missing[check] += 1
    for _ in range(sum(count for check, count in missing.items() if check in ADDING_BILL)):
        plain_bill(plan)
