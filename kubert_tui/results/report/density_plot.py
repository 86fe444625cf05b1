"""The curve of a density run: latency against applications, the limit and where it breaks."""

from typing import Any

from kubert_tui.latency.statistics import Percentile
from kubert_tui.results.density import Curve, Point, title
from kubert_tui.results.ladder import FIGURES
from kubert_tui.results.report.canvas import drawn

_INCHES = (10.0, 4.2)
_MARKS = ("o", "s", "^", "D")
_COLOURS = ("tab:blue", "tab:orange", "tab:green", "black")
_DASHES = (":", "-.", "--", "-")


def density_plot(curve: Curve, form: str = "svg") -> bytes:
    """Return the plot as svg or png.

    A percentile is drawn at its bound; one that lies beyond the histogram, or that too few samples
    tell, is left out. Equal curves give equal bytes. ToolMissingError when matplotlib cannot be
    imported.
    """

    def draw(figure: Any, axes: Any) -> None:
        from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 -- slow to import

        for index, name in enumerate(FIGURES):
            points = [
                (one.applications, height)
                for one in curve.points
                if (height := _height(one, index)) is not None
            ]
            if points:
                axes.plot(
                    *zip(*points, strict=True), label=name, marker=_MARKS[index],
                    color=_COLOURS[index], linestyle=_DASHES[index], markersize=4, linewidth=1.2,
                )  # fmt: skip
        _limit(axes, curve)
        axes.set_ylim(bottom=0)
        axes.set_xlim(-0.2, max(1, curve.reached) + 0.2)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("applications on each node")
        axes.set_ylabel("latency, us")
        axes.set_title(title(curve), fontsize="medium")
        axes.grid(visible=True, which="major", alpha=0.3)
        figure.legend(fontsize="small", loc="outside right upper")

    return drawn(draw, _INCHES, form)


def _height(point: Point, index: int) -> int | None:
    figure = point.figures[index]
    if isinstance(figure, Percentile):
        return None if figure.at_least else figure.value
    return figure


def _limit(axes: Any, curve: Curve) -> None:
    if curve.limit is not None:
        us = curve.limit.microseconds
        axes.axhline(us, color="red", linewidth=1.2, label=f"limit {us} us")
    if curve.breaks is not None:
        label = f"breaks at {curve.breaks}"
        axes.axvline(curve.breaks, color="red", linewidth=0.8, linestyle=":", label=label)
