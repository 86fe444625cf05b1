"""One engine, two faces: the same answers give the same events, whoever shows them."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event as Flag

from textual.pilot import Pilot

from kubert_tui.cli.answers import Answers
from kubert_tui.cli.auto import consume
from kubert_tui.engine.journal import read
from kubert_tui.engine.session import Session
from kubert_tui.events.codec import encode
from kubert_tui.events.model import Event, Finished
from kubert_tui.facts.model import Facts
from kubert_tui.hosts.interface import Host
from kubert_tui.screens.app import KubertApp
from kubert_tui.screens.glyphs import UNICODE
from kubert_tui.screens.questions.cpu_plan import CpuPlanForm
from kubert_tui.screens.questions.review import ReviewForm
from kubert_tui.stages import registry
from kubert_tui.stages.model import Stage
from tests.screens.driving import finished, on_top, until
from tests.screens.practice_fake import FakePractice
from tests.support.blank import blank_lab
from tests.support.fact_samples import HPE, facts_of
from tests.support.stages import Measure, Upgrade, World, stage

LAB = blank_lab("bull1", "bull2")


class Recorded(Session):
    """A session that keeps what it yielded."""

    def events(self) -> Iterator[Event]:
        for event in super().events():
            RECORD.append(event)
            yield event


RECORD: list[Event] = []


def stages(world: World) -> tuple[Stage, ...]:
    return (
        stage("connect"),
        stage("kernel", Upgrade(world, confirm="The default kernel changes.")),
        registry.stage("cpu-plan"),
        stage("measure", Measure(), measures=True),
    )


def open_session() -> Session:
    world = World(kernel={"bull2": "new"})
    RECORD.clear()

    def gather(host: Host, updates: bool, cancel: Flag) -> Facts:
        facts = world.gather(host, updates, cancel)
        return replace(facts, processors=facts_of(HPE).processors)

    return Recorded(LAB, stages=stages(world), gather=gather, connect=world.connect)


def story() -> list[dict[str, object]]:
    """The events without what must differ: times, the run's name, and hosts side by side."""
    told = []
    for event in RECORD:
        plain: dict[str, object] = {**encode(event)}
        for name in ("time", "seconds", "run", "journal", "results"):
            plain.pop(name, None)
        told.append(plain)
    at_once = ("host-connected", "facts-gathered", "host-locked", "latency-stored")
    ordered: list[dict[str, object]] = []
    group: list[dict[str, object]] = []
    for plain in told:
        if plain["event"] in at_once:
            group.append(plain)
            continue
        ordered += sorted(group, key=json.dumps)
        group = []
        ordered.append(plain)
    return ordered


class Silent:
    def show(self, event: Event) -> None:
        pass


def headless() -> list[dict[str, object]]:
    session = open_session()
    for one in session.stages:
        session.submit(one.id)
    session.close()
    answers = Answers(yes=True, accept_new_host_keys=False, terminal=False)
    assert consume(session, Silent(), answers.answer) == 0
    return story()


async def approve(pilot: Pilot[int]) -> None:
    """Answer the review on top with yes, confirming it where that is asked for."""
    review = pilot.app.screen
    assert isinstance(review, ReviewForm)
    while pilot.app.screen is review:
        await pilot.press("a")
        await pilot.pause()


async def in_the_wizard() -> list[dict[str, object]]:
    app = KubertApp(
        LAB,
        lambda _: open_session(),
        lambda _: Path("lab.yaml"),
        practice=FakePractice(),
        glyphs=UNICODE,
    )
    app.animation_level = "none"
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: finished(app, "connect"))
        await pilot.press("A")
        await until(pilot, lambda: on_top(app, ReviewForm))
        await approve(pilot)
        await until(pilot, lambda: finished(app, "kernel"))
        await until(pilot, lambda: on_top(app, CpuPlanForm))
        await pilot.press("enter")
        await until(pilot, lambda: finished(app, "cpu-plan"))
        await until(pilot, lambda: on_top(app, ReviewForm))
        await approve(pilot)
        await until(pilot, lambda: finished(app, "measure"))
        await pilot.press("q")
        await until(pilot, lambda: isinstance(RECORD[-1], Finished))
    return story()


async def test_both_faces_get_the_same_events(own_directories: Path) -> None:
    wizard = await in_the_wizard()
    assert headless() == wizard
    assert wizard[-1]["event"] == "finished"
    assert wizard[-1]["exit_code"] == 0
    journals = list(own_directories.glob("**/journal.jsonl"))
    assert len(journals) == 2
    kinds = [[entry["event"] for entry in read(path)] for path in journals]
    assert sorted(kinds[0]) == sorted(kinds[1])
