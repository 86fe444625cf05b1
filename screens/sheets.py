"""What the rows of the pictures of many say: all hosts, and all CPUs of one."""

from collections.abc import Iterable, Mapping
from functools import partial

from kubert_tui.events.measuring import LatencyStarted
from kubert_tui.latency.digest import Digest
from kubert_tui.latency.histogram import ThreadHistogram
from kubert_tui.latency.statistics import Percentile, Summary, summarise_thread
from kubert_tui.results import ladder
from kubert_tui.screens.glyphs import Glyphs
from kubert_tui.screens.latency_text import MERGED, badges, cpu_name, per_second, proves_nothing
from kubert_tui.screens.run_order import depth_of
from kubert_tui.screens.run_view import RunView
from kubert_tui.screens.widgets.histogram_layout import short
from kubert_tui.screens.widgets.runs import Run
from kubert_tui.screens.widgets.strips_layout import Heading, Sheet, Strip

_FIGURES = (
    Heading("min", 5, 3),
    Heading("avg", 6),
    Heading("p99", 6, 1),
    Heading("max", 6),
    Heading("over", 6),
)
_CPUS = (*_FIGURES, Heading("missed", 8, 2), Heading("samples", 9, 3), Heading("limit", 9))


def _hosts_headings(states: Iterable[str]) -> tuple[Heading, ...]:
    """The column of states is as wide as they are: the histograms need the room."""
    wide = max((len(state) for state in states), default=4)
    state = Heading("state", max(wide, 5) + 2)
    return (Heading("rate", 8, 2), *_FIGURES, state, Heading("limit", 9))


def hosts_sheet(view: RunView, digests: Mapping[str, Digest | None]) -> Sheet:
    """Return a row for each host that measures or measured, in the order of the lab."""
    strips, states = [], []
    for host, started in view.measurements.items():
        digest = digests.get(host)
        snapshot = None if digest is None else digest.snapshot
        state = badges(view, started, snapshot)[0][0].strip()
        states.append(state)
        cells = partial(_host_cells, view, started, digest, state)
        strips.append(Strip(host, None if digest is None else digest.merged, cells, started.limit))
    return Sheet(_hosts_headings(states), tuple(strips), "enter: this host")


def ladder_sheet(view: RunView, digests: Mapping[str, Digest | None], glyphs: Glyphs) -> Sheet:
    """Return the same rows for hosts and what stands on them, with what that adds.

    A cell of a machine or pod is its figure and the difference to what is beneath it.
    """
    strips, rows = [], []
    for host, started in view.measurements.items():
        digest = digests.get(host)
        beneath = digests.get(started.parent)
        state = badges(view, started, None if digest is None else digest.snapshot)[0][0].strip()
        cells = _ladder_cells(view, started, digest, beneath, state)
        rows.append(cells)
        label = f"{ladder.indent(depth_of(host, view.measurements), glyphs.corner)}{host}"
        drawn = None if digest is None else digest.merged
        strips.append(Strip(host, drawn, partial(tuple, cells), started.limit, label))
    titles = zip(("rate", *ladder.FIGURES, "state", "limit"), (5, 3, 2, 1, 0, 4, 1), strict=True)
    headings = tuple(
        # As wide as its widest cell: half a difference would mislead.
        Heading(title, max(len(title), *(len(cells[at][0]) for cells in rows)) + 2, rank)
        for at, (title, rank) in enumerate(titles)
    )
    return Sheet(headings, tuple(strips), "enter: this one; +: above what is beneath, us")


def _ladder_cells(
    view: RunView,
    started: LatencyStarted,
    digest: Digest | None,
    beneath: Digest | None,
    state: str,
) -> tuple[Run, ...]:
    if digest is None:
        return (*(("", ""),) * (1 + len(ladder.FIGURES)), (state, ""), ("", ""))
    told = ["-" if one is None else str(one).replace(" ", "")
            for one in ladder.figures_of(digest.summary)]  # fmt: skip
    if beneath is not None:
        deltas = ladder.deltas_of(digest.summary, beneath.summary)
        told = [f"{one} {ladder.delta_text(by)}" for one, by in zip(told, deltas, strict=True)]
    judged = _judged(digest.summary, started.limit)
    if judged[1] and proves_nothing(view, started.host):
        judged = ("not RT", "bad")
    over = bool(started.limit and digest.summary.maximum >= started.limit)
    *percentiles, worst = told
    return (
        (per_second(digest.rate), ""),
        *((one, "") for one in percentiles),
        (worst, "bad" if over else ""),
        (state, ""),
        judged,
    )


def cpus_sheet(digest: Digest, limit: int) -> Sheet:
    """Return a row for all CPUs merged, then one for each, the worst first."""
    each = zip(digest.snapshot.threads, digest.samples, digest.missed, strict=True)
    rows = sorted(each, key=lambda row: (-row[0].maximum, -row[0].overflows, row[0].cpu))
    merged = partial(_cpu_cells, digest.merged, sum(digest.missed), limit)
    strips = [Strip(MERGED, digest.merged, merged, limit)]
    strips += [
        Strip(cpu_name(thread.cpu), thread, partial(_cpu_cells, thread, missed, limit), limit)
        for thread, _, missed in rows
    ]
    return Sheet(_CPUS, tuple(strips), "enter: this CPU; digits: its number")


def _host_cells(
    view: RunView, started: LatencyStarted, digest: Digest | None, state: str
) -> tuple[Run, ...]:
    if digest is None:
        return (*(("", ""),) * (1 + len(_FIGURES)), (state, ""), ("", ""))
    judged = _judged(digest.summary, started.limit)
    if judged[1] and proves_nothing(view, started.host):
        judged = ("not RT", "bad")
    rate = (per_second(digest.rate), "")
    return (rate, *_figures(digest.summary, started.limit), (state, ""), judged)


def _cpu_cells(thread: ThreadHistogram, missed: int, limit: int) -> tuple[Run, ...]:
    summary = summarise_thread(thread)
    return (
        *_figures(summary, limit),
        (short(missed), "bad" if missed else ""),
        (short(summary.samples), ""),
        _judged(summary, limit),
    )


def _figures(summary: Summary, limit: int) -> tuple[Run, ...]:
    over = bool(limit and summary.maximum >= limit)
    return (
        (str(summary.minimum), ""),
        (f"{summary.average:.1f}", ""),
        (_percentile(summary.p99), ""),
        (str(summary.maximum), "bad" if over else ""),
        (short(summary.overflows), "bad" if summary.overflows else ""),
    )


def _percentile(value: Percentile | None) -> str:
    return "-" if value is None else str(value).replace(" ", "")


def _judged(summary: Summary, limit: int) -> Run:
    """Whether the worst seen so far is below the limit: words, not only colours."""
    if not limit or not summary.samples:
        return "-", ""
    return (f"<{limit} ok", "good") if summary.maximum < limit else (f">={limit} NO", "bad")
