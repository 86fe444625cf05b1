"""The machines' screen: what it shows at 80x24, asks for, and never does unasked."""

from dataclasses import replace

from textual.widgets import Input

from kubert_tui.events.model import ConsoleSaid, FactsGathered, OrderEnded, OrderStarted, StageState
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.virtual import Libvirt, MachineSeen
from kubert_tui.lab.load import parse_lab
from kubert_tui.machines.order import Action, Order
from kubert_tui.screens.app import KubertApp
from kubert_tui.screens.console import ConsoleScreen
from kubert_tui.screens.log_text import log_lines
from kubert_tui.screens.machines import MachinesScreen
from kubert_tui.screens.typed_prompt import TypedPrompt
from kubert_tui.screens.wizard import WizardScreen
from tests.screens import story
from tests.screens.driving import on_top, screen_text, text_of, until, wizard
from tests.screens.scripted_engine import ScriptedEngine
from tests.support.blank import blank_facts

LAB = parse_lab(
    "name: bulls\nallow: [machines]\n"
    "hosts: [{name: bull1, address: 192.168.11.11}, {name: bull2, address: 192.168.11.12}]\n"
    "machines: {preset: upstream, workers: 2, hosts: [bull1, bull2]}\n"
    "network: {kind: bridge, prefix: 192.168.11.5}\n",
    "lab.yaml",
)
BULL1 = FactsGathered(
    host="bull1",
    facts=blank_facts(
        "bull1",
        libvirt=Known(
            Libvirt(
                machines=(
                    MachineSeen("master", "running", vcpus=2, pins=("4", "6")),
                    MachineSeen(
                        "worker-2", "off", vcpus=2, restart=("memory: 1 KiB -> 2 KiB",),
                        snapshots=("fresh",), left_out=("locked: [red]no. Without it: faults",),
                    ),
                    MachineSeen("old", "running", vcpus=1, stray=True),
                )
            )
        ),
    ),
    seconds=1,
)  # fmt: skip
BULL2 = FactsGathered(
    host="bull2",
    facts=blank_facts("bull2", libvirt=Unknown("libvirt does not run there")),
    seconds=1,
)


def orders(engine: ScriptedEngine) -> list[Order]:
    return [call[1] for call in engine.calls if call[0] == "machines"]  # type: ignore[misc]


async def opened(app: KubertApp, pilot: object, engine: ScriptedEngine) -> None:
    assert app.session is not None
    app.session.view.lab = LAB
    await pilot.press("v")  # type: ignore[attr-defined]
    await until(pilot, lambda: on_top(app, MachinesScreen))  # type: ignore[arg-type]
    engine.play(
        (BULL1, BULL2, OrderEnded(action="list", machines=(), state=StageState.DONE, summary=""))
    )
    await until(pilot, lambda: "worker-2" in screen_text(app) and "192" in screen_text(app))  # type: ignore[arg-type]
    await until(pilot, lambda: not app.session.view.ordered)  # type: ignore[arg-type, union-attr]


async def test_the_table_and_what_is_known_of_one() -> None:
    async with wizard() as (app, pilot, engine):
        await opened(app, pilot, engine)
        shown = screen_text(app)
        for told in ("2 on 4,6", "running", "off", "restart due", "192.168.11.50", "not in lab"):
            assert told in shown
        assert "libvirt does not run there" not in shown
        await pilot.press("j")
        detail = text_of(app, "#machine-text")
        assert "at its next start: memory: 1 KiB -> 2 KiB" in detail
        assert "snapshots: fresh" in detail
        assert "without locked: [red]no" in detail
        await pilot.press("j", "j")
        assert "libvirt does not run there" in text_of(app, "#machine-text")
        assert orders(engine) == [Order(Action.LIST)]
        await pilot.press("escape")
        await until(pilot, lambda: on_top(app, WizardScreen))


async def test_start_stop_and_snapshot_are_asked_for_at_once() -> None:
    async with wizard() as (app, pilot, engine):
        await opened(app, pilot, engine)
        await pilot.press("s", "o", "p")
        asked = orders(engine)[1:]
        assert [(one.action, one.names) for one in asked] == [
            (Action.START, ("master",)), (Action.STOP, ("master",)), (Action.SNAPSHOT, ("master",)),
        ]  # fmt: skip
        assert asked[2].label
        assert "start, stop, snapshot ..." in text_of(app, "#machines-doing")
        engine.play((OrderEnded(action="stop", machines=("master",), state=StageState.FAILED,
                                summary="master did not switch off"),))  # fmt: skip
        await until(pilot, lambda: "start, snapshot ..." in text_of(app, "#machines-doing"))
        assert any("did not switch off" in one.message for one in app._notifications)


async def test_what_loses_something_wants_the_name_typed() -> None:
    async with wizard() as (app, pilot, engine):
        await opened(app, pilot, engine)
        for key, action in (("d", Action.DESTROY), ("b", Action.REBUILD)):
            await pilot.press(key)
            await until(pilot, lambda: on_top(app, TypedPrompt))
            app.screen.query_one(Input).value = "yes"
            await pilot.press("enter")
            assert on_top(app, TypedPrompt)
            await pilot.press("escape")
            await until(pilot, lambda: on_top(app, MachinesScreen))
            assert len(orders(engine)) == (1 if key == "d" else 2)
            await pilot.press(key)
            await until(pilot, lambda: on_top(app, TypedPrompt))
            app.screen.query_one(Input).value = "master"
            await pilot.press("enter")
            await until(pilot, lambda: on_top(app, MachinesScreen))
            assert orders(engine)[-1] == Order(action, ("master",), typed="master")
        await pilot.press("D")
        await until(pilot, lambda: on_top(app, TypedPrompt))
        app.screen.query_one(Input).value = "bulls"
        await pilot.press("enter")
        await until(pilot, lambda: on_top(app, MachinesScreen))
        assert orders(engine)[-1] == Order(Action.DESTROY, typed="bulls")


async def test_of_an_adopted_machine_the_lab_only_lets_go() -> None:
    async with wizard() as (app, pilot, engine):
        await opened(app, pilot, engine)
        assert app.session is not None
        text = "hosts: [{name: bull1}]\nallow: [machines]\n"
        text += "machines: [{name: master, adopted: proj_master}]\n"
        app.session.view.lab = parse_lab(text, "lab.yaml")
        engine.play((BULL1,))
        await until(pilot, lambda: screen_text(app).count("not in lab") == 2)
        await pilot.press("d")
        await until(pilot, lambda: on_top(app, TypedPrompt))
        await until(pilot, lambda: "did not make it" in screen_text(app))
        app.screen.query_one(Input).value = "master"
        await pilot.press("enter")
        await until(pilot, lambda: on_top(app, MachinesScreen))
        assert orders(engine)[-1] == Order(Action.RELEASE, ("master",))


async def test_nothing_is_changed_where_the_lab_does_not_allow_it() -> None:
    async with wizard() as (app, pilot, engine):
        await opened(app, pilot, engine)
        assert app.session is not None
        app.session.view.lab = LAB.model_copy(update={"allow": frozenset()})
        await pilot.press("s", "o", "d", "b", "D", "p")
        assert on_top(app, MachinesScreen)
        assert orders(engine) == [Order(Action.LIST)]


async def test_the_console_is_followed_and_let_go() -> None:
    hostile = ConsoleSaid(host="bull1", machine="master", lines=(story.HOSTILE, "login:"))
    async with wizard() as (app, pilot, engine):
        await opened(app, pilot, engine)
        engine.play((replace(hostile, lines=("said before",)),))
        await pilot.press("c")
        await until(pilot, lambda: on_top(app, ConsoleScreen))
        assert orders(engine)[-1] == Order(Action.CONSOLE, ("master",))
        other = ConsoleSaid(host="bull1", machine="other", lines=("not this one",))
        engine.play((OrderStarted(action="console", machines=("master",)), hostile, other))
        await until(pilot, lambda: story.HOSTILE in screen_text(app))
        assert "said before" in screen_text(app)
        assert "not this one" not in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: on_top(app, MachinesScreen))
        assert ("cancel",) in engine.calls
    assert log_lines(hostile)[1] == "master | login:"
