"""What is there, by id: the truth that a mirror is compared with, read from the world itself, through no protocol."""

from __future__ import annotations

from runway_sandbox.kinds import KINDS
from runway_sandbox.plaid.desk import PlaidDesk
from runway_sandbox.ramp.desk import RampDesk
from runway_sandbox.stripe.desk import StripeDesk
from runway_sandbox.stripe.listing import RESOURCES
from runway_sandbox.world import Desk, World

Holdings = dict[str, dict[str, list[str]]]


def list_holdings(
    world: World, desk: Desk, *, plaid: PlaidDesk, ramp: RampDesk, stripe: StripeDesk, since: float = 0.0
) -> Holdings:
    """Name everything of one company, by window and by the vendor's own word for each kind.

    Of the card processor's things those that were made `since`, in epoch seconds.
    """
    book, now = world.book(desk), world.clock.now()
    held: Holdings = {"qbo": {name: list(book.shelf(name).rows) for name in KINDS}}
    if "plaid" in world.settings.rails:
        item = plaid.login_of(desk).item
        held["plaid"] = {
            "accounts": [item.account_id(account.ledger_id) for account in item.accounts()],
            "transactions": item.transaction_ids(),
        }
    if "ramp" in world.settings.rails:
        business = ramp.business_of(desk)
        held["ramp"] = {
            "bills": [one.id for one in business.held.bills.values() if one.archived_at is None],
            "vendors": list(business.held.vendors),
            "transactions": [one.id for one in business.purchases(now)],
        }
    if "stripe" in world.settings.rails:
        things = stripe.processor_of(desk).things.values()
        held["stripe"] = {
            path: [
                one.id for one in things if isinstance(one, resource.kind) and since <= one.made_at <= now.timestamp()
            ]
            for path, resource in RESOURCES.items()
        }
    return held
