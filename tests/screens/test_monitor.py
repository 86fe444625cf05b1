"""The latency screen alone: it begins by itself, is left at any time, and says what is wrong."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from threading import Event as Flag

from textual.pilot import Pilot

from kubert_tui.events.measuring import LatencyStored
from kubert_tui.events.model import Failure, StageFinished, StageState
from kubert_tui.events.questions import Choice, Question, QuestionKind
from kubert_tui.screens.app import KubertApp
from kubert_tui.screens.error import ErrorScreen
from kubert_tui.screens.help import HelpScreen
from kubert_tui.screens.monitor import MonitorScreen
from kubert_tui.screens.prompts import ConfirmPrompt
from tests.screens import sample_latency
from tests.screens.driving import SMALL, Scripts, make_app, on_top, screen_text, until
from tests.screens.scripted_engine import Pause, ScriptedEngine

STAGE = "cyclictest"
REVIEW = Question(
    number=7, stage=STAGE, kind=QuestionKind.REVIEW, text="apply?",
    choices=(Choice.APPLY, Choice.SKIP, Choice.NO),
)  # fmt: skip
MEASURING = (sample_latency.measuring("bull1"), sample_latency.live("bull1", 100))


@asynccontextmanager
async def monitor(
    scripts: Scripts,
) -> AsyncIterator[tuple[KubertApp, Pilot[int], ScriptedEngine]]:
    app, engine = make_app(scripts, watch=STAGE)
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: on_top(app, MonitorScreen) or on_top(app, ErrorScreen))
        yield app, pilot, engine


async def test_it_measures_at_once_and_asks_for_no_review() -> None:
    async with monitor({STAGE: (REVIEW, *MEASURING, Pause(Flag()))}) as (app, pilot, engine):
        await until(pilot, lambda: "max 87 us" in screen_text(app))
        assert ("submit", STAGE, True) in engine.calls
        assert ("answer", 7, Choice.APPLY) in engine.calls
        assert on_top(app, MonitorScreen)


async def test_leaving_asks_and_lets_go() -> None:
    async with monitor({STAGE: (*MEASURING, Pause(Flag()))}) as (app, pilot, engine):
        await until(pilot, lambda: "max 87 us" in screen_text(app))
        await pilot.press("q")
        await until(pilot, lambda: on_top(app, ConfirmPrompt))
        assert "goes on by itself" in screen_text(app)
        await pilot.press("y")
        await until(pilot, lambda: ("detach",) in engine.calls)
        await until(pilot, lambda: app.return_value is not None)
        assert app.return_value == 0


async def test_ending_it_asks_too() -> None:
    async with monitor({STAGE: (*MEASURING, Pause(Flag()))}) as (app, pilot, engine):
        await until(pilot, lambda: "max 87 us" in screen_text(app))
        await pilot.press("c")
        await until(pilot, lambda: on_top(app, ConfirmPrompt))
        await pilot.press("n")
        await until(pilot, lambda: on_top(app, MonitorScreen))
        assert ("cancel",) not in engine.calls
        await pilot.press("c")
        await until(pilot, lambda: on_top(app, ConfirmPrompt))
        await pilot.press("y")
        await until(pilot, lambda: ("cancel",) in engine.calls)


async def test_the_final_figures_stay_until_one_leaves() -> None:
    final = sample_latency.live("bull1", 100)
    stored = LatencyStored(
        host="bull1", path="/results/1", samples=9, maximum=87, exact=True, passed=False,
        verdict="the worst took 87 us, not below 35 us (smoke)", reasons=("It ran 60 s.",),
    )  # fmt: skip
    script = (
        *MEASURING,
        replace(final, snapshot=replace(final.snapshot, sequence=101, final=True)),
        stored,
        StageFinished(
            stage=STAGE, state=StageState.DONE, hosts={"bull1": StageState.DONE}, summary="done"
        ),
    )
    async with monitor({STAGE: script}) as (app, pilot, _):
        await until(pilot, lambda: " final " in screen_text(app))
        await until(pilot, lambda: "not below 35 us (smoke)  It ran 60 s." in screen_text(app))
        await pilot.press("q")
        await until(pilot, lambda: app.return_value is not None)
        assert app.session is not None
        assert app.session.view.stored["bull1"].path == "/results/1"


async def test_a_failure_is_told_and_can_be_tried_again() -> None:
    script = (
        Failure(stage=STAGE, host="bull1", what="there is no cyclictest", fix="build rt-tests"),
        StageFinished(
            stage=STAGE, state=StageState.FAILED, hosts={"bull1": StageState.FAILED}, summary="no"
        ),
    )
    async with monitor({STAGE: script}) as (app, pilot, engine):
        await until(pilot, lambda: on_top(app, ErrorScreen))
        assert "there is no cyclictest" in screen_text(app)
        assert "build rt-tests" in screen_text(app)
        await pilot.press("r")
        await until(pilot, lambda: engine.calls.count(("submit", STAGE, True)) == 2)


async def test_its_help_has_its_own_keys_only() -> None:
    async with monitor({STAGE: (*MEASURING, Pause(Flag()))}) as (app, pilot, _):
        await until(pilot, lambda: "max 87 us" in screen_text(app))
        await pilot.press("f1")
        await until(pilot, lambda: on_top(app, HelpScreen))
        assert "so that a spike has a moment" in screen_text(app)
        assert "Skip the selected stage" not in screen_text(app)


async def test_what_is_left_of_an_interrupted_one_is_labelled() -> None:
    left = LatencyStored(
        host="bull1", path="/results/1", samples=9, maximum=87, exact=True, interrupted="killed",
        verdict="no verdict: the kernel was not PREEMPT_RT",
    )  # fmt: skip
    async with monitor({STAGE: (*MEASURING, left, Pause(Flag()))}) as (app, pilot, _):
        await until(pilot, lambda: " interrupted " in screen_text(app))
        assert "no verdict" in screen_text(app)


async def test_the_limit_is_drawn() -> None:
    limited = replace(sample_latency.measuring("bull1"), limit=60)
    script = (limited, sample_latency.live("bull1", 100), Pause(Flag()))
    async with monitor({STAGE: script}) as (app, pilot, _):
        await until(pilot, lambda: "max 87 us" in screen_text(app))
        columns = {row.index("┊") for row in screen_text(app).split("\n") if "┊" in row}
        assert len(columns) == 1
