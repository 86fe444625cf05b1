"""The screen of nodes: live while it is open, readable at 80x24, and clear about what to do."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from kubert_tui.events.cluster import ClusterHeard, ClusterWatched
from kubert_tui.events.model import Progress, Waiting
from kubert_tui.facts.live_cluster import LiveCluster
from kubert_tui.screens.app import KubertApp
from kubert_tui.screens.glyphs import UNICODE
from kubert_tui.screens.help import HelpScreen
from kubert_tui.screens.log_text import log_lines
from kubert_tui.screens.nodes import NodesScreen
from kubert_tui.screens.run_view import RunView
from kubert_tui.screens.wizard import WizardScreen
from kubert_tui.stages.registry import all_stages
from tests.screens import story
from tests.screens.driving import LARGE, SMALL, on_top, screen_text, text_of, until, wizard
from tests.screens.practice_fake import FakePractice
from tests.screens.sample_cluster import HEARD, LAB, LOST, WATCHED
from tests.screens.scripted_engine import CLOCK, ScriptedEngine

Compare = Callable[..., bool]


def make() -> tuple[KubertApp, ScriptedEngine]:
    engine = ScriptedEngine(LAB, all_stages(), {}, story.opening())
    app = KubertApp(
        LAB, lambda _: engine, lambda _: Path("lab.yaml"), practice=FakePractice(), glyphs=UNICODE,
        now=lambda: CLOCK,
    )  # fmt: skip
    app.animation_level = "none"
    return app, engine


async def open_nodes(app: KubertApp, pilot: Pilot[Any], engine: ScriptedEngine) -> None:
    await until(pilot, lambda: on_top(app, WizardScreen))
    await pilot.press("K")
    await until(pilot, lambda: on_top(app, NodesScreen))
    engine.play((WATCHED, HEARD))
    await until(pilot, lambda: "live from bull1" in screen_text(app))


@asynccontextmanager
async def opened(
    size: tuple[int, int] = SMALL,
) -> AsyncIterator[tuple[KubertApp, Pilot[int], ScriptedEngine]]:
    app, engine = make()
    async with app.run_test(size=size) as pilot:
        await open_nodes(app, pilot, engine)
        yield app, pilot, engine


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_picture(snap_compare: Compare, size: tuple[int, int]) -> None:
    app, engine = make()

    async def drive(pilot: Pilot[Any]) -> None:
        await open_nodes(app, pilot, engine)
        await pilot.press("j")
        await until(pilot, lambda: "cyclictest-bull2" in screen_text(app))

    assert snap_compare(app, terminal_size=size, run_before=drive)


async def test_a_row_for_each_node_of_the_lab() -> None:
    async with opened() as (app, _, _):
        shown = screen_text(app).splitlines()
        rows = {line.split()[1]: line for line in shown[1:5]}
        assert list(rows) == ["bull1", "bull2", "bull3", "bull4"]
        for name, told in (
            ("bull1", ("control", "Ready", "v1.36.4", "0 of 6", "3d")),
            ("bull2", ("worker", "Ready, cordoned", "4 of 6")),
            ("bull3", ("NotReady", "v1.35.2")),
            ("bull4", ("not joined",)),
        ):
            assert all(text in rows[name] for text in told), rows[name]
        assert "real-time" not in rows["bull4"]
        assert "last heard 4s ago" in text_of(app, "#nodes-heard")


async def test_what_is_known_of_each() -> None:
    async with opened() as (app, pilot, _):
        assert "6.12.48-rt-amd64 (RT)" in text_of(app, "#node-text")
        await pilot.press("j")
        detail = text_of(app, "#node-text")
        assert "kubectl uncordon bull2" in detail
        assert "reserved 0-1, shared 0-1,6-7, given 2-5, CPU manager static" in detail
        # Pods with CPUs of their own come first.
        assert detail.index("kubert/cyclictest-bull2") < detail.index("apps/loop")
        assert "Guaranteed CPUs 2-5" in detail
        assert "BackOff (x7) loop: Back-off pulling" in detail
        assert detail.index("BackOff") < detail.index("Started ")
        await pilot.press("j")
        detail = text_of(app, "#node-text")
        assert "NodeStatusUnknown: Kubelet stopped posting" in detail
        assert "systemctl status kubelet" in detail
        assert "the lab wants 1.36.4" in detail
        assert "[red]x[/] [/nope]" in detail
        await pilot.press("j")
        assert text_of(app, "#node-text") == (
            "It is not in the cluster: the stage cluster-workers gets it in.\n"
        )


async def test_warnings_only_and_all_again() -> None:
    async with opened() as (app, pilot, _):
        await pilot.press("j", "w")
        assert "Started " not in text_of(app, "#node-text")
        assert "BackOff" in text_of(app, "#node-text")
        await pilot.press("w")
        assert "Started " in text_of(app, "#node-text")


async def test_it_is_watched_while_the_screen_is_open_and_no_longer() -> None:
    async with opened() as (app, pilot, engine):
        await pilot.press("f1")
        await until(pilot, lambda: on_top(app, HelpScreen))
        await until(pilot, lambda: "warnings" in screen_text(app).lower())
        await pilot.press("escape")
        await until(pilot, lambda: on_top(app, NodesScreen))
        assert ("watch_cluster", False) not in engine.calls
        await pilot.press("escape")
        await until(pilot, lambda: on_top(app, WizardScreen))
        await until(pilot, lambda: ("watch_cluster", False) in engine.calls)
        watched = [call for call in engine.calls if call[0] == "watch_cluster"]
        assert watched == [("watch_cluster", True), ("watch_cluster", False)]


async def test_a_change_is_shown_and_the_selection_stays() -> None:
    async with opened() as (app, pilot, engine):
        await pilot.press("j")
        nodes = list(WATCHED.cluster.nodes)
        nodes[1] = replace(nodes[1], cordoned=False)
        engine.play((replace(WATCHED, cluster=replace(WATCHED.cluster, nodes=tuple(nodes))),))
        await until(pilot, lambda: "cordoned" not in screen_text(app))
        assert app.screen.query_one("#nodes", OptionList).highlighted == 1
        # A node that the lab does not name comes and goes.
        more = (*nodes, replace(nodes[0], name="stray"))
        engine.play((replace(WATCHED, cluster=replace(WATCHED.cluster, nodes=more)),))
        await until(pilot, lambda: "not in lab" in screen_text(app))
        assert app.screen.query_one("#nodes", OptionList).highlighted == 1


async def test_a_lost_connection_says_what_to_do_and_comes_back() -> None:
    async with opened() as (app, pilot, engine):
        engine.play((LOST,))
        await until(pilot, lambda: "the connection was lost" in screen_text(app))
        told = text_of(app, "#nodes-heard")
        assert "last heard 90s ago" in told
        assert "check power and network" in told
        # What was known last is still there.
        assert "v1.36.4" in screen_text(app)
        engine.play((replace(HEARD, paused="cyclictest measures on this host"),))
        await until(pilot, lambda: "paused: cyclictest measures" in screen_text(app))
        engine.play((HEARD,))
        await until(pilot, lambda: "live from bull1" in screen_text(app))
        # A sign of life that is overdue is not called live.
        engine.play((replace(HEARD, heard=CLOCK - 40),))
        await until(pilot, lambda: "live from" not in text_of(app, "#nodes-heard"))


async def test_before_anything_was_told() -> None:
    app, engine = make()
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: on_top(app, WizardScreen))
        await pilot.press("K")
        await until(pilot, lambda: on_top(app, NodesScreen))
        await until(pilot, lambda: "not heard yet" in screen_text(app))
        assert "Connecting to the control plane" in screen_text(app)
        engine.play((replace(WATCHED, cluster=LiveCluster(), cpus={}),))
        await until(pilot, lambda: "not joined" in screen_text(app))
        assert "the stage cluster-control-plane gets it in" in text_of(app, "#node-text")


async def test_it_is_offered_only_where_there_is_a_cluster() -> None:
    async with wizard() as (app, pilot, engine):
        await pilot.press("K")
        assert on_top(app, WizardScreen)
        assert not [call for call in engine.calls if call[0] == "watch_cluster"]
        assert "K Nodes" not in screen_text(app)
        await pilot.press("f1")
        await until(pilot, lambda: on_top(app, HelpScreen))
        assert "Nodes of the cluster" not in text_of(app, "#help Static")
    app, engine = make()
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: on_top(app, WizardScreen))
        await until(pilot, lambda: "K Nodes" in screen_text(app))
        await pilot.press("f1")
        await until(pilot, lambda: on_top(app, HelpScreen))
        assert "Nodes of the cluster" in text_of(app, "#help Static")


def test_the_watch_ends_no_wait_and_writes_nothing_into_the_log() -> None:
    view = RunView(LAB, all_stages())
    view.apply(Waiting(host="bull1", what="it restarts", elapsed=1))
    view.apply(Progress(host="bull1", what="image", done=1, total=2))
    view.apply(Waiting(host="bull1", what="it restarts", elapsed=2))
    view.apply(WATCHED)
    view.apply(HEARD)
    assert "bull1" in view.waits
    assert isinstance(view.cluster, ClusterWatched)
    assert isinstance(view.cluster_heard, ClusterHeard)
    assert list(log_lines(WATCHED)) == []
    assert list(log_lines(HEARD)) == []
