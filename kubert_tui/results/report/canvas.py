"""What all plots of a report are drawn on."""

import io
from collections.abc import Callable
from typing import Any

from kubert_tui.base.errors import ToolMissingError


def drawn(draw: Callable[[Any, Any], None], inches: tuple[float, float], form: str) -> bytes:
    """Return what `draw(figure, axes)` draws, as svg or png: equal drawings give equal bytes.

    ToolMissingError when matplotlib cannot be imported.
    """
    try:
        import matplotlib as mpl  # noqa: PLC0415 -- slow to import, needed here only
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise ToolMissingError(
            f"plots need matplotlib: {error}", fix="pip install matplotlib, or report with --md"
        ) from error
    with mpl.rc_context(
        {"svg.hashsalt": "kubert-tui", "svg.fonttype": "none", "text.parse_math": False}
    ):
        figure = Figure(figsize=inches, layout="constrained")
        draw(figure, figure.add_subplot())
        out = io.BytesIO()
        metadata = {"Date": None} if form == "svg" else {"Software": None}
        figure.savefig(out, format=form, metadata=metadata, dpi=120)
        return out.getvalue()
