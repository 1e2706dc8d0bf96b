"""What each address of the vendor answers for one business (facts/ramp.md 5 to 9)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from runway_sandbox.ramp import shapes
from runway_sandbox.ramp.asked import Asked, Place, page
from runway_sandbox.ramp.business import OperationError
from runway_sandbox.ramp.faults import invalid, not_found, refused
from runway_sandbox.ramp.lists import filter_bills, filter_purchases, filter_vendors, page_of
from runway_sandbox.ramp.making import JOINED_DAYS
from runway_sandbox.ramp.post import RampPost, Subscription, describe
from runway_sandbox.ramp.reading import change_bill, find_missing, read_bill, read_payment, read_vendor
from runway_sandbox.ramp.records import RampBill
from runway_sandbox.world import World

Wire = dict[str, Any]
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Answers:
    """The addresses behind the gate."""

    def __init__(self, world: World, post: RampPost) -> None:
        self._world = world
        self._post = post

    def places(self) -> Sequence[Place]:
        """List method, path, what answers, the scope needed, and the status of a success."""
        return [
            ("GET", "/business", self.business, "business:read", 200),
            ("GET", "/entities", self.entities, "entities:read", 200),
            ("GET", "/bills", self.list_bills, "bills:read", 200),
            ("POST", "/bills", self.create_bill, "bills:write", 201),
            ("GET", "/bills/drafts", self.list_drafts, "bills:read", 200),
            ("POST", "/bills/drafts", self.create_draft, "bills:write", 201),
            ("GET", "/bills/drafts/{id}", self.get_draft, "bills:read", 200),
            ("PATCH", "/bills/drafts/{id}", self.change_draft, "bills:write", 200),
            ("POST", "/bills/drafts/{id}/submit", self.submit_draft, "bills:write", 200),
            ("GET", "/bills/{id}", self.get_bill, "bills:read", 200),
            ("PATCH", "/bills/{id}", self.change_bill, "bills:write", 200),
            ("DELETE", "/bills/{id}", self.archive_bill, "bills:write", 204),
            ("GET", "/vendors", self.list_vendors, "vendors:read", 200),
            ("POST", "/vendors", self.create_vendor, "vendors:write", 200),
            ("GET", "/vendors/{id}", self.get_vendor, "vendors:read", 200),
            ("PATCH", "/vendors/{id}", self.change_vendor, "vendors:write", 200),
            ("GET", "/users", self.list_users, "users:read", 200),
            ("GET", "/transactions", self.list_purchases, "transactions:read", 200),
            ("GET", "/transactions/{id}", self.get_purchase, "transactions:read", 200),
            ("GET", "/webhooks", self.list_webhooks, "business:read", 200),
            ("POST", "/webhooks", self.create_webhook, "business:read", 201),
            ("GET", "/webhooks/{id}", self.get_webhook, "business:read", 200),
            ("DELETE", "/webhooks/{id}", self.delete_webhook, "business:read", 204),
            ("POST", "/webhooks/{id}/verify", self.verify_webhook, "business:read", 200),
        ]

    # The business

    def business(self, asked: Asked) -> Wire:
        """The business itself."""
        return shapes.business(asked.business.held, asked.desk.name, self._joined())

    def entities(self, asked: Asked) -> Wire:
        """Its one entity."""
        identity = asked.desk.identity
        return page([shapes.entity(asked.business.held, identity.name, identity.home_currency, self._joined())], None)

    def _joined(self) -> datetime:
        return self._world.started_at - timedelta(days=JOINED_DAYS)

    # Bills

    def list_bills(self, asked: Asked) -> Wire:
        """Bills by filter."""
        held = asked.business.held
        found = filter_bills(list(held.bills.values()), asked.query, now=asked.now)
        rows, following = page_of(found, asked.query, url=asked.url)
        return page([shapes.bill(held, one, asked.now) for one in rows], following)

    def get_bill(self, asked: Asked) -> Wire:
        """One bill, archived ones too."""
        return shapes.bill(asked.business.held, _find(asked.business.held.bills, asked), asked.now, is_whole=True)

    def create_bill(self, asked: Asked) -> Wire:
        """A new bill, approved at once."""
        held = asked.business.held
        bill = read_bill(asked.body, held, bill_id=asked.new_id(), now=asked.now, is_draft=False)
        if not bill.lines:
            raise invalid(line_items="At least one line is needed.")
        bill.payment = read_payment(asked.body, bill, now=asked.now)
        asked.business.add(bill)
        asked.business.progress(asked.now)
        return shapes.bill(held, bill, asked.now, is_whole=True)

    def change_bill(self, asked: Asked) -> Wire:
        """Change an approved bill."""
        bill = _find(asked.business.held.bills, asked)
        if bill.approval != "APPROVED" or bill.archived_at is not None:
            raise refused("Only approved bills can be updated")
        change_bill(bill, asked.body)
        return shapes.bill(asked.business.held, bill, asked.now, is_whole=True)

    def archive_bill(self, asked: Asked) -> None:
        """Put a bill away."""
        bill = _find(asked.business.held.bills, asked)
        if bill.archived_at is not None:
            raise not_found()
        try:
            asked.business.archive(bill, now=asked.now)
        except OperationError as error:
            raise refused(str(error)) from error

    # Drafts

    def list_drafts(self, asked: Asked) -> Wire:
        """Drafts by filter."""
        held = asked.business.held
        found = list(held.drafts.values())
        for name, read in (("vendor_id", "vendor_id"), ("invoice_number", "number"), ("remote_id", "remote_id")):
            if asked.query.get(name):
                found = [one for one in found if getattr(one, read) == asked.query[name]]
        rows, following = page_of(found, asked.query, url=asked.url)
        return page([shapes.draft(held, one) for one in rows], following)

    def create_draft(self, asked: Asked) -> Wire:
        """A new draft."""
        held = asked.business.held
        draft = read_bill(asked.body, held, bill_id=asked.new_id(), now=asked.now, is_draft=True)
        held.drafts[draft.id] = draft
        return shapes.draft(held, draft)

    def get_draft(self, asked: Asked) -> Wire:
        """One draft."""
        return shapes.draft(asked.business.held, _find(asked.business.held.drafts, asked))

    def change_draft(self, asked: Asked) -> Wire:
        """Change a draft."""
        draft = _find(asked.business.held.drafts, asked)
        change_bill(draft, asked.body)
        return shapes.draft(asked.business.held, draft)

    def submit_draft(self, asked: Asked) -> Wire:
        """Send a draft into the approval workflow: it becomes a bill that waits."""
        draft = _find(asked.business.held.drafts, asked)
        missing = find_missing(draft)
        if missing:
            raise invalid(**dict.fromkeys(missing, "Missing data for required field."))
        bill = asked.business.submit(draft, now=asked.now)
        return shapes.bill(asked.business.held, bill, asked.now, is_whole=True)

    # Vendors and purchases

    def list_vendors(self, asked: Asked) -> Wire:
        """Vendors by filter."""
        held = asked.business.held
        rows, following = page_of(filter_vendors(list(held.vendors.values()), asked.query), asked.query, url=asked.url)
        return page([shapes.vendor(held, one, asked.now) for one in rows], following)

    def get_vendor(self, asked: Asked) -> Wire:
        """One vendor."""
        held = asked.business.held
        vendor = held.vendors.get(asked.ids["id"])
        if vendor is None:
            raise not_found()
        return shapes.vendor(held, vendor, asked.now)

    def create_vendor(self, asked: Asked) -> Wire:
        """A new vendor, approved at once."""
        vendor = read_vendor(asked.body, vendor_id=asked.new_id(), now=asked.now)
        asked.business.held.vendors[vendor.id] = vendor
        return shapes.vendor(asked.business.held, vendor, asked.now)

    def change_vendor(self, asked: Asked) -> Wire:
        """Change what a caller may change of a vendor."""
        vendor = asked.business.held.vendors.get(asked.ids["id"])
        if vendor is None:
            raise not_found()
        vendor.is_active = asked.body.get("is_active", vendor.is_active) is not False
        vendor.name = str(asked.body.get("name") or vendor.name)
        vendor.remote_id = asked.body.get("accounting_vendor_remote_id", vendor.remote_id)
        return self.get_vendor(asked)

    def list_users(self, asked: Asked) -> Wire:
        """The people of the business: the one who owns its bills and its card."""
        return page([shapes.user(asked.business.held)], None)

    def list_purchases(self, asked: Asked) -> Wire:
        """Purchases by filter."""
        held = asked.business.held
        found = filter_purchases(asked.business.purchases(asked.now), asked.query, now=asked.now)
        rows, following = page_of(found, asked.query, url=asked.url)
        return page([shapes.purchase(held, one, asked.now) for one in rows], following)

    def get_purchase(self, asked: Asked) -> Wire:
        """One purchase, declined ones too."""
        for one in asked.business.purchases(asked.now):
            if one.id == asked.ids["id"]:
                return shapes.purchase(asked.business.held, one, asked.now)
        raise not_found()

    # Webhooks

    def list_webhooks(self, asked: Asked) -> Wire:
        """The subscriptions of the business."""
        return page([describe(one) for one in self._subscriptions(asked)], None)

    def create_webhook(self, asked: Asked) -> Wire:
        """A new subscription; its secret is shown only here."""
        url, types = str(asked.body.get("endpoint_url") or ""), asked.body.get("event_types") or []
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise invalid(endpoint_url="Must be an https address.")
        if not isinstance(types, list) or not types:
            raise invalid(event_types="Missing data for required field.")
        headers = asked.body.get("additional_headers") or {}
        if not isinstance(headers, dict) or len(headers) > 5:
            raise invalid(additional_headers="Longer than maximum length 5.")
        one = self._post.subscribe(
            asked.business.held.business_id, url, frozenset(map(str, types)), headers=dict(headers)
        )
        return describe(one, with_secret=True)

    def get_webhook(self, asked: Asked) -> Wire:
        """One subscription."""
        return describe(self._subscription(asked))

    def delete_webhook(self, asked: Asked) -> None:
        """End a subscription."""
        one = self._subscription(asked)
        one.is_deleted = True
        del self._post.subscriptions[one.id]

    def verify_webhook(self, asked: Asked) -> Wire:
        """Prove that the address is the owner's, with the challenge that was sent to it."""
        one = self._subscription(asked)
        is_right = asked.body.get("challenge") == one.challenge
        if is_right:
            one.status = "active"
        return {"success": is_right}

    def _subscriptions(self, asked: Asked) -> list[Subscription]:
        return [one for one in self._post.subscriptions.values() if one.business_id == asked.business.held.business_id]

    def _subscription(self, asked: Asked) -> Subscription:
        for one in self._subscriptions(asked):
            if one.id == asked.ids["id"]:
                return one
        raise not_found()


def _find(bills: dict[str, RampBill], asked: Asked) -> RampBill:
    bill = bills.get(asked.ids["id"])
    if bill is None:
        raise not_found()
    return bill
