"""Real runs of cyclictest on this machine: short orders, and hooks that act in the middle.

KUBERT_TEST_CYCLICTESTS may name further binaries (separated by colons), for example of
other versions.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from threading import Event as Flag

from kubert_tui.base.secrets import Secret
from kubert_tui.facts.parse_tools import cyclictest_version
from kubert_tui.hosts.interface import Completed, Host, HostKeyOffer, Invocation
from kubert_tui.lab.model import CyclictestSpec
from kubert_tui.latency.command import arguments
from kubert_tui.latency.counters import Happened
from kubert_tui.latency.histogram import Snapshot
from kubert_tui.latency.measure import measure
from kubert_tui.latency.measurement import Hooks, Launched, Measured, MeasurementOrder
from kubert_tui.latency.stream import at_or_below

CYCLICTEST = shutil.which("cyclictest") or ""
BINARIES = [*filter(None, [CYCLICTEST, *os.environ.get("KUBERT_TEST_CYCLICTESTS", "").split(":")])]
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
INTERVAL = 500
ALL = tuple(sorted(os.sched_getaffinity(0)))


class NobodyAsks:
    """Local root needs no passwords."""

    def accept_host_key(self, offer: HostKeyOffer) -> bool:
        return False

    def password(self, host: str, prompt: str) -> Secret | None:
        return None

    def passphrase(self, host: str, key_file: str) -> Secret | None:
        return None

    def sudo_password(self, host: str, prompt: str) -> Secret | None:
        return None


class PlainUser:
    """This machine as `nobody`, without sudo."""

    name = "plain"
    is_local = True

    def __init__(self, root: Host) -> None:
        self._root = root

    def run(self, invocation: Invocation) -> Completed:
        argv = (*NOBODY, *invocation.argv)
        return self._root.run(Invocation(argv, stdin=invocation.stdin, timeout=60))

    def put(self, data: bytes | Path, path: str, *, mode: int = 0o600, sudo: bool = False) -> None:
        assert isinstance(data, bytes)
        self.run(Invocation(("sh", "-c", 'umask 077; cat > "$1"', "sh", path), stdin=data))

    def get(self, path: str, *, sudo: bool = False) -> bytes:
        return self.run(Invocation(("cat", path))).stdout

    def close(self) -> None:
        """Nothing to close."""


@dataclass
class Watch:
    """Hooks that remember, and do something at the first snapshot."""

    at_first: Callable[[], None] = lambda: None
    started: list[Launched] = field(default_factory=list)
    snapshots: list[Snapshot] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    happened: list[Happened] = field(default_factory=list)

    @property
    def hooks(self) -> Hooks:
        return Hooks(
            self.started.append,
            self._snapshot,
            self.notes.append,
            happened=self.happened.append,
        )

    def _snapshot(self, snapshot: Snapshot) -> None:
        self.snapshots.append(snapshot)
        if len(self.snapshots) == 1:
            self.at_first()


def version_of(binary: str) -> str:
    done = subprocess.run([binary, "--help"], capture_output=True, check=False)
    return cyclictest_version(done.stdout.decode() + done.stderr.decode())


def order(
    seconds: float,
    *,
    binary: str = CYCLICTEST,
    cpus: tuple[int, ...] = (),
    name: str = "run-1",
    breaktrace: str = "",
) -> MeasurementOrder:
    """`breaktrace`: with a trace, as a host that can record one."""
    loops = int(seconds * 1_000_000 / INTERVAL)
    settings = CyclictestSpec(interval=INTERVAL, loops=loops, breaktrace=breaktrace)
    version = version_of(binary)
    return MeasurementOrder(
        identity=name,
        command=arguments(
            settings, version, path=binary, cpus=cpus, traced=bool(settings.breaktrace)
        ),
        version=version,
        interval=INTERVAL,
        loops=loops,
        histogram=settings.histogram,
        cpus=cpus or ALL,
        housekeeping=tuple(set(ALL) - set(cpus)) if cpus else (),
    )


def carry_out(
    host: Host,
    what: MeasurementOrder,
    directory: str,
    watch: Watch,
    *,
    cancel: Flag | None = None,
    detach: Flag | None = None,
) -> Measured:
    return measure(
        host,
        what,
        directory=directory,
        hooks=watch.hooks,
        cancel=cancel or Flag(),
        detach=detach or Flag(),
        systemd=False,
    )


def samplers(directory: str) -> list[int]:
    """The samplers of runs in `directory`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            argv = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(part.startswith(directory.encode()) and b"sampler.py" in part for part in argv):
            # The wrapping shells carry the same words; the sampler itself runs Python.
            name = (path.parent / "comm").read_text()
            if name.startswith("python"):
                found.append(int(path.parent.name))
    return found


def assert_grows(snapshots: list[Snapshot]) -> None:
    assert snapshots
    for earlier, later in pairwise(snapshots):
        assert later.sequence == earlier.sequence + 1
        assert at_or_below(earlier, later)


def end_runs(directory: Path) -> None:
    """End what a test that failed left running in `directory`."""
    for path in directory.glob("*/process"):
        pid = path.read_text().split()[0]
        command = Path("/proc", pid, "cmdline")
        if command.exists() and b"--histogram" in command.read_bytes():
            os.kill(int(pid), signal.SIGKILL)
