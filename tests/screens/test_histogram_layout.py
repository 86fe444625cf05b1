"""The histogram's rows: linear x, log y, spikes that survive, axes that only grow."""

import pytest

from kubert_tui.screens.glyphs import ASCII, UNICODE
from kubert_tui.screens.widgets.histogram_layout import (
    LABEL_WIDTH,
    Figure,
    Limits,
    grown,
    layout,
    short,
)
from kubert_tui.screens.widgets.runs import Run


def _counts(size: int = 250, **at: int) -> tuple[int, ...]:
    counts = [0] * size
    for key, count in at.items():
        counts[int(key.removeprefix("us"))] = count
    return tuple(counts)


def _lines(rows: list[list[Run]]) -> list[str]:
    return ["".join(text for text, _ in row) for row in rows]


def _draw(figure: Figure, width: int = 78, height: int = 14) -> list[str]:
    return _lines(layout(figure, grown(Limits(), figure), width, height, UNICODE))


def _columns_with_bars(lines: list[str]) -> set[int]:
    blocks = set(UNICODE.blocks[1:])
    return {
        column - LABEL_WIDTH
        for line in lines[:-3]
        for column, character in enumerate(line)
        if column >= LABEL_WIDTH and character in blocks
    }


@pytest.mark.parametrize("width", [20, 78, 120, 300])
@pytest.mark.parametrize("height", [5, 14, 40])
def test_rows_fit(width: int, height: int) -> None:
    figure = Figure(_counts(us3=10**7, us249=1), overflows=4, maximum=1874)
    lines = _draw(figure, width, height)
    assert len(lines) == height
    assert max(map(len, lines)) <= width


def test_a_lonely_spike_survives_several_buckets_per_column() -> None:
    for spike in range(20, 250):
        figure = Figure(_counts(us5=10**8, **{f"us{spike}": 1}), maximum=spike)
        columns = _columns_with_bars(_draw(figure))
        assert max(columns) > min(columns), f"the spike at {spike} us is gone"


def test_x_is_linear() -> None:
    figure = Figure(_counts(us10=100, us50=100), maximum=50)
    low, high = (
        sorted(_columns_with_bars(_draw(figure)))[0::1][0],
        max(_columns_with_bars(_draw(figure))),
    )
    assert high == pytest.approx(5 * low, abs=5)


def test_y_is_logarithmic() -> None:
    figure = Figure(_counts(us1=1, us2=100, us3=10_000), maximum=3)
    lines = _draw(figure, 78, 43)[:-3]
    per_us = (78 - LABEL_WIDTH) // 20

    def height(us: int) -> int:
        return sum(line[LABEL_WIDTH + us * per_us] in UNICODE.blocks[1:] for line in lines)

    assert height(3) - height(2) == pytest.approx(height(2) - height(1), abs=1)
    assert height(1) >= 1


def test_linear_scale_on_request() -> None:
    figure = Figure(_counts(us1=10, us2=100), maximum=2, logarithmic=False)
    lines = _draw(figure, 78, 43)
    assert lines[0].startswith("  100")
    assert any(line.startswith("    0") for line in lines)


def test_axes_and_maximum_are_labelled() -> None:
    lines = _draw(Figure(_counts(us5=1_000_000, us87=1), maximum=87))
    text = "\n".join(lines)
    assert "   1M│" in text
    assert "    1│" in text
    assert " 20 " in lines[-2]
    assert lines[-2].rstrip().endswith("us")
    marker = lines[-1].index("▲")
    assert marker - LABEL_WIDTH in _columns_with_bars(lines)
    assert "max 87 us" in lines[-1]


def test_overflows_have_their_own_bar_and_the_maximum_points_beyond() -> None:
    figure = Figure(_counts(us5=1000), overflows=7, maximum=1874)
    rows = layout(figure, grown(Limits(), figure), 78, 14, UNICODE)
    overflow = [text for row in rows[:-3] for text, kind in row if kind == "overflow"]
    assert any(text.strip() for text in overflow)
    assert ">=250" in _lines(rows)[-2]
    assert "max 1874 us ▶" in _lines(rows)[-1]


def test_limits_only_grow() -> None:
    wide = grown(Limits(), Figure(_counts(us180=10**6), maximum=180))
    assert grown(wide, Figure(_counts(us3=1), maximum=3)) == wide


def test_nothing_measured_draws_only_axes() -> None:
    lines = _draw(Figure(()))
    assert not _columns_with_bars(lines)
    assert not lines[-1].strip()


def test_ascii_only_when_asked() -> None:
    figure = Figure(_counts(us3=10**5, us40=2), overflows=1, maximum=900)
    text = "".join(_lines(layout(figure, grown(Limits(), figure), 78, 14, ASCII)))
    assert text.isascii()


def test_too_small_says_so() -> None:
    assert "small" in _lines(layout(Figure(()), Limits(), 40, 3, UNICODE))[0]


@pytest.mark.parametrize(
    ("count", "text"), [(1, "1"), (999, "999"), (10**4, "10k"), (10**6, "1M"), (10**9, "1G")]
)
def test_short_counts(count: int, text: str) -> None:
    assert short(count) == text


def test_another_histogram_is_a_line_of_dots_over_the_bars() -> None:
    live = _counts(us5=1000, us6=10)
    lines = _draw(Figure(live, 0, 6, other=[float(one) for one in _counts(us6=100, us9=1)]))
    rows = [row for row, line in enumerate(lines) if UNICODE.other in line]
    assert len(rows) == 2
    # Where it is below the bars it is seen on them, beyond them in the open.
    assert "█" in lines[rows[1]]
    alone = _draw(Figure(live, 0, 6))
    assert [line.replace(UNICODE.other, "") for line in alone] == alone


def test_the_axes_hold_the_other_histogram_too() -> None:
    other = [float(one) for one in _counts(us180=5000)]
    limits = grown(Limits(), Figure(_counts(us5=10), other=other))
    assert limits == Limits(200, 10_000)
    assert grown(Limits(), Figure(_counts(us5=10), other_overflows=0.5)).buckets == 250


@pytest.mark.parametrize(
    ("count", "told"), [(858_123, "858k"), (1234, "1.23k"), (99_999, "99.9k"), (10**7, "10M")]
)
def test_counts_in_five_characters(count: int, told: str) -> None:
    assert short(count) == told
