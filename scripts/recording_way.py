"""The way of `recording.py`: which keys are pressed, and where a picture is taken."""

import re
import socket
import sys
import time
from collections.abc import Callable
from html import unescape
from pathlib import Path

from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Log, OptionList, Static

from kubert_tui.cli.wizard_command import make_app
from kubert_tui.events.model import StageState
from kubert_tui.screens.app import KubertApp
from kubert_tui.screens.error import ErrorScreen
from kubert_tui.screens.first_run import FirstRunScreen
from kubert_tui.screens.latency import LatencyScreen
from kubert_tui.screens.practice import PracticeScreen
from kubert_tui.screens.practice_progress import PracticeProgress
from kubert_tui.screens.prompts import ConfirmPrompt
from kubert_tui.screens.questions.cpu_plan import CpuPlanForm
from kubert_tui.screens.questions.review import ReviewForm
from kubert_tui.screens.wizard import WizardScreen

SIZE = (100, 30)
SETTINGS = ["cyclictest.duration=60s"]
BYTES_LIMIT = 150_000
PATIENCE = 1800.0
"""Seconds for one thing to happen: building the twins, or a stage, on a small computer."""


class Camera:
    """Takes numbered pictures. Refuses those that are too large or show where they were taken."""

    def __init__(self, directory: Path, refused: tuple[str, ...]) -> None:
        self._directory = directory
        self._refused = (*refused, socket.gethostname())
        self._number = 0

    def take(self, app: KubertApp, name: str) -> None:
        """Save what the app shows as `practice-NN-name.svg`."""
        app.clear_notifications()
        self._number += 1
        path = self._directory / f"practice-{self._number:02}-{name}.svg"
        picture = app.export_screenshot()
        shown = unescape(re.sub(r"<[^>]*>", "", picture))
        for word in self._refused:
            if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", shown):
                raise SystemExit(f"{path.name} shows {word!r}")
        if len(picture) > BYTES_LIMIT:
            raise SystemExit(f"{path.name} has {len(picture)} bytes")
        path.write_text(picture, encoding="utf-8")
        sys.stderr.write(f"{path.name}: {len(picture)} bytes\n")


class Way:
    """Presses keys, and waits for what they bring about."""

    def __init__(self, app: KubertApp, pilot: Pilot[int], camera: Camera) -> None:
        self._app = app
        self._pilot = pilot
        self._camera = camera

    async def press(self, *keys: str) -> None:
        await self._pilot.press(*keys)

    async def picture(self, name: str) -> None:
        self._app.clear_notifications()
        await self._pilot.pause(0.5)
        self._camera.take(self._app, name)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for a condition; end with the report of the error that came instead."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            screen = self._app.screen
            if isinstance(screen, ErrorScreen):
                raise SystemExit("\n".join(str(one.content) for one in screen.query(Static)))
            if time.monotonic() > deadline:
                raise SystemExit(f"nothing happens any more on {screen}")
            await self._pilot.pause(0.1)

    async def screen(self, kind: type[Screen[object]]) -> None:
        await self.until(lambda: isinstance(self._app.screen, kind))

    async def ended(self, stage: str) -> None:
        """Wait for the end of a stage; anything but done, satisfied or skipped is an error."""

        def state() -> StageState | None:
            view = self._app.session.view if self._app.session else None
            return view.state(stage) if view and stage in view.host_states else None

        await self.until(state)
        if state() not in (StageState.DONE, StageState.SATISFIED, StageState.SKIPPED):
            raise SystemExit(f"{stage}: {state()}")

    async def apply(self, stage: str, review: str = "") -> None:
        """Go to the next stage, agree to its plan, and wait for the end; picture the review."""
        await self.press("n", "a")
        await self.screen(ReviewForm)
        if review:
            await self.picture(review)
        await self.press("a")
        await self.ended(stage)


async def walk(camera: Camera) -> None:
    """From the first screen to the stored result; then the machines are removed."""
    app = make_app(None, SETTINGS)
    async with app.run_test(size=SIZE) as pilot:
        way = Way(app, pilot, camera)
        await make_machines(app, way)
        await work(app, way)
        await measure(app, way)
        await way.press("q")
    app = make_app(None, SETTINGS)
    async with app.run_test(size=SIZE) as pilot:
        await remove_machines(app, Way(app, pilot, camera))


async def make_machines(app: KubertApp, way: Way) -> None:
    """The first screen, the choice of machines, building."""
    await way.screen(FirstRunScreen)
    await way.press("down")
    await way.picture("first-run")
    await way.press("enter")
    await way.screen(PracticeScreen)
    await way.until(lambda: app.screen.query_one(OptionList).option_count)
    await way.picture("machines")
    await way.press("enter")
    await way.screen(PracticeProgress)
    await way.until(lambda: isinstance(app.screen, PracticeProgress) and app.screen.share > 0.6)
    await way.picture("building")
    await way.screen(WizardScreen)


async def work(app: KubertApp, way: Way) -> None:
    """The stages up to the measurement."""
    await way.ended("connect")
    await way.picture("connected")
    await way.press("f")
    await way.picture("findings")
    await way.press("g", "n", "a")
    await way.screen(ReviewForm)
    await way.picture("update-review")
    await way.press("a", "l")
    await way.until(
        lambda: any("TASK [Upgrade" in line for line in app.screen.query_one(Log).lines)
    )
    await way.picture("update-log")
    await way.ended("update")
    await way.press("g", "n", "a")
    await way.ended("kernel")
    await way.picture("kernel")
    await way.press("n", "a")
    await way.ended("hyperthreading")
    await way.press("n", "a")
    await way.screen(CpuPlanForm)
    await way.picture("cpu-plan")
    await way.press("enter")
    await way.ended("cpu-plan")
    await way.press("n", "a")
    await way.screen(ReviewForm)
    first = app.screen
    await way.press("p")
    await way.until(lambda: isinstance(app.screen, ReviewForm) and app.screen is not first)
    await way.picture("irqbalance-preview")
    await way.press("a")
    await way.ended("irqbalance")
    await way.apply("rt-tests")
    await way.picture("rt-tests")


async def measure(app: KubertApp, way: Way) -> None:
    """The first cyclictest, live, and its stored result."""
    await way.press("n", "a")
    await way.screen(ReviewForm)
    await way.picture("cyclictest-review")
    await way.press("a")
    await way.screen(LatencyScreen)

    def half() -> bool:
        snapshot = app.session.snapshot("bull1") if app.session else None
        return snapshot is not None and snapshot.elapsed >= 10

    await way.until(half)
    await way.picture("latency-hosts")
    await way.press("enter")
    await way.until(lambda: "merged" in str(app.screen.query_one("#latency-head", Static).content))
    await way.picture("latency-live")
    await way.ended("cyclictest")
    await way.press("escape")
    await way.screen(WizardScreen)
    await way.picture("measured")
    await way.press("n", "a")
    await way.ended("causes")
    await way.picture("finished")


async def remove_machines(app: KubertApp, way: Way) -> None:
    """They have run on; back to the choice, where they can be removed."""
    await way.screen(FirstRunScreen)
    await way.press("down", "enter")
    await way.screen(PracticeScreen)

    def offered() -> bool:
        options = app.screen.query_one("#choices", OptionList).options
        return any(option.id == "down-containers" for option in options)

    await way.until(offered)
    await way.press("down")
    await way.picture("afterwards")
    await way.press("enter")
    await way.screen(ConfirmPrompt)
    await way.press("y")
    await way.screen(PracticeProgress)
    await way.screen(PracticeScreen)
    await way.until(lambda: not offered())
    await way.press("q")
