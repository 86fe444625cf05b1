"""First start: this machine, a saved lab, or servers of one's own."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input

from kubert_tui.base.errors import BusyError, KubertError, UsageError
from kubert_tui.engine.interface import Engine
from kubert_tui.events.model import Failure, HostConnected, StageFinished, StageState
from kubert_tui.lab.builtin import local_lab
from kubert_tui.lab.model import Lab, Permission
from kubert_tui.screens.app import KubertApp
from kubert_tui.screens.connection_test import ConnectionTest
from kubert_tui.screens.error import ErrorScreen
from kubert_tui.screens.first_run import FirstRunScreen
from kubert_tui.screens.glyphs import UNICODE
from kubert_tui.screens.lab_form import LabFormScreen
from kubert_tui.screens.questions.host_key import HostKeyForm
from kubert_tui.screens.wizard import WizardScreen
from tests.screens import story
from tests.screens.driving import on_top, screen_text, text_of, until
from tests.screens.practice_fake import FakePractice
from tests.screens.scripted_engine import ScriptedEngine, Step


class _World:
    """Labs that were opened and saved, and how opening them goes."""

    def __init__(self) -> None:
        self.opened: list[Lab] = []
        self.saved: list[Lab] = []
        self.script: tuple[Step, ...] = ()
        self.error: KubertError | None = None
        self.save_error: KubertError | None = None

    def open(self, lab: Lab) -> Engine:
        if self.error is not None:
            raise self.error
        self.opened.append(lab)
        return ScriptedEngine(lab, story.STAGES, {"connect": self.script})

    def save(self, lab: Lab) -> Path:
        if self.save_error is not None:
            raise self.save_error
        self.saved.append(lab)
        return Path("labs") / f"{lab.name}.yaml"


@asynccontextmanager
async def first_run(
    world: _World, saved_labs: dict[str, Callable[[], Lab]] | None = None
) -> AsyncIterator[tuple[KubertApp, Pilot[int]]]:
    app = KubertApp(
        None,
        world.open,
        world.save,
        practice=FakePractice(),
        glyphs=UNICODE,
        saved_labs=saved_labs,
    )
    app.animation_level = "none"
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: on_top(app, FirstRunScreen))
        yield app, pilot


async def _form(app: KubertApp, pilot: Pilot[int]) -> None:
    await pilot.press("down", "down", "enter")
    await until(pilot, lambda: on_top(app, LabFormScreen))


async def _fill(app: KubertApp, pilot: Pilot[int], **values: str) -> None:
    for key, value in values.items():
        app.screen.query_one(f"#host-{key}", Input).value = value
    await pilot.pause()


async def test_this_machine_changes_nothing() -> None:
    world = _World()
    async with first_run(world) as (app, pilot):
        assert "Nothing will be changed" in screen_text(app)
        await pilot.press("enter")
        await until(pilot, lambda: on_top(app, WizardScreen))
        assert world.opened == [local_lab()]
        assert not world.opened[0].allow


async def test_a_saved_lab_is_offered_first() -> None:
    world = _World()
    async with first_run(world, {"bulls": lambda: story.LAB}) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: on_top(app, WizardScreen))
        assert world.opened == [story.LAB]


async def test_a_lab_that_cannot_be_opened_says_why_and_leads_back() -> None:
    world = _World()
    world.error = BusyError("another kubert-tui works on this lab", fix="close it first")
    async with first_run(world) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: on_top(app, ErrorScreen))
        assert "close it first" in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: on_top(app, FirstRunScreen))


async def test_servers_are_added_allowed_saved_and_opened() -> None:
    world = _World()
    async with first_run(world) as (app, pilot):
        await _form(app, pilot)
        await _fill(app, pilot, name="bull1", address="192.168.11.11", user="lab", port="2222")
        await pilot.press("ctrl+a")
        await until(pilot, lambda: "1. bull1  lab@192.168.11.11:2222" in screen_text(app))
        await _fill(app, pilot, name="bull2", address="10.0.0.2", jump="bull1")
        await pilot.press("ctrl+a")
        app.screen.query_one("#allow-packages").focus()
        await pilot.press("space")
        app.screen.query_one("#lab-name", Input).value = "bulls"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: on_top(app, WizardScreen))
        lab = world.saved[0]
        assert lab == world.opened[0]
        assert lab.name == "bulls"
        assert [(host.name, host.address, host.port, host.jump) for host in lab.hosts] == [
            ("bull1", "192.168.11.11", 2222, ""),
            ("bull2", "10.0.0.2", 0, "bull1"),
        ]
        assert lab.allow == frozenset({Permission.PACKAGES})


async def test_errors_stand_at_their_fields() -> None:
    world = _World()
    async with first_run(world) as (app, pilot):
        await _form(app, pilot)
        await _fill(app, pilot, name="bad name!", port="99999")
        await pilot.press("ctrl+a")
        await pilot.pause()
        assert "letters, digits" in text_of(app, "#error-name")
        assert "65535" in text_of(app, "#error-port")
        assert not app.screen.query_one("#error-user").display
        assert app.focused is app.screen.query_one("#host-name")
        await _fill(app, pilot, name="good", port="")
        await pilot.press("ctrl+a")
        await pilot.pause()
        assert not app.screen.query_one("#error-name").display
        await _fill(app, pilot, name="good")
        await pilot.press("ctrl+a")
        await pilot.pause()
        assert "good" in text_of(app, "#error-name"), "two hosts of one name"


async def test_a_lab_without_hosts_is_not_saved() -> None:
    world = _World()
    async with first_run(world) as (app, pilot):
        await _form(app, pilot)
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert "at least one" in text_of(app, "#lab-error")
        assert not world.saved


async def test_a_lab_that_exists_is_not_overwritten() -> None:
    world = _World()
    world.save_error = UsageError("lab.yaml exists", fix="choose another name")
    async with first_run(world) as (app, pilot):
        await _form(app, pilot)
        await _fill(app, pilot, name="bull1")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "lab.yaml exists" in text_of(app, "#lab-error"))
        assert on_top(app, LabFormScreen)


async def test_the_connection_test_asks_for_the_key_and_tells_how_it_went() -> None:
    world = _World()
    connected = HostConnected(host="bull1", address="192.168.11.11", user="lab")
    done = StageFinished(
        state=StageState.DONE, hosts={"bull1": StageState.DONE}, summary="done: bull1"
    )
    world.script = (story.host_key(), connected, done)
    async with first_run(world) as (app, pilot):
        await _form(app, pilot)
        await _fill(app, pilot, name="bull1", address="192.168.11.11")
        await pilot.press("ctrl+t")
        await until(pilot, lambda: on_top(app, HostKeyForm))
        await pilot.press("left", "enter")
        await until(pilot, lambda: on_top(app, LabFormScreen))
        await until(pilot, lambda: app.screen.query_one(ConnectionTest).has_class("-ok"))
        assert "connected to 192.168.11.11 as lab" in screen_text(app)
        assert world.opened[0].allow == frozenset()
        assert [host.name for host in world.opened[0].hosts] == ["bull1"]


async def test_a_failed_connection_test_shows_the_fix() -> None:
    world = _World()
    world.script = (
        Failure(host="bull1", what="no route to [red]host[/]", fix="Check the cable."),
        StageFinished(
            state=StageState.FAILED, hosts={"bull1": StageState.FAILED}, summary="failed: bull1"
        ),
    )
    async with first_run(world) as (app, pilot):
        await _form(app, pilot)
        await _fill(app, pilot, name="bull1")
        await pilot.press("ctrl+t")
        await until(pilot, lambda: app.screen.query_one(ConnectionTest).has_class("-failed"))
        shown = screen_text(app)
        assert "no route to [red]host[/]" in shown
        assert "Check the cable." in shown


async def test_back_and_quit() -> None:
    async with first_run(_World()) as (app, pilot):
        await _form(app, pilot)
        await pilot.press("escape")
        await until(pilot, lambda: on_top(app, FirstRunScreen))
        await pilot.press("q")
        await until(pilot, lambda: app.return_value == 0)
