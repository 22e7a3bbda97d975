"""How every figure looks: size, colours, and a font that has the reader's characters."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from satmodels.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

P = ParamSpec("P")
R = TypeVar("R")

INK = "#1f2933"
MUTED = "#8a94a0"
GRID = "#e4e7eb"
# distinguishable with the common forms of colour blindness (Okabe and Ito 2008)
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F", "#B2A100")
GOOD, BAD, NEUTRAL = "#009E73", "#D55E00", "#8a94a0"
# the first that the machine has is used for characters that the one before lacks
FONTS = (
    "DejaVu Sans",
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "Microsoft YaHei",
    "PingFang SC",
    "SimHei",
    "Arial Unicode MS",
)
RC: dict[Any, Any] = {
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.unicode_minus": False,  # the CJK fonts lack the typographic minus
    "grid.color": GRID,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "font.size": 10,
    "legend.frameon": False,
}


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Decorate a drawing function so that everything it draws has the house style.

    Matplotlib keeps its settings globally and reads them when a thing is drawn; they are set for the
    time of the call and put back.
    """

    @functools.wraps(draw)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            import matplotlib as mpl
            from matplotlib import font_manager
        except ImportError as error:
            raise MissingExtraError("matplotlib", "plot") from error
        installed = {font.name for font in font_manager.fontManager.ttflist}
        fonts = [name for name in FONTS if name in installed]
        with mpl.rc_context({**RC, "font.family": fonts or ["sans-serif"]}):
            return draw(*args, **kwargs)

    return inner


def new_figure(width: float = 7.0, height: float = 4.5) -> Any:
    """Return an empty figure (inches) that belongs to no global state; call it inside ``@styled``."""
    from matplotlib.figure import Figure

    class NotebookFigure(Figure):
        """A figure that a notebook shows without pyplot and its list of open figures."""

        def _repr_png_(self) -> bytes:
            return png(self)

    return NotebookFigure(figsize=(width, height), layout="constrained", dpi=110)


def png(figure: Figure) -> bytes:
    """Return a figure as PNG bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=figure.dpi)
    return buffer.getvalue()


def plain_text(label: object) -> str:
    """Return a label that matplotlib shows as it is, whatever the user wrote in it."""
    return str(label).replace("$", r"\$")
