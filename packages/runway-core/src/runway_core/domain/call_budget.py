"""A call budget that many workers share: so many calls in any window of time, so many at once, learned from refusals.

    limit     what the vendor allows one key: windows, calls at once, and the share that is kept for people
    permit    the right to send one call between two moments; unused it lapses
    lease     a handful of permits, given out in one trip; those that do not fit now open a little later
    lane      calls for people have a share of their own beside the shared rest, and may use both

A permit counts from the last moment at which it may be used, and one opens only when every window that could hold it
has room: however the workers use their permits, no window of the vendor's ever sees more calls than the limit. Moments
are whole microseconds since 1970, so that they are the same in Python and in every database.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

SECOND = 1_000_000
HORIZON = 5 * SECOND
"""Permits are given out for no later than this; who comes later asks again."""

ASK_AGAIN = SECOND // 2
"""When to ask again while others have all calls at once under way."""

LONGEST_HOLD = 2 * SECOND
"""How long a permit may be used at most: it counts for so much longer."""

SLOT_LASTS = 45 * SECOND
"""A worker that fell silent keeps its calls at once for so long: longer than a call may take."""

PAUSE_UNASKED = 60 * SECOND
"""How long a key rests after a refusal that does not say how long."""

FULL = 1000
LOWEST = 100
RAISED_BY = 50
GOOD_WINDOW = 60 * SECOND
"""After a refusal half of what was allowed is left, a tenth at least; every good minute gives a twentieth back."""

_GRAINS = 20  # so many steps a window is remembered in


@dataclass(frozen=True, slots=True)
class CallWindow:
    """At most `calls` in any stretch of `milliseconds`."""

    calls: int
    milliseconds: int

    def __post_init__(self) -> None:
        assert self.calls > 0
        assert self.milliseconds > 0

    @property
    def span(self) -> int:
        """Its length in microseconds."""
        return self.milliseconds * 1000


@dataclass(frozen=True, slots=True)
class CallLimit:
    """What a vendor allows one key."""

    windows: tuple[CallWindow, ...]
    at_once: int
    live_percent: int = 20  # kept for people


@dataclass(frozen=True, slots=True)
class BudgetAsk:
    """One budget that a call is spent from. Keys are of an app at a rail (`qbo/app`), or of a connection there."""

    key: str
    limit: CallLimit


@dataclass(frozen=True, slots=True)
class PermitBatch:
    """Some permits, to be used from `opens_at` on and before `closes_at`."""

    permits: int
    opens_at: int
    closes_at: int


@dataclass(frozen=True, slots=True)
class CallLease:
    """What one trip brought. With nothing in it, `again_at` says when to ask again."""

    batches: tuple[PermitBatch, ...]
    at_once: int
    again_at: int
    is_paused: bool = False

    @property
    def permits(self) -> int:
        """All permits of it."""
        return sum(batch.permits for batch in self.batches)


@dataclass(frozen=True, slots=True)
class HeldSlots:
    """How many calls at once one worker may have under way, and until when."""

    holder: str
    slots: int
    until: int


Grants = tuple[tuple[int, int], ...]
"""Permits by the moment from which they count, oldest first; the moment is rounded up to a grain of the window."""


@dataclass(frozen=True, slots=True)
class BudgetState:
    """What is known of one key. Grants stand under the length of their window, people's share apart."""

    shared: Mapping[int, Grants] = field(default_factory=dict)
    reserved: Mapping[int, Grants] = field(default_factory=dict)
    shared_opened: int = 0  # the latest opening; later ones never open before it
    reserved_opened: int = 0
    held: tuple[HeldSlots, ...] = ()
    factor: int = FULL  # thousandths of the limit, at `factor_since`
    factor_since: int = 0
    paused_until: int = 0


@dataclass(slots=True)
class _Row:
    """One window of one key while a lease is planned."""

    allowed: int
    span: int
    grants: list[tuple[int, int]] = field(default_factory=list)

    def room(self, at: int) -> int:
        return self.allowed - sum(permits for counts_from, permits in self.grants if counts_from > at - self.span)

    def next_opening(self, at: int) -> int:
        return min(counts_from for counts_from, _ in self.grants if counts_from > at - self.span) + self.span

    def add(self, permits: int, closes_at: int) -> None:
        grain = max(1, self.span // _GRAINS)
        counts_from = -(-closes_at // grain) * grain
        if self.grants and self.grants[-1][0] >= counts_from:
            self.grants[-1] = (self.grants[-1][0], self.grants[-1][1] + permits)
        else:
            self.grants.append((counts_from, permits))

    def kept(self, now: int) -> Grants:
        return tuple(grant for grant in self.grants if grant[0] > now - self.span)


def compute_factor(state: BudgetState, now: int) -> int:
    """Thousandths of the limit that are used at `now`: what was left after the last refusal, and what came back."""
    return min(FULL, state.factor + RAISED_BY * (max(0, now - state.factor_since) // GOOD_WINDOW))


def plan_lease(
    budgets: Sequence[tuple[CallLimit, BudgetState]],
    *,
    holder: str,
    permits: int,
    at_once: int,
    is_live: bool,
    now: int,
    under_way: int = 0,
) -> tuple[CallLease, list[BudgetState]]:
    """Decide what one worker gets of all `budgets` together, and what they are afterwards. Touches nothing.

    `under_way` is how many calls of this worker have not ended yet.
    """
    paused_until = max(state.paused_until for _, state in budgets)
    if paused_until > now:
        return CallLease((), 0, paused_until, is_paused=True), [state for _, state in budgets]
    slots = _find_slots(budgets, holder, at_once, is_live=is_live, now=now)
    if slots <= under_way:  # noted all the same: the others leave room when they ask next
        lasts = HORIZON + (SLOT_LASTS if under_way else 0)
        held = HeldSlots(holder, max(slots, under_way), now + lasts)
        return CallLease((), slots, now + ASK_AGAIN), [_with_slots(state, held, now) for _, state in budgets]
    lanes = ("reserved", "shared") if is_live else ("shared",)
    offers = [_offer(budgets, lane, permits, now) for lane in lanes]
    batches, rows, lane = min(offers, key=lambda offer: offer[0][0].opens_at if offer[0] else now + 2 * HORIZON)
    if not batches:
        return CallLease((), 0, now + HORIZON), [state for _, state in budgets]
    after = [
        _after(state, lane, kept, batches[-1].opens_at, now)
        for (_, state), kept in zip(budgets, _by_budget(budgets, rows), strict=True)
    ]
    held = HeldSlots(holder, max(slots, under_way), now + HORIZON + SLOT_LASTS)
    return CallLease(tuple(batches), slots, batches[-1].closes_at), [_with_slots(state, held, now) for state in after]


def plan_refusal(state: BudgetState, *, now: int, pause: int | None) -> BudgetState:
    """What a key is after the vendor refused a call: half is left, and it rests. Calls refused together count once."""
    until = max(state.paused_until, now + (PAUSE_UNASKED if pause is None else pause))
    if state.paused_until > now:
        return replace(state, paused_until=until, factor_since=until)
    lowered = max(LOWEST, compute_factor(state, now) // 2)
    return replace(state, factor=lowered, factor_since=until, paused_until=until)


def plan_release(state: BudgetState, *, holder: str, now: int) -> BudgetState:
    """What a key is when one worker has no more calls under way."""
    return replace(state, held=tuple(held for held in state.held if held.holder != holder and held.until > now))


def _allowed(limit: CallLimit, state: BudgetState, window: CallWindow, *, lane: str, now: int) -> int:
    calls = max(1, window.calls * compute_factor(state, now) // FULL)
    reserved = max(1, calls * limit.live_percent // 100) if limit.live_percent and calls > 1 else 0
    return reserved if lane == "reserved" else calls - reserved


def _offer(
    budgets: Sequence[tuple[CallLimit, BudgetState]], lane: str, permits: int, now: int
) -> tuple[list[PermitBatch], list[_Row], str]:
    rows: list[_Row] = []
    opened = now
    for limit, state in budgets:
        grants = state.reserved if lane == "reserved" else state.shared
        opened = max(opened, state.reserved_opened if lane == "reserved" else state.shared_opened)
        rows += [
            _Row(_allowed(limit, state, window, lane=lane, now=now), window.span, list(grants.get(window.span, ())))
            for window in limit.windows
        ]
    hold = min((LONGEST_HOLD, *(row.span // 4 for row in rows)))
    batches: list[PermitBatch] = []
    at = opened
    while permits > 0 and at <= now + HORIZON and all(row.allowed > 0 for row in rows):
        room = min((row.room(at) for row in rows), default=permits)
        if room <= 0:
            at = max(row.next_opening(at) for row in rows if row.room(at) <= 0)
            continue
        batch = PermitBatch(min(room, permits), at, at + hold)
        for row in rows:
            row.add(batch.permits, batch.closes_at)
        batches.append(batch)
        permits -= batch.permits
    return batches, rows, lane


def _by_budget(budgets: Sequence[tuple[CallLimit, BudgetState]], rows: list[_Row]) -> list[list[_Row]]:
    ends = 0
    parts: list[list[_Row]] = []
    for limit, _ in budgets:
        parts.append(rows[ends : ends + len(limit.windows)])
        ends += len(limit.windows)
    return parts


def _after(state: BudgetState, lane: str, rows: list[_Row], opened: int, now: int) -> BudgetState:
    kept = {row.span: row.kept(now) for row in rows}
    if lane == "reserved":
        return replace(state, reserved=kept, reserved_opened=opened)
    return replace(state, shared=kept, shared_opened=opened)


def _find_slots(
    budgets: Sequence[tuple[CallLimit, BudgetState]], holder: str, wanted: int, *, is_live: bool, now: int
) -> int:
    """How many calls at once a worker gets: an even share at most. One is kept for people where there are two."""
    for limit, state in budgets:
        most = max(1, limit.at_once * compute_factor(state, now) // FULL)
        most -= 1 if limit.live_percent and most > 1 and not is_live else 0
        others = [held for held in state.held if held.holder != holder and held.until > now]
        free = most - sum(held.slots for held in others)
        wanted = min(wanted, free, max(1, most // (len(others) + 1)))
    return max(0, wanted)


def _with_slots(state: BudgetState, mine: HeldSlots, now: int) -> BudgetState:
    others = tuple(held for held in state.held if held.holder != mine.holder and held.until > now)
    return replace(state, held=(*others, mine))
