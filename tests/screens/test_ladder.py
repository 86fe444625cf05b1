"""Hosts and the virtual machines inside them, one below the other."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event as Flag

from textual.pilot import Pilot

from kubert_tui.engine.targets import with_guests
from kubert_tui.events.measuring import LatencySnapshot
from kubert_tui.events.model import FactsGathered, HostConnected, StageFinished, StageState
from kubert_tui.lab.model import Lab
from kubert_tui.latency.histogram import Snapshot, ThreadHistogram
from kubert_tui.screens.app import KubertApp
from kubert_tui.screens.glyphs import UNICODE
from kubert_tui.screens.latency import LatencyScreen
from kubert_tui.screens.widgets.rail import Rail
from kubert_tui.screens.widgets.strips import Strips
from kubert_tui.screens.wizard import WizardScreen
from kubert_tui.stages.registry import all_stages
from tests.screens import sample_latency, story
from tests.screens.driving import LARGE, SMALL, finished, on_top, screen_text, text_of, until
from tests.screens.practice_fake import FakePractice
from tests.screens.sample_facts import facts
from tests.screens.scripted_engine import CLOCK, Pause, ScriptedEngine, Step

MACHINES = [{"name": "master", "host": "bull1"}, {"name": "worker-1", "host": "bull2"}]
LAB = with_guests(Lab.model_validate({**dict(story.LAB), "machines": MACHINES}))


def make(scripts: Mapping[str, Sequence[Step]], watch: str = "", lab: Lab = LAB) -> KubertApp:
    engine = ScriptedEngine(lab, all_stages(), scripts, story.opening())
    app = KubertApp(
        lab,
        lambda _: engine,
        lambda _: Path("lab.yaml"),
        practice=FakePractice(),
        glyphs=UNICODE,
        watch=watch,
        now=lambda: CLOCK,
    )
    app.animation_level = "none"
    return app


def figures(host: str, latencies: Mapping[int, int], final: bool = False) -> LatencySnapshot:
    """So many samples of these latencies on CPU 0."""
    counts = [0] * 250
    for us, many in latencies.items():
        counts[us] = many
    worst = max(latencies)
    thread = ThreadHistogram(0, tuple(counts), 0, min(latencies), 3.0, worst)
    return LatencySnapshot(host=host, snapshot=Snapshot(1, 4.0, (thread,), (0.5, 0.4, 0.3), final))


def measured() -> Sequence[Step]:
    """All begin in the worst order; the guest of bull2 is 8 us later than its host."""
    begun = [
        replace(sample_latency.measuring(host), parent=parent, limit=50)
        for host, parent in (
            ("worker-1", "bull2"), ("master", "bull1"), ("bull2", ""), ("bull1", ""),
        )
    ]  # fmt: skip
    return (
        *begun,
        figures("bull1", {2: 99_000, 9: 1_000}),
        figures("master", {4: 99_000, 19: 1_000}),
        figures("bull2", {2: 99_000, 12: 990, 30: 10}),
        figures("worker-1", {10: 99_000, 20: 990, 71: 10}),
        Pause(Flag()),
    )


def rows(app: KubertApp) -> list[str]:
    return app.screen.query_one(Strips).text.split("\n")


def shown(app: KubertApp) -> list[str]:
    """The titles of the hosts whose facts are shown."""
    panels = app.screen.query(".host-panel")
    return [str(panel.border_title) for panel in panels if panel.display]


async def ladder_shown(app: KubertApp, pilot: Pilot[int]) -> None:
    await until(pilot, lambda: on_top(app, LatencyScreen) and "71" in screen_text(app))


async def test_a_pod_stands_below_its_machine() -> None:
    lab = LAB.with_pods({"master-pod": "master"})
    script: list[Step] = [
        *(
            replace(sample_latency.measuring(host), parent=lab.parent_of(host), limit=50)
            for host in ("master-pod", "bull1", "master")
        ),
        figures("bull1", {2: 99_000, 9: 1_000}),
        figures("master", {4: 99_000, 19: 1_000}),
        figures("master-pod", {9: 99_000, 71: 1_000}),
        Pause(Flag()),
    ]
    app = make({"ladder": script}, watch="ladder", lab=lab)
    async with app.run_test(size=LARGE) as pilot:
        await ladder_shown(app, pilot)
        assert "Hosts to pods" in text_of(app, "#latency-head")
        told = rows(app)
        assert [row[1:16].strip() for row in told[1:4]] == ["bull1", "└ master", "└ master-pod"]
        assert told[3].index("└") == told[2].index("└") + 2
        assert "< 10 +5".replace(" ", "") in told[3].replace(" ", ""), "5 us above its machine"


async def test_guests_stand_below_their_hosts_with_the_difference() -> None:
    app = make({"ladder": measured()}, watch="ladder")
    async with app.run_test(size=SMALL) as pilot:
        await ladder_shown(app, pilot)
        assert "Hosts and guests" in text_of(app, "#latency-head")
        told = rows(app)
        assert [row[1:11].strip() for row in told[1:5]] == [
            "bull1", "└ master", "bull2", "└ worker-1"[:10],
        ]  # fmt: skip
        assert "p50" in told[0]
        assert "p99.9" in told[0]
        # bull1: p50 < 3, p99 < 3; its guest's are 2 us higher, its worst 10 us.
        assert "<3" in told[1]
        assert "+" not in told[1]
        for part in ("<5 +2", "<20 +10", "19 +10"):
            assert part in told[2], told[2]
        for part in ("<11 +8", "71 +41", ">=50 NO"):
            assert part in told[4], told[4]
        await pilot.press("end", "enter")
        await until(pilot, lambda: "worker-1  on bull2" in text_of(app, "#latency-head"))


async def test_a_guest_whose_host_was_not_measured_stands_alone() -> None:
    begun = replace(sample_latency.measuring("master"), parent="bull1")
    script = (begun, figures("master", {4: 99_000, 19: 1_000}), Pause(Flag()))
    app = make({"ladder": script}, watch="ladder")
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: on_top(app, LatencyScreen) and "19" in screen_text(app))
        assert "master  on bull1" in text_of(app, "#latency-head")
        assert "+" not in text_of(app, "#latency-figures")


async def test_the_many_stages_scroll_and_the_one_at_work_is_in_sight() -> None:
    app = make({"connect": story.connecting(), "ladder": (Pause(Flag()),)})
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: isinstance(app.screen, WizardScreen))
        await until(pilot, lambda: finished(app, "connect"))
        rail = app.screen.query_one(Rail)
        assert "Ladder" not in screen_text(app)
        rail.select("ladder")
        await pilot.pause()
        await pilot.press("a")
        await until(pilot, lambda: "running" in screen_text(app))
        number = [one.id for one in all_stages()].index("ladder") + 1
        assert f"{number} ▶ Ladder" in screen_text(app)


async def test_the_stages_signs_and_facts_are_told_by_host_and_guest() -> None:
    states = dict.fromkeys(("bull1", "master"), StageState.DONE)
    ended = StageFinished(stage="ladder", state=StageState.DONE, hosts=states, summary="done")
    seen = (
        HostConnected(host="master", address="192.168.77.10:22", user="root"),
        FactsGathered(host="master", facts=facts("master"), seconds=0.1),
        ended,
    )
    app = make({"connect": story.connecting(), "ladder": seen})
    async with app.run_test(size=LARGE) as pilot:
        await until(pilot, lambda: finished(app, "connect"))
        await pilot.press("h")
        # Who was never seen may not be there yet.
        await until(pilot, lambda: shown(app) == ["bull1", "bull2"])
        app.screen.query_one(Rail).select("ladder")
        await pilot.pause()
        await pilot.press("a")
        await until(pilot, lambda: finished(app, "ladder"))
        await pilot.press("h")
        await until(pilot, lambda: shown(app) == ["bull1", "└ master, on bull1", "bull2"])
        await pilot.press("g")
        await until(pilot, lambda: "└ ✓ master done" in screen_text(app))


async def test_the_worst_is_what_stays_where_figures_are_wide() -> None:
    begun = [
        replace(sample_latency.measuring(host), parent=parent, limit=50)
        for host, parent in (("bull1", ""), ("master", "bull1"))
    ]
    wide = figures("master", {4: 50_000, 19: 50_000}).snapshot.threads[0]
    late = replace(wide, overflows=1, maximum=123_456_789)
    shown_late = Snapshot(2, 4.0, (late,), (0.5, 0.4, 0.3))
    script: Sequence[Step] = (
        *begun,
        figures("bull1", {2: 99_000, 9: 1_000}),
        LatencySnapshot(host="master", snapshot=shown_late),
        Pause(Flag()),
    )
    app = make({"ladder": script}, watch="ladder")
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: "123456789 +123456780" in screen_text(app))
        assert all(len(row) <= SMALL[0] for row in rows(app))
