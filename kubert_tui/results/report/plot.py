"""The plot that real-time people know from OSADL: a line per CPU, log counts, the limit in red."""

import io
from collections.abc import Sequence

from kubert_tui.base.errors import ToolMissingError
from kubert_tui.lab.limits import Limit
from kubert_tui.latency.store import StoredMeasurement

_INCHES = (10.0, 5.6)
_LEGEND = 16
"""CPUs; a legend of more would hide the plot."""


def plot(measurements: Sequence[StoredMeasurement], limit: Limit | None, form: str) -> bytes:
    """Return the plot of one host's CPUs, or of several measurements merged, as svg or png.

    Equal measurements give equal bytes. ToolMissingError when matplotlib cannot be imported.
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
        figure = Figure(figsize=_INCHES, layout="constrained")
        axes = figure.add_subplot()
        lines = _lines(measurements)
        for label, us, counts in lines:
            axes.step(us, counts, where="post", linewidth=0.8, label=label)
        axes.set_yscale("log")
        axes.set_ylim(bottom=0.5)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.set_xlim(left=0)
        axes.set_xlabel("latency, us (buckets of 1 us)")
        axes.set_ylabel("samples")
        axes.set_title(_title(measurements))
        axes.grid(visible=True, which="major", alpha=0.3)
        if limit is not None:
            label = f"limit {limit.microseconds} us"
            axes.axvline(limit.microseconds, color="red", linewidth=1.2, label=label)
        if len(lines) <= _LEGEND:
            axes.legend(fontsize="small")
        out = io.BytesIO()
        metadata = {"Date": None} if form == "svg" else {"Software": None}
        figure.savefig(out, format=form, metadata=metadata)
        return out.getvalue()


def _lines(measurements: Sequence[StoredMeasurement]) -> list[tuple[str, list[int], list[int]]]:
    if len(measurements) == 1:
        return [
            (f"CPU {thread.cpu}", *_steps(dict(thread.buckets)))
            for thread in measurements[0].threads
        ]
    found = []
    for one in measurements:
        merged: dict[int, int] = {}
        for thread in one.threads:
            for us, count in thread.buckets:
                merged[us] = merged.get(us, 0) + count
        found.append((f"{one.host}, {one.fingerprint.kernel}", *_steps(merged)))
    return found


def _steps(counts: dict[int, int]) -> tuple[list[int], list[int]]:
    """Return the corners of the line: it falls to nothing where a bucket is empty."""
    last = max(counts, default=0)
    us = list(range(last + 2))
    return us, [counts.get(one, 0) for one in us]


def _title(measurements: Sequence[StoredMeasurement]) -> str:
    if len(measurements) > 1:
        return "cyclictest, all CPUs merged"
    one = measurements[0]
    figures = one.summary
    return (
        f"{one.host}: {one.fingerprint.kernel}, {len(one.threads)} CPUs, "
        f"{figures.samples} samples, max {figures.maximum} us"
    )
