"""Decision Console: "what should we do next?" Ready bills in pay order beside the cash line, and who to call.

It proposes and explains; nothing here releases a payment.
"""

from collections.abc import Sequence
from datetime import date, datetime

from runway_core.calculators.collections import compute_collections
from runway_core.calculators.decided import find_needs
from runway_core.calculators.proposal import find_proposed
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.collections import CollectionCase
from runway_core.domain.decisions import BillReadiness, Decision, DecisionState, Figures, ProposedPayment
from runway_core.domain.identity import CompanyId
from runway_core.domain.money import Money
from runway_core.domain.outlook import OutlookDay, OutlookWeek, Runway
from runway_core.experiences.kept import KeptViews
from runway_core.experiences.view import CompanyHeading, CompanyView, View
from runway_core.experiences.wording import say_reach
from runway_core.orchestrators.decision_console import ConsoleData, DecisionConsoleDataOrchestrator
from runway_core.sync.freshness import label_freshness


class ConsoleBill(View):
    """One open bill. `pay_by` is the last day on which releasing it still meets the due date."""

    bill_id: str
    number: str | None
    vendor_id: str | None
    vendor_name: str | None
    open_balance: Money
    document_date: date
    due_date: date | None
    pay_by: date
    days_to_due: int | None  # negative when overdue
    held_back: tuple[str, ...]  # empty when ready
    proposed: ProposedPayment | None  # None when held back


class ConsoleDecision(View):
    """One decision with the bill it is about. `needs` says what is wanting before it is approved."""

    decision: Decision
    number: str | None
    vendor_name: str | None
    needs: tuple[str, ...]


class CollectionLine(View):
    """One customer with overdue invoices."""

    customer_id: str | None
    customer_name: str
    overdue: Money
    invoice_count: int
    days_late: int  # of the oldest
    oldest_due: date


class ConsoleView(CompanyView):
    """The page."""

    headline: str
    opening_cash: Money
    available_cash: Money
    runway: Runway
    buffer_breach: Runway
    low_28_days: Money
    low_28_days_on: date
    weeks: tuple[OutlookWeek, ...]
    days: tuple[OutlookDay, ...]
    policy_version: int
    as_booked: Figures
    as_proposed: Figures  # with every ready bill on its proposed day
    ready: tuple[ConsoleBill, ...]  # in proposed order
    ready_totals: tuple[Money, ...]  # one a currency
    held: tuple[ConsoleBill, ...]
    decisions: tuple[ConsoleDecision, ...]  # open ones first, each group by its last change
    collections: tuple[CollectionLine, ...]
    collection_cases: tuple[CollectionCase, ...]  # invoice by invoice, past the customer's habit first


class DecisionConsoleExperience:
    """Shows one company's console from its mirrored books."""

    def __init__(self, data: DecisionConsoleDataOrchestrator, kept: KeptViews) -> None:
        self._data = data
        self._kept = kept

    async def show(self, company_id: CompanyId, known_at: datetime | None = None) -> ConsoleView:
        """The console of one company, as it is or as it was known at a moment.

        Raises:
            NotFound: no such company in this firm.
        """
        if known_at is not None:
            return lay_out_console(await self._data.gather(company_id, known_at))
        return await self._kept.show(company_id, ConsoleView, self._lay_out)

    async def keep(self, company_id: CompanyId) -> None:
        """Lay out the console of a large company before someone asks."""
        await self._kept.keep(company_id, self._lay_out)

    async def _lay_out(self, company_id: CompanyId) -> tuple[ConsoleView, Books]:
        data = await self._data.gather(company_id)
        return lay_out_console(data), data.books


def lay_out_console(data: ConsoleData) -> ConsoleView:
    """Turn one reading of a company into its console."""
    books, ground, proposal = data.books, data.proposed.ground, data.proposed.proposal
    outlook = ground.outlook
    proposed = find_proposed(proposal)
    readiness = {one.bill_id: one for one in data.proposed.readiness}
    decided = {decision.bill_id for decision in books.decisions}
    bills = {bill.external_id: bill for bill in books.open_bills}
    ready = [bills[payment.bill_id] for payment in proposal.payments]
    held = [bills[one.bill_id] for one in data.proposed.readiness if not one.is_ready and one.bill_id not in decided]
    decisions = sorted(books.decisions, key=lambda decision: decision.changed_at, reverse=True)

    def lay_out(bill: Bill) -> ConsoleBill:
        return _lay_out_bill(bill, readiness[bill.external_id], proposed.get(bill.external_id), as_of=books.as_of)

    return ConsoleView(
        company=CompanyHeading.of(books.company),
        as_of=books.as_of,
        books_read_at=books.read_at,
        freshness=label_freshness(data.connections, books.read_at),
        headline=f"{say_reach(books, outlook)}; {len(ready)} ready to decide, {len(held)} held back",
        opening_cash=outlook.opening_cash,
        available_cash=outlook.available_cash,
        runway=outlook.runway,
        buffer_breach=outlook.buffer_breach,
        low_28_days=outlook.low_28_days,
        low_28_days_on=outlook.low_28_days_on,
        weeks=outlook.weeks,
        days=outlook.days,
        policy_version=books.policy.version,
        as_booked=proposal.before,
        as_proposed=proposal.after,
        ready=tuple(map(lay_out, ready)),
        ready_totals=_total_by_currency(ready),
        held=tuple(map(lay_out, held)),
        decisions=_lay_out_decisions([*decisions, *data.closed], books),
        collections=_list_collections(books),
        collection_cases=tuple(books.derive(compute_collections)),
    )


def _lay_out_bill(
    bill: Bill, readiness: BillReadiness, proposed: ProposedPayment | None, *, as_of: date
) -> ConsoleBill:
    return ConsoleBill(
        bill_id=bill.external_id,
        number=bill.number,
        vendor_id=bill.vendor_id,
        vendor_name=bill.vendor_name,
        open_balance=Money(amount=bill.open_balance, currency=bill.currency),
        document_date=bill.document_date,
        due_date=bill.due_date,
        pay_by=readiness.pay_by if proposed is None else proposed.pay_by,
        days_to_due=None if bill.due_date is None else (bill.due_date - as_of).days,
        held_back=readiness.reasons,
        proposed=proposed,
    )


def _lay_out_decisions(decisions: Sequence[Decision], books: Books) -> tuple[ConsoleDecision, ...]:
    decided = {decision.bill_id for decision in decisions}
    bills = {bill.external_id: bill for bill in books.bills if bill.external_id in decided} if decided else {}
    found = []
    for decision in decisions:
        bill = bills.get(decision.bill_id)
        is_waiting = decision.state is DecisionState.DECIDED and bool(decision.payments)
        found.append(
            ConsoleDecision(
                decision=decision,
                number=bill.number if bill is not None else None,
                vendor_name=bill.vendor_name if bill is not None else None,
                needs=tuple(find_needs(decision.results, decision.approvals)) if is_waiting else (),
            )
        )
    return tuple(found)


def _total_by_currency(bills: Sequence[Bill]) -> tuple[Money, ...]:
    sums: dict[str, Money] = {}
    for bill in bills:
        held = sums.get(bill.currency, Money.zero(bill.currency))
        sums[bill.currency] = held + Money(amount=bill.open_balance, currency=bill.currency)
    return tuple(sums[currency] for currency in sorted(sums))


def _list_collections(books: Books) -> tuple[CollectionLine, ...]:
    """Customers with overdue invoices, one line a customer and currency, most days late first."""
    lines: dict[tuple[str | None, str], CollectionLine] = {}
    for invoice in books.open_invoices:
        if invoice.due_date is None or invoice.due_date >= books.as_of:
            continue
        key = (invoice.customer_id, invoice.currency)
        held = lines.get(key)
        amount = Money(amount=invoice.open_balance, currency=invoice.currency)
        customer = books.customer_by_id.get(invoice.customer_id or "")
        lines[key] = CollectionLine(
            customer_id=invoice.customer_id,
            customer_name=customer.name if customer else invoice.customer_name or "no customer",
            overdue=amount if held is None else held.overdue + amount,
            invoice_count=1 if held is None else held.invoice_count + 1,
            # Open invoices come by due date, so the first one of a customer is its oldest.
            days_late=(books.as_of - invoice.due_date).days if held is None else held.days_late,
            oldest_due=invoice.due_date if held is None else held.oldest_due,
        )
    return tuple(sorted(lines.values(), key=lambda line: (-line.days_late, line.customer_name, line.overdue.currency)))
