"""The side that faces the ledger: its connection, what it told of vendors and accounts, what was taken in there.

Over a direct connection the vendor reads the ledger itself, and nothing here can be written (facts/ramp.md section 6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from runway_sandbox.books import Row
from runway_sandbox.ramp import shapes
from runway_sandbox.ramp.asked import Asked, Place, page
from runway_sandbox.ramp.faults import invalid, key_used, no_accounting, not_found
from runway_sandbox.ramp.lists import page_of
from runway_sandbox.ramp.making import JOINED_DAYS
from runway_sandbox.ramp.records import made_id
from runway_sandbox.world import World

Wire = dict[str, Any]
_SYNCS = {"BILL_SYNC": "is_synced", "BILL_PAYMENT_SYNC": "is_payment_synced"}


@dataclass(frozen=True, slots=True)
class _Option:
    """A vendor or an account of the ledger, under the id that the vendor gives it."""

    id: str
    row: Row


class AccountingAnswers:
    """The addresses under `/accounting`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def places(self) -> Sequence[Place]:
        """List method, path, what answers, the scope needed, and the status of a success."""
        return [
            ("GET", "/accounting/all-connections", self.connections, "accounting:read", 200),
            ("GET", "/accounting/vendors", self.list_vendors, "accounting:read", 200),
            ("GET", "/accounting/accounts", self.list_accounts, "accounting:read", 200),
            ("POST", "/accounting/syncs", self.report_syncs, "accounting:write", 201),
        ]

    def list_vendors(self, asked: Asked) -> Wire:
        """The ledger's vendors."""
        return self._list(asked, "Vendor", "vendor_category_info", ("Merchant", "merchant"))

    def list_accounts(self, asked: Asked) -> Wire:
        """The ledger's accounts."""
        return self._list(asked, "Account", "gl_account_category_info", ("Category", "category"))

    def _list(self, asked: Asked, kind: str, member: str, category: tuple[str, str]) -> Wire:
        rows = self._world.book(asked.desk).shelf(kind).rows.values()
        options = [_Option(made_id("option", kind, asked.desk.realm_id, row.id), row) for row in rows]
        found, following = page_of(options, asked.query, url=asked.url)
        info = {"id": category[0], "name": category[0], "ramp_id": made_id(category[1])}
        return page([{**_describe(kind, one), member: info} for one in found], following)

    def connections(self, asked: Asked) -> Wire:
        """The accounting connections of the business, the active one among them."""
        kind = self._world.settings.ramp.accounting
        if kind == "none":
            return {"connections": []}
        at = shapes.wire_time(self._joined())
        return {
            "connections": [
                {
                    "id": made_id("accounting", asked.desk.realm_id),
                    "remote_provider_name": "QUICKBOOKS" if kind == "direct" else "Custom",
                    "status": "linked",
                    "is_active": True,
                    "created_at": at,
                    "last_linked_at": at,
                    "connection_type": kind.upper(),
                    "settings": {},
                }
            ]
        }

    def report_syncs(self, asked: Asked) -> Wire:
        """Hear what was taken into the ledger; only over an API connection."""
        if self._world.settings.ramp.accounting != "api":
            raise no_accounting()
        body = asked.body
        key, mark = str(body.get("idempotency_key") or ""), _SYNCS.get(str(body.get("sync_type")))
        if not key or mark is None:
            raise invalid(**{"sync_type" if key else "idempotency_key": "Missing data for required field."})
        if key in asked.business.sync_keys:
            raise key_used()
        asked.business.sync_keys.add(key)  # whatever becomes of it
        done = body.get("successful_syncs")
        if done == [] or body.get("failed_syncs") == []:
            raise invalid(successful_syncs="Shorter than minimum length 1.")
        for one in done or ():
            bill = asked.business.held.bills.get(str(one.get("id")))
            if bill is None:
                raise not_found()
            setattr(bill, mark, True)
            if mark == "is_synced":
                bill.remote_id = str(one.get("reference_id"))
        return {"sync_id": asked.new_id()}

    def _joined(self) -> datetime:
        return self._world.started_at - timedelta(days=JOINED_DAYS)


def _describe(kind: str, one: _Option) -> Wire:
    held = one.row.parse()
    shown: Wire = {
        "ramp_id": one.id,
        "id": one.row.id,
        "name": one.row.name,
        "code": held.get("AcctNum"),
        "is_active": one.row.active,
        "created_at": shapes.wire_time(datetime.fromtimestamp(one.row.created, UTC)),
        "updated_at": shapes.wire_time(datetime.fromtimestamp(one.row.updated, UTC)),
    }
    if kind == "Vendor":
        return {**shown, "is_synced": True}
    return {**shown, "classification": str(held.get("Classification", "UNKNOWN")).upper()}
