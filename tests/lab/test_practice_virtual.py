"""Virtual machines for real: a disk, GRUB, reboots, a reset button, a network that goes dead."""

import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from threading import Event as Flag

import pytest

from kubert_tui.base.errors import CancelledError
from kubert_tui.practice import mounts, processes
from kubert_tui.practice.acceleration import Acceleration, Kernel, boots
from kubert_tui.practice.disk import INITRAMFS, KERNEL, STEPS
from kubert_tui.practice.images import Images
from kubert_tui.practice.model import Kind, Order, Progress
from kubert_tui.practice.pace import Pace
from kubert_tui.practice.state import LabDirectory
from kubert_tui.practice.status import Standing
from kubert_tui.practice.virtual import Virtual
from tests.support.traces import assert_gone, traces
from tests.support.twins import (
    CACHE,
    CACHE_HOME,
    patient_order,
    skip_unless_possible,
    stop_twins,
    wait_until,
)
from tests.support.virtual_twins import VirtualTwins, virtual_host

__all__ = ["virtual_host"]
# As long as it takes where the image has to be built first and the computer does much else.
pytestmark = [pytest.mark.lab, pytest.mark.virtual, pytest.mark.timeout(5400)]


class Conversation:
    """An ssh session that repeats what it is told: whether a connection lives, and how long."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(
            [*command, "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )

    def say(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n".encode())

    def hears(self, word: str, limit: float) -> bool:
        assert self.process.stdout is not None
        told = b""
        deadline = time.monotonic() + limit
        while word.encode() + b"\n" not in told:
            left = deadline - time.monotonic()
            if left < 0 or not select.select([self.process.stdout], [], [], left)[0]:
                return False
            if not (more := self.process.stdout.read(1000)):
                return False
            told += more
        return True

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


def banner(address: str, port: int, limit: float) -> bytes:
    """What a server says first; empty if nothing for `limit` seconds. Refused is an OSError."""
    with socket.create_connection((address, port), timeout=limit) as stream:
        try:
            return stream.recv(100)
        except TimeoutError:
            return b""


@pytest.mark.long
def test_a_virtual_machine_from_up_to_down(virtual_host: VirtualTwins) -> None:
    twins, name = virtual_host, "bull1"
    machine = twins.virtual(name)
    first = twins.boot_id(name)

    # A whole Debian: its own kernel from its own disk by GRUB, nothing failed, a user who may sudo.
    assert twins.inside(name, "uname", "-n") == f"{name}\n"
    assert "BOOT_IMAGE=/boot/vmlinuz-" in twins.inside(name, "cat", "/proc/cmdline")
    assert twins.inside(name, "findmnt", "-no", "SOURCE", "/").startswith("/dev/vda2")
    assert twins.inside(name, "systemctl", "is-system-running", "--wait") == "running\n"
    assert "next_entry" not in twins.inside(name, "grub-editenv", "list")
    sudo = subprocess.run(
        [*twins.ssh(name, user="engineer"), "sudo -S -p '' id -u"],
        input=twins.password, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert sudo.stdout == "0\n"
    assert twins.password not in twins.inside(
        name, "grep", "-rs", twins.password, "/etc", check=False
    )

    # Up again finds nothing to do.
    twins.practice.up(patient_order())
    assert twins.practice.status().standing is Standing.UP
    assert twins.boot_id(name) == first

    # A network that swallows everything refuses nothing, and nobody inside notices.
    talk = Conversation(twins.ssh(name))
    try:
        talk.say("before")
        assert talk.hears("before", 120)
        machine.drop_packets(drop=True)
        talk.say("into the void")
        assert not talk.hears("into the void", 5)
        assert banner(machine.address, machine.port, 5) == b""
        machine.drop_packets(drop=False)
        assert talk.hears("into the void", 300)
    finally:
        talk.end()
    links = twins.inside(name, "journalctl", "-b", "-u", "systemd-networkd", "--no-pager")
    assert links.count("Gained carrier") == 2
    assert "Lost carrier" not in links

    # It restarts itself.
    twins.inside(name, "systemctl", "reboot", check=False)
    second = twins.await_boot(name, first)
    # The reset button.
    machine.reset()
    third = twins.await_boot(name, second)
    # The power cord. What was flushed is kept.
    kept = "echo precious >/root/kept && sync /root/kept"
    twins.inside(name, "sh", "-c", f"{kept}; echo fleeting >/root/fleeting")
    machine.cut_power()
    assert not machine.running()
    assert twins.practice.status().standing is Standing.OFF
    machine.start()
    assert machine.running()
    fourth = twins.await_boot(name, third)
    assert len({first, second, third, fourth}) == 4
    assert twins.inside(name, "cat", "/root/kept") == "precious\n"
    # Keys came once, at the first start; the machine is still itself, with the same name.
    assert twins.inside(name, "uname", "-n") == f"{name}\n"
    # All starts are on its console, GRUB's part too.
    told = machine.console.read_text(errors="replace")
    assert told.count("Linux version") == 4
    assert "GNU GRUB" in told

    twins.practice.down(patient_order())
    assert_gone(twins.practice, set())
    twins.practice.down(patient_order())


def test_a_killed_up_leaves_nothing_that_down_does_not_find(tmp_path: Path) -> None:
    skip_unless_possible(Kind.VIRTUAL)
    lab = LabDirectory(tmp_path / "lab/state/practice-virtual", "practice-virtual")
    up = subprocess.Popen(
        [sys.executable, "-m", "tests.support.virtual_twins", "up", str(tmp_path / "lab")],
        env={**processes.environment("test"), "KUBERT_TUI_TEST_CACHE": str(CACHE_HOME)},
        start_new_session=True,
    )
    try:
        wait_until(lambda: processes.marked(f"{lab.tag}/bull1"), "QEMU runs", 3600)
    finally:
        up.send_signal(signal.SIGKILL)
        up.wait()
    # It lives on without us.
    assert processes.marked(f"{lab.tag}/bull1")
    stop_twins(tmp_path / "lab")
    assert not traces(lab)


def test_a_real_kernel_decides_what_accelerates(virtual_image: Path, tmp_path: Path) -> None:
    kernel = Kernel(virtual_image / KERNEL, virtual_image / INITRAMFS)
    options = Acceleration.EMULATION.options
    assert boots(options, kernel, "test:probe", limit=600)
    broken = tmp_path / "vmlinuz"
    # Its first half: as far as the loader is concerned it is a kernel.
    broken.write_bytes(kernel.image.read_bytes()[: kernel.image.stat().st_size // 2])
    assert not boots(options, Kernel(broken, kernel.initramfs), "test:probe", limit=20)
    assert not processes.marked("test:probe")


@pytest.fixture
def virtual_image() -> Path:
    skip_unless_possible(Kind.VIRTUAL)
    return Images(CACHE, Virtual()).ensure(Pace(patient_order(), STEPS))


@pytest.mark.network
def test_a_build_that_is_called_off_leaves_nothing(tmp_path: Path) -> None:
    skip_unless_possible(Kind.VIRTUAL)
    cancel = Flag()

    def stop(progress: Progress) -> None:
        if progress.step == "installing the base system":
            cancel.set()

    images = Images(tmp_path / "cache", Virtual())
    with pytest.raises(CancelledError):
        images.ensure(Pace(Order(stop, cancel), STEPS))
    assert not images.present
    assert not [path for path in (tmp_path / "cache").iterdir() if path.is_dir()]
    assert not mounts.below(tmp_path)
    assert not processes.marked(f"build:{tmp_path}")
