"""Views laid out for a terminal: what each experience says, in tables that fit."""

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from runway_core.domain.cash_changes import CashChange
from runway_core.domain.company import ConnectionState
from runway_core.domain.money import Money
from runway_core.domain.outlook import Aging, Runway
from runway_core.domain.position import PositionStatus
from runway_core.experiences.console import ConsoleBill, ConsoleView
from runway_core.experiences.digest import CashMark, DigestView
from runway_core.experiences.outlook import OutlookView
from runway_core.experiences.portfolio import PortfolioRow, PortfolioView
from runway_core.experiences.tray import TrayView
from runway_core.experiences.view import CompanyView
from runway_core.experiences.wording import say_days

from runway_app_http.cli.tables import fields_table, new_table, severity_text, status_text
from runway_app_http.ui.figures import (
    NONE_YET,
    say_ages,
    say_amount,
    say_count,
    say_day,
    say_money,
    say_weekday,
)

WIDE = 125
MIDDLE = 95
MOST_LINES = 40
"""Rows of a list in a terminal; `--json` has all of them."""

_MARKS = {
    CashMark.NOW: "now",
    CashMark.MONTH_END: "month end",
    CashMark.THREE_MONTHS: "three months",
    CashMark.LOWEST: "lowest",
}


def lay_out_portfolio(view: PortfolioView, *, width: int) -> RenderableType:
    """One row a company; narrow terminals get fewer columns, never cut figures."""
    counts = ", ".join(f"{c.count} {c.status.value}" for c in view.counts if c.count)
    shown = f"{say_count(len(view.rows), 'company', 'companies')} of {view.total}"
    rest = "; more with --cursor " + view.next_cursor if view.next_cursor else ""
    if not view.total:
        return "no companies yet: add one with `runway companies add`, or try `runway demo`"
    currencies = {row.opening_cash.currency for row in view.rows if row.opening_cash is not None}
    one = next(iter(currencies)) if len(currencies) == 1 else None
    table = new_table(f"Portfolio{f', in {one}' if one else ''}", caption=f"{shown}: {counts}{rest}")
    # The name alone gives way on a narrow terminal; figures are never cut.
    table.add_column("Company", overflow="fold", max_width=32)
    shown_columns = [
        (index, title, is_number)
        for index, (title, is_number, least) in enumerate(_PORTFOLIO_COLUMNS)
        if width >= least and (title != "Cur." or one is None)
    ]
    for _, title, is_number in shown_columns:
        table.add_column(title, justify="right" if is_number else "left", no_wrap=True)
    for row in view.rows:
        cells = list(_portfolio_cells(row))
        table.add_row(row.name, *(cells[index] for index, _, _ in shown_columns))
    return table


_PORTFOLIO_COLUMNS = (
    ("Status", False, 0),
    ("Runway", True, 0),
    ("Until", True, 0),
    ("Cash", True, 0),
    ("Cur.", False, 0),
    ("28-day low", True, 0),
    ("Due 7 d", True, MIDDLE),
    ("AR at risk", True, MIDDLE),
    ("Payroll", False, WIDE),
    ("Findings", True, WIDE),
    ("Clean", True, WIDE),
    ("Data", True, WIDE),
)
"""Title, whether it is a number, and from which width of the terminal on it is shown."""


def _portfolio_cells(row: PortfolioRow) -> Iterable[RenderableType]:
    def say(money: Money | None) -> str:
        return NONE_YET if money is None else say_amount(money.amount, money.currency, whole=True)

    payday = row.next_payday
    yield status_text(row.status)
    yield say_days(row.runway_days) if row.is_runway_known else NONE_YET
    yield NONE_YET if row.runway_falls_on is None else say_day(row.runway_falls_on, row.as_of)
    yield say(row.opening_cash)
    yield row.home_currency
    yield say(row.low_28_days)
    yield say(row.due_7_days)
    yield say(row.ar_at_risk)
    if payday is None:
        yield NONE_YET
    else:
        yield say_day(payday.on, row.as_of) + ("" if payday.is_covered else " short")
    yield f"{row.findings_critical}/{row.findings_open}"
    yield NONE_YET if row.cleanness is None else f"{row.cleanness} %"
    yield _say_age(row)


def _say_age(row: PortfolioRow) -> str:
    """The age of the oldest rail's data, short; trouble before age."""
    for state in (ConnectionState.RECONNECT_NEEDED, ConnectionState.FAILING):
        if any(label.state is state for label in row.freshness):
            return state.value.replace("_", " ")
    seconds = row.age_seconds
    if seconds is None:
        return NONE_YET
    for unit, length in (("d", 86_400), ("h", 3_600)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds // 60} min"


def _heading(view: CompanyView, said: str, status: PositionStatus | None = None) -> Text:
    heading = Text(f"{view.company.name}", style="bold")
    heading.append(f"  as of {say_weekday(view.as_of)}", style="dim")
    heading.append(f"  {'; '.join(say_ages(view.freshness)) or 'not connected'}\n", style="dim")
    if status is not None:
        heading.append_text(status_text(status))
        heading.append("  ")
    heading.append(said, style="not bold")
    return heading


def _say_reach(runway: Runway) -> str:
    if not runway.is_known:
        return "not known"
    if runway.days is None:
        return f"{runway.horizon_days}+ days"
    return say_days(runway.days) + (f", to {say_day(runway.covered_through)}" if runway.covered_through else "")


def lay_out_digest(view: DigestView) -> RenderableType:
    """The verdict, the figures, what is due, who owes, and the first findings."""
    burn = view.burn
    payday = view.next_payday
    currency = view.company.home_currency
    fields = {
        "What changed": view.change_sentence,
        "Runway": _say_reach(view.runway),
        "Buffer holds": _say_reach(view.buffer_breach),
        "Outflow per day": NONE_YET if burn.outflow_per_day is None else say_amount(burn.outflow_per_day, currency),
        **{f"Cash {_MARKS[f.mark]}": f"{say_money(f.cash)} on {say_day(f.on, view.as_of)}" for f in view.figures},
        "Next payroll": NONE_YET
        if payday is None
        else f"{say_weekday(payday.on, view.as_of)}, {say_money(payday.amount)}, "
        f"{'covered' if payday.is_covered else 'not covered'}",
        "Receivables at risk": NONE_YET
        if view.ar_at_risk is None
        else f"{say_money(view.ar_at_risk)} in {say_count(view.ar_at_risk_count, 'invoice')}",
        "Cleanness": NONE_YET if view.cleanness is None else f"{view.cleanness} %",
    }
    due = new_table("Due in 14 days")
    due.add_column("Day", no_wrap=True)
    due.add_column("What", overflow="fold")
    due.add_column("Amount", justify="right", no_wrap=True)
    due.add_column("Cash after", justify="right", no_wrap=True)
    for line in view.due[:MOST_LINES]:
        event = line.event
        due.add_row(
            say_weekday(event.on, view.as_of),
            event.label,
            say_amount(event.amount, currency),
            say_money(line.cash_after),
        )
    findings = new_table(f"First findings of {view.findings_open}")
    findings.add_column("Check", no_wrap=True)
    findings.add_column("Severity", no_wrap=True)
    findings.add_column("What", overflow="fold")
    for tracked in view.top_findings:
        findings.add_row(tracked.finding.check, severity_text(tracked.finding.severity), tracked.finding.summary)
    parts: list[RenderableType] = [_heading(view, view.verdict, view.status), fields_table("Figures", fields)]
    parts += [due] if view.due else []
    parts += [_lay_out_aging("Receivables by age", view.receivables)]
    parts += [findings] if view.top_findings else []
    parts += [_lay_out_change(view.change, view)] if view.change is not None else []
    parts += [_lay_out_tasks(view)] if view.tasks else []
    return Group(*parts)


def _lay_out_change(change: CashChange, view: DigestView) -> Table:
    currency = view.company.home_currency
    table = new_table(f"What changed cash since {say_weekday(change.since, view.as_of)}, {currency}")
    table.add_column("Cause", overflow="fold")
    table.add_column("Amount", justify="right", no_wrap=True)
    table.add_row("cash then", say_amount(change.before.amount, currency))
    for cause in change.causes:
        many = f" ({cause.count})" if cause.count > 1 else ""
        table.add_row(cause.label + many, say_amount(cause.amount.amount, currency))
    if change.unexplained.amount:
        table.add_row("unexplained", say_amount(change.unexplained.amount, currency))
    table.add_row("cash now", say_amount(change.now.amount, currency))
    return table


def _lay_out_tasks(view: DigestView) -> Table:
    table = new_table("Who does what by when")
    table.add_column("By", no_wrap=True)
    table.add_column("Who", no_wrap=True)
    table.add_column("What", overflow="fold")
    for task in view.tasks:
        table.add_row(say_weekday(task.by, view.as_of), task.who.value, task.what)
    return table


def _lay_out_aging(title: str, aging: Aging) -> Table:
    table = new_table(f"{title}, {aging.total.currency}")
    table.add_column("Age", no_wrap=True)
    table.add_column("Amount", justify="right", no_wrap=True)
    table.add_column("Documents", justify="right", no_wrap=True)
    for bucket in aging.buckets:
        table.add_row(bucket.label, say_amount(bucket.amount.amount, bucket.amount.currency), f"{bucket.count:,}")
    table.add_row("total", say_amount(aging.total.amount, aging.total.currency), "")
    return table


def lay_out_tray(view: TrayView) -> RenderableType:
    """Findings by check, those first that move the runway most."""
    parts: list[RenderableType] = [_heading(view, view.headline)]
    if view.band_sentence is not None:
        parts.append(view.band_sentence)
    left = MOST_LINES
    for group in view.groups:
        amounts = ", ".join(say_money(amount) for amount in group.amounts)
        table = new_table(f"{group.check} {group.name}: {group.count}{f', {amounts}' if amounts else ''}")
        table.add_column("Severity", no_wrap=True)
        table.add_column("What", overflow="fold")
        table.add_column("Amount", justify="right", no_wrap=True)
        table.add_column("Age", justify="right", no_wrap=True)
        table.add_column("Id", no_wrap=True)
        for row in group.rows[:left]:
            finding = row.tracked.finding
            table.add_row(
                severity_text(finding.severity),
                finding.summary,
                NONE_YET if finding.amount is None else say_money(finding.amount),
                say_days(row.age_days),
                row.finding_id[:8],
            )
        left = max(left - len(group.rows), 0)
        parts.append(table if table.row_count else f"{group.check} {group.name}: {group.count} more")
    return Group(*parts)


def lay_out_console(view: ConsoleView) -> RenderableType:
    """Ready bills in pay order, those held back, and who to call."""
    totals = ", ".join(say_money(total) for total in view.ready_totals) or "nothing"
    fields = {
        "Cash": f"{say_money(view.opening_cash)}, {say_money(view.available_cash)} of it available",
        "Buffer holds": _say_reach(view.buffer_breach),
        "28-day low": f"{say_money(view.low_28_days)} on {say_day(view.low_28_days_on, view.as_of)}",
        "As proposed": _say_proposed(view),
    }
    parts: list[RenderableType] = [_heading(view, view.headline), fields_table("Figures", fields)]
    parts.append(_lay_out_bills(f"Ready to decide, in proposed order: {totals}", view.ready, view, is_held=False))
    if view.decisions:
        parts.append(_lay_out_decisions(view))
    if view.held:
        parts.append(_lay_out_bills(f"Held back: {len(view.held)}", view.held, view, is_held=True))
    if view.collection_cases:
        calls = new_table("Who to remind, against their own habit")
        calls.add_column("Customer", overflow="fold")
        calls.add_column("Invoice", overflow="fold")
        calls.add_column("Overdue", justify="right", no_wrap=True)
        calls.add_column("Late", justify="right", no_wrap=True)
        calls.add_column("Next", overflow="fold")
        for case in view.collection_cases[:MOST_LINES]:
            calls.add_row(
                case.customer_name,
                case.number or case.invoice_id,
                say_money(case.owed),
                say_days(case.days_late),
                case.advice,
            )
        parts.append(calls)
    return Group(*parts)


def _say_proposed(view: ConsoleView) -> str:
    days = say_days(view.as_proposed.runway_days) if view.runway.is_known else "not known"
    return f"{days}, 28-day low {say_money(view.as_proposed.low_28_days)}"


def _lay_out_decisions(view: ConsoleView) -> Table:
    table = new_table("Decided", caption="Runway moves no money: a release tells the client what to pay")
    for title in ("Bill", "Vendor", "Decided", "State", "Needs"):
        table.add_column(title, overflow="fold")
    for one in view.decisions[:MOST_LINES]:
        decision = one.decision
        parts = ", ".join(
            f"{say_amount(part.amount, decision.facts.currency)} on {say_day(part.on, view.as_of)}"
            for part in decision.payments
        )
        table.add_row(
            decision.bill_id,
            one.vendor_name or "no vendor",
            f"{decision.outcome.value}: {parts or decision.escalated_to}",
            decision.state.value,
            "; ".join(one.needs) or NONE_YET,
        )
    return table


def _lay_out_bills(title: str, bills: Sequence[ConsoleBill], view: ConsoleView, *, is_held: bool) -> Table:
    more = len(bills) - MOST_LINES
    table = new_table(title, caption=f"{more} more: --json has all" if more > 0 else None)
    table.add_column("Pay by" if is_held else "Release", no_wrap=True)
    table.add_column("Vendor", overflow="fold")
    table.add_column("Bill", overflow="fold")
    table.add_column("Open", justify="right", no_wrap=True)
    table.add_column("Due", justify="right", no_wrap=True)
    table.add_column("Why", overflow="fold")
    for bill in bills[:MOST_LINES]:
        proposed = bill.proposed
        if proposed is None:
            day, why = say_weekday(bill.pay_by, view.as_of), "; ".join(bill.held_back)
        elif proposed.release_on is None:
            day, why = proposed.outcome.value, proposed.reason
        else:
            day, why = say_weekday(proposed.release_on, view.as_of), proposed.reason
        table.add_row(
            day,
            bill.vendor_name or "no vendor",
            bill.number or bill.bill_id,
            say_money(bill.open_balance),
            NONE_YET if bill.due_date is None else say_day(bill.due_date, view.as_of),
            why,
        )
    return table


def lay_out_outlook(view: OutlookView, *, weeks: int = 13) -> RenderableType:
    """Every line in figures, the weeks of the one that is shown, then what is owed and owing by age."""
    outlook = view.outlook
    lines = new_table(f"What is supposed, {outlook.currency}")
    lines.add_column("Line", no_wrap=True)
    for title in ("Runway", "Month end", "Three months", "Lowest"):
        lines.add_column(title, justify="right", no_wrap=True)
    for figures in view.lines:
        lines.add_row(
            figures.line.value.replace("_", " ") + (" (shown)" if figures.line is view.line else ""),
            _say_reach(figures.runway),
            say_amount(figures.month_end.amount, outlook.currency),
            say_amount(figures.three_months.amount, outlook.currency),
            say_amount(figures.low.amount, outlook.currency),
        )
    table = new_table(f"{say_count(min(weeks, len(outlook.weeks)), 'week')}, {outlook.currency}")
    table.add_column("Week", no_wrap=True)
    for title in ("In", "Out", "Low", "On", "End"):
        table.add_column(title, justify="right", no_wrap=True)
    for week in outlook.weeks[:weeks]:
        table.add_row(
            f"{week.number:>2}  {say_day(week.starts_on, view.as_of)}",
            say_amount(week.inflow, outlook.currency),
            say_amount(week.outflow, outlook.currency),
            say_amount(week.low, outlook.currency),
            say_day(week.low_on, view.as_of),
            say_amount(week.closing, outlook.currency),
        )
    left_out = ["left out: " + "; ".join(outlook.left_out)] if outlook.left_out else []
    return Group(
        _heading(view, view.headline),
        lines,
        table,
        _lay_out_aging("Payables by age", view.payables),
        _lay_out_aging("Receivables by age", view.receivables),
        *left_out,
    )
