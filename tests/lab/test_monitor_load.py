"""`kubert-tui monitor --load`, and a load asked for meanwhile, with real tools."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kubert_tui.base.errors import ExitCode
from kubert_tui.engine.session import Session
from kubert_tui.events.measuring import LatencySnapshot, LatencyStored, LoadChanged, LoadRefused
from kubert_tui.events.model import Event
from kubert_tui.events.questions import Answer, Choice, Question
from kubert_tui.lab.model import CyclictestSpec, HostSpec, Lab
from kubert_tui.latency.store import load
from tests.support.headless import Headless

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="cyclictest needs root"),
    pytest.mark.skipif(not shutil.which("stress-ng"), reason="stress-ng is not installed"),
]

CPU = str(max(os.sched_getaffinity(0)))


def monitor(*arguments: str) -> Headless:
    return Headless(
        subprocess.Popen(
            [sys.executable, "-m", "kubert_tui", "monitor", "--json", *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
    )  # fmt: skip


def test_what_was_asked_for_runs_and_is_part_of_the_result() -> None:
    run = monitor("--duration", "3s", "--load", "hackbench", "--load-cpus", CPU)
    assert run.finish() == ExitCode.OK, run.errors()
    begin, end = run.named("load-changed")
    assert (begin["preset"], begin["cpus"], begin["on"]) == ("hackbench", CPU, True)
    assert begin["command"][:3] == ["taskset", "-c", CPU]
    assert (end["on"], end["reason"]) == (False, "the measurement is over")
    assert end["elapsed"] > begin["elapsed"] >= 0
    (stored,) = run.named("latency-stored")
    (kept,) = load(Path(stored["path"])).loads
    assert (kept.preset, kept.cpus, kept.after) == ("hackbench", CPU, begin["elapsed"])
    assert run.seen[-1]["exact"] is True


def lab(seconds: int, preset: str = "none") -> Lab:
    told = {"duration": f"{seconds}s", "interval": 500, "load": preset, "load_cpus": CPU}
    host = HostSpec(name="here", connection="local")
    return Lab(name="loaded", hosts=(host,), cyclictest=CyclictestSpec.model_validate(told))


def play(session: Session, act: Callable[[Event], None]) -> list[Event]:
    session.submit("cyclictest", again=True)
    seen = []
    for event in session.events():
        seen.append(event)
        if isinstance(event, Question):
            session.answer(event.number, Answer(Choice.APPLY))
        act(event)
    return seen


def test_it_begins_and_ends_while_the_stage_is_at_work_and_is_told_who_attaches() -> None:
    session = Session(lab(60))
    asked: list[str] = []

    def ask(preset: str) -> None:
        if preset not in asked:
            asked.append(preset)
            session.load("here", preset)

    def act(event: Event) -> None:
        if isinstance(event, LatencySnapshot):
            ask("hackbench")
        if isinstance(event, LoadChanged):
            ask("none" if event.on else "nonsense")
        if isinstance(event, LoadRefused):
            session.detach()

    seen = play(session, act)
    assert asked == ["hackbench", "none", "nonsense"]
    assert [one.on for one in seen if isinstance(one, LoadChanged)] == [True, False]
    (refused,) = [one for one in seen if isinstance(one, LoadRefused)]
    assert "no load 'nonsense'" in refused.what

    again = Session(lab(60))
    told: list[bool] = []

    def end(event: Event) -> None:
        if isinstance(event, LoadChanged):
            told.append(event.on)
            if len(told) == 2:
                again.cancel()
        if isinstance(event, LatencyStored):
            again.close()

    (stored,) = [one for one in play(again, end) if isinstance(one, LatencyStored)]
    assert told == [True, False]
    assert [one.preset for one in load(Path(stored.path)).loads] == ["hackbench"]


def test_where_nothing_is_measured_a_load_is_refused() -> None:
    session = Session(lab(1))
    session.load("here", "cpu")
    for event in session.events():
        if isinstance(event, LoadRefused):
            assert "nothing is measured" in event.what
            session.close()
