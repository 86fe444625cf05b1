"""Which characters a terminal gets, and that every state has one."""

import pytest
from rich.cells import cell_len

from kubert_tui.checks.finding import Level
from kubert_tui.events.model import StageState
from kubert_tui.screens.glyphs import ASCII, STATE_STYLES, STATE_WORDS, UNICODE, Glyphs, choose


@pytest.mark.parametrize(
    ("environment", "encoding", "glyphs"),
    [
        ({"TERM": "xterm-256color"}, "utf-8", UNICODE),
        ({"TERM": "xterm-256color"}, "UTF-8", UNICODE),
        ({"TERM": "linux"}, "utf-8", ASCII),
        ({"TERM": "xterm", "NO_COLOR": "1"}, "utf-8", ASCII),
        ({"TERM": "xterm"}, "ascii", ASCII),
        ({"TERM": "xterm"}, None, ASCII),
    ],
)
def test_choice(environment: dict[str, str], encoding: str | None, glyphs: Glyphs) -> None:
    assert choose(environment, encoding) is glyphs


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_every_state_and_level_has_one_cell(glyphs: Glyphs) -> None:
    assert set(glyphs.states) == set(STATE_WORDS) == set(STATE_STYLES) == set(StageState)
    assert set(glyphs.levels) == set(Level)
    signs = [*glyphs.states.values(), *glyphs.levels.values(), *glyphs.blocks, glyphs.marker]
    assert {cell_len(sign) for sign in signs} == {1}
    assert not glyphs.plain or "".join(signs).isascii()
    assert len(set(glyphs.states.values())) == len(StageState)
