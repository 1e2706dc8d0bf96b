"""A graph of how long one round takes, drawn as SVG: two lines and the limit that they may not pass."""

from collections.abc import Mapping, Sequence

WIDTH, HEIGHT = 720, 380
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 40, 52
COLOURS = {1: "#00796b", 2: "#5e35b1"}
STEPS = 5
Points = Sequence[tuple[int, float]]


def draw_graph(points: Mapping[int, Points], *, limit_seconds: float) -> str:
    """Draw, by number of workers, companies against minutes of one round; lines run on to where the limit is met."""
    reach = {workers: _find_reach(some, limit_seconds) for workers, some in points.items()}
    most = _round_up(max(reach.values()))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="13" fill="#37474f">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="22" font-weight="bold">Minutes that one round of polls takes, by companies</text>',
    ]
    top = limit_seconds * 1.15

    def at(companies: float, seconds: float) -> tuple[str, str]:
        x = LEFT + companies * (WIDTH - LEFT - RIGHT) / most
        y = HEIGHT - BOTTOM - seconds * (HEIGHT - TOP - BOTTOM) / top
        return f"{x:.1f}", f"{y:.1f}"

    for step in range(STEPS + 1):
        x, y = at(most * step / STEPS, 0)
        parts.append(f'<text x="{x}" y="{float(y) + 20}" text-anchor="middle">{most * step // STEPS:,}</text>')
    for minutes in range(0, int(limit_seconds // 60) + 1, 5):
        x, y = at(0, minutes * 60)
        parts.append(f'<line x1="{x}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}" stroke="#cfd8dc"/>')
        parts.append(f'<text x="{float(x) - 8}" y="{float(y) + 4}" text-anchor="end">{minutes}</text>')
    x, y = at(0, limit_seconds)
    parts.append(f'<line x1="{x}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}" stroke="#c62828" stroke-width="2"/>')
    parts.append(f'<text x="{float(x) + 8}" y="{float(y) - 6}" fill="#c62828">older than promised</text>')
    for workers, some in points.items():
        colour, companies = COLOURS[workers], reach[workers]
        (x0, y0), (x1, y1) = at(0, 0), at(companies, limit_seconds)
        parts.append(f'<line x1="{x0}" y1="{y0}" x2="{x1}" y2="{y1}" stroke="{colour}" stroke-dasharray="5 4"/>')
        for point in some:
            x, y = at(*point)
            parts.append(f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"/>')
        said = f"{workers} worker{'s' if workers > 1 else ''}: {companies:,.0f}"
        parts.append(f'<text x="{x1}" y="{float(y1) + 18}" text-anchor="end" fill="{colour}">{said}</text>')
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 12}" text-anchor="middle">companies</text></svg>')
    return "\n".join(parts) + "\n"


def _find_reach(points: Points, limit_seconds: float) -> float:
    """How many companies fit below the limit, by the largest size that was measured."""
    companies, seconds = max(points)
    return companies * limit_seconds / seconds


def _round_up(number: float) -> int:
    step = 10 ** (len(str(int(number))) - 1)
    return int(-(-number // step) * step)
