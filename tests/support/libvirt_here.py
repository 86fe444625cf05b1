"""A libvirtd of the tests' own on this machine: its files, network and processes are its alone.

    with private_libvirt(tmp_path) as libvirt:
        with open_hypervisor("here", libvirt.uri) as hypervisor: ...
        libvirt.virsh("list", "--all")          # from outside of kubert-tui

It runs in namespaces of its own: what is /etc/libvirt, /var/lib/libvirt and so on to it lies in
the directory of the test, its bridges are seen by nobody else, and with its first process all of
its QEMUs end. No systemd is needed. Skips the test where that is impossible.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

_START_LIMIT = 180.0
"""Seconds; libvirtd starts every QEMU there is, to see what it can do."""
_PATHS = ("/etc/libvirt", "/var/lib/libvirt", "/run/libvirt", "/var/log/libvirt",
          "/var/cache/libvirt", "/run/lock")  # fmt: skip
_SOCKET = "run/libvirt/libvirt-sock"
# `cgroup_controllers`: how this machine accounts for memory is not libvirtd's to change.
# `namespaces`: libvirt would make a /dev for each QEMU, and cannot where a test hides a device.
_START = """\
set -eu
directory=$1; shift
mount --make-rprivate /
for path in "$@"; do
    mkdir -p "$path" "$directory$path"
    mount --bind "$directory$path" "$path"
done
# The user for whom Debian's other package would be needed; QEMU runs as root below.
cp /etc/passwd /etc/group "$directory"
grep -q ^libvirt-qemu: /etc/passwd ||
    echo libvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin >>"$directory/passwd"
for group in libvirt-qemu:x:64055: kvm:x:64056:; do
    grep -q "^${group%%:*}:" /etc/group || echo "$group" >>"$directory/group"
done
mount --bind "$directory/passwd" /etc/passwd
mount --bind "$directory/group" /etc/group
ip link set lo up
cat >/etc/libvirt/qemu.conf <<'END'
user = "root"
group = "root"
security_driver = "none"
cgroup_controllers = [ "cpu", "cpuacct", "cpuset" ]
namespaces = [ ]
END
cat >/etc/libvirt/libvirtd.conf <<END
unix_sock_rw_perms = "0700"
auth_unix_rw = "none"
log_outputs = "3:file:$directory/libvirtd.log"
END
virtlogd --daemon --pid-file /run/libvirt/virtlogd.pid
# Not `exec`: the first process has to take care of orphans.
libvirtd --pid-file /run/libvirt/libvirtd.pid &
wait "$!"
"""


@dataclass(frozen=True)
class PrivateLibvirt:
    """A libvirtd that runs."""

    directory: Path
    process: int
    """The first one, in whose namespaces all the others are."""

    @property
    def socket(self) -> Path:
        return self.directory / _SOCKET

    @property
    def uri(self) -> str:
        return f"qemu+unix:///system?socket={self.socket}"

    @property
    def images(self) -> Path:
        """What is libvirt's usual directory of images to it."""
        return self.directory / "var/lib/libvirt/images"

    def inside(self, *argv: str) -> None:
        """Run a command in its network."""
        # unshare itself has entered all of them but the one for processes.
        enter = ["nsenter", f"--net=/proc/{self.process}/ns/net"]
        subprocess.run([*enter, *argv], check=True, timeout=60)

    @property
    def enter(self) -> tuple[str, ...]:
        """What a command begins with that is to run in all of its namespaces."""
        spaces = f"/proc/{self.process}/ns"
        return ("nsenter", f"--mount={spaces}/mnt", f"--net={spaces}/net",
                f"--pid={spaces}/pid_for_children")  # fmt: skip

    def hide_kvm(self) -> None:
        """Have no KVM to it: /dev/kvm may be there and boot nothing; a socket cannot be opened."""
        if Path("/dev/kvm").exists():
            hidden = self.directory / "kvm"
            with socket.socket(socket.AF_UNIX) as placed:
                placed.bind(str(hidden))
            subprocess.run([*self.enter, "mount", "--bind", hidden, "/dev/kvm"], check=True)

    def virsh(self, *arguments: str) -> str:
        """What virsh prints; AssertionError if it fails."""
        argv = ["virsh", "-q", "-c", self.uri, *arguments]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return done.stdout.strip()


@contextmanager
def private_libvirt(directory: Path) -> Iterator[PrivateLibvirt]:
    """Start a libvirtd that keeps all its files in `directory`; end it and its machines after."""
    if os.geteuid() != 0:
        pytest.skip("needs root: namespaces, mounts")
    for program in ("libvirtd", "virtlogd", "virsh", "qemu-system-x86_64", "dnsmasq"):
        if not shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin"):
            pytest.skip(f"needs {program} installed")
    argv = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
            "bash", "-c", _START, "bash", str(directory), *_PATHS]  # fmt: skip
    with (directory / "out").open("wb") as output:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    libvirt = PrivateLibvirt(directory, process.pid)
    try:
        _await_start(process, libvirt)
        yield libvirt
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        _remove_groups()


def _await_start(process: subprocess.Popen[bytes], libvirt: PrivateLibvirt) -> None:
    deadline = time.monotonic() + _START_LIMIT
    argv = ["virsh", "-q", "-c", libvirt.uri, "version"]
    while subprocess.run(argv, capture_output=True, check=False).returncode:
        if process.poll() is not None or time.monotonic() > deadline:
            logs = (libvirt.directory / name for name in ("out", "libvirtd.log"))
            raise RuntimeError("\n".join(log.read_text() for log in logs if log.exists()))
        time.sleep(0.2)


def _remove_groups() -> None:
    """Remove the empty control groups that libvirtd leaves where there is no systemd.

    They are the whole machine's; one that somebody still uses cannot be removed, and stays.
    """
    root = Path("/sys/fs/cgroup")
    controllers = ("cpu", "cpuacct", "cpuset", "unified", ".")
    groups = [root / controller / "machine" for controller in controllers]
    deadline = time.monotonic() + 5
    # What was killed is in its group for a moment yet.
    while any(group.is_dir() for group in groups) and time.monotonic() < deadline:
        for group in groups:
            for path, _, _ in os.walk(group, topdown=False):
                with suppress(OSError):
                    Path(path).rmdir()
        time.sleep(0.1)
