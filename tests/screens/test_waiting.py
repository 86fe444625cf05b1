"""Waits: what for, since when, for how long at most, and that they end."""

from threading import Event as Flag

import pytest

from kubert_tui.events.measuring import MeasurementEnded
from kubert_tui.events.model import FactsGathered, Note, Waiting
from kubert_tui.screens.glyphs import UNICODE
from kubert_tui.screens.latency import LatencyScreen
from kubert_tui.screens.waiting_text import elapsed, waits_content, waits_line
from tests.screens import sample_latency, story
from tests.screens.driving import SMALL, go_to, on_top, screen_text, text_of, until, wizard
from tests.screens.sample_facts import facts
from tests.screens.scripted_engine import CLOCK, Pause, Step

BACK = Waiting(
    time=100.0,
    stage="hyperthreading",
    host="bull1",
    what="bull1 to come back (no answer so far)",
    elapsed=80.0,
    limit=1800.0,
)


def test_the_clock_goes_on_between_events() -> None:
    assert elapsed(BACK, 100.0) == 80.0
    assert elapsed(BACK, 103.5) == 83.5


@pytest.mark.parametrize("now", [-1e9, 0.0, 99.0])
def test_a_clock_that_jumps_back_changes_nothing(now: float) -> None:
    assert elapsed(BACK, now) == 80.0


def test_a_clock_that_jumps_ahead_is_not_believed() -> None:
    assert elapsed(BACK, 1e9) <= 80.0 + 60.0


def test_figures_stand_before_what_may_be_cut() -> None:
    line = waits_line((BACK, BACK), 100.0)
    assert line == "Waiting 1:20 of 30:00 for bull1 to come back (no answer so far) (and 1 more)"


def test_a_wait_without_a_limit_has_no_bar() -> None:
    wait = Waiting(host="bull1", what="apt to let go of its lock", elapsed=5.0)
    assert (
        waits_content((wait,), 0.0, UNICODE).plain == "for apt to let go of its lock\n0:05 so far"
    )


async def test_a_wait_is_shown_in_guide_and_status_line_until_the_host_is_back() -> None:
    back, done = Flag(), Flag()
    script: tuple[Step, ...] = (
        *story.restarting()[:1],
        Pause(back),
        Note(host="bull1", text="bull1 is back: Linux bull1 6.1.0-49-rt-amd64"),
        Pause(done),
    )
    async with wizard({"hyperthreading": script}, size=SMALL) as (app, pilot, _):
        await go_to(pilot, 4)
        await pilot.press("a")
        await until(pilot, lambda: "0:42 of 10:00 at most" in text_of(app, "#guide-waits"))
        shown = screen_text(app)
        assert "for bull1 to come back (no answer so far)" in shown
        assert "4 Waiting 0:42 of 10:00 for bull1 to come" in shown
        assert "Press c to stop waiting" in shown
        await go_to(pilot, 2)
        assert not app.screen.query_one("#guide-waits").display, "it belongs to another stage"
        await go_to(pilot, 4)
        back.set()
        await until(pilot, lambda: "bull1 is back" in screen_text(app))
        assert not app.screen.query_one("#guide-waits").display
        done.set()


async def test_two_hosts_wait_side_by_side_and_the_end_of_the_stage_ends_them() -> None:
    done = Flag()
    waits = tuple(
        Waiting(host=host, what=f"{host} to come back (going down)", elapsed=0.0, limit=600.0)
        for host in ("bull1", "bull2")
    )
    script: tuple[Step, ...] = (*waits, Pause(done))
    async with wizard({"hyperthreading": script}, size=SMALL) as (app, pilot, engine):
        await go_to(pilot, 4)
        await pilot.press("a")
        await until(pilot, lambda: "bull2 to come back" in text_of(app, "#guide-waits"))
        assert "bull1 to come back" in text_of(app, "#guide-waits")
        engine.play([FactsGathered(host="bull1", facts=facts("bull1"), seconds=0.1)])
        await until(pilot, lambda: "bull1" not in text_of(app, "#guide-waits"))
        done.set()
        await until(pilot, lambda: not app.screen.query_one("#guide-waits").display)


async def test_the_latency_screen_says_that_its_host_is_out_of_reach() -> None:
    lost = Waiting(
        time=CLOCK,
        host="bull1",
        what="bull1 to answer again (the connection was lost); cyclictest goes on there",
        elapsed=30.0,
        limit=900.0,
    )
    script = (sample_latency.measuring(), sample_latency.live("bull1", 100), Pause(Flag()))
    async with wizard({"cyclictest": script}) as (app, pilot, engine):
        await go_to(pilot, 7)
        await pilot.press("a")
        await until(pilot, lambda: on_top(app, LatencyScreen) and "max 87" in screen_text(app))
        engine.play([lost])
        await until(pilot, lambda: "Waiting 0:30 of 15:00 for bull1" in screen_text(app))
        engine.play([MeasurementEnded(host="bull1", identity="x", reason="it was killed")])
        await until(pilot, lambda: "Waiting" not in screen_text(app))
