"""Cascades: news of one rail has others read again, once for each cause and never round in circles.

An event is a fact of one page. What follows from it is decided by dependencies, whose targets are pulled soon; a pull
that brings nothing new writes no event, so a chain ends by itself, and after four links at the latest.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta

from runway_core.domain.company import Connection
from runway_core.domain.identity import CompanyId, RecordKind
from runway_core.domain.jobs import Lane, NewJob
from runway_core.ports.cascades import Dependency
from runway_core.ports.ledger_rail import RailRole
from runway_core.ports.outbox import PendingEvent
from runway_core.sync.schedule import PULLABLE, make_pull

DEEPEST = 4
"""So many links a chain of causes has at most."""

SETTLING = timedelta(seconds=2)
"""What follows waits so long, so that the pages of one pull cause one pull of each target."""

_PAYING = frozenset({RecordKind.RAIL_PAYMENT, RecordKind.RAIL_BILL})
DEPENDENCIES: Sequence[Dependency] = (
    Dependency("a payment there changes bills in the ledger", RailRole.EXECUTION, _PAYING, RailRole.LEDGER),
    Dependency(
        "a payment there moves the balance at the bank",
        RailRole.EXECUTION,
        frozenset({RecordKind.RAIL_PAYMENT}),
        RailRole.VERIFICATION,
    ),
    Dependency(
        "a bill in the ledger is paid there",
        RailRole.LEDGER,
        frozenset({RecordKind.BILL, RecordKind.BILL_PAYMENT}),
        RailRole.EXECUTION,
    ),
    Dependency(
        "a payout of a processor arrives at the bank",
        RailRole.INSIGHTS,
        frozenset({RecordKind.PAYOUT}),
        RailRole.VERIFICATION,
    ),
)
"""What the core knows; rails declare more."""

RolesOf = Callable[[str], Collection[RailRole]]
"""The roles of a rail by name; none when it is not installed."""


def plan_cascade(
    events: Iterable[PendingEvent],
    connections: Iterable[Connection],
    *,
    roles_of: RolesOf,
    dependencies: Mapping[str, Sequence[Dependency]],
) -> list[NewJob]:
    """The pulls that follow from events: one for each event and target; equal ones join in the job table.

    `dependencies` are those of each rail by name, the core's among them. Connections that wait for a person are left
    out, and so are links beyond the fourth.
    """
    held: dict[CompanyId, list[Connection]] = {}
    for connection in connections:
        if connection.state in PULLABLE:
            held.setdefault(connection.company_id, []).append(connection)
    return [
        make_pull(
            target,
            lane=Lane.WEBHOOK,
            run_at=one.event.created_at + SETTLING,
            cause_id=one.event.event_id,
            correlation_id=one.event.correlation_id,
            depth=one.depth + 1,
        )
        for one in events
        if one.depth < DEEPEST
        for target in held.get(one.event.company_id, ())
        if _follows(one, target, roles_of=roles_of, dependencies=dependencies)
    ]


def _follows(
    one: PendingEvent,
    target: Connection,
    *,
    roles_of: RolesOf,
    dependencies: Mapping[str, Sequence[Dependency]],
) -> bool:
    rail = str(one.event.payload.get("rail", ""))
    if target.rail == rail:
        return False
    kinds = set(str(one.event.payload.get("kinds", "")).split(","))
    roles, targets = roles_of(rail), roles_of(target.rail)
    return any(
        dependency.source in roles and dependency.target in targets and not kinds.isdisjoint(dependency.kinds)
        for dependency in dependencies.get(rail, DEPENDENCIES)
    )
