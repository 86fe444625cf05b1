"""Measurements compared with the first, as one HTML file that needs nothing else."""

from collections.abc import Sequence
from html import escape

from kubert_tui.lab.limits import Limit
from kubert_tui.latency.stored import StoredMeasurement
from kubert_tui.results.comparison import HEADINGS, REMARKS, Comparison, named
from kubert_tui.results.evidence import evidence_of, limit_named
from kubert_tui.results.report.page import bullets, head, inline, judgement, table
from kubert_tui.results.verdict import judge


def comparison_page(
    measurements: Sequence[StoredMeasurement],
    comparisons: Sequence[Comparison],
    drawn: str,
    limit: Limit | None,
) -> str:
    """Return the page. `drawn` is the SVG with all of them."""
    parts = [head("Latencies compared"), inline(drawn)]
    for number, one in enumerate(measurements, 1):
        verdict = judge(evidence_of(one), limit or limit_named(one))
        parts += [f"<h2>{number} {escape(named(one))}</h2>", judgement(verdict)]
    for number, comparison in enumerate(comparisons, 2):
        parts.append(f"<h2>1 against {number}</h2>")
        rows = [(one.key, one.first, one.second) for one in comparison.unlike]
        if rows:
            parts.append(table(("what differs", "1", str(number)), rows, "facts"))
        parts += [table(HEADINGS, comparison.rows()), bullets(comparison.notes)]
    return "\n".join([*parts, f"<p>{escape(REMARKS)}</p>", "</body></html>\n"])
