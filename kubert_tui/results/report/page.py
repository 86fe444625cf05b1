"""A report as one HTML file that needs nothing else: no script, no network."""

from collections.abc import Sequence
from html import escape

from kubert_tui.results.report.content import HEADINGS, Chapter
from kubert_tui.results.verdict import Grade

_STYLE = """\
body { font: 15px/1.45 system-ui, sans-serif; max-width: 62em; margin: 2em auto; padding: 0 1em;
  color: #1a1a1a; background: #fff; }
table { border-collapse: collapse; margin: 1em 0; }
th, td { padding: 2px 10px; border-bottom: 1px solid #ddd; text-align: right; }
td:first-child, th:first-child, table.facts td { text-align: left; vertical-align: top; }
table.facts td { overflow-wrap: anywhere; }
.verdict { padding: .6em 1em; border-left: 6px solid #888; background: #f4f4f4; }
.verdict.passed { border-color: #1a7f37; } .verdict.failed { border-color: #c62828; }
pre { overflow-x: auto; font-size: 12px; }
svg { max-width: 100%; height: auto; }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #161616; }
  .verdict { background: #242424; } svg { background: #fff; } }
"""


def page(chapters: Sequence[Chapter], plots: Sequence[str]) -> str:
    """Return the page. `plots` are SVG elements: one over all, then one per chapter."""
    parts = [
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        "<title>Latency report</title>",
        f"<style>{_STYLE}</style></head><body>",
        "<h1>Latency report</h1>",
    ]
    over_all, each = plots[: len(plots) - len(chapters)], plots[len(plots) - len(chapters) :]
    parts += over_all
    for chapter, drawn in zip(chapters, each, strict=True):
        parts += [f"<h2>{escape(chapter.title)}</h2>", _verdict(chapter), drawn]
        parts.append(_table(HEADINGS, chapter.figures, ""))
        parts.append("<p>Latencies in microseconds.</p>")
        parts.append(_table((), chapter.facts, "facts"))
        parts.append(_list(chapter.notes))
        if chapter.trace:
            traced = escape("\n".join(chapter.trace))
            parts.append(f"<p>What the kernel traced before it:</p><pre>{traced}</pre>")
    return "\n".join([*parts, "</body></html>\n"])


def _verdict(chapter: Chapter) -> str:
    verdict = chapter.verdict
    kind = {True: "passed", False: "failed", None: ""}[verdict.passed]
    word = {True: "Passed: ", False: "Not passed: ", None: ""}[verdict.passed]
    if verdict.grade is Grade.REFUSED:
        word = "No verdict: "
    statement = verdict.statement.removeprefix("no verdict: ")
    limit = f"<br>Limit: {escape(verdict.limit.source)}" if verdict.limit else ""
    reasons = _list(verdict.reasons)
    return f'<div class="verdict {kind}"><b>{word}</b>{escape(statement)}{limit}{reasons}</div>'


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], kind: str) -> str:
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f'<table class="{kind}"><tr>{head}</tr>\n{body}</table>'


def _list(items: Sequence[str]) -> str:
    if not items:
        return ""
    return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"
