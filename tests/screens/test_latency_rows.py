"""All hosts in one picture, all CPUs of one, and a stored result over the live one."""

from collections.abc import Sequence
from pathlib import Path
from threading import Event as Flag

import pytest
from textual.pilot import Pilot

from kubert_tui.engine.journal import FILE_NAME
from kubert_tui.engine.past import run_directory
from kubert_tui.events.measuring import LatencySnapshot
from kubert_tui.latency.store import save
from kubert_tui.screens.app import KubertApp
from kubert_tui.screens.latency import LatencyScreen
from kubert_tui.screens.result_chooser import ResultChooser
from kubert_tui.screens.widgets.histogram import Histogram
from kubert_tui.screens.widgets.strips import Strips
from tests.screens import sample_latency
from tests.screens.driving import LARGE, SMALL, go_to, on_top, screen_text, text_of, until, wizard
from tests.screens.scripted_engine import Pause, Step
from tests.support.stored import stored_measurement


def many(hosts: int, cpus: int = 4) -> dict[str, Sequence[Step]]:
    """So many hosts measure until the test ends, the second with twice the samples."""
    steps: list[Step] = [sample_latency.measuring(f"host{one:02}") for one in range(hosts)]
    steps += [
        LatencySnapshot(
            host=f"host{one:02}", snapshot=sample_latency.snapshot(100 + one, cpus=cpus)
        )
        for one in range(hosts)
    ]
    return {"cyclictest": (*steps, Pause(Flag()))}


async def watch(app: KubertApp, pilot: Pilot[int]) -> None:
    """Start the measurement: the latency screen opens by itself."""
    await go_to(pilot, 7)
    await pilot.press("a")
    await until(pilot, lambda: on_top(app, LatencyScreen) and "87" in screen_text(app))


def rows(app: KubertApp) -> list[str]:
    return app.screen.query_one(Strips).text.split("\n")


def under_cursor(app: KubertApp) -> str:
    (row,) = [row for row in rows(app) if row.startswith("▶")]
    return row[1:8].strip()


async def test_all_hosts_come_first_and_one_is_looked_at() -> None:
    async with wizard(many(3)) as (app, pilot, _):
        await watch(app, pilot)
        await until(pilot, lambda: "All hosts" in text_of(app, "#latency-head"))
        assert [row[1:7] for row in rows(app)[1:4]] == ["host00", "host01", "host02"]
        assert all("live" in row and "87" in row for row in rows(app)[1:4])
        await pilot.press("down", "down", "up", "enter")
        await until(pilot, lambda: "host01" in text_of(app, "#latency-head"))
        assert "max 87 us" in screen_text(app)
        await pilot.press("a")
        await until(pilot, lambda: under_cursor(app) == "host01")


async def test_more_hosts_than_there_is_room_for_scroll() -> None:
    async with wizard(many(30), size=SMALL) as (app, pilot, _):
        await watch(app, pilot)
        await until(pilot, lambda: "host14" in screen_text(app))
        assert "host29" not in screen_text(app)
        assert "more below" in screen_text(app)
        await pilot.press("end")
        await until(pilot, lambda: under_cursor(app) == "host29")
        assert "host00" not in screen_text(app)
        await pilot.press("pageup", "home")
        await until(pilot, lambda: under_cursor(app) == "host00")


async def test_the_worst_of_eighty_cpus_and_one_by_its_number() -> None:
    async with wizard(many(1, cpus=80), size=LARGE) as (app, pilot, _):
        await watch(app, pilot)
        await pilot.press("u")
        await until(pilot, lambda: "CPU 2" in screen_text(app))
        assert rows(app)[1].startswith("▶merged")
        assert rows(app)[2].startswith(" CPU 2 ")
        await pilot.press("7", "9")
        await until(pilot, lambda: under_cursor(app) == "CPU 79")
        await pilot.press("0")
        await until(pilot, lambda: under_cursor(app) == "CPU 0")
        await pilot.press("home", "down", "enter")
        await until(pilot, lambda: "CPU 2 " in text_of(app, "#latency-head"))
        assert "max 87 us" in screen_text(app)


@pytest.fixture
def result() -> Path:
    """A stored result of a run, named in its journal."""
    directory = run_directory("20261120-101010-mine-aaaa")
    path = directory / "results" / "bull1.json"
    path.parent.mkdir(parents=True)
    save(path, stored_measurement("host00", sample_latency.snapshot(7, final=True)))
    (directory / FILE_NAME).write_text(
        '{"event": "run-started", "time": 1, "lab": "mine"}\n'
        f'{{"event": "latency-stored", "host": "host00", "path": "{path}", "exact": true}}\n'
    )
    return path


async def test_a_stored_result_is_drawn_over_it_and_taken_away(result: Path) -> None:
    assert result.is_file()
    async with wizard(many(1), size=LARGE) as (app, pilot, _):
        await watch(app, pilot)
        await pilot.press("o")
        await until(pilot, lambda: on_top(app, ResultChooser) and "6.1.0-rt" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "○" in app.screen.query_one(Histogram).text)
        told = text_of(app, "#latency-compared")
        assert "host00 2023-11-1" in told
        assert "drawn as shares" in told
        assert "unlike (stored / now): " in told
        table = text_of(app, "#latency-figures").split("\n")
        assert [row.split()[0] for row in table] == ["us", "now", "stored", "change"]
        # The same shape: no figure moved, whatever the number of samples.
        assert table[3].split()[1:3] == ["+0", "+0.0"]
        await pilot.press("o")
        await until(pilot, lambda: "merged" in text_of(app, "#latency-figures"))
        assert "○" not in app.screen.query_one(Histogram).text


async def test_without_stored_results_it_says_so() -> None:
    async with wizard(many(1)) as (app, pilot, _):
        await watch(app, pilot)
        await pilot.press("o")
        await until(pilot, lambda: "There is no stored result yet" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: on_top(app, LatencyScreen))


async def test_rate_and_missed_periods_are_told() -> None:
    async with wizard(many(1)) as (app, pilot, engine):
        await watch(app, pilot)
        engine.play([LatencySnapshot(host="host00", snapshot=sample_latency.snapshot(101))])
        await until(pilot, lambda: "/s" in text_of(app, "#latency-progress"))
        assert "missed " in text_of(app, "#latency-progress")
