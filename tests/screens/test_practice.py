"""Practice machines in the wizard: chosen, made, gone on with, removed, refused, called off."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event as Flag

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from kubert_tui.base.errors import BusyError, KubertError, ToolMissingError
from kubert_tui.engine.interface import Engine
from kubert_tui.lab.model import Lab, Permission
from kubert_tui.practice.model import Kind, Progress
from kubert_tui.practice.status import Standing
from kubert_tui.screens.app import KubertApp
from kubert_tui.screens.error import ErrorScreen
from kubert_tui.screens.first_run import FirstRunScreen
from kubert_tui.screens.glyphs import ASCII, UNICODE, Glyphs
from kubert_tui.screens.practice import PracticeScreen
from kubert_tui.screens.practice_progress import PracticeProgress
from kubert_tui.screens.prompts import ConfirmPrompt
from kubert_tui.screens.wizard import WizardScreen
from tests.screens import story
from tests.screens.driving import finished, on_top, screen_text, until
from tests.screens.practice_fake import FakePractice
from tests.screens.scripted_engine import Pause, ScriptedEngine

STEPS = (
    Progress("fetching packages", 0.1, 120.0),
    Progress("unpacking packages", 0.45, 66.0),
)


class _World:
    """The engine that is opened, and on what."""

    def __init__(self) -> None:
        self.opened: list[Lab] = []
        self.error: KubertError | None = None
        self.busy = Flag()

    def open(self, lab: Lab) -> Engine:
        if self.error is not None:
            raise self.error
        self.opened.append(lab)
        script = {"connect": story.connecting(), "update": (Pause(self.busy),)}
        return ScriptedEngine(lab, story.STAGES, script)


@asynccontextmanager
async def started(
    labs: FakePractice,
    world: _World | None = None,
    *,
    glyphs: Glyphs = UNICODE,
) -> AsyncIterator[tuple[KubertApp, Pilot[int]]]:
    world = world or _World()
    app = KubertApp(
        None,
        world.open,
        lambda _: Path("lab.yaml"),
        practice=labs,
        glyphs=glyphs,
    )
    app.animation_level = "none"
    async with app.run_test(size=(80, 24)) as pilot:
        yield app, pilot


async def choose_practice(app: KubertApp, pilot: Pilot[int], *keys: str) -> None:
    """From the first screen to the choice of machines, then press keys there."""
    await until(pilot, lambda: on_top(app, FirstRunScreen))
    await pilot.press("down", "enter")
    await until(pilot, lambda: on_top(app, PracticeScreen))
    await until(pilot, lambda: app.screen.query_one(OptionList).option_count)
    await pilot.press(*keys)


def _flat(app: KubertApp) -> str:
    """What the screen says, without frames and line ends."""
    return " ".join(screen_text(app).replace("│", " ").split())


async def test_a_first_time_user_comes_to_a_wizard_with_everything_allowed() -> None:
    labs, world = FakePractice(steps=STEPS), _World()
    async with started(labs, world) as (app, pilot):
        await until(pilot, lambda: "Practice: throw-away machines" in screen_text(app))
        await choose_practice(app, pilot)
        shown = _flat(app)
        for words in (
            "Nothing of this computer is changed",
            "kubert-tui practice down",
            "Containers",
            "Seconds to start",
            "Virtual machines",
            "restarts of their own",
            "gigabyte of disk",
        ):
            assert words in shown
        await pilot.press("enter")
        await until(pilot, lambda: "45%" in screen_text(app))
        shown = screen_text(app)
        assert "✓ fetching packages" in shown
        assert "▶ unpacking packages" in shown
        assert "left about 1:06" in shown
        assert "Then the wizard opens" in shown
        assert "Cancel" in shown.split("\n")[-1]
        labs.go.set()
        await until(pilot, lambda: on_top(app, WizardScreen))
        assert labs.calls == [("up", Kind.CONTAINERS)]
        assert [lab.name for lab in world.opened] == ["practice"]
        assert world.opened[0].allow == frozenset(Permission)
        told = [one.message for one in app._notifications]
        assert any("kubert-tui practice down" in message for message in told)
        assert app.practising


async def test_virtual_machines_are_the_second_choice() -> None:
    labs, world = FakePractice(), _World()
    labs.go.set()
    async with started(labs, world) as (app, pilot):
        await choose_practice(app, pilot, "down", "enter")
        await until(pilot, lambda: on_top(app, WizardScreen))
        assert labs.calls == [("up", Kind.VIRTUAL)]
        assert world.opened[0].name == "practice-virtual"


@pytest.mark.parametrize("way", ["escape", "ctrl+q"])
async def test_cancelling_leaves_nothing_and_leads_back(way: str) -> None:
    labs = FakePractice(steps=STEPS)
    async with started(labs) as (app, pilot):
        await choose_practice(app, pilot, "enter")
        await until(pilot, lambda: "45%" in screen_text(app))
        await pilot.press(way)
        await until(pilot, lambda: on_top(app, ConfirmPrompt))
        await pilot.press("n")
        await until(pilot, lambda: on_top(app, PracticeProgress))
        assert not labs.tidied.is_set(), "the way back has the focus"
        await pilot.press(way)
        await until(pilot, lambda: on_top(app, ConfirmPrompt))
        await pilot.press("y")
        await until(pilot, lambda: on_top(app, PracticeScreen))
        assert labs.tidied.is_set()
        assert labs.stands[Kind.CONTAINERS] is Standing.ABSENT


async def test_while_it_is_called_off_that_is_said_and_not_asked_again() -> None:
    labs = FakePractice(steps=STEPS)
    hold = Flag()

    class Slow(FakePractice):
        def _work(self, order: object) -> None:
            try:
                super()._work(order)  # type: ignore[arg-type]
            finally:
                assert hold.wait(60)

    labs = Slow(steps=STEPS)
    async with started(labs) as (app, pilot):
        await choose_practice(app, pilot, "enter")
        await until(pilot, lambda: "45%" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: on_top(app, ConfirmPrompt))
        await pilot.press("y")
        await until(pilot, lambda: "Cancelling: what was begun is removed" in screen_text(app))
        await until(pilot, lambda: "esc" not in screen_text(app).split("\n")[-1])
        await pilot.press("escape")
        assert on_top(app, PracticeProgress)
        hold.set()
        await until(pilot, lambda: on_top(app, PracticeScreen))


async def test_getting_ready_while_the_question_stands_there_takes_it_back() -> None:
    labs = FakePractice(steps=STEPS)
    async with started(labs) as (app, pilot):
        await choose_practice(app, pilot, "enter")
        await until(pilot, lambda: "45%" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: on_top(app, ConfirmPrompt))
        labs.go.set()
        await until(pilot, lambda: on_top(app, WizardScreen))
        assert not labs.tidied.is_set()


async def test_a_missing_tool_is_told_with_the_command_that_brings_it() -> None:
    labs = FakePractice(
        error=ToolMissingError(
            "systemd-nspawn is not installed on this computer",
            fix="apt-get install systemd-container [red]",
        )
    )
    async with started(labs) as (app, pilot):
        await choose_practice(app, pilot, "enter")
        await until(pilot, lambda: on_top(app, ErrorScreen))
        shown = screen_text(app)
        assert "systemd-nspawn is not installed" in shown
        assert "What to do: apt-get install systemd-container [red]" in shown
        await pilot.press("escape")
        await until(pilot, lambda: on_top(app, PracticeScreen))
        labs.error = None
        labs.go.set()
        await pilot.press("enter")
        await until(pilot, lambda: on_top(app, WizardScreen))


async def test_machines_that_run_are_gone_on_with() -> None:
    labs = FakePractice()
    labs.stands[Kind.CONTAINERS] = Standing.UP
    labs.go.set()
    async with started(labs) as (app, pilot):
        await until(pilot, lambda: "on this computer (running)" in screen_text(app))
        await choose_practice(app, pilot)
        shown = screen_text(app)
        assert "Containers: go on" in shown
        assert "bull1 and bull2 are running" in shown
        await pilot.press("enter")
        await until(pilot, lambda: on_top(app, WizardScreen))
        assert labs.calls == [("up", Kind.CONTAINERS)]


async def test_machines_that_are_off_are_started_again() -> None:
    labs = FakePractice()
    labs.stands[Kind.VIRTUAL] = Standing.OFF
    labs.go.set()
    async with started(labs) as (app, pilot):
        await until(pilot, lambda: "on this computer (off)" in screen_text(app))
        await choose_practice(app, pilot)
        assert "Virtual machines: start again" in screen_text(app)
        await pilot.press("down", "enter")
        await until(pilot, lambda: on_top(app, WizardScreen))
        assert labs.calls == [("up", Kind.VIRTUAL)]


async def test_removing_asks_and_then_offers_new_ones() -> None:
    labs = FakePractice()
    labs.stands[Kind.CONTAINERS] = Standing.UP
    async with started(labs) as (app, pilot):
        await choose_practice(app, pilot, "down", "enter")
        await until(pilot, lambda: on_top(app, ConfirmPrompt))
        await pilot.press("enter")
        await until(pilot, lambda: on_top(app, PracticeScreen))
        assert labs.calls == [], "the way back has the focus"
        await pilot.press("enter")
        await until(pilot, lambda: on_top(app, ConfirmPrompt))
        await pilot.press("y")
        await until(pilot, lambda: on_top(app, PracticeProgress))
        await pilot.press("escape", "ctrl+q")
        assert on_top(app, PracticeProgress), "half removed helps nobody"
        labs.go.set()
        await until(pilot, lambda: on_top(app, PracticeScreen))
        await until(pilot, lambda: "Containers: go on" not in screen_text(app))
        assert labs.calls == [("down", Kind.CONTAINERS)]
        await pilot.press("escape")
        await until(pilot, lambda: on_top(app, FirstRunScreen))
        await until(pilot, lambda: "(running)" not in screen_text(app))


async def test_what_was_built_before_is_said() -> None:
    async with started(FakePractice(built=True)) as (app, pilot):
        await choose_practice(app, pilot)
        assert "Built before" in _flat(app)
        assert "The first time" not in _flat(app)


async def test_what_cannot_be_found_out_does_not_keep_one_from_trying() -> None:
    labs = FakePractice(look_error=BusyError("another process works on it"))
    async with started(labs) as (app, pilot):
        await choose_practice(app, pilot)
        assert "Containers" in screen_text(app)


async def test_leaving_while_something_runs_says_that_the_machines_stay() -> None:
    labs, world = FakePractice(), _World()
    labs.go.set()
    async with started(labs, world) as (app, pilot):
        await choose_practice(app, pilot, "enter")
        await until(pilot, lambda: on_top(app, WizardScreen))
        await until(pilot, lambda: finished(app, "connect"))
        await pilot.press("n", "a")
        await until(pilot, lambda: app.session and app.session.view.running == "update")
        await pilot.press("q")
        await until(pilot, lambda: on_top(app, ConfirmPrompt))
        assert "bull1 and bull2 keep running" in _flat(app)
        await pilot.press("y")
        await until(pilot, lambda: app.return_value == 0)


async def test_plain_terminals_get_plain_characters() -> None:
    labs = FakePractice(steps=STEPS)
    async with started(labs, glyphs=ASCII) as (app, pilot):
        await choose_practice(app, pilot, "enter")
        await until(pilot, lambda: "45%" in screen_text(app))
        assert screen_text(app).isascii()
