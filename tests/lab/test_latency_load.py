"""Real stress-ng and hackbench beside real cyclictest: what ran is known, and nothing is left.

Nothing here judges microseconds.
"""

import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kubert_tui.base.errors import MeasurementError
from kubert_tui.hosts.local import LocalHost
from kubert_tui.lab.load_presets import LOAD_PRESETS
from kubert_tui.latency import measure as measuring
from kubert_tui.latency.failures import MeasurementInterruptedError
from kubert_tui.latency.launch import Process, Run, forget
from kubert_tui.latency.loads import LoadOrder
from kubert_tui.latency.measurement import MeasurementOrder
from tests.support.latency_lab import MARKS, host
from tests.support.latency_runs import (
    ALL,
    Watch,
    carry_out,
    end_runs,
    order,
)
from tests.support.twins import wait_until

__all__ = ["host"]
pytestmark = [
    *MARKS,
    pytest.mark.skipif(not shutil.which("stress-ng"), reason="stress-ng is not installed"),
]

CPU = ALL[-1]


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[str]:
    yield str(tmp_path)
    end_runs(tmp_path)
    for pid in at_home(tmp_path / "run-1"):
        os.kill(pid, signal.SIGKILL)


def preset(name: str) -> LoadOrder:
    tool = shutil.which(LOAD_PRESETS[name].tool) or ""
    return LoadOrder(name, str(CPU), LOAD_PRESETS[name].command(tool, str(CPU), 1))


def with_load(name: str, seconds: float) -> MeasurementOrder:
    return replace(order(seconds), load=preset(name))


def at_home(run: Path) -> list[int]:
    """All processes of a run: their working directory is its own, also once it is removed."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            there = str((process / "cwd").readlink()).removesuffix(" (deleted)")
            if there == str(run) and process.joinpath("stat").read_text().split()[2] != "Z":
                found.append(int(process.name))
        except OSError:
            continue
    return found


def named(run: Path, name: str) -> list[int]:
    return [pid for pid in at_home(run) if name in read(pid, "comm")]


def read(pid: int, what: str) -> str:
    try:
        return Path("/proc", str(pid), what).read_text()
    except OSError:
        return ""


def parent(pid: int) -> int:
    return int(read(pid, "status").split("PPid:")[1].split()[0])


def guard(run: Path) -> int:
    return next(pid for pid in at_home(run) if "load.sh\0guard" in read(pid, "cmdline"))


def burns(run: Path, name: str) -> None:
    wait_until(lambda: len(named(run, name)) > 1, f"{name} runs", 30)


def gone(run: Path) -> None:
    wait_until(lambda: at_home(run) == [], "nothing is left of it", 30)
    assert not (run / "load.tmp").exists()


def process_of(run: Path) -> Process:
    pid, ticks, started, boot = (run / "process").read_text().split()
    return Process(int(pid), int(ticks), float(started), boot)


@pytest.mark.parametrize("name", ["all", "hackbench"])
def test_what_was_ordered_runs_all_the_time(name: str, host: LocalHost, directory: str) -> None:
    run = Path(directory, "run-1")
    tool = LOAD_PRESETS[name].tool
    seen: list[tuple[int, set[int]]] = []

    def look() -> None:
        burns(run, tool)
        for pid in named(run, tool):
            try:
                seen.append((os.sched_getscheduler(pid), os.sched_getaffinity(pid)))
            except ProcessLookupError:
                continue
        assert os.getpriority(os.PRIO_PROCESS, guard(run)) == 19

    measured = carry_out(host, with_load(name, 3), directory, Watch(look))
    assert seen
    assert all(one == (os.SCHED_OTHER, {CPU}) for one in seen)
    (load,) = measured.loads
    assert (load.preset, load.cpus, load.command) == (name, str(CPU), preset(name).command)
    assert load.until is not None
    assert 0 <= load.after < load.until <= measured.final.elapsed
    assert load.ended == "the measurement is over"
    gone(run)
    forget(host, "run-1", directory)
    assert not run.exists()


def test_started_changed_and_stopped_meanwhile(host: LocalHost, directory: str) -> None:
    what = order(4)
    there = Run(host, directory, what.identity)
    run = Path(directory, what.identity)
    counts: list[int] = []

    def change() -> None:
        there.start_load(preset("cpu"), ())
        burns(run, "stress-ng")
        there.start_load(preset("hackbench"), ())
        counts.append(len(named(run, "stress-ng")))
        burns(run, "hackbench")
        assert [one.until is None for one in there.loads(process_of(run))] == [False, True]
        there.stop_load()
        counts.append(len(named(run, "hackbench")))
        there.stop_load()

    measured = carry_out(host, what, directory, Watch(change))
    assert counts == [0, 0], "what ran before has ended when a request is done"
    assert [one.preset for one in measured.loads] == ["cpu", "hackbench"]
    first, second = measured.loads
    assert first.until is not None
    assert first.after < first.until <= second.after < (second.until or 0)
    assert {first.ended, second.ended} == {"asked for"}
    gone(run)


def test_a_killed_launcher_leaves_no_load(
    host: LocalHost, directory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "EXIT_LIMIT", 1.0)
    run = Path(directory, "run-1")
    watch = Watch()

    def kill() -> None:
        burns(run, "stress-ng")
        os.kill(parent(watch.started[0].pid), signal.SIGKILL)

    watch.at_first = kill
    measured = carry_out(host, with_load("cpu", 3), directory, watch)
    gone(run)
    assert [one.preset for one in measured.loads] == ["cpu"]
    assert "off" in (run / "loads").read_text().splitlines()[-1]


def test_a_killed_cyclictest_takes_its_load_along(host: LocalHost, directory: str) -> None:
    run = Path(directory, "run-1")
    watch = Watch()

    def kill() -> None:
        burns(run, "stress-ng")
        os.kill(watch.started[0].pid, signal.SIGKILL)

    watch.at_first = kill
    with pytest.raises(MeasurementInterruptedError) as caught:
        carry_out(host, with_load("disk", 60), directory, watch)
    gone(run)
    assert caught.value.measured is not None


@pytest.mark.parametrize("killed", ["guard", "loop"])
def test_whatever_watches_it_is_killed(killed: str, host: LocalHost, directory: str) -> None:
    run = Path(directory, "run-1")

    def kill() -> None:
        burns(run, "stress-ng")
        loop = int((run / "load.process").read_text().split()[0])
        os.kill(guard(run) if killed == "guard" else loop, signal.SIGKILL)
        if killed == "loop":
            wait_until(lambda: not named(run, "stress-ng"), "its guard has ended it", 30)

    measured = carry_out(host, with_load("cpu", 4), directory, Watch(kill))
    (load,) = measured.loads
    assert load.ended == ("it was killed" if killed == "loop" else "the measurement is over")
    gone(run)


def test_all_that_watches_it_is_killed_and_forgetting_ends_it(
    host: LocalHost, directory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "EXIT_LIMIT", 1.0)
    run = Path(directory, "run-1")
    watch = Watch()

    def kill() -> None:
        burns(run, "stress-ng")
        loop = int((run / "load.process").read_text().split()[0])
        for pid in (guard(run), parent(watch.started[0].pid), loop):
            os.kill(pid, signal.SIGKILL)

    watch.at_first = kill
    measured = carry_out(host, with_load("cpu", 2), directory, watch)
    assert named(run, "stress-ng"), "nobody was left to end it"
    (load,) = measured.loads
    assert load.until is not None
    forget(host, "run-1", directory)
    gone(run)


def test_one_that_fails_is_recorded_as_ended(host: LocalHost, directory: str) -> None:
    what = order(2)
    there = Run(host, directory, what.identity)
    run = Path(directory, what.identity)
    command = ("sh", "-c", "echo no such thing >&2; exit 3")

    def fail() -> None:
        there.start_load(LoadOrder("cpu", "0", command), ())
        wait_until(lambda: there.loads(process_of(run))[-1].until is not None, "it ended", 30)

    measured = carry_out(host, what, directory, Watch(fail))
    assert [one.ended for one in measured.loads] == ["it ended with status 3: no such thing"]
    assert measured.loads[0].command == command
    gone(run)


def test_one_that_ends_well_is_started_again(host: LocalHost, directory: str) -> None:
    what = order(3)
    there = Run(host, directory, what.identity)
    run = Path(directory, what.identity)
    rounds = run / "rounds"

    def start() -> None:
        there.start_load(LoadOrder("cpu", "0", ("sh", "-c", "echo x >> rounds")), ())
        wait_until(lambda: rounds.exists() and rounds.stat().st_size > 4, "it goes on", 30)

    measured = carry_out(host, what, directory, Watch(start))
    assert len(measured.loads) == 1
    gone(run)
    with pytest.raises(MeasurementError, match="cannot be started") as caught:
        there.start_load(preset("cpu"), ())
    assert "cyclictest does not run" in caught.value.details
    assert not at_home(run)


@pytest.mark.skipif(len(ALL) < 2, reason="one CPU needs no spreading")
def test_where_the_kernel_would_not_its_guard_spreads_it(host: LocalHost, directory: str) -> None:
    what = order(3)
    there = Run(host, directory, what.identity)
    run = Path(directory, what.identity)
    cpus = ALL[:2]
    command = LOAD_PRESETS["cpu"].command("stress-ng", f"{cpus[0]},{cpus[1]}", 4)

    def places() -> list[int]:
        found = [os.sched_getaffinity(pid) for pid in named(run, "stress-ng-cpu")]
        return sorted(min(one) for one in found if len(one) == 1)

    def start() -> None:
        there.start_load(LoadOrder("cpu", "0-1", command, cpus), ())
        wait_until(lambda: len(set(places())) == 2 and len(places()) == 4, "it is spread", 30)

    carry_out(host, what, directory, Watch(start))
    gone(run)
