"""A report as one HTML file that needs nothing else: no script, no network."""

from collections.abc import Sequence
from html import escape

from kubert_tui.lab.limits import Limit
from kubert_tui.results import density, ladder
from kubert_tui.results.density import Curve
from kubert_tui.results.report.content import HEADINGS, Chapter
from kubert_tui.results.verdict import Grade, Verdict

STYLE = """\
body { font: 15px/1.45 system-ui, sans-serif; max-width: 62em; margin: 2em auto; padding: 0 1em;
  color: #1a1a1a; background: #fff; }
table { border-collapse: collapse; margin: 1em 0; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
th, td { padding: 2px 10px; border-bottom: 1px solid #ddd; text-align: right; }
td:first-child, th:first-child, table.facts td { text-align: left; vertical-align: top; }
table.facts td { overflow-wrap: anywhere; }
.verdict { padding: .6em 1em; border-left: 6px solid #888; background: #f4f4f4; }
.verdict.passed { border-color: #1a7f37; } .verdict.failed { border-color: #c62828; }
a { color: inherit; }
pre { overflow-x: auto; font-size: 12px; }
svg { max-width: 100%; height: auto; }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #161616; }
  .verdict { background: #242424; } th, td { border-color: #444; }
  svg { filter: invert(.9) hue-rotate(180deg); } }
"""
"""Plots are drawn on white; in the dark they are inverted, with their hues kept."""


def page(
    chapters: Sequence[Chapter],
    plots: Sequence[str],
    rungs: Sequence[Sequence[str]] = (),
    curves: Sequence[tuple[Curve, str]] = (),
) -> str:
    """Return the page. `plots` are SVG files: perhaps one over all, then one per chapter.

    `rungs` are the ladder's rows, if there is a ladder; `curves` those of density runs, each with
    its plot as SVG.
    """
    parts = [head("Latency report")]
    if rungs:
        parts += ["<h2>Ladder</h2>", table(ladder.headings(), rungs)]
        parts.append(f"<p>{escape(ladder.REMARKS)}</p>")
    if curves:
        parts.append("<h2>Density of applications</h2>")
    for curve, drawn in curves:
        parts += [f"<h3>{escape(density.title(curve))}</h3>", inline(drawn)]
        parts.append(table(density.headings(), density.rows(curve)))
        parts.append(f"<p>{escape(curve.statement)}</p>")
    if curves:
        parts.append(f"<p>{escape(density.REMARKS)}</p>")
    over_all, each = plots[: len(plots) - len(chapters)], plots[len(plots) - len(chapters) :]
    parts += map(inline, over_all)
    for chapter, drawn in zip(chapters, each, strict=True):
        parts += [f"<h2>{escape(chapter.title)}</h2>", judgement(chapter.verdict), inline(drawn)]
        parts.append(table(HEADINGS, chapter.figures, ""))
        parts.append("<p>Latencies in microseconds.</p>")
        parts.append(table((), chapter.facts, "facts"))
        parts.append(bullets(chapter.notes))
        if chapter.trace:
            traced = escape("\n".join(chapter.trace))
            parts.append(f"<p>What the kernel traced before it:</p><pre>{traced}</pre>")
    return "\n".join([*parts, "</body></html>\n"])


def head(title: str) -> str:
    """Return how a page begins, up to its heading."""
    return "\n".join((
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style></head><body>",
        f"<h1>{escape(title)}</h1>",
    ))  # fmt: skip


def inline(svg: str) -> str:
    """Return the svg element alone: an XML declaration has no place inside HTML."""
    return svg[svg.index("<svg") :]


def judgement(verdict: Verdict) -> str:
    """Return a verdict with its limit and its reasons."""
    kind = {True: "passed", False: "failed", None: ""}[verdict.passed]
    word = {True: "Passed: ", False: "Not passed: ", None: ""}[verdict.passed]
    if verdict.grade is Grade.REFUSED:
        word = "No verdict: "
    statement = verdict.statement.removeprefix("no verdict: ")
    limit = _limit(verdict.limit) if verdict.limit else ""
    reasons = bullets([one for one in verdict.reasons if one != statement])
    return f'<div class="verdict {kind}"><b>{word}</b>{escape(statement)}{limit}{reasons}</div>'


def _limit(limit: Limit) -> str:
    source = escape(limit.source)
    if limit.url:
        source = f'<a href="{escape(limit.url)}">{source}</a>'
    measured = f" (measured there: {escape(limit.measured)})" if limit.measured else ""
    return f"<br>Limit: {limit.microseconds} us: {source}{measured}"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "") -> str:
    """Return a table."""
    cells = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    top = f"<tr>{cells}</tr>\n" if headings else ""
    return f'<div class="wide"><table class="{kind}">{top}{body}</table></div>'


def bullets(items: Sequence[str]) -> str:
    """Return a list; nothing when it is empty."""
    if not items:
        return ""
    return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"
