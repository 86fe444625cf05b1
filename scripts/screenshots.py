"""Make the pictures in the README anew, from a real run on this machine (as root).

.venv/bin/python scripts/screenshots.py docs/images
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from kubert_tui.cli.wizard_command import make_app
from kubert_tui.events.model import StageState
from kubert_tui.screens.app import KubertApp
from kubert_tui.screens.glyphs import UNICODE
from kubert_tui.screens.latency import LatencyScreen
from kubert_tui.screens.questions.cpu_plan import CpuPlanForm
from kubert_tui.screens.questions.review import ReviewForm
from kubert_tui.screens.wizard import WizardScreen

_SIZE = (120, 40)
_TALL = (120, 52)
"""Room for the histogram and latency against time at once."""


async def take(directory: Path) -> None:
    """Drive the wizard through the built-in lab and save what it shows on the way."""
    app = make_app("local", ["cyclictest.duration=40s"])
    app.glyphs = UNICODE
    async with app.run_test(size=_SIZE) as pilot:
        await _until(pilot, lambda: _ended(app, "connect"))
        await pilot.press("A")
        await _until(pilot, lambda: isinstance(app.screen, CpuPlanForm))
        await pilot.press("enter")
        await _until(pilot, lambda: isinstance(app.screen, ReviewForm))
        await pilot.press("a")
        # It opens by itself.
        await _until(pilot, lambda: isinstance(app.screen, LatencyScreen))
        await pilot.press("escape")
        await _until(pilot, lambda: isinstance(app.screen, WizardScreen))
        await pilot.pause(0.5)
        app.save_screenshot("wizard.svg", str(directory))
        await pilot.press("m")
        await _until(pilot, lambda: isinstance(app.screen, LatencyScreen))
        await pilot.resize_terminal(*_TALL)
        await pilot.pause(30)
        app.save_screenshot("latency.svg", str(directory))
        await _until(pilot, lambda: _ended(app, "cyclictest"))


def _ended(app: KubertApp, stage: str) -> bool:
    states = app.session.view.host_states if app.session else {}
    return stage in states and StageState.RUNNING not in states[stage].values()


async def _until(pilot: Pilot[int], condition: Callable[[], bool]) -> None:
    while not condition():
        await pilot.pause(0.1)


def main() -> None:
    """Take the pictures."""
    directory = Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as state:
        os.environ["XDG_STATE_HOME"] = state
        asyncio.run(take(directory))


if __name__ == "__main__":
    main()
