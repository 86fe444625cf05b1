"""A report as Markdown, for a ticket or a repository."""

import re
from collections.abc import Sequence
from urllib.parse import quote

from kubert_tui.results import density, ladder
from kubert_tui.results.density import Curve
from kubert_tui.results.report.content import HEADINGS, Chapter


def markdown(
    chapters: Sequence[Chapter],
    picture: str = "",
    rungs: Sequence[Sequence[str]] = (),
    curves: Sequence[Curve] = (),
) -> str:
    """Return the report. Text of hosts is escaped: it becomes no markup.

    `picture` is the name of the plot that lies beside it; `rungs` are the ladder's rows, if there
    is a ladder; `curves` those of density runs.
    """
    lines = ["# Latency report", ""]
    if picture:
        lines += [f"![Latencies: samples of each CPU by microseconds](<{quote(picture)}>)", ""]
    if rungs:
        lines += ["## Ladder", "", *_table(ladder.headings(), rungs), "", ladder.REMARKS, ""]
    if curves:
        lines += ["## Density of applications", ""]
    for curve in curves:
        table = _table(density.headings(), density.rows(curve))
        lines += [f"### {_safe(density.title(curve))}", "", *table, "", _safe(curve.statement), ""]
    if curves:
        lines += [density.REMARKS, ""]
    for chapter in chapters:
        lines += [
            f"## {_safe(chapter.title)}",
            "",
            f"**Verdict:** {_safe(chapter.verdict.statement)}",
        ]
        if limit := chapter.verdict.limit:
            where = f" <{limit.url}>" if limit.url else ""
            lines += ["", f"Limit: {limit.microseconds} us, {_safe(limit.source)}{where}"]
        reasons = [one for one in chapter.verdict.reasons if one not in chapter.verdict.statement]
        lines += ["", *(f"- {_safe(reason)}" for reason in reasons), ""]
        lines += _table(HEADINGS, chapter.figures)
        lines += ["", "Latencies in microseconds.", ""]
        lines += _table(("what", "value"), chapter.facts)
        lines += ["", *(f"- {_safe(note)}" for note in chapter.notes), ""]
        if chapter.trace:
            # Indented by four, it is text as it stands.
            lines += ["What the kernel traced before it:", ""]
            lines += [*(f"    {' '.join(line.split())}" for line in chapter.trace), ""]
    return "\n".join(lines)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        "| " + " | ".join(headings) + " |",
        "|" + "---|" * len(headings),
        *("| " + " | ".join(map(_safe, row)) + " |" for row in rows),
    ]


def _safe(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>|#!~])", r"\\\1", " ".join(text.split()))
