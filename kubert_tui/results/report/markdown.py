"""A report as Markdown, for a ticket or a repository."""

import re
from collections.abc import Sequence

from kubert_tui.results.report.content import HEADINGS, Chapter


def markdown(chapters: Sequence[Chapter]) -> str:
    """Return the report. Text of hosts is escaped: it becomes no markup."""
    lines = ["# Latency report", ""]
    for chapter in chapters:
        lines += [
            f"## {_safe(chapter.title)}",
            "",
            f"**Verdict:** {_safe(chapter.verdict.statement)}",
        ]
        lines += ["", *(f"- {_safe(reason)}" for reason in chapter.verdict.reasons), ""]
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
