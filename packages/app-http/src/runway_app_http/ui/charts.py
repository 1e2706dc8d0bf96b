"""Lines of cash as SVG: attributes only, whole coordinates, and always the figures in words beside them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from markupsafe import Markup, escape
from runway_core.domain.outlook import OutlookDay

from runway_app_http.ui.figures import say_amount, say_day

SPARK_WIDTH, SPARK_HEIGHT = 1300, 300
SPARK_SLOTS = 13
SPARK_PAST = 8

CHART_WIDTH, CHART_HEIGHT = 660, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 12, 14, 30
_HALF_DAY = 42  # half the width of the longest day that is written


@dataclass(frozen=True, slots=True)
class Scale:
    """Puts amounts on whole vertical coordinates: the highest on `top`, the lowest on `bottom`."""

    low: Decimal
    high: Decimal
    top: int
    bottom: int

    @classmethod
    def around(cls, amounts: Iterable[Decimal], *, top: int, bottom: int) -> "Scale":
        """A scale that shows all amounts, and nil."""
        held = [Decimal(0), *amounts]
        low, high = min(held), max(held)
        return cls(low=low, high=high if high > low else low + 1, top=top, bottom=bottom)

    def place(self, amount: Decimal) -> int:
        """The coordinate of an amount."""
        return self.top + int((self.high - amount) * (self.bottom - self.top) / (self.high - self.low))


def draw_spark(past: Sequence[Decimal], coming: Sequence[Decimal], *, label: str) -> Markup:
    """Draw the past weeks' closing cash as a line, the coming weeks' as a dashed one, and nil where cash crosses it."""
    past, coming = past[-SPARK_PAST:], coming[: SPARK_SLOTS - SPARK_PAST]
    if not past and not coming:
        return Markup("")
    scale = Scale.around([*past, *coming], top=20, bottom=SPARK_HEIGHT - 20)
    step = SPARK_WIDTH // SPARK_SLOTS
    first = SPARK_PAST - len(past)
    been = [(step // 2 + (first + i) * step, scale.place(amount)) for i, amount in enumerate(past)]
    to_come = [(step // 2 + (SPARK_PAST + i) * step, scale.place(amount)) for i, amount in enumerate(coming)]
    parts = [
        f'<svg class="spark" viewBox="0 0 {SPARK_WIDTH} {SPARK_HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(label)}" focusable="false">'
    ]
    if scale.low < 0:
        nil = scale.place(Decimal(0))
        parts.append(f'<path class="nil" d="M0 {nil}H{SPARK_WIDTH}"/>')
    if len(been) > 1:
        parts.append(f'<path class="been" d="{_line(been)}"/>')
    joined = [*been[-1:], *to_come]
    if len(joined) > 1:
        parts.append(f'<path class="to-come" d="{_line(joined)}"/>')
    parts.append("</svg>")
    return Markup("".join(parts))  # noqa: S704 - numbers we computed, and an escaped label


def _line(points: Sequence[tuple[int, int]]) -> str:
    return "M" + "L".join(f"{x} {y}" for x, y in points)


def draw_cash_line(days: Sequence[OutlookDay], *, currency: str, floor: Decimal, label: str) -> Markup:
    """Draw each day's closing cash, its low beneath, nil and the buffer. A table with the figures stands beside it."""
    if not days:
        return Markup("")
    scale = Scale.around(
        [*(day.closing for day in days), *(day.low for day in days), floor], top=_TOP, bottom=CHART_HEIGHT - _BOTTOM
    )
    span = max(len(days) - 1, 1)
    width = CHART_WIDTH - _LEFT - _RIGHT
    across = [_LEFT + i * width // span for i in range(len(days))]
    closing = [(x, scale.place(day.closing)) for x, day in zip(across, days, strict=True)]
    lows = [(x, scale.place(day.low)) for x, day in zip(across, days, strict=True)]
    nil = scale.place(Decimal(0))
    parts = [
        f'<svg class="chart" viewBox="0 0 {CHART_WIDTH} {CHART_HEIGHT}" role="img" aria-label="{escape(label)}" '
        'focusable="false">',
        *_draw_levels(scale, currency),
        *_draw_months(across, days),
        f'<path class="nil" d="M{_LEFT} {nil}H{CHART_WIDTH - _RIGHT}"/>',
    ]
    if floor > 0:
        level = scale.place(floor)
        parts.append(f'<path class="floor" d="M{_LEFT} {level}H{CHART_WIDTH - _RIGHT}"/>')
        parts.append(f'<text class="floor-name" x="{CHART_WIDTH - _RIGHT}" y="{level - 4}">buffer</text>')
    parts.append(f'<path class="lows" d="{_line(lows)}"/><path class="closing" d="{_line(closing)}"/>')
    parts.extend(_mark_fall(across, days, scale))
    parts.append("</svg>")
    return Markup("".join(parts))  # noqa: S704 - numbers we computed, and an escaped label


def _draw_levels(scale: Scale, currency: str) -> Iterable[str]:
    for amount in find_levels(scale.low, scale.high):
        y = scale.place(amount)
        yield f'<path class="level" d="M{_LEFT} {y}H{CHART_WIDTH - _RIGHT}"/>'
        yield f'<text class="level-name" x="{_LEFT - 8}" y="{y + 4}">{say_amount(amount, currency, whole=True)}</text>'


def find_levels(low: Decimal, high: Decimal) -> Sequence[Decimal]:
    """Find three to seven round amounts between low and high, a 1, 2 or 5 with noughts apart."""
    rough = (high - low) / 5
    size = Decimal(1).scaleb(rough.adjusted())
    step = next((size * m for m in (1, 2, 5, 10) if size * m >= rough), size * 10)
    first = (low / step).to_integral_value(rounding="ROUND_CEILING")
    last = (high / step).to_integral_value(rounding="ROUND_FLOOR")
    return [step * n for n in range(int(first), int(last) + 1)]


def _draw_months(across: Sequence[int], days: Sequence[OutlookDay]) -> Iterable[str]:
    y = CHART_HEIGHT - 10
    for x, day in zip(across, days, strict=True):
        if day.day.weekday() == 0 and (day.day - days[0].day).days % 14 < 7:
            yield f'<path class="tick" d="M{x} {CHART_HEIGHT - _BOTTOM}v5"/>'
            at = min(x, CHART_WIDTH - _HALF_DAY)  # the last one would reach over the edge
            yield f'<text class="tick-name" x="{at}" y="{y}">{say_day(day.day, days[0].day)}</text>'


def _mark_fall(across: Sequence[int], days: Sequence[OutlookDay], scale: Scale) -> Iterable[str]:
    fall = next(((x, day) for x, day in zip(across, days, strict=True) if day.low < 0), None)
    if fall is not None:
        x, day = fall
        above = min(scale.place(day.low), scale.place(Decimal(0))) - 8
        anchor = "end" if x > CHART_WIDTH * 3 // 4 else "start"
        at = x - 8 if anchor == "end" else x + 8
        yield f'<circle class="fall" cx="{x}" cy="{scale.place(day.low)}" r="5"/>'
        yield (
            f'<text class="fall-name" x="{at}" y="{above}" text-anchor="{anchor}">'
            f"below nil {say_day(day.day, days[0].day)}</text>"
        )


def describe_spark(past: Sequence[Decimal], coming: Sequence[Decimal], *, currency: str, as_of: date) -> str:
    """Say a spark line in words, every week's figure included: it is the chart's table for who cannot see it."""
    been = ", ".join(say_amount(amount, currency, whole=True) for amount in past[-SPARK_PAST:])
    to_come = ", ".join(say_amount(amount, currency, whole=True) for amount in coming[: SPARK_SLOTS - SPARK_PAST])
    said = f"Cash in {currency} at week ends as of {say_day(as_of)}."
    if been:
        said += f" Past: {been}."
    return f"{said} Coming: {to_come}." if to_come else said
