"""Opens the wizard on a scripted engine, and waits for what should happen."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from textual.content import Content
from textual.pilot import Pilot
from textual.widgets import Static

from kubert_tui.events.model import StageState
from kubert_tui.screens.app import KubertApp
from kubert_tui.screens.glyphs import UNICODE, Glyphs
from kubert_tui.screens.widgets.rail import Rail
from kubert_tui.screens.wizard import WizardScreen
from tests.screens import story
from tests.screens.practice_fake import FakePractice
from tests.screens.scripted_engine import CLOCK, ScriptedEngine, Step

SMALL = (80, 24)
LARGE = (120, 40)

Scripts = Mapping[str, Sequence[Step]]

_TRIES = 1500


def make_app(
    scripts: Scripts | None = None,
    *,
    glyphs: Glyphs = UNICODE,
    watch: str = "",
    stood: Mapping[str, StageState] | None = None,
) -> tuple[KubertApp, ScriptedEngine]:
    """Return an app on the story's lab, and the engine it will use; `stood`: a run goes on."""
    opening = [replace(event, resumed=stood is not None, states={**(stood or {})})
               for event in story.opening()]  # fmt: skip
    engine = ScriptedEngine(story.LAB, story.STAGES, scripts or {}, opening)
    app = KubertApp(
        story.LAB,
        lambda _: engine,
        lambda _: Path("lab.yaml"),
        practice=FakePractice(),
        glyphs=glyphs,
        watch=watch,
        now=lambda: CLOCK,
    )
    app.animation_level = "none"
    return app, engine


@asynccontextmanager
async def wizard(
    scripts: Scripts | None = None,
    *,
    size: tuple[int, int] = SMALL,
    glyphs: Glyphs = UNICODE,
    connected: bool = True,
    stood: Mapping[str, StageState] | None = None,
) -> AsyncIterator[tuple[KubertApp, Pilot[int], ScriptedEngine]]:
    """Open the wizard; with `connected`, wait until stage 1 has ended."""
    merged: dict[str, Sequence[Step]] = {"connect": story.connecting(), **(scripts or {})}
    app, engine = make_app(merged, glyphs=glyphs, stood=stood)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: isinstance(app.screen, WizardScreen) or not connected)
        if connected:
            await until(pilot, lambda: finished(app, "connect"))
        yield app, pilot, engine


async def until(pilot: Pilot[int], condition: Callable[[], object]) -> None:
    """Let the app work until `condition` holds; fail when it never does."""
    for _ in range(_TRIES):
        if condition():
            await pilot.pause()
            return
        await pilot.pause(0.01)
    raise AssertionError(f"never came true; on screen:\n{screen_text(pilot.app)}")


def finished(app: KubertApp, stage: str) -> bool:
    """Whether a stage has ended."""
    return app.session is not None and stage in app.session.view.host_states


def on_top(app: KubertApp, kind: type) -> bool:
    """Whether a screen of this kind is on top."""
    return isinstance(app.screen, kind)


def text_of(app: object, selector: str) -> str:
    """Return the plain text of a Static."""
    content = app.screen.query_one(selector, Static).content  # type: ignore[attr-defined]
    return content.plain if isinstance(content, Content) else str(content)


def screen_text(app: object) -> str:
    """Return what the terminal shows, line by line."""
    width, height = app.size  # type: ignore[attr-defined]
    lines = app.screen._compositor.render_strips()  # type: ignore[attr-defined]
    return "\n".join(line.text[:width] for line in lines[:height])


async def go_to(pilot: Pilot[int], number: int) -> None:
    """Select the stage with this number."""
    pilot.app.screen.query_one(Rail).select(story.STAGES[number - 1].id)
    await pilot.pause()
