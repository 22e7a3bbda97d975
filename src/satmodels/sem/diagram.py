"""Path diagrams as plain SVG and as Mermaid text: no program and no library needed to draw them."""

from __future__ import annotations

import html
import math
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from satmodels.sem.summary import GroupSummary

LINE, HEADER, PADDING = 15, 22, 12  # heights in pixels
COLUMN_GAP, ROW_GAP = 120, 46
MIN_WIDTH, CHARACTER = 110, 8.0
# how far an arrow may bend aside, in pixels, to keep clear of other boxes; the first that fits is taken
BENDS = (0, 50, -50, 90, -90, 140, -140, 200, -200, 270, -270)
INK, MUTED, POSITIVE, NEGATIVE, FILL = "#1f2933", "#66707c", "#0072B2", "#D55E00", "#f3f6f9"
FONT = "Helvetica, Arial, 'Noto Sans', 'Noto Sans CJK SC', 'Microsoft YaHei', 'PingFang SC', sans-serif"


@dataclass(frozen=True)
class PathDiagram:
    """A path diagram.

    Attributes
    ----------
    svg : str
        The drawing, a stand-alone SVG document. All text in it is escaped.
    mermaid : str
        The same model as a Mermaid flowchart, for Markdown pages.
    """

    svg: str
    mermaid: str

    def save(self, path: str | Path) -> None:
        """Write the SVG document, or the Mermaid text where the file name ends with ``.mmd``."""
        path = Path(path)
        path.write_text(self.mermaid if path.suffix == ".mmd" else self.svg, encoding="utf-8")

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"PathDiagram({len(self.svg):,} characters of SVG)"


@dataclass
class _Box:
    name: str
    lines: list[str]
    width: float
    x: float = 0.0  # centre
    y: float = 0.0

    @property
    def height(self) -> float:
        return HEADER + LINE * len(self.lines) + PADDING

    def holds(self, x: float, y: float, margin: float) -> bool:
        return abs(x - self.x) < self.width / 2 + margin and abs(y - self.y) < self.height / 2 + margin

    def border(self, x: float, y: float) -> tuple[float, float]:
        """Return where the line from the centre towards (x, y) leaves the box."""
        dx, dy = x - self.x, y - self.y
        if dx == 0 and dy == 0:
            return self.x, self.y
        scale = min(
            self.width / 2 / abs(dx) if dx else math.inf, self.height / 2 / abs(dy) if dy else math.inf
        )
        return self.x + dx * scale, self.y + dy * scale


def path_diagram(g: GroupSummary, *, items: bool = False) -> PathDiagram:
    """Draw the standardised solution of one group: constructs with R², paths with coefficients.

    Parameters
    ----------
    g : GroupSummary
    items : bool, default False
        Whether to list the items with their loadings under each construct.
    """
    return PathDiagram(_svg(g, items), _mermaid(g, items))


def _arrows(g: GroupSummary) -> list[tuple[int, int, float]]:
    return [
        (source, target, float(g.paths[target, source]))
        for target in range(len(g.constructs))
        for source in g.predecessors(target)
    ]


def _notes(g: GroupSummary, construct: int, items: bool) -> list[str]:
    lines = [f"R² = {g.r2[construct]:.3f}"] if g.predecessors(construct) else []
    if items:
        lines += [
            f"{g.moments.columns[place]}  {g.loadings[place, construct]:.3f}" for place in g.block(construct)
        ]
    return lines


def _text_width(text: str) -> float:
    # Chinese, Japanese and Korean characters take the room of two
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return CHARACTER * (len(text) + 0.8 * wide)


def _layers(g: GroupSummary) -> list[list[int]]:
    """Put each construct one column right of its farthest source; short chains stay short."""
    depth = [0] * len(g.constructs)
    for _ in g.constructs:
        for target in range(len(g.constructs)):
            depth[target] = max([0, *(depth[s] + 1 for s in g.predecessors(target))])
    return [[j for j, d in enumerate(depth) if d == layer] for layer in range(max(depth) + 1)]


def _placed(g: GroupSummary, items: bool) -> tuple[list[_Box], float, float]:
    boxes: list[_Box] = []
    for j, name in enumerate(g.constructs):
        lines = _notes(g, j, items)
        width = max(MIN_WIDTH, *(_text_width(text) + 2 * PADDING for text in (name, *lines)))
        boxes.append(_Box(name, lines, width))
    layers = _layers(g)
    tall = max(sum(boxes[j].height + ROW_GAP for j in layer) for layer in layers)
    # a chain of single constructs goes up and down, so that arrows that skip one have room
    zigzag = tall if all(len(layer) == 1 for layer in layers) and len(layers) > 2 else tall / 3
    x = 0.0
    gap = COLUMN_GAP * (0.6 if zigzag == tall else 1.0)
    for i, layer in enumerate(layers):
        width = max(boxes[j].width for j in layer)
        y = -sum(boxes[j].height + ROW_GAP for j in layer) / 2
        shift = (zigzag if i % 2 else -zigzag) if len(layer) == 1 and len(layers) > 2 else 0.0
        for j in layer:
            boxes[j].x = x + width / 2
            boxes[j].y = y + (boxes[j].height + ROW_GAP) / 2 + shift
            y += boxes[j].height + ROW_GAP
        x += width + gap
    return boxes, x - gap, tall


def _curve(
    a: tuple[float, float], c: tuple[float, float], b: tuple[float, float], t: float
) -> tuple[float, float]:
    """Return the point at ``t`` of the quadratic curve from a to b with control point c."""
    u = 1 - t
    return u * u * a[0] + 2 * u * t * c[0] + t * t * b[0], u * u * a[1] + 2 * u * t * c[1] + t * t * b[1]


def _route(
    source: _Box, target: _Box, others: list[_Box], taken: list[tuple[float, float]]
) -> tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]:
    """Return start, control point, end and place of the label of the least disturbed arrow."""
    dx, dy = target.x - source.x, target.y - source.y
    length = math.hypot(dx, dy) or 1.0
    best = None
    for bend in BENDS:
        control = (
            (source.x + target.x) / 2 - dy / length * bend,
            (source.y + target.y) / 2 + dx / length * bend,
        )
        start, end = source.border(*control), target.border(*control)
        points = [_curve(start, control, end, t / 24) for t in range(25)]
        hits = sum(box.holds(x, y, 8) for box in others for x, y in points)
        place = min(
            ((len([1 for lx, ly in taken if abs(lx - x) < 44 and abs(ly - y) < 18]), abs(i - 12), (x, y))
             for i, (x, y) in enumerate(points[5:20], start=5)),
        )  # fmt: skip
        cost = 10 * hits + 25 * place[0] + abs(bend) / 20
        if best is None or cost < best[0]:
            best = (cost, start, control, end, place[2])
    assert best is not None  # noqa: S101 - BENDS is not empty
    return best[1], best[2], best[3], best[4]


def _svg(g: GroupSummary, items: bool) -> str:
    boxes, _, _ = _placed(g, items)
    body: list[str] = []
    labels: list[str] = []
    taken: list[tuple[float, float]] = []
    extent = [(b.x - b.width / 2, b.y - b.height / 2) for b in boxes]
    extent += [(b.x + b.width / 2, b.y + b.height / 2) for b in boxes]
    # short arrows first: they have the least choice
    arrows = sorted(
        _arrows(g), key=lambda a: math.hypot(boxes[a[0]].x - boxes[a[1]].x, boxes[a[0]].y - boxes[a[1]].y)
    )
    for source, target, value in arrows:
        others = [b for j, b in enumerate(boxes) if j not in (source, target)]
        start, control, end, label = _route(boxes[source], boxes[target], others, taken)
        taken.append(label)
        extent += [_curve(start, control, end, t / 8) for t in range(9)]
        colour = POSITIVE if value >= 0 else NEGATIVE
        width = 1 + 3 * min(abs(value), 1)
        body.append(
            f'<path d="M{start[0]:.1f},{start[1]:.1f} Q{control[0]:.1f},{control[1]:.1f} '
            f'{end[0]:.1f},{end[1]:.1f}" fill="none" stroke="{colour}" stroke-width="{width:.1f}" '
            f'stroke-opacity="0.75" marker-end="url(#{"up" if value >= 0 else "down"})"/>'
        )
        x, y = label
        labels.append(
            f'<rect x="{x - 20:.1f}" y="{y - 9:.1f}" width="40" height="17" rx="3" fill="white" fill-opacity="0.9"/>'
            f'<text x="{x:.1f}" y="{y + 4:.1f}" font-size="12" text-anchor="middle" fill="{INK}">{value:.3f}</text>'
        )
    for box in boxes:
        left, top = box.x - box.width / 2, box.y - box.height / 2
        body.append(
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="12" '
            f'fill="{FILL}" stroke="{INK}" stroke-width="1.3"/>'
            f'<text x="{box.x:.1f}" y="{top + HEADER - 3:.1f}" font-size="14" font-weight="bold" '
            f'text-anchor="middle" fill="{INK}">{html.escape(box.name)}</text>'
        )
        for i, line in enumerate(box.lines):
            body.append(
                f'<text x="{box.x:.1f}" y="{top + HEADER + LINE * (i + 1) - 2:.1f}" font-size="12" '
                f'text-anchor="middle" fill="{MUTED}">{html.escape(line)}</text>'
            )
    margin = 16
    x0, y0 = min(x for x, _ in extent) - margin, min(y for _, y in extent) - margin
    width, height = (
        max(x for x, _ in extent) + margin - x0,
        max(y for _, y in extent) + margin - y0,
    )
    head = "".join(
        f'<marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path d="M0,0 L10,5 L0,10 z" fill="{colour}"/></marker>'
        for name, colour in (("up", POSITIVE), ("down", NEGATIVE))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="{x0:.1f} {y0:.1f} {width:.1f} {height:.1f}" role="img" font-family="{FONT}">'
        f"<title>Path diagram</title><defs>{head}</defs>"
        f'<rect x="{x0:.1f}" y="{y0:.1f}" width="{width:.1f}" height="{height:.1f}" fill="white"/>'
        f"{''.join(body)}{''.join(labels)}</svg>"
    )


def _mermaid(g: GroupSummary, items: bool) -> str:
    lines = ["flowchart LR"]
    for j, name in enumerate(g.constructs):
        text = "<br/>".join(_mermaid_text(part) for part in (name, *_notes(g, j, items)))
        lines.append(f'    c{j}(["{text}"])')
    lines += [f'    c{source} -->|"{value:.3f}"| c{target}' for source, target, value in _arrows(g)]
    return "\n".join(lines) + "\n"


def _mermaid_text(text: str) -> str:
    # Mermaid reads #code; as a character; everything that could be markup is written so
    return "".join(c if c.isalnum() or c in " _-.=,²" else f"#{ord(c)};" for c in text)
