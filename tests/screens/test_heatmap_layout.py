"""Latency against time: every sample visible, at its time and latency, in any terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubert_tui.latency.history import Column
from kubert_tui.screens.glyphs import ASCII, UNICODE, Glyphs
from kubert_tui.screens.widgets.heatmap_layout import LABEL_WIDTH, Map, Mark, layout, top_of
from kubert_tui.screens.widgets.runs import Run

SIZE = 250
column = st.builds(
    Column, st.dictionaries(st.integers(0, SIZE - 1), st.integers(1, 10**9)), st.integers(0, 5)
)
columns = st.lists(column, max_size=120)


def lines(rows: list[list[Run]]) -> list[str]:
    return ["".join(text for text, _ in row) for row in rows]


def at(*samples: tuple[int, int], many: int = 40) -> list[Column]:
    """Columns; `samples` are (column, us)."""
    found = [Column() for _ in range(many)]
    for number, us in samples:
        found[number].add(Column({us: 1}, maximum=us))
    return found


@given(columns, st.integers(1, 200), st.integers(1, 60), st.sampled_from([UNICODE, ASCII]))
def test_rows_fit(drawn: list[Column], width: int, height: int, glyphs: Glyphs) -> None:
    rows = lines(layout(Map(drawn, 0.5, size=SIZE, marks=(Mark(1, 3),)), width, height, glyphs))
    assert len(rows) == height
    assert max(map(len, rows)) <= width
    if glyphs is ASCII:
        assert all(row.isascii() for row in rows)


@given(columns, st.integers(40, 200), st.integers(8, 60))
def test_no_sample_is_invisible(drawn: list[Column], width: int, height: int) -> None:
    rows = layout(Map(drawn, 0.5, size=SIZE), width, height, UNICODE)
    heat = "".join(text for row in rows for text, kind in row if kind.startswith("heat"))
    over = "".join(text for row in rows for text, kind in row if kind == "overflow")
    assert bool(heat.strip()) is any(one.counts for one in drawn)
    assert bool(over.strip()) is any(one.overflows for one in drawn)
    assert set(heat) <= set(UNICODE.heat)


def test_a_sample_is_where_it_belongs() -> None:
    rows = lines(layout(Map(at((10, 87), (30, 3)), 1.0, size=SIZE), 80, 14, UNICODE))
    labelled = {row.split(UNICODE.vertical)[0].strip(): row for row in rows}
    high, low = labelled["80"], labelled["0"]
    assert high.index(UNICODE.heat[-1]) == LABEL_WIDTH + 10
    assert low.index(UNICODE.heat[-1]) == LABEL_WIDTH + 30


def test_more_samples_are_hotter() -> None:
    drawn = [Column({3: 10**power}) for power in range(6)]
    rows = layout(Map(drawn, 1.0, size=SIZE), 80, 14, UNICODE)
    kinds = [kind for row in rows for _, kind in row if kind.startswith("heat")]
    assert kinds == sorted(kinds)
    assert (kinds[0], kinds[-1]) == ("heat0", "heat4")


def test_many_columns_share_a_character_and_lose_nothing() -> None:
    rows = lines(layout(Map(at((399, 50), many=400), 1.0, size=SIZE), 80, 14, UNICODE))
    assert any(UNICODE.heat[-1] in row for row in rows)
    assert "6:00" in rows[-2]


def test_times_begin_where_the_history_is_known() -> None:
    rows = lines(layout(Map(at((0, 3)), 1.0, begin=3600.0), 80, 14, UNICODE))
    assert rows[-2].split()[0] == "1:00:00"


def test_marks_stand_below_their_moment() -> None:
    drawn = Map(at((0, 3)), 1.0, marks=(Mark(1, 5.0), Mark(2, 20.0), Mark(3, 1e9)))
    rows = lines(layout(drawn, 80, 14, UNICODE))
    assert rows[-1].index("▲1") == LABEL_WIDTH + 5
    assert rows[-1].index("▲2") == LABEL_WIDTH + 20
    assert "3" not in rows[-1]


def test_zoomed_in_what_is_above_is_told_at_the_top() -> None:
    rows = lines(layout(Map(at((4, 87), (5, 3)), 1.0, size=SIZE, top=20), 80, 14, UNICODE))
    assert rows[0].startswith(" >=")
    assert rows[0][LABEL_WIDTH + 4] == UNICODE.marker


@pytest.mark.parametrize(("us", "top"), [(0, 10), (9, 10), (10, 20), (87, 100), (499, 500)])
def test_the_axis_ends_above_all_samples(us: int, top: int) -> None:
    assert top_of(at((0, us))) == top
