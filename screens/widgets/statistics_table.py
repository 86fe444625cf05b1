"""The figures of a measurement as an aligned table."""

from collections.abc import Sequence

from textual.content import Content

from kubert_tui.latency.statistics import Percentile, Summary

_COLUMNS = (
    ("us", 8),
    ("min", 6),
    ("avg", 8),
    ("p99", 8),
    ("p99.9", 8),
    ("max", 8),
    ("overflows", 10),
    ("samples", 14),
)


def statistics_table(rows: Sequence[tuple[str, Summary]], selected: str) -> Content:
    """Return the table; the row called `selected` stands out. Microseconds."""
    head = "".join(f"{title:>{width}}" for title, width in _COLUMNS)
    parts: list[tuple[str, str]] = [(head, "$foreground-muted")]
    for name, summary in rows:
        style = "bold $text-accent" if name == selected else ""
        cells = (name, *_cells(summary))
        line = "".join(f"{cell:>{width}}" for cell, (_, width) in zip(cells, _COLUMNS, strict=True))
        parts.append((f"\n{line}", style))
    return Content.assemble(*parts)


def _cells(summary: Summary) -> tuple[str, ...]:
    return (
        str(summary.minimum),
        f"{summary.average:.1f}",
        _percentile(summary.p99),
        _percentile(summary.p99_9),
        str(summary.maximum),
        str(summary.overflows),
        str(summary.samples),
    )


def _percentile(value: Percentile | None) -> str:
    return "-" if value is None else str(value)
