"""What becomes of a run whose kubert-tui is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab.ansible_support import HERE, LIMIT, Watched, processes_in, request

pytestmark = pytest.mark.lab

SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.lab.ansible_support import HERE, Watched, request
watched = Watched(request("waits.yml", HERE, release=sys.argv[2]))
future = watched.start()
watched.begun.wait()
print("begun", flush=True)
future.result()
"""


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    directory = Path(f"/tmp/kto{os.getpid()}")
    directory.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(directory))
    yield directory
    directory.rmdir()


@pytest.fixture
def parent(runtime: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process of its own that is in the middle of a run."""
    root = str(Path(__file__).parents[2])
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, root, str(tmp_path / "never")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "begun\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_without_its_parent_the_run_ends_and_cleans_up(
    parent: subprocess.Popen[str], runtime: Path
) -> None:
    assert list(runtime.iterdir())
    parent.kill()
    parent.wait()
    until(lambda: not processes_in(runtime) and not list(runtime.iterdir()))


def test_after_both_were_killed_the_next_run_cleans_up(
    parent: subprocess.Popen[str], runtime: Path
) -> None:
    found = processes_in(runtime).items()
    (child,) = (pid for pid, (argv, _) in found if b"kubert_tui.ansible.child" in argv)
    os.kill(child, signal.SIGSTOP)  # it must not get to clean up between the two
    parent.kill()
    parent.wait()
    os.kill(child, signal.SIGKILL)
    assert list(runtime.iterdir())
    assert Watched(request("variables.yml", HERE, words="x")).run().status == "successful"
    assert not processes_in(runtime)
    assert not list(runtime.iterdir())
