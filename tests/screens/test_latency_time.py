"""Latency against time, the worst samples, and what one does with a live picture."""

import stat
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event as Flag

import pytest
from textual.pilot import Pilot

from kubert_tui.base.paths import state
from kubert_tui.events.measuring import LatencySnapshot
from kubert_tui.latency.histogram import Snapshot
from kubert_tui.screens.app import KubertApp
from kubert_tui.screens.latency import LatencyScreen
from kubert_tui.screens.widgets.heatmap import Heatmap
from kubert_tui.screens.widgets.histogram import Histogram
from tests.screens import sample_history, sample_latency
from tests.screens.driving import LARGE, SMALL, go_to, on_top, screen_text, text_of, until, wizard
from tests.screens.scripted_engine import Pause, Step

HUGE = (160, 50)


def measuring(*more: Step) -> dict[str, Sequence[Step]]:
    begin = (sample_latency.measuring("bull1"),)
    return {"cyclictest": (*begin, *sample_history.events("bull1"), *more, Pause(Flag()))}


async def watch(app: KubertApp, pilot: Pilot[int]) -> None:
    await go_to(pilot, 7)
    await pilot.press("a")
    await until(pilot, lambda: on_top(app, LatencyScreen) and "max 333 us" in screen_text(app))


def heatmap(app: KubertApp) -> list[str]:
    return app.screen.query_one(Heatmap).text.split("\n")


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_over_time_a_spike_has_its_moment(size: tuple[int, int]) -> None:
    async with wizard(measuring(), size=size) as (app, pilot, _):
        await watch(app, pilot)
        assert not app.screen.query_one(Heatmap).display
        await pilot.press("t")
        await until(pilot, lambda: any(row.strip() for row in heatmap(app)))
        assert not app.screen.query_one(Histogram).display
        rows = heatmap(app)
        seconds = next(row for row in rows if "0:00" in row)
        spike = next(row for row in rows[1:-3] if row.partition("│")[2].strip())
        before, after = (seconds.index(told) for told in _around(seconds, 20))
        assert before <= len(spike.rstrip()) - 1 <= after
        assert "▲" in rows[0], "what is off the histogram has its row"
        await pilot.press("t")
        assert app.screen.query_one(Histogram).display


def _around(axis: str, second: int) -> tuple[str, str]:
    times = axis.split()
    seconds = [int(m) * 60 + int(s) for m, s in (told.split(":") for told in times)]
    later = next(at for at, one in enumerate(seconds) if one > second)
    return times[later - 1], times[later]


async def test_where_there_is_room_both_are_shown() -> None:
    async with wizard(measuring(), size=HUGE) as (app, pilot, _):
        await watch(app, pilot)
        await until(pilot, lambda: any(row.strip() for row in heatmap(app)))
        assert app.screen.query_one(Histogram).display


async def test_the_worst_samples_with_cpu_and_time() -> None:
    async with wizard(measuring(), size=LARGE) as (app, pilot, _):
        await watch(app, pilot)
        await pilot.press("w")
        await until(pilot, lambda: "333" in text_of(app, "#latency-worst"))
        first, second = text_of(app, "#latency-worst").split("\n")[1:3]
        assert first.split()[:5] == ["333", "1", "0:29.7", "to", "0:30.0"]
        assert second.split()[:5] == ["87", "2", "0:19.7", "to", "0:20.0"]
        await pilot.press("w")
        assert app.screen.query_one(Histogram).display


async def test_a_paused_picture_stands_still_and_goes_on() -> None:
    async with wizard(measuring()) as (app, pilot, engine):
        await watch(app, pilot)
        await pilot.press("p")
        await until(pilot, lambda: "paused" in text_of(app, "#latency-head"))
        held = text_of(app, "#latency-figures")
        engine.play([LatencySnapshot(host="bull1", snapshot=sample_latency.snapshot(900))])
        newest = "1:00:00"
        await pilot.pause()
        assert text_of(app, "#latency-figures") == held
        await pilot.press("p")
        await until(pilot, lambda: f"elapsed {newest}" in text_of(app, "#latency-progress"))
        assert "paused" not in text_of(app, "#latency-head")


async def test_zooming_in_and_out() -> None:
    async with wizard(measuring(), size=LARGE) as (app, pilot, _):
        await watch(app, pilot)
        plot = app.screen.query_one(Histogram)
        whole, reaches = plot.text, reach(plot)
        await pilot.press("plus")
        assert reach(plot) < reaches
        await pilot.press("minus")
        assert reach(plot) == reaches
        await pilot.press("plus", "plus", "equals_sign")
        assert plot.text == whole


def reach(plot: Histogram) -> int:
    """The last label of the x axis."""
    return int(plot.text.split("\n")[-2].split(" us")[0].split()[-1])


async def test_a_marked_moment_stands_in_time_and_among_the_worst() -> None:
    async with wizard(measuring(), size=LARGE) as (app, pilot, engine):
        await watch(app, pilot)
        await pilot.press("b")
        await pilot.press("t")
        await until(pilot, lambda: any("▲1" in row for row in heatmap(app)))
        engine.play([LatencySnapshot(host="bull1", snapshot=_spike_after())])
        await pilot.press("w")
        await until(pilot, lambda: "mark 1" in text_of(app, "#latency-worst"))
        marked = [row for row in text_of(app, "#latency-worst").split("\n") if "mark 1" in row]
        assert [row.split()[0] for row in marked] == ["120"]


def _spike_after() -> Snapshot:
    """One more state, with a spike in it."""
    last = sample_history.snapshots()[-1]
    counts = list(last.threads[0].counts)
    counts[120] += 1
    first = replace(last.threads[0], counts=tuple(counts), maximum=120)
    return replace(last, sequence=161, elapsed=40.25, threads=(first, *last.threads[1:]))


async def test_a_picture_is_saved_for_its_owner_only() -> None:
    async with wizard(measuring()) as (app, pilot, _):
        await watch(app, pilot)
        await pilot.press("s")
        pictures = state() / "pictures"
        await until(pilot, lambda: pictures.is_dir() and list(pictures.iterdir()))
        (path,) = pictures.iterdir()
        assert path.name.startswith("bull1-")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert "<svg" in path.read_text()
        assert "333" in Path(path).read_text()


async def test_who_attaches_sees_the_past() -> None:
    attached = (
        sample_latency.measuring("bull1", attached=True),
        sample_history.events("bull1")[-1],
        sample_history.past("bull1"),
    )
    async with wizard({"cyclictest": (*attached, Pause(Flag()))}, size=LARGE) as (app, pilot, _):
        await watch(app, pilot)
        await pilot.press("w")
        await until(pilot, lambda: "333" in text_of(app, "#latency-worst"))
        told = text_of(app, "#latency-worst")
        assert "87     2   0:10.0 to 0:20.0" in told
        assert "is not known" not in told


async def test_without_a_past_it_says_from_when_on_it_knows() -> None:
    attached = (
        sample_latency.measuring("bull1", attached=True), sample_history.events("bull1")[-1]
    )  # fmt: skip
    async with wizard({"cyclictest": (*attached, Pause(Flag()))}, size=LARGE) as (app, pilot, _):
        await watch(app, pilot)
        await pilot.press("w")
        await until(pilot, lambda: "before 0:40 is not known" in text_of(app, "#latency-worst"))
