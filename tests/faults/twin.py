"""One container twin under test: entered past its network, put back to how it was."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Protocol

from kubert_tui.lab.model import HostSpec
from kubert_tui.practice.model import Machine
from tests.support.twins import run_inside

_ANSWER_LIMIT = 90.0
_TURN = 0.05


class Container(Machine, Protocol):
    """A machine whose disk is a directory here."""

    def leader(self) -> int:
        """The process here that is its init; 0 while it is off."""

    @property
    def disk(self) -> Path:
        """What it wrote: may be emptied and filled while it is off."""

    def unmount(self) -> None:
        """Let go of the disk, while it is off; `start` takes it again."""


@dataclass
class Twin:
    """A container, its pristine states, and what the suite does to it from outside."""

    machine: Container
    identity: Path
    """Private key of root and engineer."""
    states: Path
    """Directory for the pristine states: one copy of the disk each."""
    broken: list[Callable[[], object]] = field(default_factory=list)
    """What undoes faults that are still in force."""
    _before: int = 0
    _mending: Lock = field(default_factory=Lock)

    @property
    def name(self) -> str:
        return self.machine.name

    @property
    def root(self) -> Path:
        """The root directory as processes in there see it, /tmp and /run included."""
        return Path(f"/proc/{self.machine.leader()}/root")

    def spec(self, *, user: str = "root") -> HostSpec:
        """How the lab file names it."""
        return HostSpec(
            name=self.name,
            address=self.machine.address,
            port=self.machine.port,
            user=user,
            identity_file=str(self.identity),
        )

    def inside(self, *argv: str, check: bool = True, stdin: str = "") -> str:
        """Run a command in there as root, past the network; return what it printed."""
        command = [
            "nsenter", "-t", str(self.machine.leader()), "-m", "-u", "-i", "-n", "-p", "--",
            "/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C",
            "DEBIAN_FRONTEND=noninteractive", *argv,
        ]  # fmt: skip
        code, told, errors = run_inside(command, stdin, limit=120)
        if check and code:
            raise RuntimeError(f"{self.name}: {argv}: {told}{errors}")
        return told

    def start(self) -> None:
        """Switch on; returns when sshd answers."""
        self.machine.start()
        self.await_up()

    def await_up(self) -> None:
        """Wait until it is up: systemd is done with starting and sshd listens."""
        deadline = time.monotonic() + _ANSWER_LIMIT
        while True:
            with suppress(RuntimeError, subprocess.TimeoutExpired):
                if self.machine.leader():
                    state = self.inside("systemctl", "is-system-running", check=False).strip()
                    if state in ("running", "degraded") and self.listens():
                        return
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} did not start:\n{self.console_end()}")
            time.sleep(_TURN)

    def await_restarted(self, boot: str) -> None:
        """Wait until it is up as another boot than `boot`."""
        deadline = time.monotonic() + _ANSWER_LIMIT
        while time.monotonic() < deadline:
            with suppress(RuntimeError, subprocess.TimeoutExpired):
                if self.machine.leader() and self.boot_id() not in ("", boot):
                    break
            time.sleep(_TURN)
        self.await_up()

    def boots(self) -> int:
        """How often it started since a state was put back."""
        return self._banners() - self._before

    def _banners(self) -> int:
        console = self.machine.console
        return console.read_bytes().count(b"Welcome to ") if console.exists() else 0

    def console_end(self) -> str:
        """The last lines of its console."""
        return self.machine.console.read_text(errors="replace")[-2000:]

    def listens(self) -> bool:
        """Whether sshd has its port."""
        return f":{self.machine.port}" in self.inside("ss", "-Hltn")

    def keep(self, state: str) -> None:
        """Keep the disk as it is now under a name; leaves the twin off."""
        self.inside("sync")
        self.machine.cut_power()
        self.machine.unmount()
        shutil.rmtree(self.states / state, ignore_errors=True)
        self.states.mkdir(parents=True, exist_ok=True)
        _copy(self.machine.disk, self.states / state)

    def restore(self, state: str) -> None:
        """Put back a state that was kept, and switch on."""
        self.mend()
        self.machine.cut_power()
        self.machine.unmount()
        for entry in self.machine.disk.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        _copy(self.states / state, self.machine.disk)
        self._before = self._banners()
        self.start()

    def mend(self) -> None:
        """Undo what is still broken, last first. Timers of faults call it, too."""
        with self._mending:
            while self.broken:
                self.broken.pop()()

    def processes(self) -> Iterator[tuple[int, list[str]]]:
        """Every process in there: its number here, its arguments."""
        leader = self.machine.leader()
        ours = Path(f"/proc/{leader}/ns/pid").readlink()
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if (entry / "ns/pid").readlink() == ours:
                    argv = (entry / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
                    if argv != [b""]:
                        yield int(entry.name), [part.decode(errors="replace") for part in argv]

    def sessions(self) -> list[int]:
        """The processes of sshd that serve connections."""
        return [
            pid
            for pid, argv in self.processes()
            if argv[0].startswith("sshd") and "listener" not in " ".join(argv)
        ]

    def cut_sessions(self) -> int:
        """End sshd's side of every connection at once; return how many processes that were."""
        victims = self.sessions()
        for pid in victims:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(victims)

    def boot_id(self) -> str:
        """Changes with every start."""
        return self.inside("cat", "/proc/sys/kernel/random/boot_id").strip()


def _copy(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    # Overlays keep their whiteouts as devices and their opaque directories as attributes.
    subprocess.run(["cp", "-a", "--preserve=all", f"{source}/.", str(target)], check=True)
