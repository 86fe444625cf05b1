"""Container twins cut off at every point: killed, called off, two at once, restarted."""

import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kubert_tui.base.errors import CancelledError
from kubert_tui.practice.lab import Practice
from kubert_tui.practice.model import MACHINES, NAMES, Kind, Order, Progress
from kubert_tui.practice.state import LabDirectory
from kubert_tui.practice.status import Standing
from tests.support.traces import assert_gone, inhabitants, traces
from tests.support.twins import (
    CACHE_HOME,
    Twins,
    patient_order,
    places_in,
    skip_unless_possible,
    wait_until,
)

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

_NAME = NAMES[Kind.CONTAINERS]


def test_down_of_what_has_been_half_removed_by_hand(own_twins: Twins) -> None:
    practice = own_twins.practice
    inside = set().union(*(inhabitants(own_twins.container(name).leader()) for name in MACHINES))
    subprocess.run(["umount", "--lazy", str(own_twins.root("bull1"))], check=True)
    router = own_twins.container("bull1").network.namespace("router")
    subprocess.run(["umount", "--lazy", str(router)], check=True)
    (practice.directory.path / "network").write_bytes(b"\xff\0garbage")
    (practice.directory.path / "image").unlink()
    practice.directory.user_key.unlink()
    practice.lab_file.write_text("# no lab any more\n")
    practice.lab_file.unlink()
    practice.down(patient_order())
    assert_gone(practice, inside)


def test_up_after_this_computer_restarted(own_twins: Twins) -> None:
    """Its disks are there; processes, mounts, namespaces and links are not."""
    practice = own_twins.practice
    (own_twins.root("bull1") / "root/kept").write_text("on the disk")
    for name in MACHINES:
        own_twins.container(name).cut_power()
    own_twins.container("bull1").network.remove()
    for name in MACHINES:
        own_twins.container(name).unmount()
    assert not {trace for trace in traces(practice.directory) if not trace.startswith("file ")}
    practice.up(patient_order())
    assert practice.status().standing is Standing.UP
    assert own_twins.inside("bull1", "cat", "/root/kept") == "on the disk"


def test_cancelled_while_starting(tmp_path: Path) -> None:
    skip_unless_possible()
    practice = Practice(places_in(tmp_path), Kind.CONTAINERS)
    cancel = threading.Event()

    def call_off(progress: Progress) -> None:
        if progress.step.startswith("waiting"):
            cancel.set()

    with pytest.raises(CancelledError):
        practice.up(Order(call_off, cancel))
    assert_gone(practice, set())


def test_ctrl_c(tmp_path: Path) -> None:
    skip_unless_possible()
    process = _command("up", tmp_path)
    wait_until((tmp_path / "state/practice/key").exists, "it began")
    process.send_signal(signal.SIGINT)
    told = process.communicate(timeout=120)[1]
    assert process.returncode == 130, told
    assert "cancel" in told
    assert_gone(Practice(places_in(tmp_path), Kind.CONTAINERS), set())


def test_two_ups_at_once(tmp_path: Path) -> None:
    skip_unless_possible()
    practice = Practice(places_in(tmp_path), Kind.CONTAINERS)
    try:
        first, second = (_command("up", tmp_path) for _ in range(2))
        for process in (first, second):
            told = process.communicate(timeout=300)[1]
            assert process.returncode == 0, told
        assert practice.status().standing is Standing.UP
        for name in MACHINES:
            machine = practice.machine(name)
            with socket.create_connection((machine.address, machine.port), timeout=10):
                pass
        assert len({line for line in traces(practice.directory) if "slirp4netns " in line}) == 1
    finally:
        practice.down(patient_order())
    assert_gone(practice, set())


_POINTS = (
    "state/practice/key",
    "state/practice/bull2.host-key",
    "state/practice/net/bull1",
    "state/practice/network",
    "state/practice/net/made",
    "state/practice/bull1/root/etc",
    "state/practice/bull1/made",
    "state/practice/bull1/console.log",
    "state/practice/bull2/console.log",
    "known_hosts",
    "labs/practice.yaml",
)
"""Files that come into being one after the other while a lab comes up."""


@pytest.mark.parametrize(
    "point",
    [
        pytest.param(point, marks=() if point in _POINTS[::3] else pytest.mark.long)
        for point in _POINTS
    ],
)
def test_killed_while_coming_up(point: str, tmp_path: Path) -> None:
    skip_unless_possible()
    practice = Practice(places_in(tmp_path), Kind.CONTAINERS)
    try:
        process = _command("up", tmp_path)
        wait_until(lambda: (tmp_path / point).exists() or process.poll() is not None, point)
        process.kill()
        process.communicate()
        if point in _POINTS[::3]:
            # What a crash left does not keep it from coming up...
            practice.up(patient_order())
            assert practice.status().standing is Standing.UP
    finally:
        # ... nor from going.
        practice.down(patient_order())
    assert_gone(practice, set())


def test_killed_while_going_down(own_twins: Twins) -> None:
    practice = own_twins.practice
    directory = practice.places.state.parent
    inside = set().union(*(inhabitants(own_twins.container(name).leader()) for name in MACHINES))
    process = _command("down", directory)
    wait_until(
        lambda: (practice.directory.path / ".removing").exists() or process.poll() is not None,
        "down begins",
    )
    process.kill()
    process.communicate()
    practice.up(patient_order())
    assert practice.status().standing is Standing.UP
    practice.down(patient_order())
    assert_gone(practice, inside)


@pytest.mark.network
def test_killed_while_building(tmp_path: Path) -> None:
    skip_unless_possible()
    cache = tmp_path / "kubert-tui" / "practice"
    process = _command("up", tmp_path, cache=tmp_path)
    log = next_log(cache)
    wait_until(
        lambda: (
            (log.exists() and b"extracting archives" in log.read_bytes())
            or process.poll() is not None
        ),
        "the base system is unpacked",
        limit=600,
    )
    assert process.poll() is None, process.communicate()
    process.kill()
    process.communicate()
    lab = LabDirectory(tmp_path / "state" / _NAME, _NAME)
    assert any("mmdebstrap" in trace for trace in traces(lab, cache)), "its programs went on"
    down = _command("down", tmp_path, cache=tmp_path)
    told = down.communicate(timeout=120)[1]
    assert down.returncode == 0, told
    left = {trace for trace in traces(lab, cache) if not trace.endswith(".lock")}
    assert not left


def next_log(cache: Path) -> Path:
    """Where the build that starts next logs."""
    image = Practice(places_in(cache), Kind.CONTAINERS)._images.path
    return cache / f".building-{image.name}" / "build.log"


def _command(action: str, directory: Path, cache: Path = CACHE_HOME) -> subprocess.Popen[str]:
    """Start `practice up` or `down` with all it keeps in `directory`."""
    program = (
        "import sys; from pathlib import Path; from kubert_tui.practice.model import Places\n"
        "root, cache = map(Path, sys.argv[2:4])\n"
        "places = Places(cache / 'kubert-tui/practice', root / 'state', root / 'labs',"
        " root / 'known_hosts')\n"
        "Places.of_user = classmethod(lambda cls: places)\n"
        "from kubert_tui.cli.main import main\n"
        "sys.exit(main(['practice', sys.argv[1], '--kind', 'containers']))\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program, action, str(directory), str(cache)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
