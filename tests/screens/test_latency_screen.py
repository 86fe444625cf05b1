"""The latency screen: figures, keys, badges, and how little it draws."""

from collections.abc import Sequence
from dataclasses import replace
from threading import Event as Flag

import pytest
from textual.pilot import Pilot

from kubert_tui.checks.finding import Level
from kubert_tui.events.measuring import LatencyCounters, LatencySnapshot, MeasurementEnded
from kubert_tui.events.model import FindingMade
from kubert_tui.screens.app import KubertApp
from kubert_tui.screens.help import HelpScreen
from kubert_tui.screens.latency import LatencyScreen
from kubert_tui.screens.widgets.histogram import Histogram
from kubert_tui.screens.wizard import WizardScreen
from tests.screens import sample_latency, story
from tests.screens.driving import LARGE, SMALL, go_to, on_top, screen_text, text_of, until, wizard
from tests.screens.scripted_engine import Pause, Step


def measuring(*more: Step) -> dict[str, Sequence[Step]]:
    """Both hosts measure until the test ends."""
    begin = (sample_latency.measuring("bull1"), sample_latency.measuring("bull2"))
    figures = (sample_latency.live("bull1", 100), sample_latency.live("bull2", 50))
    return {"cyclictest": (*begin, *figures, *more, Pause(Flag()))}


async def watch(app: KubertApp, pilot: Pilot[int]) -> None:
    """Start the measurement: the latency screen opens by itself; look at the first host."""
    await go_to(pilot, 7)
    await pilot.press("a")
    await until(pilot, lambda: app.session and len(app.session.view.measuring) == 2)
    await until(pilot, lambda: on_top(app, LatencyScreen) and "All hosts" in screen_text(app))
    await pilot.press("enter")
    await until(pilot, lambda: "max 87 us" in screen_text(app))


async def test_what_the_firmware_does_meanwhile() -> None:
    seen = LatencyCounters(host="bull1", smi=3, smi_unknown="", throttled=2)
    unknown = LatencyCounters(host="bull2", smi=None, smi_unknown="no MSR", throttled=None)
    async with wizard(measuring(seen, unknown), size=LARGE) as (app, pilot, _):
        await watch(app, pilot)
        await until(pilot, lambda: "SMIs 3" in screen_text(app))
        assert "throttled 2x" in screen_text(app)
        await pilot.press("h")
        await until(pilot, lambda: "SMIs ?" in screen_text(app))
        assert "throttled" not in screen_text(app)


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_everything_is_there(size: tuple[int, int]) -> None:
    async with wizard(measuring(), size=size) as (app, pilot, _):
        await watch(app, pilot)
        shown = screen_text(app)
        for part in (
            "bull1",
            "merged",
            "live",
            "cyclictest --mlockall --smp --nanosleep --priority=90 --interval=200",
            "Not a real-time kernel: these figures prove nothing",
            "p99.9",
            "overflows",
            "samples",
            "left 1:",
            "load 0.52 0.40 0.31",
            "6.11.4-301.fc41.x86_64",
            "▲ max 87 us",
            "100k",
        ):
            assert part in shown
        assert shown.split("\n")[-1].split()[-1] == "palette"


async def test_true_time_left() -> None:
    async with wizard(measuring()) as (app, pilot, _):
        await watch(app, pilot)
        done = max(thread.samples for thread in sample_latency.snapshot(100).threads)
        left = int((36_000_000 - done) * 200 / 1e6)
        expected = f"left {left // 3600}:{left // 60 % 60:02}:{left % 60:02}"
        assert expected in text_of(app, "#latency-progress")
        assert "elapsed 6:40" in text_of(app, "#latency-progress")


async def test_keys_choose_cpu_and_host() -> None:
    async with wizard(measuring(), size=LARGE) as (app, pilot, _):
        await watch(app, pilot)
        await pilot.press("right")
        assert "CPU 0" in text_of(app, "#latency-head")
        assert "max 87" not in app.screen.query_one(Histogram).text
        await pilot.press("right", "right")
        assert "CPU 2" in text_of(app, "#latency-head")
        assert "max 87" in app.screen.query_one(Histogram).text
        await pilot.press("left")
        assert "CPU 1" in text_of(app, "#latency-head")
        await pilot.press("0")
        assert "merged" in text_of(app, "#latency-head")
        await pilot.press("left")
        assert "CPU 3" in text_of(app, "#latency-head")
        await pilot.press("h")
        assert "bull2" in text_of(app, "#latency-head")
        assert "host 2 of 2" in text_of(app, "#latency-head")
        assert "merged" in text_of(app, "#latency-head")


async def test_linear_counts_help_copy_and_back() -> None:
    async with wizard(measuring()) as (app, pilot, _):
        await watch(app, pilot)
        logarithmic = app.screen.query_one(Histogram).text
        await pilot.press("g")
        assert app.screen.query_one(Histogram).text != logarithmic
        await pilot.press("y")
        assert app.clipboard.startswith("cyclictest --mlockall")
        await pilot.press("f1")
        await until(pilot, lambda: on_top(app, HelpScreen))
        await pilot.press("escape")
        await until(pilot, lambda: on_top(app, LatencyScreen))
        await pilot.press("escape")
        await until(pilot, lambda: on_top(app, WizardScreen))


async def test_unchanged_figures_are_not_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with wizard(measuring()) as (app, pilot, engine):
        await watch(app, pilot)
        drawn: list[object] = []
        plot = app.screen.query_one(Histogram)
        monkeypatch.setattr(plot, "show", drawn.append)
        screen = app.screen
        assert isinstance(screen, LatencyScreen)
        for _ in range(5):
            screen.tick()
        assert not drawn
        engine.play([sample_latency.live("bull1", 101)])
        await until(pilot, lambda: drawn)
        assert len(drawn) == 1


async def test_badges_attached_final_and_ended() -> None:
    async with wizard(measuring()) as (app, pilot, engine):
        await watch(app, pilot)
        engine.play([replace(sample_latency.measuring("bull1", attached=True), stage="cyclictest")])
        await until(pilot, lambda: "attached" in text_of(app, "#latency-head"))
        engine.play(
            [LatencySnapshot(host="bull1", snapshot=sample_latency.snapshot(200, final=True))]
        )
        await until(pilot, lambda: "final" in text_of(app, "#latency-head"))
        assert "100%" in text_of(app, "#latency-progress")
        await pilot.press("h")
        engine.play([MeasurementEnded(host="bull2", identity="x", reason="killed")])
        await until(pilot, lambda: "ended without a result" in text_of(app, "#latency-head"))


async def test_the_fallback_is_marked_as_such() -> None:
    started = replace(sample_latency.measuring("bull1"), stage="cyclictest", stream="verbose")
    async with wizard(measuring()) as (app, pilot, engine):
        await watch(app, pilot)
        assert "fallback" not in text_of(app, "#latency-head")
        engine.play([started])
        await until(pilot, lambda: "-v fallback" in text_of(app, "#latency-head"))


async def test_without_live_figures_it_says_why() -> None:
    blind = replace(
        sample_latency.measuring("bull1"), live=False, reason="[red]ptrace[/] is forbidden"
    )
    async with wizard({"cyclictest": (blind, Pause(Flag()))}) as (app, pilot, _):
        await go_to(pilot, 7)
        await pilot.press("a")
        await until(pilot, lambda: app.session and app.session.view.measuring)
        await until(pilot, lambda: "[red]ptrace[/] is forbidden" in screen_text(app))
        assert "not live" in screen_text(app)


async def test_before_any_measurement_it_says_how_to_get_one() -> None:
    async with wizard() as (app, pilot, _):
        await pilot.press("m")
        await until(pilot, lambda: "Nothing was measured" in screen_text(app))


async def test_a_real_time_kernel_has_no_warning() -> None:
    good = story.finding("kernel.realtime-running", "bull1", Level.OK, "PREEMPT_RT runs")
    async with wizard(measuring(FindingMade(host="bull1", finding=good))) as (app, pilot, _):
        await watch(app, pilot)
        await until(pilot, lambda: "real-time: yes" in screen_text(app))
        assert "prove nothing" not in screen_text(app)
