"""The log: literal text, search, pause, bounds, and where the whole of it lies."""

from textual.widgets import Input, Log

from kubert_tui.events.model import Output
from kubert_tui.screens.log_text import log_lines
from kubert_tui.screens.widgets.log_view import LINES_KEPT, LogPane
from tests.screens import story
from tests.screens.driving import LARGE, finished, go_to, screen_text, text_of, until, wizard


async def test_output_is_shown_as_it_is() -> None:
    async with wizard({"irqbalance": story.applying()}, size=LARGE) as (app, pilot, _):
        await go_to(pilot, 5)
        await pilot.press("a", "l")
        await until(pilot, lambda: finished(app, "irqbalance"))
        shown = screen_text(app)
        assert f"bull1 | {story.HOSTILE}" in shown
        assert "bull1 | Stopped irqbalance daemon." in shown
        assert "ended after 12.3 s" in shown
        assert "20261123-221130-bulls-3f9a" in text_of(app, "#log-state")


def test_of_ansible_s_own_output_only_what_we_do_not_say_ourselves_is_shown() -> None:
    lines = ("TASK [Stop it] ****************", "ok: [bull1]", "fatal: [bull2]: FAILED! => {}")
    shown = log_lines(Output(stream="ansible", lines=lines))
    assert shown == ("TASK [Stop it]", "fatal: [bull2]: FAILED! => {}")
    assert log_lines(Output(stream="stdout", lines=lines)) == lines


async def test_escapes_do_not_reach_the_terminal() -> None:
    async with wizard(size=LARGE) as (app, pilot, engine):
        engine.play([Output(host="bull1", lines=("evil \x1b[31mred\x1b[0m \x07bell",))])
        await pilot.press("l")
        await until(pilot, lambda: "evil" in screen_text(app))
        assert "\x1b" not in screen_text(app)
        assert "\x07" not in screen_text(app)


async def test_search_finds_the_next_and_the_one_before() -> None:
    async with wizard() as (app, pilot, engine):
        lines = tuple(f"line {number}" for number in range(300))
        engine.play([Output(lines=lines)])
        pane = app.screen.query_one(LogPane)
        await until(pilot, lambda: "line 299" in pane.lines)
        await pilot.press("l", "slash")
        await pilot.press(*"line 17", "enter")
        assert "1 of 11 lines" in text_of(app, "#log-matches")
        assert "line 17" in screen_text(app)
        await pilot.press("enter")
        assert "2 of 11 lines" in text_of(app, "#log-matches")
        assert "line 170" in screen_text(app)
        await pilot.press("up")
        assert "1 of 11 lines" in text_of(app, "#log-matches")
        await pilot.press("escape")
        assert not app.screen.query_one("#log-search").display
        assert not app.screen.query_one("#log-needle", Input).value


async def test_pause_holds_lines_back() -> None:
    async with wizard() as (app, pilot, engine):
        pane = app.screen.query_one(LogPane)
        await pilot.press("l", "p")
        engine.play([Output(lines=("held back",))])
        await until(pilot, lambda: "1 lines held back" in text_of(app, "#log-state"))
        assert "held back" not in pane.lines
        await pilot.press("p")
        assert "held back" in pane.lines


async def test_it_is_bounded() -> None:
    async with wizard() as (app, pilot, engine):
        engine.play(
            Output(lines=tuple(f"{batch}.{number}" for number in range(5000))) for batch in range(6)
        )
        log = app.screen.query_one(Log)
        await until(pilot, lambda: log.lines and log.lines[-1] == "5.4999")
        assert len(log.lines) == LINES_KEPT
