"""Real cyclictest here, watched through its --verbose; and everything killed that can be.

Nothing here judges microseconds.
"""

import json
import os
import signal
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from threading import Event as Flag

import pytest

from kubert_tui.hosts.local import LocalHost
from kubert_tui.latency.failures import MeasurementCancelledError, MeasurementInterruptedError
from kubert_tui.latency.launch import Run, forget
from kubert_tui.latency.measurement import Measured, MeasurementOrder
from kubert_tui.latency.stream import at_or_below
from tests.faults.stored import buckets_of
from tests.support.latency_lab import MARKS, directory, host, let_go
from tests.support.latency_runs import (
    ALL,
    BINARIES,
    CYCLICTEST,
    Watch,
    assert_grows,
    carry_out,
    order,
)
from tests.support.twins import wait_until

__all__ = ["directory", "host"]
pytestmark = MARKS


def ordered(seconds: float, binary: str = CYCLICTEST) -> MeasurementOrder:
    what = order(seconds, binary=binary)
    return replace(what, command=(*what.command, "--verbose"), stream="verbose")


def working(run: Path, name: str = "stream.pyz") -> list[int]:
    """The programs of a run, the shells around them aside."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            there = (process / "cwd").readlink()
        except OSError:
            continue
        named = [word for word in words[:3] if word.endswith(name.encode())]
        if named and (there == run or str(run).encode() in named[0]):
            found.append(int(process.name))
    return found


def kept(run: Path) -> int:
    """Samples that are added up."""
    try:
        told = json.loads((run / "live" / "last").read_text())
    except (OSError, ValueError):
        return 0
    return sum(thread[0] for thread in told["threads"])


def assert_whole(measured: Measured, directory: str, what: MeasurementOrder) -> None:
    """The result is cyclictest's own, and the stream below it by as much as is said."""
    run = Path(directory, what.identity)
    assert measured.exact
    assert not measured.interrupted
    assert max(thread.samples for thread in measured.final.threads) == what.loops
    theirs = buckets_of((run / "stdout").read_text())
    for number, thread in enumerate(measured.final.threads):
        assert {us: count for us, count in enumerate(thread.counts) if count} == theirs[number]
    last = json.loads((run / "last").read_text())
    streamed = sum(thread[0] for thread in last["threads"])
    assert measured.unseen == measured.final.samples - streamed
    assert bool(measured.unseen) is any("not seen live" in note for note in measured.notes)
    assert not (run / "live").exists(), "nothing is left in memory"


@pytest.mark.parametrize("binary", BINARIES)
def test_live_and_final_agree(host: LocalHost, directory: str, binary: str) -> None:
    watch = Watch()
    what = ordered(3, binary)
    measured = carry_out(host, what, directory, watch)
    assert_whole(measured, directory, what)
    assert [(one.live, one.order.stream) for one in watch.started] == [(True, "verbose")]
    assert not [note for note in watch.notes if "pinned" in note]
    assert len(watch.snapshots) >= 3
    assert_grows(watch.snapshots)
    forget(host, what.identity, directory)
    assert list(Path(directory).iterdir()) == []


def test_it_keeps_out_of_the_way(host: LocalHost, directory: str) -> None:
    seen: dict[str, tuple[int, int, set[int]]] = {}
    what = ordered(60)
    what = replace(what, housekeeping=ALL[:1])
    run = Path(directory, what.identity)
    cancel = Flag()

    def look() -> None:
        for name in ("stream.pyz", "sampler.pyz"):
            for pid in working(run, name):
                priority = os.getpriority(os.PRIO_PROCESS, pid)
                if not Path("/proc", str(pid), "comm").read_text().startswith("python"):
                    continue  # a shell around it
                seen[name] = os.sched_getscheduler(pid), priority, os.sched_getaffinity(pid)
        cancel.set()

    with pytest.raises(MeasurementCancelledError) as caught:
        carry_out(host, what, directory, Watch(look), cancel=cancel)
    assert len(seen) == 2
    assert all(one == (os.SCHED_OTHER, 19, set(ALL[:1])) for one in seen.values())
    left = caught.value.measured
    assert left is not None
    assert left.output
    assert left.exact
    assert left.order.stream == "verbose"
    forget(host, what.identity, directory)
    assert list(Path(directory).iterdir()) == []


def test_killed_again_and_again_it_goes_on(host: LocalHost, directory: str) -> None:
    what = ordered(8)
    run = Path(directory, what.identity)
    killed: list[int] = []

    def kill() -> None:
        for _ in range(3):
            wait_until(lambda: bool(working(run)), "it was started again", 30)
            before = kept(run)
            wait_until(lambda: kept(run) > before, "it adds up", 30)  # noqa: B023
            killed.extend(working(run))
            for pid in working(run):
                os.kill(pid, signal.SIGKILL)
            wait_until(lambda: not set(working(run)) & set(killed), "it is gone", 30)

    watch = Watch(kill)
    measured = carry_out(host, what, directory, watch)
    assert len(killed) >= 3
    assert_whole(measured, directory, what)
    assert_grows(watch.snapshots)


def test_let_go_and_attached_again(host: LocalHost, directory: str) -> None:
    what = ordered(5)
    watch = let_go(host, what, directory)
    again = Watch()
    measured = carry_out(host, what, directory, again)
    assert again.started[0].attached
    assert again.started[0].live
    assert at_or_below(watch.snapshots[-1], again.snapshots[0])
    assert_grows(again.snapshots)
    assert_whole(measured, directory, what)


def test_all_of_ours_killed_it_is_found_again(
    host: LocalHost, directory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kubert_tui.latency.measure.EXIT_LIMIT", 3.0)
    what = ordered(5)
    run = Path(directory, what.identity)
    watch = let_go(host, what, directory)
    memory = (run / "live").resolve()
    # The launcher and its loop first: they would start it again.
    for name in ("run.sh", "stream.pyz"):
        for pid in working(run, name):
            os.kill(pid, signal.SIGKILL)
    measuring = int((run / "process").read_text().split()[0])
    assert Path("/proc", str(measuring)).exists(), "cyclictest goes on"
    again = Watch()
    measured = carry_out(host, what, directory, again)
    assert again.started[0].live
    for earlier, later in pairwise([watch.snapshots[-1], *again.snapshots]):
        assert at_or_below(earlier, later)
    assert_whole(measured, directory, what)
    forget(host, what.identity, directory)
    assert not memory.exists()


def test_killed_with_all_of_ours_it_leaves_what_there_was(
    host: LocalHost, directory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kubert_tui.latency.measure.EXIT_LIMIT", 1.0)
    what = ordered(60)
    run = Path(directory, what.identity)
    let_go(host, what, directory)
    memory = (run / "live").resolve()
    assert memory.stat().st_mode & 0o777 == 0o700
    measuring = int((run / "process").read_text().split()[0])
    for pid in (*working(run, "run.sh"), *working(run), measuring):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not working(run), "it is gone", 30)
    with pytest.raises(MeasurementInterruptedError):
        carry_out(host, what, directory, Watch())
    forget(host, what.identity, directory)
    assert not memory.exists()
    assert list(Path(directory).iterdir()) == []


def test_a_host_that_cannot_add_up_has_the_result(host: LocalHost, directory: str) -> None:
    what = ordered(1)
    run = Run(host, directory, what.identity)
    run.prepare(what)
    host.put(b"no program", run.path("stream.pyz"), mode=0o600, sudo=True)
    run.start(what, systemd=False)
    wait_until((Path(run.directory) / "exit").exists, "it has ended", 60)
    measured = carry_out(host, what, directory, Watch())
    assert measured.exact
    assert measured.unseen == measured.final.samples > 0
    forget(host, what.identity, directory)
