"""The table under the histogram: all CPUs, those around the selected one, a stored result."""

from textual.content import Content

from kubert_tui.latency.digest import Digest
from kubert_tui.latency.histogram import ThreadHistogram
from kubert_tui.latency.statistics import summarise_thread
from kubert_tui.screens.compared import Compared
from kubert_tui.screens.latency_text import MERGED, cpu_name
from kubert_tui.screens.widgets.histogram_layout import Figure
from kubert_tui.screens.widgets.statistics_table import delta_row, row_of, statistics_table


def chosen(digest: Digest, cpu: int | None) -> ThreadHistogram:
    """Return the histogram of a CPU; all of them merged if there is no such CPU, or for None."""
    threads = digest.snapshot.threads
    return next((one for one in threads if one.cpu == cpu), digest.merged)


def figure(
    digest: Digest, cpu: int | None, *, logarithmic: bool, limit: int, compared: Compared | None
) -> Figure:
    """Return what is drawn."""
    live = chosen(digest, cpu)
    other, beyond = ((), 0.0) if compared is None else compared.over(live, cpu)
    return Figure(live.counts, live.overflows, live.maximum, logarithmic, limit, other, beyond)


def figures(
    digest: Digest, cpu: int | None, compared: Compared | None, *, rows: int, width: int
) -> Content:
    """Return the table: merged and `rows` - 1 CPUs; or the live, the stored and their distance."""
    if compared is not None:
        live = digest.summary if cpu is None else summarise_thread(chosen(digest, cpu))
        stored = summarise_thread(compared.histogram(cpu))
        both = (row_of("now", live), row_of("stored", stored), delta_row("change", stored, live))
        return statistics_table(both, "now", width)
    threads = digest.snapshot.threads
    cpus = [thread.cpu for thread in threads]
    at = cpus.index(cpu) if cpu in cpus else 0
    room = rows - 1
    first = min(max(0, at - room // 2), max(0, len(cpus) - room))
    told = (
        row_of(MERGED, digest.summary),
        *(
            row_of(cpu_name(one.cpu), summarise_thread(one))
            for one in threads[first : first + room]
        ),
    )
    return statistics_table(told, cpu_name(cpu), width)
