"""What the container of a pod does, and its node beside it: the scripts, run here."""

import os
import subprocess
from pathlib import Path

import pytest

from kubert_tui.facts.fact import Known
from kubert_tui.facts.pod import parse_granted

MEASURES = """\
#!/bin/sh
trap "echo ended; exit 3" TERM
echo "$@"
[ "$1" != wait ] || touch begun
while [ "$1" = wait ]; do sleep 0.1; done
exit 5
"""


@pytest.fixture
def container(tmp_path: Path) -> Path:
    """A run's directory with what a pod starts, and a cyclictest that says how it was called."""
    scripts = Path(__file__).parents[2] / "kubert_tui" / "latency"
    for name in ("pod.sh", "run.sh"):
        (tmp_path / name).write_text((scripts / name).read_text())
    program = tmp_path / "measures"
    program.write_text(MEASURES)
    program.chmod(0o755)
    return tmp_path


def start(container: Path, patience: int = 60) -> subprocess.Popen[bytes]:
    argv = ["sh", "pod.sh", str(container), str(container / "measures"), "1", str(patience)]
    return subprocess.Popen(argv, cwd=container)


def order(container: Path, *argv: str) -> None:
    (container / "go.new").write_text("\n".join(("0", *argv, "")))
    (container / "go.new").replace(container / "go")


def test_the_container_runs_what_its_node_orders(container: Path) -> None:
    process = start(container)
    order(container, str(container / "measures"), "a b", "$HOME")
    assert process.wait(30) == 5
    assert (container / "stdout").read_text() == "a b $HOME\n"
    assert (container / "ended").read_text().startswith("5 ")
    told = parse_granted((container / "granted").read_bytes())
    assert isinstance(told, Known)
    assert told.value.pid == process.pid
    assert told.value.program == str(container / "measures")


def test_its_node_records_what_happens_in_the_pod(container: Path) -> None:
    process = start(container)
    (container / "counters.sh").write_text("")
    while not (container / "granted").exists():
        assert process.poll() is None
    argv = ["sh", "run.sh", str(container), "0", str(container / "measures"), "told"]
    subprocess.run(argv, cwd=container, check=True)
    assert process.wait(30) == 5
    state = container / "exit"
    assert state.read_text().split()[:2] == (container / "ended").read_text().split()
    pid, _, _, boot = (container / "process").read_text().split()
    assert int(pid) != process.pid, "cyclictest's, not the container's"
    assert boot == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    kept_awake = os.access("/dev/cpu_dma_latency", os.W_OK)
    assert state.read_text().endswith(" held\n") == kept_awake
    assert subprocess.run(argv, cwd=container, check=False).returncode == 75, "once only"


def test_a_pod_that_dies_ends_the_run(container: Path) -> None:
    process = start(container)
    (container / "counters.sh").write_text("")
    while not (container / "granted").exists():
        assert process.poll() is None
    process.kill()
    process.wait()
    subprocess.run(["sh", "run.sh", str(container), "0", "x"], cwd=container, check=False)
    assert (container / "exit").read_text().startswith("137 ")
    assert not (container / "process").exists()


def test_what_is_told_sample_by_sample_goes_into_the_pipe(container: Path) -> None:
    os.mkfifo(container / "told")
    process = start(container)
    order(container, str(container / "measures"), "sample")
    # It ends only when nobody in the pod holds it any more.
    assert (container / "told").read_text() == "sample\n"
    assert process.wait(30) == 5


def test_deleted_it_lets_cyclictest_write_its_histogram(container: Path) -> None:
    process = start(container)
    order(container, str(container / "measures"), "wait")
    while not (container / "begun").exists():
        assert process.poll() is None
    process.terminate()
    assert process.wait(30) == 3
    assert (container / "stdout").read_text() == "wait\nended\n"


def test_nobody_orders_and_it_ends_by_itself(container: Path) -> None:
    assert start(container, patience=0).wait(30) == 0
    assert not (container / "ended").exists()
