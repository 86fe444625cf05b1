"""The main screen: what it shows, and what every key does."""

from dataclasses import replace
from pathlib import Path
from threading import Event as Flag

import pytest
from textual.widgets import Footer, Input, Static, TabbedContent

from kubert_tui.events.measuring import LatencyStored
from kubert_tui.events.model import StageState
from kubert_tui.screens.glyphs import ASCII, UNICODE
from kubert_tui.screens.help import HelpScreen
from kubert_tui.screens.latency import LatencyScreen
from kubert_tui.screens.prompts import ConfirmPrompt, ReasonPrompt
from kubert_tui.screens.questions.review import ReviewForm
from kubert_tui.screens.widgets.rail import Rail
from kubert_tui.screens.wizard import WizardScreen
from tests.screens import sample_latency, story
from tests.screens.driving import (
    LARGE,
    finished,
    go_to,
    on_top,
    screen_text,
    text_of,
    until,
    wizard,
)
from tests.screens.scripted_engine import Pause


async def test_it_connects_by_itself() -> None:
    async with wizard() as (app, _, engine):
        assert engine.calls[0] == ("submit", "connect")
        shown = screen_text(app)
        assert "✓ Connect and inspect" in shown
        assert "done" in shown
        assert "Nothing to do here: press n for the next" in shown


async def test_a_run_that_goes_on_is_shown_where_it_stood() -> None:
    stood = {stage.id: StageState.DONE for stage in story.STAGES}
    async with wizard(stood={**stood, "cyclictest": StageState.RUNNING}) as (app, pilot, _):
        rail = app.screen.query_one(Rail)
        await until(pilot, lambda: rail.selected == "cyclictest")
        assert "It goes on over there: press a to attach" in screen_text(app)


async def test_a_run_with_nothing_left_begins_at_its_first_stage() -> None:
    stood = {stage.id: StageState.DONE for stage in story.STAGES}
    async with wizard(stood=stood) as (app, _, _):
        assert app.screen.query_one(Rail).selected == "connect"


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 40)])
async def test_nothing_of_the_frame_is_cut(size: tuple[int, int]) -> None:
    async with wizard(size=size) as (app, pilot, _):
        await go_to(pilot, 5)
        lines = screen_text(app).split("\n")
        assert len(lines) == size[1]
        assert "Press a to review and apply" in lines[-2]
        assert lines[-1].split()[-1] in {"Quit", "palette"}
        assert app.screen.query_one(Footer).max_scroll_x == 0


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (StageState.SATISFIED, "already so"),
        (StageState.NOT_ALLOWED, "not allowed"),
        (StageState.NEEDS_YOU, "needs you"),
        (StageState.DECLINED, "declined"),
        (StageState.CANCELLED, "cancelled"),
        (StageState.WOULD_CHANGE, "would change"),
    ],
)
async def test_states_have_a_glyph_and_a_word(state: StageState, word: str) -> None:
    async with wizard() as (app, pilot, engine):
        engine.play([replace(story.ended(state, "summary"), stage="kernel")])
        await until(pilot, lambda: finished(app, "kernel"))
        shown = screen_text(app)
        assert f"{UNICODE.states[state]} PREEMPT_RT kernel" in shown
        assert word in shown


async def test_keys_move_through_the_stages() -> None:
    async with wizard() as (app, pilot, _):
        rail = app.screen.query_one(Rail)
        await pilot.press("n", "n")
        assert rail.selected == "kernel"
        await pilot.press("b")
        assert rail.selected == "update"
        await pilot.press("j", "down", "k")
        assert rail.selected == "kernel"
        await pilot.press("up")
        assert rail.selected == "update"
        assert "System update" in text_of(app, "#guide-state")
        assert "sudo yum update" in text_of(app, "#guide-readme")


async def test_tabs_by_letter() -> None:
    async with wizard() as (app, pilot, _):
        tabs = app.screen.query_one(TabbedContent)
        for key, tab in [("h", "hosts"), ("f", "findings"), ("l", "log-tab"), ("g", "guide")]:
            await pilot.press(key)
            assert tabs.active == tab


@pytest.mark.parametrize("key", ["a", "enter", "r"])
async def test_a_enter_and_r_submit_the_selected_stage(key: str) -> None:
    async with wizard() as (app, pilot, engine):
        await pilot.press("n", key)
        await until(pilot, lambda: finished(app, "update"))
        assert ("submit", "update") in engine.calls
        assert "already so" in screen_text(app)


async def test_the_guide_says_when_it_asks_and_when_it_goes_on() -> None:
    done = Flag()
    async with wizard({"irqbalance": (story.review(3), Pause(done))}) as (app, pilot, _):
        await go_to(pilot, 5)
        await pilot.press("a")
        await until(pilot, lambda: on_top(app, ReviewForm))
        guide = app.screen_stack[-2]
        assert "asks you" in str(guide.query_one("#guide-state", Static).content)
        await pilot.press("a")
        await until(pilot, lambda: "running" in text_of(app, "#guide-state"))
        done.set()


async def test_what_was_measured_stands_in_the_guide_with_its_place() -> None:
    stored = LatencyStored(
        stage="cyclictest",
        host="bull1",
        path=str(Path.home() / "runs" / "latency-bull1-1.json"),
        samples=200000,
        maximum=87,
        exact=True,
    )
    async with wizard() as (app, pilot, engine):
        engine.play([stored])
        await go_to(pilot, 7)
        await until(pilot, lambda: "worst 87 us" in text_of(app, "#guide-results"))
        shown = text_of(app, "#guide-results")
        assert shown == ("bull1  worst 87 us of 200000 samples, latency-bull1-1.json\nin ~/runs")
        await go_to(pilot, 6)
        assert not app.screen.query_one("#guide-results").display


async def test_rechecking_a_measurement_repeats_it() -> None:
    async with wizard() as (app, pilot, engine):
        await go_to(pilot, 7)
        await pilot.press("r")
        await until(pilot, lambda: finished(app, "cyclictest"))
        assert ("submit", "cyclictest", True) in engine.calls


async def test_all_remaining_are_submitted_and_followed() -> None:
    async with wizard() as (app, pilot, engine):
        await pilot.press("A")
        await until(pilot, lambda: finished(app, "cyclictest"))
        submitted = [call[1] for call in engine.calls if call[0] == "submit"]
        assert submitted == [stage.id for stage in story.STAGES]
        assert app.screen.query_one(Rail).selected == "cyclictest"


async def test_skip_asks_for_a_reason() -> None:
    async with wizard() as (app, pilot, engine):
        await pilot.press("n", "s")
        await until(pilot, lambda: on_top(app, ReasonPrompt))
        await pilot.press("enter")
        assert on_top(app, ReasonPrompt), "an empty reason is no reason"
        await pilot.press(*"later", "enter")
        await until(pilot, lambda: ("skip", "update", "later") in engine.calls)
        await until(pilot, lambda: "skipped: later" in screen_text(app))


async def test_cancel_is_confirmed_first() -> None:
    flag = Flag()
    async with wizard({"update": (Pause(flag),)}) as (app, pilot, engine):
        await pilot.press("n", "a")
        await until(pilot, lambda: app.session and app.session.view.running == "update")
        assert "c to cancel" in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: on_top(app, ConfirmPrompt))
        await pilot.press("n")
        assert ("cancel",) not in engine.calls
        await pilot.press("c", "y")
        await until(pilot, lambda: finished(app, "update"))
        assert ("cancel",) in engine.calls
        assert "cancelled" in screen_text(app)


async def test_cancelling_is_shown_until_it_is_done() -> None:
    async with wizard() as (app, pilot, _):
        assert app.session is not None
        app.session.view.running = "update"
        app.session.cancel()
        await pilot.pause()
        assert "cancelling" in screen_text(app)
        assert "Please wait" in screen_text(app)


async def test_escape_with_nothing_running_goes_back_to_the_stages() -> None:
    async with wizard() as (app, pilot, engine):
        await pilot.press("h")
        assert app.focused is not app.screen.query_one(Rail)
        await pilot.press("escape")
        assert app.focused is app.screen.query_one(Rail)
        assert ("cancel",) not in engine.calls


@pytest.mark.parametrize("key", ["f1", "question_mark"])
async def test_help_lists_the_keys(key: str) -> None:
    async with wizard(size=LARGE) as (app, pilot, _):
        await pilot.press(key)
        await until(pilot, lambda: on_top(app, HelpScreen))
        assert "Skip the selected stage, with a reason" in screen_text(app)
        await pilot.press("escape")
        assert on_top(app, WizardScreen)


async def test_the_palette_offers_the_actions() -> None:
    async with wizard(size=LARGE) as (app, pilot, _):
        titles = {command.title for command in app.get_system_commands(app.screen)}
        assert {"Apply (a enter)", "Latency (m)", "Theme", "Quit (q)"} <= titles
        await pilot.press("ctrl+p")
        await until(pilot, lambda: app.screen.query(Input))
        await pilot.press(*"latency", "enter")
        await until(pilot, lambda: on_top(app, LatencyScreen))


async def test_hosts_show_grouped_facts_and_unknown_with_the_reason() -> None:
    async with wizard(size=(160, 48)) as (app, pilot, _):
        await pilot.press("h")
        await pilot.pause()
        shown = screen_text(app)
        assert "bull1" in shown
        assert "bull2" in shown
        assert "6.11.4-301.fc41.x86_64" in shown
        assert "unknown: no config" in shown


async def test_findings_of_the_stage_and_of_all() -> None:
    async with wizard(size=LARGE) as (app, pilot, _):
        await pilot.press("f")
        await pilot.pause()
        assert "✗ failed" in screen_text(app)
        assert "This stage: 10 findings, 6 not ok" in screen_text(app)
        assert "Install one in stage 3" in text_of(app, "#findings-text")
        await pilot.press("down")
        assert "Stage 4 switches it off" in text_of(app, "#findings-text")
        await pilot.press("n")
        assert "This stage: 0 findings" in screen_text(app)
        await pilot.press("t")
        await until(pilot, lambda: "All stages: 10 findings" in screen_text(app))


async def test_the_firmware_instructions_come_from_the_host_s_facts() -> None:
    async with wizard({"hyperthreading": story.restarting()}, size=LARGE) as (app, pilot, _):
        await go_to(pilot, 4)
        assert "Intel (R) Hyperthreading Options > Disabled" in text_of(app, "#guide-by-host")
        await pilot.press("a")
        await until(pilot, lambda: finished(app, "hyperthreading"))
        assert "Follow the guide (g), then press a" in screen_text(app)


async def test_plain_terminals_get_ascii_only() -> None:
    async with wizard(glyphs=ASCII) as (app, pilot, _):
        await pilot.press("f")
        await pilot.pause()
        shown = screen_text(app)
        assert "+ Connect and inspect" in shown
        for glyph in "✓○▶✗╭":
            assert glyph not in shown


async def test_quit_when_idle_closes_the_engine() -> None:
    async with wizard() as (app, pilot, engine):
        engine.exit_code = 11
        await pilot.press("q")
        await until(pilot, lambda: app.return_value is not None)
        assert ("detach",) in engine.calls
        assert app.return_value == 11


async def test_quit_while_measuring_says_that_it_goes_on() -> None:
    flag = Flag()
    scripts = {"cyclictest": (sample_latency.measuring(), Pause(flag))}
    async with wizard(scripts) as (app, pilot, engine):
        engine.exit_code = 130
        await go_to(pilot, 7)
        await pilot.press("a")
        await until(pilot, lambda: app.session and app.session.view.measuring)
        await until(pilot, lambda: on_top(app, LatencyScreen))
        await pilot.press("escape")
        await until(pilot, lambda: "Press m to watch it live" in screen_text(app))
        await pilot.press("q")
        await until(pilot, lambda: on_top(app, ConfirmPrompt))
        assert "goes on by itself" in screen_text(app)
        await pilot.press("y")
        await until(pilot, lambda: app.return_value is not None)
        assert ("detach",) in engine.calls
        assert ("cancel",) not in engine.calls
        assert app.return_value == 0
