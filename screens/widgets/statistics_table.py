"""The figures of a measurement as an aligned table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.content import Content

from kubert_tui.latency.statistics import Percentile, Summary

_Cell = Callable[[Summary], str]


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    width: int
    cell: _Cell
    extra: bool = False
    """Left out where there is little room."""


def _percentile(value: Percentile | None) -> str:
    return "-" if value is None else str(value)


_NAME_WIDTH = 8
_COLUMNS = (
    _Column("min", 6, lambda one: str(one.minimum)),
    _Column("avg", 8, lambda one: f"{one.average:.1f}"),
    _Column("p50", 8, lambda one: _percentile(one.p50), extra=True),
    _Column("p99", 8, lambda one: _percentile(one.p99)),
    _Column("p99.9", 8, lambda one: _percentile(one.p99_9)),
    _Column("p99.99", 8, lambda one: _percentile(one.p99_99), extra=True),
    _Column("max", 8, lambda one: str(one.maximum)),
    _Column("overflows", 10, lambda one: str(one.overflows)),
    _Column("samples", 14, lambda one: str(one.samples)),
)


def statistics_table(rows: Sequence[tuple[str, Summary]], selected: str, width: int = 0) -> Content:
    """Return the table; the row called `selected` stands out. Microseconds.

    Columns that are less needed are left out of a table narrower than all of them.
    """
    roomy = width >= _NAME_WIDTH + sum(column.width for column in _COLUMNS)
    columns = [column for column in _COLUMNS if roomy or not column.extra]
    head = "".join(f"{column.title:>{column.width}}" for column in columns)
    parts: list[tuple[str, str]] = [(f"{'us':>{_NAME_WIDTH}}{head}", "$foreground-muted")]
    for name, summary in rows:
        style = "bold $text-accent" if name == selected else ""
        cells = "".join(f"{column.cell(summary):>{column.width}}" for column in columns)
        parts.append((f"\n{name:>{_NAME_WIDTH}}{cells}", style))
    return Content.assemble(*parts)
