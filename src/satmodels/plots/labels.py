"""Labels beside points, placed so that they stay readable in a crowd."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.plots.style import INK, MUTED, plain_text

Box = tuple[float, float, float, float]  # left, bottom, right, top in pixels

DIRECTIONS = 16
RADII = (6.0, 14.0, 26.0, 42.0, 62.0, 86.0, 114.0, 146.0)  # points from the mark to the label's near edge
LEADER = 15.0  # a label further away gets a line to its mark
LONGEST = 26  # characters of a label in a crowd; the table has the full name
CROWD = 15  # from this many points on, labels are smaller and cut


def place_labels(axes: Any, x: Sequence[float], y: Sequence[float], texts: Sequence[str]) -> None:
    """Write a text beside each point, away from other texts and points.

    Labels are placed one after the other, the most crowded points first, each at the candidate place
    (16 directions, growing distance) that covers least; what ends up far from its point gets a thin
    line. Call it last: it needs the final limits of the axes.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = axes.figure
    canvas = FigureCanvasAgg(figure)  # measures texts; saving chooses its own
    figure.draw_without_rendering()  # settles the layout, so that pixels are final
    figure.set_layout_engine("none")
    renderer = canvas.get_renderer()
    scale = figure.dpi / 72
    crowded = len(texts) >= CROWD
    size = 7.5 if crowded else 9.0
    points: NDArray[np.float64] = axes.transData.transform(np.column_stack([x, y]))
    shown = [plain_text(_cut(t) if crowded else t) for t in texts]
    extents: list[tuple[float, float]] = []
    for text in shown:
        probe = axes.text(0, 0, text, fontsize=size)
        box = probe.get_window_extent(renderer)
        extents.append((box.width, box.height))
        probe.remove()
    frame = axes.get_window_extent(renderer)
    inside: Box = (frame.x0, frame.y0, frame.x1, frame.y1)
    distances = np.hypot(*(points[:, None, :] - points[None, :, :]).transpose(2, 0, 1))
    crowding = (1 / (distances + 20 * scale)).sum(axis=1)
    placed: list[Box] = []
    for i in np.argsort(-crowding):
        best = min(
            _candidates(points[i], extents[i], scale),
            key=lambda c: _cost(c, points, int(i), placed, inside, scale),
        )
        placed.append(best[0])
        _write(axes, points[i], best, shown[i], size, scale)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _candidates(
    point: NDArray[np.float64], extent: tuple[float, float], scale: float
) -> list[tuple[Box, float]]:
    """Return the boxes around a point with how far off (in points) they read."""
    width, height = extent
    found: list[tuple[Box, float]] = []
    for radius in RADII:
        for k in range(DIRECTIONS):
            angle = 2 * np.pi * k / DIRECTIONS
            dx, dy = np.cos(angle), np.sin(angle)
            # the nearest point of the box lies on the circle
            cx = point[0] + dx * (radius * scale + width / 2 * abs(dx) ** 0.5)
            cy = point[1] + dy * (radius * scale + height / 2)
            # beside the mark the label would lie on the point's own horizontal error bar
            far = radius + (8.0 if abs(dy) < 0.3 else 0.0)
            found.append(((cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2), far))
    return found


def _cost(
    candidate: tuple[Box, float],
    points: NDArray[np.float64],
    own: int,
    placed: Sequence[Box],
    inside: Box,
    scale: float,
) -> float:
    box, radius = candidate
    pad = 2.0 * scale
    area = (box[2] - box[0]) * (box[3] - box[1])
    cost = radius / 20.0
    if placed:
        others = np.array(placed)
        across = np.minimum(box[2] + pad, others[:, 2]) - np.maximum(box[0] - pad, others[:, 0])
        up = np.minimum(box[3] + pad, others[:, 3]) - np.maximum(box[1] - pad, others[:, 1])
        cost += 40.0 * float((np.maximum(across, 0) * np.maximum(up, 0)).sum()) / area
    near = (
        (points[:, 0] > box[0] - 4 * scale)
        & (points[:, 0] < box[2] + 4 * scale)
        & (points[:, 1] > box[1] - 4 * scale)
        & (points[:, 1] < box[3] + 4 * scale)
    )
    cost += 4.0 * float(near.sum())
    outside = max(inside[0] - box[0], 0) + max(box[2] - inside[2], 0)
    outside += max(inside[1] - box[1], 0) + max(box[3] - inside[3], 0)
    cost += outside
    # a line that passes other points' marks reads wrongly
    if radius > LEADER:
        start, end = points[own], np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
        step = end - start
        along = np.clip(((points - start) @ step) / max(float(step @ step), 1e-9), 0, 1)
        gap = np.hypot(*(points - (start + along[:, None] * step)).T)
        gap[own] = np.inf
        cost += 1.5 * float((gap < 5 * scale).sum())
    return cost


def _write(
    axes: Any,
    point: NDArray[np.float64],
    candidate: tuple[Box, float],
    text: str,
    size: float,
    scale: float,
) -> None:
    from matplotlib.patheffects import Normal, Stroke

    box, radius = candidate
    centre = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    place = ((centre[0] - point[0]) / scale, (centre[1] - point[1]) / scale)
    data = axes.transData.inverted().transform(point)
    axes.annotate(
        text,
        data,
        xytext=place,
        textcoords="offset points",
        ha="center",
        va="center",
        fontsize=size,
        color=INK,
        arrowprops={"arrowstyle": "-", "color": MUTED, "lw": 0.6, "shrinkA": 0, "shrinkB": 2}
        if radius > LEADER
        else None,
        zorder=5,
        path_effects=[Stroke(linewidth=2, foreground="white", alpha=0.8), Normal()],
    )
