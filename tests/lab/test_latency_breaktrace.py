"""Real cyclictest with --breaktrace and the kernel's trace of it; afterwards all is as it was."""

import gzip
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from threading import Event as Flag

import pytest

from kubert_tui.base.errors import MeasurementError
from kubert_tui.engine.session import Session
from kubert_tui.events.measuring import LatencyStored
from kubert_tui.events.model import Finished, StageState
from kubert_tui.events.questions import Answer, Choice, Question
from kubert_tui.events.words import trace_lines
from kubert_tui.hosts.local import LocalHost
from kubert_tui.lab.builtin import local_lab
from kubert_tui.latency.failures import MeasurementCancelledError, MeasurementInterruptedError
from kubert_tui.latency.launch import Run, forget
from kubert_tui.latency.store import load
from tests.support import tracefs
from tests.support.latency_lab import host
from tests.support.latency_runs import BINARIES, Watch, carry_out, end_runs, order

__all__ = ["host"]
pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="tracing needs root"),
    pytest.mark.skipif(not tracefs.can_trace(), reason="this kernel has no tracefs"),
    pytest.mark.skipif(not BINARIES, reason="cyclictest (rt-tests) is not installed"),
]

LOW, HIGH = "1us", "1s"


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[str]:
    before = tracefs.state()
    yield str(tmp_path)
    end_runs(tmp_path)
    assert tracefs.state() == before


@pytest.mark.parametrize("binary", BINARIES)
def test_a_latency_above_the_threshold_ends_it_with_a_trace(
    host: LocalHost, directory: str, binary: str
) -> None:
    measured = carry_out(host, order(60, binary=binary, breaktrace=LOW), directory, Watch())
    assert measured.stopped is not None
    assert not measured.interrupted
    (thread,) = [one for one in measured.final.threads if one.cpu == measured.stopped.cpu]
    assert measured.stopped.latency == thread.maximum > 1
    assert measured.stopped.cycles == thread.samples < measured.order.loops
    assert measured.notes[0].startswith(str(measured.stopped))
    assert f"hit latency threshold ({thread.maximum} > 1)" in measured.trace
    assert "sched_switch" in measured.trace
    forget(host, "run-1", directory)
    assert not any(Path(directory).iterdir())


def test_without_such_a_latency_it_runs_to_its_end(host: LocalHost, directory: str) -> None:
    measured = carry_out(host, order(0.5, breaktrace=HIGH), directory, Watch())
    assert measured.stopped is None
    assert measured.trace == ""
    assert measured.notes[0].startswith("no sample was above 1000000 us")
    forget(host, "run-1", directory)


def test_cancelled_it_puts_tracing_back(host: LocalHost, directory: str) -> None:
    cancel = Flag()
    with pytest.raises(MeasurementCancelledError):
        carry_out(
            host, order(60, breaktrace=HIGH), directory, Watch(at_first=cancel.set), cancel=cancel
        )
    forget(host, "run-1", directory)


@pytest.mark.parametrize("whom", [("launcher",), ("launcher", "process")], ids=" and ".join)
def test_what_a_killed_launcher_left_is_put_back(
    host: LocalHost, directory: str, whom: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kubert_tui.latency.measure.EXIT_LIMIT", 1.0)
    run = Run(host, directory, "run-1")

    def kill() -> None:
        for name in whom:
            os.kill(int(Path(run.path(name)).read_text().split()[0]), signal.SIGKILL)

    what = order(1.0, breaktrace=HIGH)
    if "process" in whom:
        with pytest.raises(MeasurementInterruptedError):
            carry_out(host, what, directory, Watch(at_first=kill))
    else:
        measured = carry_out(host, what, directory, Watch(at_first=kill))
        assert "exit status is not known" in " ".join(measured.notes)
    forget(host, "run-1", directory)


def test_where_somebody_traces_it_is_not_begun(host: LocalHost, directory: str) -> None:
    with tracefs.mounted():
        events = tracefs.PLACE / "set_event"
        events.write_text("sched:sched_process_exec\n")
        try:
            with pytest.raises(MeasurementError) as caught:
                carry_out(host, order(60, breaktrace=LOW), directory, Watch())
            assert events.read_text() == "sched:sched_process_exec\n"
        finally:
            events.write_text("\n")
    assert "tracing" in caught.value.what
    assert "somebody else is tracing" in caught.value.details
    assert "breaktrace" in caught.value.fix


def test_the_trace_is_kept_beside_the_result(
    directory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The machine that tests run on may call itself a container; its trace is its own here.
    monkeypatch.setattr("kubert_tui.latency.breaktrace.container_kind", lambda facts: "")
    spec = local_lab().cyclictest.model_copy(update={"duration": "60s", "breaktrace": LOW})
    session = Session(local_lab().model_copy(update={"cyclictest": spec}))
    session.submit("cyclictest")
    session.close()
    stored = None
    for event in session.events():
        if isinstance(event, Question):
            session.answer(event.number, Answer(Choice.APPLY))
        if isinstance(event, LatencyStored):
            stored = event
        if isinstance(event, Finished):
            assert event.states["cyclictest"] is StageState.DONE
    assert stored is not None
    trace = Path(stored.trace)
    assert trace.name == "trace-this-machine-1.txt.gz"
    assert trace.parent == Path(stored.path).parent
    assert stat.S_IMODE(trace.stat().st_mode) == 0o600
    assert "hit latency threshold" in gzip.decompress(trace.read_bytes()).decode()
    assert "hit latency threshold" in stored.excerpt[-1]
    kept = load(Path(stored.path)).breaktrace
    assert kept is not None
    assert (kept.threshold, kept.traced, kept.trace) == (1, True, trace.name)
    assert stored.trace in trace_lines(stored)[0]
