"""A handful of pictures: what changes here is looked at by a person.

`pytest tests/screens/test_snapshots.py --snapshot-update` takes new ones.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event as Flag
from typing import Any

import pytest
from textual.pilot import Pilot

from kubert_tui.base.errors import CancelledError
from kubert_tui.events.questions import HostCpus
from kubert_tui.lab.model import Lab
from kubert_tui.practice.model import Kind, Order, Progress
from kubert_tui.screens.app import KubertApp
from kubert_tui.screens.first_run import FirstRunScreen
from kubert_tui.screens.glyphs import UNICODE
from kubert_tui.screens.latency import LatencyScreen
from kubert_tui.screens.practice import up_job
from kubert_tui.screens.practice_progress import PracticeProgress
from kubert_tui.screens.questions.cpu_plan import CpuPlanForm
from kubert_tui.screens.questions.review import ReviewForm
from tests.screens import sample_cpus, sample_latency, story
from tests.screens.driving import (
    LARGE,
    SMALL,
    finished,
    go_to,
    make_app,
    on_top,
    screen_text,
    until,
)
from tests.screens.practice_fake import FakePractice
from tests.screens.sample_cpus import TWIN
from tests.screens.scripted_engine import Pause

Compare = Callable[..., bool]


def _app() -> KubertApp:
    figures = (sample_latency.measuring(), sample_latency.live("bull1", 100))
    app, _ = make_app(
        {
            "connect": story.connecting(),
            "irqbalance": (story.review(3, confirm="The hosts restart."),),
            "cyclictest": (*figures, Pause(Flag())),
        }
    )
    return app


def _asking() -> KubertApp:
    """The app before any lab was chosen."""

    def refuse(_: object) -> Any:
        raise AssertionError("nothing is opened or saved here")

    app = KubertApp(
        None, refuse, lambda _: Path("lab.yaml"), practice=FakePractice(), glyphs=UNICODE
    )
    app.animation_level = "none"
    return app


async def _connected(pilot: Pilot[Any]) -> KubertApp:
    app = pilot.app
    assert isinstance(app, KubertApp)
    await until(pilot, lambda: finished(app, "connect"))
    return app


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_main(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def drive(pilot: Pilot[Any]) -> None:
        await _connected(pilot)
        await go_to(pilot, 3)

    assert snap_compare(_app(), terminal_size=size, run_before=drive)


def test_review(snap_compare: Compare) -> None:
    async def drive(pilot: Pilot[Any]) -> None:
        app = await _connected(pilot)
        await go_to(pilot, 5)
        await pilot.press("a")
        await until(pilot, lambda: on_top(app, ReviewForm))

    assert snap_compare(_app(), terminal_size=SMALL, run_before=drive)


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_latency(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def drive(pilot: Pilot[Any]) -> None:
        app = await _connected(pilot)
        await go_to(pilot, 7)
        await pilot.press("a")
        await until(pilot, lambda: app.session and app.session.view.measuring)
        await until(pilot, lambda: on_top(app, LatencyScreen) and "max 87" in screen_text(app))

    assert snap_compare(_app(), terminal_size=size, run_before=drive)


@pytest.mark.parametrize(
    ("size", "hosts"),
    [
        (SMALL, (sample_cpus.host("bull1", TWIN), sample_cpus.host("bull2", TWIN))),
        (LARGE, (sample_cpus.host("epyc", sample_cpus.LARGE),)),
    ],
)
def test_cpu_plan(
    snap_compare: Compare, size: tuple[int, int], hosts: tuple[HostCpus, ...]
) -> None:
    app, _ = make_app({"connect": story.connecting(), "update": (sample_cpus.question(*hosts),)})

    async def drive(pilot: Pilot[Any]) -> None:
        await _connected(pilot)
        await go_to(pilot, 2)
        await pilot.press("a")
        await until(pilot, lambda: on_top(app, CpuPlanForm))
        await pilot.press("down", "right", "space")
        await until(pilot, lambda: "[H" in screen_text(app))

    assert snap_compare(app, terminal_size=size, run_before=drive)


def test_latency_of_all_hosts(snap_compare: Compare) -> None:
    async def drive(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, KubertApp)
        await until(pilot, lambda: on_top(app, LatencyScreen) and "bull3" in screen_text(app))
        await until(pilot, lambda: screen_text(app).count("87") == 3)

    hosts = ("bull1", "bull2", "bull3")
    begun = [replace(sample_latency.measuring(host), limit=60) for host in hosts]
    figures = [sample_latency.live(host, 100) for host in hosts]
    app, _ = make_app({"cyclictest": (*begun, *figures, Pause(Flag()))}, watch="cyclictest")
    assert snap_compare(app, terminal_size=SMALL, run_before=drive)


def test_first_run(snap_compare: Compare) -> None:
    async def drive(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: on_top(pilot.app, FirstRunScreen))  # type: ignore[arg-type]

    assert snap_compare(_asking(), terminal_size=SMALL, run_before=drive)


def test_practice_progress(snap_compare: Compare) -> None:
    clock = [0.0]

    def build(order: Order) -> Lab:
        for seconds, step, done, left in (
            (0.0, "fetching packages", 0.1, 95.0),
            (31.0, "unpacking the base system", 0.38, 62.0),
            (43.0, "installing packages", 0.45, 50.0),
        ):
            clock[0] = seconds
            order.on_progress(Progress(step, done, left))
        clock[0] = 56.0
        order.cancel.wait()
        raise CancelledError("the test is over")

    async def drive(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, KubertApp)
        await until(pilot, lambda: on_top(app, FirstRunScreen))
        job = replace(up_job(FakePractice(), Kind.CONTAINERS), do=build)
        app.push_screen(PracticeProgress(job, UNICODE, now=lambda: clock[0]))
        await until(pilot, lambda: "elapsed 0:56" in screen_text(app))

    assert snap_compare(_asking(), terminal_size=SMALL, run_before=drive)
