"""Rows of small histograms: one axis for all, figures left out where there is no room."""

import pytest

from kubert_tui.latency.histogram import ThreadHistogram
from kubert_tui.screens.glyphs import ASCII, UNICODE
from kubert_tui.screens.widgets.strips_layout import Heading, Sheet, Strip, layout, rows_for, top_of

HEADINGS = (Heading("min", 6, 2), Heading("max", 6), Heading("extra", 30, 1))


def strip(name: str, limit: int = 0, overflows: int = 0, **at: int) -> Strip:
    """A row with so many samples `usN`."""
    counts = [0] * 250
    for key, count in at.items():
        counts[int(key.removeprefix("us"))] = count
    maximum = max((us for us, count in enumerate(counts) if count), default=0)
    if overflows:
        maximum = 300
    histogram = ThreadHistogram(0, tuple(counts), overflows, 1, 1.0, maximum)
    return Strip(name, histogram, lambda: (("1", ""), (str(maximum), "bad"), ("x", "")), limit)


def draw(*strips: Strip, width: int = 60, height: int = 8, **how: object) -> list[str]:
    rows = layout(Sheet(HEADINGS, strips), width, height, UNICODE, **how)  # type: ignore[arg-type]
    return ["".join(text for text, _ in row) for row in rows]


def test_all_rows_share_one_axis() -> None:
    first, second = draw(strip("one", us5=1000), strip("two", us5=10, us45=1))[1:3]
    assert first.index("█") == second.index("█")
    assert top_of((strip("one", us5=1), strip("two", us45=1))) == 46


def test_a_single_sample_is_seen_and_what_overflows_too() -> None:
    (row,) = draw(strip("one", us5=10**9, us45=1), width=80, height=2)[1:2]
    assert "▁" in row
    (row,) = draw(strip("one", overflows=1, us5=10), width=80, height=2)[1:2]
    assert "▶" in row[3:]


def test_the_limit_stands_where_no_sample_does() -> None:
    (row,) = draw(strip("one", limit=20, us5=10), height=2)[1:2]
    assert "┊" in row
    runs = layout(Sheet(HEADINGS, (strip("one", limit=20, us30=10),)), 60, 4, UNICODE)[1]
    assert any(kind == "overflow" for _, kind in runs)


def test_figures_are_left_out_by_rank_before_the_picture_is() -> None:
    assert "extra" in draw(strip("one", us5=1), width=80)[0]
    assert "min" not in draw(strip("one", us5=1), width=58)[0]
    narrow = draw(strip("one", us5=1), width=30)[0]
    assert "extra" not in narrow
    assert "max" in narrow


def test_only_what_fits_is_drawn_and_the_rest_is_counted() -> None:
    strips = [strip(f"host{number}", us5=1) for number in range(10)]
    rows = draw(*strips, height=6, cursor="host3", first=2)
    assert [row[1:6] for row in rows[1:5]] == ["host2", "host3", "host4", "host5"]
    assert rows[2].startswith("▶")
    assert "4 more below" in rows[5]
    assert rows_for(6) == 4


@pytest.mark.parametrize("width", [20, 40, 80, 200])
@pytest.mark.parametrize("height", [1, 2, 5, 40])
def test_it_never_leaves_its_place(width: int, height: int) -> None:
    sheet = Sheet(
        HEADINGS, (strip("a" * 70, limit=9, us249=3), Strip("b", None, lambda: (("", ""),) * 3))
    )
    rows = layout(sheet, width, height, ASCII, cursor="b")
    assert len(rows) == height
    assert all(sum(len(text) for text, _ in row) <= max(width, 40) for row in rows)
