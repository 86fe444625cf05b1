"""Text from hosts, made safe: nothing comes through that a terminal could act on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubert_tui.base.text import clean, clean_line, last_lines


@pytest.mark.parametrize(
    ("hostile", "safe"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("a\x1bPq\x1b\\b", "ab"),
        ("one\rtwo\r\nthree", "one\ntwo\nthree"),
        ("tab\tstays", "tab\tstays"),
        ("a\0b\x07c", "a\ufffdb\ufffdc"),
        ("left\u202eright", "left\ufffdright"),
        (b"\xde\xb2 is not assigned", "\ufffd is not assigned"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        ("a\u00a0b\u3000c", "a\u00a0b\u3000c"),
        ("x" * 12, "xxxxxxxxx\u2026"),
    ],
)
def test_what_comes_through(hostile: str | bytes, safe: str) -> None:
    limit = 10 if hostile == "x" * 12 else 2000
    assert clean(hostile, line_limit=limit) == safe


@given(st.one_of(st.text(), st.binary()))
def test_one_line_is_always_printable(text: str | bytes) -> None:
    assert clean_line(text).isprintable()
    assert len(clean_line(text)) <= 200


def test_last_lines_leave_out_the_empty_ones() -> None:
    assert last_lines("one\n\ntwo\n \nthree\n", 2) == "two\nthree"
