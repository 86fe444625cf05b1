"""Real cyclictest here, and what is left of it when it, its recorder or its host goes.

Nothing here judges microseconds.
"""

import json
import os
import signal
from itertools import pairwise
from pathlib import Path
from threading import Event as Flag

import pytest

from kubert_tui.hosts.local import LocalHost
from kubert_tui.latency.failures import MeasurementCancelledError, MeasurementInterruptedError
from kubert_tui.latency.recorded import Recorded
from kubert_tui.latency.stream import at_or_below
from tests.support.latency_lab import MARKS, directory, host, let_go
from tests.support.latency_runs import (
    Watch,
    carry_out,
    order,
)
from tests.support.twins import wait_until

__all__ = ["directory", "host"]
pytestmark = MARKS


def begin(host: LocalHost, directory: str, seconds: float = 60) -> Path:
    """Start a measurement and let go of it; its directory."""
    what = order(seconds)
    let_go(host, what, directory)
    run = Path(directory, what.identity)
    wait_until((run / "last").exists, "the recorder has written", 30)
    return run


def recorders(run: Path) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            there = (process / "cwd").readlink()
        except OSError:
            continue
        if b"recorder.pyz" in words and there == run:
            found.append(int(process.name))
    return found


def recorded(run: Path) -> int:
    """Samples of the first thread that are kept."""
    return int(json.loads((run / "last").read_text())["threads"][0][0])


def test_a_killed_cyclictest_that_nobody_watched_is_kept(host: LocalHost, directory: str) -> None:
    run = begin(host, directory)
    kept = recorded(run)
    os.kill(int((run / "process").read_text().split()[0]), signal.SIGKILL)
    wait_until((run / "exit").exists, "the launcher has recorded the end", 30)
    with pytest.raises(MeasurementInterruptedError, match="SIGKILL") as caught:
        carry_out(host, order(60), directory, Watch())
    left = caught.value.measured
    assert left is not None
    assert left.final.threads[0].samples >= kept > 0
    assert "SIGKILL" in left.interrupted
    assert left.policy == "fifo 90"
    assert not left.final.final
    wait_until(lambda: recorders(run) == [], "the recorder has ended by itself", 30)


def test_a_host_that_restarted_leaves_what_was_measured(host: LocalHost, directory: str) -> None:
    run = begin(host, directory)
    process = (run / "process").read_text().split()
    kept = recorded(run)
    # What a look finds after a restart: the record of a process of another boot.
    (run / "process").write_text(f"{' '.join(process[:3])} {'0' * 8}-{'0' * 27}\n")
    with pytest.raises(MeasurementInterruptedError, match="started anew") as caught:
        carry_out(host, order(60), directory, Watch())
    left = caught.value.measured
    assert left is not None
    assert left.final.threads[0].samples >= kept
    assert left.exact
    (run / "process").write_text(" ".join(process) + "\n")


def test_a_killed_recorder_goes_on(host: LocalHost, directory: str) -> None:
    run = begin(host, directory)
    first = recorders(run)
    assert len(first) == 1
    os.kill(first[0], signal.SIGKILL)
    wait_until(lambda: recorders(run) not in ([], first), "it was started again", 30)
    lines = len((run / "past").read_text().splitlines())
    wait_until(
        lambda: len((run / "past").read_text().splitlines()) > lines, "it has recorded more", 30
    )
    stretches = [json.loads(line) for line in (run / "past").read_text().splitlines()]
    assert all(one["until"] == two["after"] for one, two in pairwise(stretches))


def test_who_attaches_hears_of_the_past(host: LocalHost, directory: str) -> None:
    run = begin(host, directory)
    kept = recorded(run)
    pasts: list[Recorded] = []
    order_of_things: list[str] = []
    cancel = Flag()

    class Attached(Watch):
        @property
        def hooks(self):  # type: ignore[no-untyped-def]
            def past(told: Recorded) -> None:
                pasts.append(told)
                order_of_things.append("past")
                cancel.set()

            def snapshot(_: object) -> None:
                order_of_things.append("snapshot")

            own = super().hooks
            return type(own)(own.started, snapshot, own.note, past)

    with pytest.raises(MeasurementCancelledError) as caught:
        carry_out(host, order(60), directory, Attached(), cancel=cancel)
    (told,) = pasts
    assert order_of_things[:2] == ["snapshot", "past"], "the present does not wait for the past"
    assert told.last is not None
    assert told.last.threads[0].samples >= kept
    assert sum(sum(one.counts.values()) + one.overflows for one in told.stretches) == (
        told.last.samples
    )
    left = caught.value.measured
    assert left is not None
    assert left.output
    assert "cancelled after" in left.interrupted
    assert at_or_below(told.last, left.final)
