"""The figures of a measurement as an aligned table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textual.content import Content

from kubert_tui.latency.statistics import Percentile, Summary


@dataclass(frozen=True, slots=True)
class Row:
    """A name and what stands under each column's title."""

    name: str
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    width: int
    extra: bool = False
    """Left out where there is little room."""


_NAME_WIDTH = 8
_COLUMNS = (
    _Column("min", 6),
    _Column("avg", 8),
    _Column("p50", 8, extra=True),
    _Column("p99", 8),
    _Column("p99.9", 8),
    _Column("p99.99", 8, extra=True),
    _Column("max seen", 10),
    _Column("overflows", 10),
    _Column("samples", 14),
)


def row_of(name: str, summary: Summary) -> Row:
    """Return the figures of a summary. `-` stands where samples are too few to say anything."""
    return Row(
        name,
        {
            "min": str(summary.minimum),
            "avg": f"{summary.average:.1f}",
            **{title: "-" if at is None else str(at) for title, at in _percentiles(summary)},
            "max seen": str(summary.maximum),
            "overflows": str(summary.overflows),
            "samples": str(summary.samples),
        },
    )


def delta_row(name: str, before: Summary, after: Summary) -> Row:
    """Return what `after` is more than `before`; counts are compared as shares of the samples."""
    cells = {
        "min": f"{after.minimum - before.minimum:+}",
        "avg": f"{after.average - before.average:+.1f}",
        "max seen": f"{after.maximum - before.maximum:+}",
        "overflows": f"{_share(after) - _share(before):+.2%}",
    }
    for (title, was), (_, now) in zip(_percentiles(before), _percentiles(after), strict=True):
        known = was is not None and now is not None and not (was.at_least or now.at_least)
        cells[title] = f"{now.value - was.value:+}" if known and was and now else "-"
    return Row(name, cells)


def _percentiles(summary: Summary) -> tuple[tuple[str, Percentile | None], ...]:
    return (
        ("p50", summary.p50),
        ("p99", summary.p99),
        ("p99.9", summary.p99_9),
        ("p99.99", summary.p99_99),
    )


def _share(summary: Summary) -> float:
    return summary.overflows / summary.samples if summary.samples else 0.0


def statistics_table(rows: Sequence[Row], selected: str, width: int = 0) -> Content:
    """Return the table; the row called `selected` stands out. Microseconds.

    Columns that are less needed are left out of a table narrower than all of them.
    """
    roomy = width >= _NAME_WIDTH + sum(column.width for column in _COLUMNS)
    columns = [column for column in _COLUMNS if roomy or not column.extra]
    head = "".join(f"{column.title:>{column.width}}" for column in columns)
    parts: list[tuple[str, str]] = [(f"{'us':>{_NAME_WIDTH}}{head}", "$foreground-muted")]
    for row in rows:
        style = "bold $text-accent" if row.name == selected else ""
        cells = "".join(f"{row.cells.get(one.title, ''):>{one.width}}" for one in columns)
        parts.append((f"\n{row.name:>{_NAME_WIDTH}}{cells}", style))
    return Content.assemble(*parts)
