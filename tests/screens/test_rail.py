"""The list of stages: what the lab has nothing for is one row, and can still be gone to."""

from pathlib import Path

import pytest

from kubert_tui.events.model import StageFinished, StageState
from kubert_tui.lab.load import parse_lab
from kubert_tui.lab.model import Lab
from kubert_tui.screens.app import KubertApp
from kubert_tui.screens.glyphs import UNICODE
from kubert_tui.screens.widgets.rail import Rail, rows_of
from kubert_tui.screens.wizard import WizardScreen
from kubert_tui.stages.registry import all_stages
from tests.screens import story
from tests.screens.driving import SMALL, on_top, screen_text, until
from tests.screens.practice_fake import FakePractice
from tests.screens.scripted_engine import ScriptedEngine

HOSTS = "name: bulls\nhosts: [{name: bull1, address: 10.0.0.1}]\n"
MACHINES = "machines: [{name: one, role: control-plane}]\n"
CLUSTER = "cluster: {}\n"
STAGES = all_stages()


def lab(text: str) -> Lab:
    return parse_lab(text, "lab.yaml")


@pytest.mark.parametrize(
    ("text", "lacking"),
    [
        (HOSTS, {"machines", "cluster"}),
        (HOSTS + CLUSTER, {"machines"}),
        (HOSTS + MACHINES, {"cluster"}),
        (HOSTS + MACHINES + CLUSTER, set()),
    ],
)
def test_what_lacks_the_same_is_one_row(text: str, lacking: set[str]) -> None:
    rows = rows_of(STAGES, lab(text))
    assert tuple(stage for row in rows for stage in row.stages) == STAGES
    assert [row.first for row in rows] == [STAGES.index(row.stages[0]) + 1 for row in rows]
    folded = [row for row in rows if row.lacks]
    assert {row.lacks for row in folded} == lacking
    assert len(folded) == len(lacking)
    assert all(len(row.stages) == 1 for row in rows if not row.lacks)


def test_stages_of_hosts_lack_nothing() -> None:
    here = lab(HOSTS)
    own = [stage.id for stage in STAGES if not stage.lacks(here)]
    assert own[0] == "connect"
    assert {"kernel", "cpu-plan", "cyclictest", "causes"} <= {*own}
    assert not {"virtualization", "machines", "ladder", "guest-kernel"} & {*own}


async def test_on_a_lab_of_hosts_only() -> None:
    here = lab(HOSTS)
    engine = ScriptedEngine(here, STAGES, {}, story.opening())
    app = KubertApp(
        here, lambda _: engine, lambda _: Path("lab.yaml"), practice=FakePractice(), glyphs=UNICODE
    )
    app.animation_level = "none"
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: on_top(app, WizardScreen))
        await until(pilot, lambda: "1 of 9 finished" in screen_text(app))
        rail = app.screen.query_one(Rail)
        rail.select("causes")
        engine.play((StageFinished(stage="causes", state=StageState.DONE, hosts={}, summary="x"),))
        # The last one that this lab has.
        await until(pilot, lambda: "Nothing to do here: press q to leave" in screen_text(app))
        await pilot.press("n")
        await until(pilot, lambda: "10-18 » Virtual machines" in screen_text(app))
        await until(pilot, lambda: "The lab names no machines: press n for" in screen_text(app))
        assert rail.selected == "virtualization"
        # A stage in the middle of a row: that row.
        rail.select("guest-kernel")
        assert rail.selected == "virtualization"
        await pilot.press("n")
        await until(pilot, lambda: "The lab names no cluster: press q to" in screen_text(app))
        engine.play(
            StageFinished(stage=stage.id, state=StageState.SKIPPED, hosts={}, summary="skipped")
            for stage in STAGES
            if stage.lacks(here)
        )
        await until(pilot, lambda: "Kubernetes" in screen_text(app))
        assert "  none in this lab" in screen_text(app)
        assert "2 of 9 finished" in screen_text(app)
