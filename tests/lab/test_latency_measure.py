"""Real cyclictest here: exact, detached, re-attached, started once, its sampler killed.

Nothing here judges microseconds.
"""

import os
import signal
from pathlib import Path

import pytest

from kubert_tui.base.errors import MeasurementError
from kubert_tui.hosts.local import LocalHost
from kubert_tui.latency.counters import UNKNOWN
from kubert_tui.latency.launch import Run, Stage, forget
from kubert_tui.latency.stream import at_or_below
from tests.support.latency_lab import MARKS, directory, host, let_go
from tests.support.latency_runs import (
    ALL,
    BINARIES,
    Watch,
    assert_grows,
    carry_out,
    order,
    samplers,
)

__all__ = ["directory", "host"]
pytestmark = MARKS


@pytest.mark.parametrize("binary", BINARIES)
@pytest.mark.parametrize("chosen", [(), ALL[-1:]], ids=["all", "chosen"])
def test_live_and_final_are_exact(
    host: LocalHost, directory: str, binary: str, chosen: tuple[int, ...]
) -> None:
    watch = Watch()
    what = order(2, binary=binary, cpus=chosen)
    measured = carry_out(host, what, directory, watch)
    assert [(start.live, start.attached) for start in watch.started] == [(True, False)]
    assert_grows(watch.snapshots)
    assert len(watch.snapshots) >= 3
    counted = measured.happened
    assert (counted.smi is None) is bool(counted.smi_unknown)
    assert counted.smi_unknown != UNKNOWN.smi_unknown, "nobody looked"
    assert watch.happened[-1].smi_unknown or watch.happened[-1].smi is not None
    assert watch.snapshots[-1] == measured.final
    assert measured.exact
    assert measured.final.final
    assert max(thread.samples for thread in measured.final.threads) == what.loops
    assert [thread.cpu for thread in measured.final.threads] == list(what.cpus)
    assert not [note for note in watch.notes if "pinned" in note]
    assert measured.started < measured.finished


def test_the_sampler_keeps_out_of_the_way(host: LocalHost, directory: str) -> None:
    seen: list[tuple[int, set[int]]] = []

    def look() -> None:
        (sampler,) = samplers(directory)
        seen.append((os.getpriority(os.PRIO_PROCESS, sampler), set(os.sched_getaffinity(sampler))))

    watch = Watch(look)
    what = order(1.5, cpus=ALL[-1:])
    carry_out(host, what, directory, watch)
    assert seen == [(19, set(what.housekeeping) or set(ALL))]
    assert samplers(directory) == []


def test_a_killed_sampler_changes_nothing(host: LocalHost, directory: str) -> None:
    def kill() -> None:
        (sampler,) = samplers(directory)
        os.kill(sampler, signal.SIGKILL)

    watch = Watch(kill)
    measured = carry_out(host, order(3), directory, watch)
    assert measured.exact
    assert_grows(watch.snapshots)
    assert len(watch.snapshots) >= 3
    assert len(watch.started) == 1
    assert [note for note in watch.notes if "broke off" in note]


def test_it_goes_on_without_us_and_is_attached_to_again(host: LocalHost, directory: str) -> None:
    what = order(4)
    watch = let_go(host, what, directory)
    assert Run(host, directory, what.identity).look().stage is Stage.RUNNING
    with pytest.raises(MeasurementError, match="still runs"):
        forget(host, what.identity, directory)
    again = Watch()
    measured = carry_out(host, what, directory, again)
    assert measured.exact
    assert again.started[0].attached
    assert again.started[0].pid == watch.started[0].pid
    assert again.started[0].started == watch.started[0].started
    assert at_or_below(watch.snapshots[-1], again.snapshots[0])
    assert_grows(again.snapshots)


def test_a_finished_run_is_collected_then_forgotten(host: LocalHost, directory: str) -> None:
    what = order(0.5)
    first = carry_out(host, what, directory, Watch())
    watch = Watch()
    second = carry_out(host, what, directory, watch)
    assert second.final.threads == first.final.threads
    assert second.output == first.output
    assert watch.started[0].attached
    forget(host, what.identity, directory)
    assert list(Path(directory).iterdir()) == []
    forget(host, what.identity, directory)


def test_the_session_of_the_run_is_its_own(host: LocalHost, directory: str) -> None:
    seen: list[tuple[int, set[str]]] = []
    watch = Watch()

    def look() -> None:
        pid = watch.started[0].pid
        open_files = {str((Path("/proc", str(pid), "fd") / n).readlink()) for n in "012"}
        seen.append((os.getsid(pid), open_files))

    watch.at_first = look
    what = order(1)
    carry_out(host, what, directory, watch)
    ((session, open_files),) = seen
    assert session != os.getsid(0)
    run = Path(directory, what.identity)
    assert open_files == {"/dev/null", str(run / "stdout"), str(run / "stderr")}
    assert run.stat().st_mode & 0o777 == 0o700
