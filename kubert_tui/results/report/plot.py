"""The plot that real-time people know from OSADL: a line per CPU, log counts, the limit in red."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kubert_tui.lab.limits import Limit
from kubert_tui.latency.stored import StoredMeasurement
from kubert_tui.results.evidence import applications_of
from kubert_tui.results.report.canvas import drawn

_INCHES = (10.0, 5.6)
_LEGEND = 16
"""Lines; more of them are told apart by a scale of colours."""
_DASHES = ("-", "--", "-.", ":")
"""Measurements can be told apart without colour, and CPUs when the ten colours come again."""
_SAME_LENGTH = 1.01


@dataclass(frozen=True, slots=True)
class _Line:
    label: str
    us: list[int]
    counts: list[float]
    width: float = 0.8
    dash: str = "-"


def plot(measurements: Sequence[StoredMeasurement], limit: Limit | None, form: str) -> bytes:
    """Return the plot of one host's CPUs, or of several measurements merged, as svg or png.

    Of measurements that are not equally long the share of samples is drawn. Equal measurements
    give equal bytes. ToolMissingError when matplotlib cannot be imported.
    """

    def draw(figure: Any, axes: Any) -> None:
        lengths = [one.summary.samples for one in measurements]
        share = max(lengths) > _SAME_LENGTH * min(lengths)
        _draw(figure, axes, _lines(measurements, share=share))
        axes.set_yscale("log")
        if share:
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
            axes.set_ylabel("share of all samples of the measurement")
        else:
            axes.set_ylim(bottom=0.5)
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
            axes.set_ylabel("samples")
        axes.set_xlabel("latency, us (buckets of 1 us)")
        axes.set_title("\n".join(_title(measurements)), fontsize="medium")
        axes.grid(visible=True, which="major", alpha=0.3)
        if limit is not None:
            label = f"limit {limit.microseconds} us"
            axes.axvline(limit.microseconds, color="red", linewidth=1.2, label=label)
        axes.set_xlim(left=0)
        if axes.get_legend_handles_labels()[1]:
            # Beside the plot or below it: inside it would hide what is rare.
            few = len(lengths) == 1 and len(measurements[0].threads) <= _LEGEND
            figure.legend(
                fontsize="small", loc="outside right upper" if few else "outside lower center"
            )

    return drawn(draw, _INCHES, form)


def _draw(figure: Any, axes: Any, lines: Sequence[_Line]) -> None:
    """Draw the lines: each with its name, or, where they are many, with a colour of a scale."""
    many = len(lines) > _LEGEND
    colours: list[Any] = [None] * len(lines)
    if many:
        from matplotlib import colormaps  # noqa: PLC0415
        from matplotlib.cm import ScalarMappable  # noqa: PLC0415
        from matplotlib.colors import Normalize  # noqa: PLC0415

        palette = colormaps["viridis"]
        colours = [palette(index / (len(lines) - 1)) for index in range(len(lines))]
        scale = ScalarMappable(Normalize(0, len(lines) - 1), palette)
        bar = figure.colorbar(scale, ax=axes, label="CPU")
        ticks = list(range(0, len(lines), -(-len(lines) // 8)))
        bar.set_ticks(ticks, labels=[lines[at].label.removeprefix("CPU ") for at in ticks])
    for line, colour in zip(lines, colours, strict=True):
        told = {} if many else {"linestyle": line.dash, "label": line.label}
        axes.step(line.us, line.counts, where="post", linewidth=line.width, color=colour, **told)


def _lines(measurements: Sequence[StoredMeasurement], *, share: bool) -> list[_Line]:
    if len(measurements) > 1:
        return _of_runs(measurements, share=share)
    return _of_cpus(measurements[0])


def _of_cpus(one: StoredMeasurement) -> list[_Line]:
    return [
        _Line(f"CPU {thread.cpu}", *_steps(dict(thread.buckets)), dash=_DASHES[index // 10 % 4])
        for index, thread in enumerate(one.threads)
    ]


def _of_runs(measurements: Sequence[StoredMeasurement], *, share: bool) -> list[_Line]:
    found = []
    for number, one in enumerate(measurements):
        merged: dict[int, int] = {}
        for thread in one.threads:
            for us, count in thread.buckets:
                merged[us] = merged.get(us, 0) + count
        corners, counts = _steps(merged)
        if share:
            counts = [count / one.summary.samples for count in counts]
        told = filter(None, (one.host, applications_of(one), one.fingerprint.kernel))
        label = f"{number + 1} {', '.join(told)}"
        found.append(_Line(label, corners, counts, 1.2, _DASHES[number % len(_DASHES)]))
    return found


def _steps(counts: dict[int, int]) -> tuple[list[int], list[float]]:
    """Return the corners of the line: it falls to nothing where a bucket is empty."""
    last = max(counts, default=0)
    us = list(range(last + 2))
    return us, [float(counts.get(one, 0)) for one in us]


def _title(measurements: Sequence[StoredMeasurement]) -> Iterator[str]:
    if len(measurements) > 1:
        yield "cyclictest, all CPUs merged"
        return
    (one,) = measurements
    figures = one.summary
    yield f"{one.host}: {one.fingerprint.kernel}"
    told = (
        f"{len(one.threads)} CPUs, the worst of {figures.samples} samples took {figures.maximum} us"
    )
    if figures.overflows:
        told += f"; {figures.overflows} are off the picture ({one.histogram} us or more)"
    yield told
