"""Pictures of several histograms can be read without colour, and nothing in them is invented."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubert_tui.latency.histogram import ThreadHistogram
from kubert_tui.results.overlay import LIMIT, overlay


def histogram(counts: list[int], overflows: int = 0) -> ThreadHistogram:
    return ThreadHistogram(-1, tuple(counts), overflows, 0, 0.0, len(counts))


def drawn(*runs: ThreadHistogram, limit: int = 0, width: int = 40, height: int = 8) -> list[str]:
    rows = overlay(runs, limit=limit, width=width, height=height, ascii_only=True)
    return ["".join(span.text for span in row) for row in rows]


def column(rows: list[str], at: int) -> str:
    """What stands above a latency, from above."""
    return "".join(row.ljust(60)[9 + at] for row in rows[:-2])


def test_each_run_has_its_number_and_the_first_is_filled() -> None:
    rows = drawn(histogram([0, 10, 1000, 0]), histogram([0, 0, 1000, 10]))
    assert column(rows, 0).strip() == ""
    assert column(rows, 1).strip() == "1::"
    assert column(rows, 2) == "=:::::::"
    assert column(rows, 3).strip() == "2"
    assert column(rows, 3).index("2") == column(rows, 1).index("1"), "as many samples"
    assert rows[-2].startswith("        +---")
    assert "0" in rows[-1]
    assert "us" in rows[-1]


def test_counts_where_runs_are_as_long_as_each_other_else_shares() -> None:
    alike = drawn(histogram([0, 900, 100]), histogram([0, 500, 500]))
    assert alike[0].startswith("   1000 |")
    assert any(row.startswith("      1 |") for row in alike)
    longer = drawn(histogram([0, 900, 100]), histogram([0, 90_000, 10_000]))
    assert longer[0].startswith("    1e0 |")
    # The same shares: both end in the same place.
    assert column(longer, 1)[0] == "="
    assert "1" not in column(longer, 2) + column(longer, 1)


def test_the_limit_is_a_line_that_hides_nothing() -> None:
    rows = overlay([histogram([0, 500, 20, 0, 0, 1])], limit=2, width=40, height=8, ascii_only=True)
    lines = [span for row in rows for span in row if span.kind == LIMIT]
    assert lines
    assert all(span.text == "|" for span in lines)
    plain = ["".join(span.text for span in row) for row in rows]
    assert "1" in column(plain, 2)
    assert plain[-2][9 + 2] == "^"


def test_a_limit_far_away_does_not_squeeze_the_picture() -> None:
    assert drawn(histogram([0, 5, 5]), limit=100) == drawn(histogram([0, 5, 5]))


def test_what_is_off_the_histogram_stands_apart() -> None:
    rows = drawn(histogram([0, 100, 5], 7))
    assert rows[-2].endswith(" >")
    assert column(rows, 4).strip().startswith("1")
    assert column(rows, 3).strip() == ""


def test_a_cut_histogram_counts_what_it_lost() -> None:
    rows = drawn(histogram([0, 100, 5]), histogram([0, 100, 0, 0, 5]))
    assert column(rows, 4).strip() == "2"


@given(
    st.lists(
        st.tuples(st.lists(st.integers(0, 10**9), min_size=1, max_size=300), st.integers(0, 9)),
        min_size=1,
        max_size=9,
    ),
    st.integers(0, 400),
    st.integers(30, 120),
    st.booleans(),
)
def test_rows_never_grow_too_wide(
    told: list[tuple[list[int], int]], limit: int, width: int, ascii_only: bool
) -> None:
    runs = [histogram([*counts, 1], overflows) for counts, overflows in told]
    rows = overlay(runs, limit=limit, width=width, height=8, ascii_only=ascii_only)
    assert len(rows) == 10
    texts = ["".join(span.text for span in row) for row in rows]
    assert max(map(len, texts)) <= width + 4
    if ascii_only:
        assert all(text.isascii() for text in texts)
    # Every run is to be seen, by its number or where it meets another one.
    picture = "".join(texts[:-2])
    assert all(str(number) in picture or "=" in picture for number in range(1, len(runs) + 1))


@pytest.mark.parametrize("counts", [[1], [0, 1], [10**9]])
def test_hardly_any_samples(counts: list[int]) -> None:
    assert any("1" in row[9:] for row in drawn(histogram(counts)))
