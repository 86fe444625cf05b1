"""Real cyclictest here, ended badly: killed, cancelled, refused, its output lost.

Nothing here judges microseconds.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from threading import Barrier, Thread
from threading import Event as Flag

import pytest

from kubert_tui.base.errors import MeasurementError
from kubert_tui.hosts.local import LocalHost
from kubert_tui.latency.failures import MeasurementCancelledError, MeasurementInterruptedError
from kubert_tui.latency.launch import Run
from kubert_tui.latency.measurement import Measured, MeasurementOrder
from tests.support.latency_lab import MARKS, directory, host
from tests.support.latency_runs import (
    NOBODY,
    PlainUser,
    Watch,
    assert_grows,
    carry_out,
    order,
)

__all__ = ["directory", "host"]
pytestmark = MARKS


def test_a_killed_cyclictest_is_an_interrupted_run(host: LocalHost, directory: str) -> None:
    watch = Watch()
    watch.at_first = lambda: os.kill(watch.started[0].pid, signal.SIGKILL)
    what = order(30)
    with pytest.raises(MeasurementInterruptedError, match="SIGKILL") as caught:
        carry_out(host, what, directory, watch)
    left = caught.value.measured
    assert left is not None
    assert left.final.threads == watch.snapshots[-1].threads
    assert "SIGKILL" in left.interrupted
    assert Path(directory, what.identity, "exit").exists()
    with pytest.raises(MeasurementInterruptedError):
        carry_out(host, what, directory, Watch())


def test_a_killed_launcher_loses_no_result(host: LocalHost, directory: str) -> None:
    watch = Watch()

    def kill() -> None:
        status = Path("/proc", str(watch.started[0].pid), "status").read_text()
        os.kill(int(status.split("PPid:")[1].split()[0]), signal.SIGKILL)

    watch.at_first = kill
    measured = carry_out(host, order(1.5), directory, watch)
    assert measured.exact
    assert [note for note in measured.notes if "exit status is not known" in note]


def test_cancelling_ends_it_with_its_histogram(host: LocalHost, directory: str) -> None:
    cancel = Flag()
    watch = Watch(cancel.set)
    what = order(30)
    with pytest.raises(MeasurementCancelledError, match="cancelled after") as caught:
        carry_out(host, what, directory, watch, cancel=cancel)
    measured = caught.value.measured
    assert measured is not None
    assert measured.exact
    assert_grows(watch.snapshots)
    assert watch.snapshots[-1] == measured.final
    assert not Path("/proc", str(watch.started[0].pid)).exists()
    with pytest.raises(MeasurementCancelledError):
        carry_out(host, what, directory, Watch())


def test_a_plain_user_is_refused_clearly(host: LocalHost) -> None:
    directory = tempfile.mkdtemp()
    try:
        os.chown(directory, 65534, 65534)
        with pytest.raises(MeasurementError, match="real-time scheduling") as caught:
            carry_out(PlainUser(host), order(1), directory, Watch())
    finally:
        shutil.rmtree(directory)
    assert "root" in caught.value.fix
    assert caught.value.exit_status == 1
    assert "Unable to change scheduling policy" in caught.value.details


def test_two_at_once_start_it_once(host: LocalHost, directory: str) -> None:
    what = order(2)
    watches = [Watch(), Watch()]
    results: list[Measured] = []
    together = Barrier(2)

    def work(watch: Watch) -> None:
        together.wait()
        results.append(carry_out(host, what, directory, watch))

    threads = [Thread(target=work, args=(watch,)) for watch in watches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({watch.started[0].pid for watch in watches}) == 1
    assert len({result.output for result in results}) == 1
    assert len(results) == 2


def test_the_usage_text_with_status_0_is_a_failure(host: LocalHost, directory: str) -> None:
    what = order(1)
    command = (*what.command, "--nanosleep")
    wrong = MeasurementOrder(
        "run-1", command, "1.0", what.interval, what.loops, what.histogram, what.cpus
    )
    with pytest.raises(MeasurementError, match="usage"):
        carry_out(host, wrong, directory, Watch())


def test_a_full_disk_with_status_0_is_a_failure(host: LocalHost, directory: str) -> None:
    what = order(0.3)
    command = ("sh", "-c", 'exec "$@" > /dev/full', "sh", *what.command)
    full = MeasurementOrder(
        "run-1", command, "2.4", what.interval, what.loops, what.histogram, what.cpus
    )
    with pytest.raises(MeasurementError, match="no result") as caught:
        carry_out(host, full, directory, Watch())
    assert "full" in caught.value.fix


def test_a_sampler_without_the_right_to_read_says_so(host: LocalHost, directory: str) -> None:
    reported: list[str] = []
    watch = Watch()

    def sample_as_nobody() -> None:
        process = Run(host, directory, "run-1").look().process
        assert process is not None
        script = Path(directory, "run-1", "sampler.py").read_text()
        argv = (*NOBODY, "/usr/bin/python3", "-I", "-", str(process.pid))
        rest = (str(process.start_ticks), process.boot_id, "250", str(len(order(1.5).cpus)))
        done = subprocess.run(
            [*argv, *rest], input=script.encode(), capture_output=True, check=True
        )
        reported.extend(done.stdout.decode().splitlines())

    watch.at_first = sample_as_nobody
    carry_out(host, order(1.5), directory, watch)
    lines = [json.loads(line) for line in reported]
    assert lines[0]["type"] == "blind"
    assert "not permitted" in lines[0]["reason"]
    assert lines[-1] == {"type": "end"}
