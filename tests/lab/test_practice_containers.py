"""Container twins for real: what they can do, how they go, and the whole way on them."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from kubert_tui.hosts.connect import connect
from kubert_tui.hosts.interface import Invocation
from kubert_tui.lab.load import load_lab
from kubert_tui.practice import mounts
from kubert_tui.practice.lab import Practice
from kubert_tui.practice.model import MACHINES, NAMES, Kind
from kubert_tui.practice.state import LabDirectory
from kubert_tui.practice.status import Standing
from tests.support.headless import auto
from tests.support.sshd import Answers, is_alive
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


def test_they_are_real_machines(twins: Twins) -> None:
    lab = load_lab(twins.lab)
    assert [host.name for host in lab.hosts] == list(MACHINES)
    for spec in lab.hosts:
        # No question is asked: not about the host key, not for a password.
        host = connect(spec, lab, Answers())
        try:
            told = host.run(Invocation(["systemctl", "is-system-running", "--wait"])).stdout
            assert told.strip() == b"running"
            assert host.run(Invocation(["hostname"])).stdout == f"{spec.name}\n".encode()
            assert host.run(Invocation(["chrt", "--fifo", "90", "true"])).ok
        finally:
            host.close()


def test_they_see_each_other_and_names_of_the_internet(twins: Twins) -> None:
    assert "1 received" in twins.inside("bull1", "ping", "-c", "1", "-W", "10", "bull2")
    assert "nameserver 10.0.2.3" in twins.inside("bull1", "cat", "/etc/resolv.conf")
    assert "tap0" in subprocess.run(
        ["nsenter", f"--net={twins.container('bull1').network.namespace('router')}", "ip", "route"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


def test_they_cannot_reach_into_this_computer(twins: Twins) -> None:
    leader = twins.container("bull1").leader()
    (line,) = (
        line
        for line in Path(f"/proc/{leader}/status").read_text().splitlines()
        if line.startswith("CapBnd:")
    )
    capabilities = int(line.split()[1], 16)
    for number, name in ((16, "SYS_MODULE"), (17, "SYS_RAWIO"), (25, "SYS_TIME")):
        assert not capabilities >> number & 1, f"CAP_{name}: theirs is our kernel and our clock"


def test_an_engineer_with_a_password_for_sudo(twins: Twins) -> None:
    lab = load_lab(twins.lab)
    spec = twins.spec("bull1", user="engineer")
    for given, succeeds in (([twins.password], True), (["wrong"] * 3, False)):
        answers = Answers(sudo_passwords=list(given))
        host = connect(spec, lab, answers)
        try:
            if succeeds:
                assert host.run(Invocation(["id", "-u"], sudo=True)).stdout == b"0\n"
                assert answers.asked == ["sudo bull1"]
            else:
                with pytest.raises(Exception, match="sudo"):
                    host.run(Invocation(["id", "-u"], sudo=True))
        finally:
            host.close()


def test_a_restart_is_a_new_boot(twins: Twins) -> None:
    before = {name: twins.boot_id(name) for name in MACHINES}
    (twins.root("bull1") / "root/kept").write_text("on the disk")
    twins.inside("bull1", "systemctl", "reboot")
    container = twins.container("bull1")
    wait_until(lambda: container.leader() and _boot(twins, "bull1") not in ("", before["bull1"]),
               "bull1 boots anew")  # fmt: skip
    twins.await_answer("bull1")
    assert twins.inside("bull1", "cat", "/root/kept") == "on the disk"
    assert twins.boot_id("bull2") == before["bull2"]


def test_power_off_and_on(twins: Twins) -> None:
    machine = twins.machine("bull2")
    twins.inside("bull2", "systemctl", "poweroff")
    wait_until(lambda: not machine.running(), "bull2 goes off")
    assert twins.practice.status().standing is Standing.OFF
    twins.practice.up(patient_order())
    assert twins.practice.status().standing is Standing.UP


def test_reset_and_cut_power_take_everything_in_it_along(twins: Twins) -> None:
    container = twins.container("bull1")
    inside = inhabitants(container.leader())
    before = twins.boot_id("bull1")
    container.cut_power()
    assert not container.running()
    assert not container.leader()
    wait_until(lambda: not any(map(is_alive, inside)), "all that was in it is gone", limit=10)
    container.start()
    twins.await_answer("bull1")
    container.reset()
    twins.await_answer("bull1")
    assert twins.boot_id("bull1") != before


def test_dropped_packets_are_told_to_nobody(twins: Twins) -> None:
    machine = twins.machine("bull1")
    with socket.create_connection((machine.address, machine.port), timeout=5) as stream:
        assert stream.recv(4) == b"SSH-"
        machine.drop_packets(drop=True)
        with pytest.raises(TimeoutError):
            socket.create_connection((machine.address, machine.port), timeout=2)
        # The connection that was there is half open: nothing is refused, nothing comes.
        stream.sendall(b"SSH-2.0-test\r\n")
        stream.settimeout(1)
        stream.recv(1000)  # the rest of the banner, which was on its way
        with pytest.raises(TimeoutError):
            stream.recv(1000)
        assert twins.answers("bull2")
        machine.drop_packets(drop=False)
        stream.settimeout(60)
        assert stream.recv(1000), "once mended, what was sent arrives"
    assert twins.answers("bull1")


def test_a_second_up_changes_nothing(twins: Twins) -> None:
    boots = {name: twins.boot_id(name) for name in MACHINES}
    edited = twins.lab.read_text().replace("preset: quick", "preset: quick\n  duration: 3s")
    twins.lab.write_text(edited)
    known = twins.practice.places.known_hosts.read_text()
    twins.practice.up(patient_order())
    assert {name: twins.boot_id(name) for name in MACHINES} == boots
    assert twins.lab.read_text() == edited, "what the user wrote stays"
    assert twins.practice.places.known_hosts.read_text() == known


def test_down_leaves_nothing(own_twins: Twins) -> None:
    practice, directory = own_twins.practice, own_twins.practice.directory
    inside = set().union(*(inhabitants(own_twins.container(name).leader()) for name in MACHINES))
    assert len(traces(directory)) > 20, "the search finds what there is"
    cached = _tree(practice.places.cache)
    disks = [own_twins.root(name).stat() for name in MACHINES]
    locks = [Path(f"/run/systemd/nspawn/locks/inode-{d.st_dev}:{d.st_ino}") for d in disks]
    assert all(lock.exists() for lock in locks)
    practice.down(patient_order())
    assert_gone(practice, inside)
    assert not any(lock.exists() for lock in locks)
    assert _tree(practice.places.cache) == cached
    assert practice.status().standing is Standing.ABSENT
    practice.down(patient_order())


@pytest.mark.long
def test_copies_where_overlays_are_impossible(tmp_path: Path) -> None:
    skip_unless_possible()
    # No overlay can have another one's files for its upper ones.
    for name in ("lower", "upper", "work", "merged"):
        (tmp_path / name).mkdir()
    options = f"lowerdir={tmp_path}/lower,upperdir={tmp_path}/upper,workdir={tmp_path}/work"
    merged = tmp_path / "merged"
    subprocess.run(["mount", "-t", "overlay", "none", "-o", options, merged], check=True)
    try:
        practice = Practice(places_in(merged), Kind.CONTAINERS)
        practice.up(patient_order())
        twins = Twins(practice)
        assert not mounts.is_mounted(twins.root("bull1"))
        assert twins.inside("bull2", "stat", "-c", "%U", "/home/engineer") == "engineer\n"
        twins.inside("bull1", "touch", "/root/kept")
        twins.machine("bull1").reset()
        twins.await_answer("bull1")
        twins.inside("bull1", "test", "-e", "/root/kept")
        practice.down(patient_order())
        assert_gone(practice, set())
    finally:
        mounts.remove_tree(tmp_path / "merged")


def test_the_whole_way_to_stored_latencies(
    own_directories: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a user does it: one command, on a computer that has no lab yet."""
    skip_unless_possible()
    # Only the images are those of the real user.
    monkeypatch.setenv("XDG_CACHE_HOME", str(CACHE_HOME))
    try:
        run = auto("--lab", "practice", "--yes", "--set", "cyclictest.duration=2s",
                   "--set", "rt_tests.source=distribution")  # fmt: skip
        code = run.finish()
        told = run.errors()
        assert run.seen, told
        states = run.seen[-1]["states"]
        assert states["cyclictest"] == "done", (states, run.named("failure"), told)
        assert states["kernel"] == "skipped", "they have this computer's kernel"
        assert code in (0, 8), "8: the BIOS of this computer has hyperthreading on"
        assert told.startswith("practice: "), "progress of building and starting is on stderr"
        stored = run.named("latency-stored")
        assert {entry["host"] for entry in stored} == set(MACHINES)
        for entry in stored:
            assert entry["samples"] > 0
            assert json.loads(Path(entry["path"]).read_text())["host"] == entry["host"]
    finally:
        down = _program("practice", "down", "--kind", "containers")
        told = down.communicate(timeout=120)[1]
        print(f"down ended with {down.returncode}: {told}")
    assert down.returncode == 0, told
    lab = LabDirectory(own_directories / "state" / "kubert-tui" / "practice" / _NAME, _NAME)
    assert not traces(lab)
    assert not list((own_directories / "config").rglob("*.yaml"))


def _boot(twins: Twins, name: str) -> str:
    return twins.inside(
        name, "cat", "/proc/sys/kernel/random/boot_id", check=False
    ).strip()  # fmt: skip


def _tree(directory: Path) -> set[str]:
    return {str(path) for path in directory.glob("*/*")}


def _program(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "kubert_tui", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
