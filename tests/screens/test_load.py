"""A load beside a measurement on the screen: chosen with a key, named, marked over time."""

from collections.abc import Sequence
from dataclasses import replace
from threading import Event as Flag

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from kubert_tui.events.measuring import LoadChanged, LoadRefused
from kubert_tui.events.model import FactsGathered
from kubert_tui.facts.fact import Known
from kubert_tui.facts.model import Facts
from kubert_tui.screens.app import KubertApp
from kubert_tui.screens.latency import LatencyScreen
from kubert_tui.screens.load_chooser import LoadChooser
from kubert_tui.screens.log_text import log_lines
from kubert_tui.screens.monitor import MonitorScreen
from kubert_tui.screens.widgets.heatmap import Heatmap
from tests.screens import sample_history, sample_latency
from tests.screens.driving import (
    LARGE,
    SMALL,
    Scripts,
    go_to,
    make_app,
    on_top,
    screen_text,
    text_of,
    until,
    wizard,
)
from tests.screens.scripted_engine import Pause, Step
from tests.support.blank import blank_facts

ON = LoadChanged(
    host="bull1", preset="hackbench", command=("taskset", "-c", "0", "hackbench"), cpus="0",
    elapsed=5.0, on=True,
)  # fmt: skip
OFF = replace(ON, elapsed=15.0, on=False, reason="asked for")


def measuring(*more: Step) -> dict[str, Sequence[Step]]:
    begin = (sample_latency.measuring("bull1"),)
    return {"cyclictest": (*begin, *sample_history.events("bull1"), *more, Pause(Flag()))}


async def watch(app: KubertApp, pilot: Pilot[int]) -> None:
    await go_to(pilot, 7)
    await pilot.press("a")
    await until(pilot, lambda: on_top(app, LatencyScreen) and "max 333 us" in screen_text(app))


def told(app: KubertApp) -> list[str]:
    return [one.message for one in app._notifications]


def with_tools(*, stress_ng: str) -> FactsGathered:
    facts: Facts = blank_facts(
        "bull1", tools__stress_ng=Known(stress_ng), tools__hackbench=Known("/usr/bin/hackbench")
    )
    return FactsGathered(host="bull1", facts=facts, seconds=0.1)


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_a_load_is_chosen_and_then_named(size: tuple[int, int]) -> None:
    async with wizard(measuring(), size=size) as (app, pilot, engine):
        await watch(app, pilot)
        await pilot.press("l")
        await until(pilot, lambda: on_top(app, LoadChooser))
        shown = screen_text(app)
        for part in (
            "none (now)",
            "coffee",
            "hackbench",
            "many processes",
            "ends with the measurement",
        ):
            assert part in shown
        await pilot.press("escape")
        await until(pilot, lambda: on_top(app, LatencyScreen))
        assert not [call for call in engine.calls if call[0] == "load"]
        await pilot.press("l")
        await until(pilot, lambda: on_top(app, LoadChooser))
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: ("load", "bull1", "cpu") in engine.calls)
        assert "load:" not in text_of(app, "#latency-head"), "only the host says that it began"
        engine.play([ON])
        await until(pilot, lambda: " load: hackbench " in text_of(app, "#latency-head"))
        await pilot.press("l")
        await until(pilot, lambda: on_top(app, LoadChooser) and "(now)" in screen_text(app))
        options = app.screen.query_one("#loads", OptionList)
        assert options.highlighted is not None
        assert options.get_option_at_index(options.highlighted).id == "hackbench"
        await pilot.press("home", "enter")
        await until(pilot, lambda: ("load", "bull1", "none") in engine.calls)
        engine.play([OFF])
        await until(pilot, lambda: "load:" not in text_of(app, "#latency-head"))


async def test_a_load_that_fails_at_once_is_not_named_any_more() -> None:
    at_once = replace(OFF, elapsed=ON.elapsed, reason="it ended with status 3")
    async with wizard(measuring(ON, at_once), size=LARGE) as (app, pilot, _):
        await watch(app, pilot)
        assert "load:" not in text_of(app, "#latency-head")
        await pilot.press("t")
        await until(pilot, lambda: "▲-hackbench" in app.screen.query_one(Heatmap).text)


async def test_beginning_and_end_are_marked_over_time() -> None:
    async with wizard(measuring(ON, OFF, ON), size=LARGE) as (app, pilot, _):
        await watch(app, pilot)
        await pilot.press("t")
        await until(pilot, lambda: "▲+hackbench" in app.screen.query_one(Heatmap).text)
        row = app.screen.query_one(Heatmap).text.split("\n")[-1]
        assert row.index("▲+hackbench") < row.index("▲-hackbench")
        assert row.count("▲") == 2, "what was told twice is marked once"


async def test_without_its_program_a_load_cannot_be_chosen() -> None:
    async with wizard(measuring(with_tools(stress_ng=""))) as (app, pilot, engine):
        await watch(app, pilot)
        await pilot.press("l")
        await until(pilot, lambda: on_top(app, LoadChooser))
        assert "needs stress-ng: install it, bull1 has none" in screen_text(app)
        options = app.screen.query_one("#loads", OptionList)
        assert options.get_option("cpu").disabled
        assert not options.get_option("hackbench").disabled
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: ("load", "bull1", "hackbench") in engine.calls)


async def test_a_refusal_is_told_with_what_to_do() -> None:
    refused = LoadRefused(host="bull1", preset="cpu", what="[b]it[/] broke", fix="mend it")
    async with wizard(measuring()) as (app, pilot, engine):
        await watch(app, pilot)
        engine.play([refused])
        await until(pilot, lambda: told(app))
        assert told(app) == ["bull1: no load cpu: [b]it[/] broke; mend it"]


async def test_where_nothing_is_measured_there_is_nothing_to_load() -> None:
    async with wizard() as (app, pilot, _):
        await pilot.press("m")
        await until(pilot, lambda: on_top(app, LatencyScreen))
        await pilot.press("l")
        assert told(app) == ["Nothing is measured now: there is nothing to load."]
        assert not on_top(app, LoadChooser)


async def test_the_monitor_has_it_too() -> None:
    scripts: Scripts = measuring()
    app, engine = make_app(scripts, watch="cyclictest")
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: on_top(app, MonitorScreen) and "333 us" in screen_text(app))
        await pilot.press("l")
        await until(pilot, lambda: on_top(app, LoadChooser))
        await pilot.press("end", "enter")
        await until(pilot, lambda: ("load", "bull1", "all") in engine.calls)


def test_the_log_tells_it() -> None:
    assert any("load hackbench begins on CPUs 0" in line for line in log_lines(ON))
    assert any("load hackbench ends: asked for" in line for line in log_lines(OFF))
