"""A density run in the wizard: what runs now, the curve, and where the limit breaks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event as Flag

from kubert_tui.events.measuring import ApplicationsRunning, DensityMeasured, DensityPoint
from kubert_tui.lab.model import Lab
from kubert_tui.screens.app import KubertApp
from kubert_tui.screens.glyphs import UNICODE
from kubert_tui.screens.latency import LatencyScreen
from kubert_tui.screens.widgets.rail import Rail
from kubert_tui.screens.wizard import WizardScreen
from kubert_tui.stages.registry import all_stages
from tests.screens import sample_latency, story
from tests.screens.driving import SMALL, finished, on_top, screen_text, text_of, until
from tests.screens.practice_fake import FakePractice
from tests.screens.scripted_engine import CLOCK, Pause, ScriptedEngine, Step

LAB = Lab.model_validate(
    {
        **dict(story.LAB),
        "cluster": {"packages": "preinstalled"},
        "workloads": [{"name": "loop", "preset": "control-loop", "image": "rt"}],
    }
)
CURVE = DensityMeasured(
    host="bull2",
    commands=(),
    names=("loop",),
    limit=50,
    points=tuple(
        DensityPoint(applications=count, figures=("< 3", "< 5", f"< {worst}", str(worst)), below=it)
        for count, worst, it in ((0, 9, True), (1, 31, True), (2, 64, False))
    ),
    statement="the limit of 50 us breaks at 2 applications: the worst took 64 us",
)


def running(count: int) -> ApplicationsRunning:
    return ApplicationsRunning(host="bull1", applications=count, names=("loop",), pods=count)


def make(scripts: Mapping[str, Sequence[Step]]) -> KubertApp:
    engine = ScriptedEngine(LAB, all_stages(), scripts, story.opening())
    app = KubertApp(
        LAB,
        lambda _: engine,
        lambda _: Path("lab.yaml"),
        practice=FakePractice(),
        glyphs=UNICODE,
        now=lambda: CLOCK,
    )
    app.animation_level = "none"
    return app


async def test_the_curve_stands_with_the_stage_and_in_the_log() -> None:
    held = Flag()
    begun = replace(sample_latency.measuring("bull2"), limit=50)
    script: Sequence[Step] = (running(2), Pause(held), begun, CURVE)
    app = make({"connect": story.connecting(), "density": script})
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: isinstance(app.screen, WizardScreen))
        await until(pilot, lambda: finished(app, "connect"))
        app.screen.query_one(Rail).select("density")
        await until(pilot, lambda: "Application density" in screen_text(app))
        await pilot.press("a")
        await until(pilot, lambda: "bull1: 2 x loop on each" in screen_text(app))
        held.set()
        await until(pilot, lambda: on_top(app, LatencyScreen))
        await pilot.press("escape")
        await until(pilot, lambda: finished(app, "density"))
        told = text_of(app, "#guide-results")
        assert told.startswith("bull2  us, beside n x loop on each node:")
        assert "64  over" in told
        assert "breaks at 2 applications" in told
        row = "  2    < 3    < 5   < 64     64  over"
        await until(pilot, lambda: row in screen_text(app))
        await pilot.press("l")
        await until(pilot, lambda: "the limit of 50 us breaks at" in screen_text(app))


if __name__ == "__main__":
    forever = Flag()
    make(
        {
            "connect": story.connecting(),
            "density": (running(2), sample_latency.measuring("bull2"), CURVE, Pause(forever)),
        }
    ).run()
