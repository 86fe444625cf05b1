"""The error screen: everything about a failure, and what can be done."""

from kubert_tui.screens.error import ErrorScreen
from kubert_tui.screens.prompts import ReasonPrompt
from kubert_tui.screens.wizard import WizardScreen
from tests.screens import story
from tests.screens.driving import on_top, screen_text, until, wizard


async def test_a_failure_shows_itself_and_can_be_retried() -> None:
    async with wizard({"update": story.failing()}) as (app, pilot, engine):
        await pilot.press("n", "a")
        await until(pilot, lambda: on_top(app, ErrorScreen))
        shown = screen_text(app)
        for part in (
            "Failed: System update",
            "bull2",
            "dnf could not reach the package mirror",
            "Check the host's network and DNS",
            "dnf -y upgrade",
            "Exit status: 1",
            "Couldn't resolve host name",
            story.HOSTILE,
            "update.log",
        ):
            assert part in shown
        await pilot.press("r")
        await until(pilot, lambda: engine.calls.count(("submit", "update")) == 2)
        await until(pilot, lambda: on_top(app, ErrorScreen))


async def test_it_can_be_closed_opened_again_and_skipped() -> None:
    async with wizard({"update": story.failing()}) as (app, pilot, engine):
        await pilot.press("n", "a")
        await until(pilot, lambda: on_top(app, ErrorScreen))
        await pilot.press("escape")
        await until(pilot, lambda: on_top(app, WizardScreen))
        assert "Press e to see what went wrong" in screen_text(app)
        await pilot.press("e")
        await until(pilot, lambda: on_top(app, ErrorScreen))
        await pilot.press("y")
        assert "dnf -y upgrade" in app.clipboard
        await pilot.press("s")
        await until(pilot, lambda: on_top(app, ReasonPrompt))
        await pilot.press(*"offline", "enter")
        await until(pilot, lambda: ("skip", "update", "offline") in engine.calls)


async def test_e_without_a_failure_says_so() -> None:
    async with wizard() as (app, pilot, _):
        await pilot.press("e")
        await pilot.pause()
        assert on_top(app, WizardScreen)
        assert [one.message for one in app._notifications] == ["Nothing went wrong in this stage."]
