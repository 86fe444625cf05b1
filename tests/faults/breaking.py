"""What breaks: each fault strikes at a point of a run, and is mended before the next run."""

import subprocess
import threading
from dataclasses import dataclass
from typing import ClassVar

from tests.faults.bench import Bench
from tests.faults.command import Run
from tests.faults.packages import HELD, HOLD
from tests.support.twins import wait_until


class Fault:
    """One kind of fault. `prepare` comes before the run, `mend` before the re-run."""

    name: ClassVar[str] = ""
    kills: ClassVar[bool] = False
    """It ends kubert-tui itself."""
    boots: ClassVar[int] = 0
    """How often it starts the host."""

    def prepare(self, bench: Bench) -> None:
        """Make ready what the fault needs."""

    def strike(self, bench: Bench, run: Run) -> None:
        """Break it."""
        raise NotImplementedError

    def watch(self, bench: Bench, run: Run) -> int:
        """Follow the run to its end; return the exit code."""
        return run.finish()

    def mend(self, bench: Bench) -> None:
        """Undo it: what a person at the machine would do."""
        bench.twin.mend()


class Kill(Fault):
    """kill -9 of the main process. What it started notices that."""

    name = "kill -9 of kubert-tui"
    kills = True
    family = False

    def strike(self, bench: Bench, run: Run) -> None:
        run.kill(family=self.family)


class KillAll(Kill):
    """kill -9 of everything it started on this computer too, as with its container or session."""

    name = "kill -9 of kubert-tui and all it started here"
    family = True


class CutConnections(Fault):
    """sshd's side of every connection is gone at once; new ones are accepted."""

    name = "SSH connections cut"

    def strike(self, bench: Bench, run: Run) -> None:
        # While a host restarts there is none for a moment.
        wait_until(lambda: bench.twin.cut_sessions() > 0, "there is a connection to cut", 60)


@dataclass
class HalfOpen(Fault):
    """Packets vanish both ways, for some seconds: shorter than anybody gives up."""

    name = "packets dropped for 8 s"
    seconds: float = 8.0

    def strike(self, bench: Bench, run: Run) -> None:
        machine = bench.twin.machine
        machine.drop_packets(True)
        timer = threading.Timer(self.seconds, bench.twin.mend)
        bench.twin.broken.append(lambda: machine.drop_packets(False))
        timer.start()
        bench.twin.broken.append(timer.cancel)


@dataclass
class Silence(Fault):
    """Packets vanish both ways until kubert-tui says that it lost the host."""

    name = "packets dropped until kubert-tui gives up"
    tells: int = 1
    """How often it tells that it waits, before the network is mended."""

    def strike(self, bench: Bench, run: Run) -> None:
        machine = bench.twin.machine
        machine.drop_packets(True)
        bench.twin.broken.append(lambda: machine.drop_packets(False))

    def watch(self, bench: Bench, run: Run) -> int:
        told = 0
        for entry in run.events():
            told += entry["event"] == "waiting"
            if entry["event"] == "failure" or told == self.tells:
                bench.twin.mend()
        return run.process.wait(60)


class PowerCut(Fault):
    """The host goes away without a word, and comes back."""

    name = "host reset (power cut)"
    boots = 1

    def strike(self, bench: Bench, run: Run) -> None:
        bench.twin.machine.reset()

    def mend(self, bench: Bench) -> None:
        super().mend(bench)
        bench.twin.await_up()


class Reboot(PowerCut):
    """Somebody else restarts the host in an orderly way."""

    name = "host rebooted by somebody else"

    def strike(self, bench: Bench, run: Run) -> None:
        before = bench.twin.boot_id()
        bench.twin.inside("systemctl", "reboot", check=False)
        self._before = before

    def mend(self, bench: Bench) -> None:
        bench.twin.await_restarted(self._before)
        super().mend(bench)


_SHRINK = """
    set -e
    mkdir -p "$1"
    size=$(($(du -skx "$1" | cut -f 1) + 40960))k
    if mountpoint -q "$1"; then
        mount -o "remount,size=$size" "$1"
        exit
    fi
    copy=$(mktemp -d -p /dev/shm)
    cp -a "$1/." "$copy/"
    mount -t tmpfs -o "size=$size,mode=$(stat -c %a "$1")" none "$1"
    cp -a "$copy/." "$1/"
    rm -rf "$copy"
"""


@dataclass
class DiskFullThere(Fault):
    """A place of the host's is a small disk of its own, and something fills it."""

    name = "disk full on the host"
    place: str = "/var"

    def prepare(self, bench: Bench) -> None:
        bench.twin.inside("sh", "-c", _SHRINK, "sh", self.place)

    def strike(self, bench: Bench, run: Run) -> None:
        filler = f"{self.place}/kubert-faults-filler"
        # fallocate alone may leave the last blocks; dd takes them.
        bench.twin.inside(
            "sh", "-c", f"dd if=/dev/zero of={filler} bs=64k 2>/dev/null", check=False
        )
        bench.twin.inside("sh", "-c", f"dd if=/dev/zero of={filler}2 bs=1 2>/dev/null", check=False)
        more = f"rm -f {filler} {filler}2; mount -o remount,size=20g {self.place}"
        bench.twin.broken.append(_Undo(bench, more))


class PythonGone(Fault):
    """The host's Python is not there any more (an upgrade went wrong, a minimal image)."""

    name = "Python missing on the host"

    def strike(self, bench: Bench, run: Run) -> None:
        bench.twin.inside("sh", "-c", "mkdir /usr/bin/away; mv /usr/bin/python3* /usr/bin/away/")
        bench.twin.broken.append(self._back(bench))

    def _back(self, bench: Bench) -> "_Undo":
        return _Undo(bench, "mv /usr/bin/away/* /usr/bin/; rmdir /usr/bin/away")


class ClockThere(Fault):
    """The host's clock, as its `date` tells it, jumps by a day."""

    name = "clock jumping on the host"
    _STUB = """\
#!/bin/sh
[ -e /run/kubert-faults-clock ] && exec /bin/date --date="$(cat /run/kubert-faults-clock)" "$@"
exec /bin/date "$@"
"""

    def prepare(self, bench: Bench) -> None:
        stub = bench.twin.root / "usr/local/bin/date"
        stub.write_text(self._STUB)
        stub.chmod(0o755)
        bench.twin.broken.append(_Undo(bench, "rm -f /usr/local/bin/date /run/kubert-faults-clock"))

    def strike(self, bench: Bench, run: Run) -> None:
        (bench.twin.root / "run/kubert-faults-clock").write_text("1 day ago")


@dataclass
class _Undo:
    bench: Bench
    script: str

    def __call__(self) -> None:
        self.bench.twin.inside("sh", "-c", self.script)


_HOLDER = """
import fcntl, os, sys, time
files = [open(name, "r+") for name in ("/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock")]
files.append(open("/var/lib/apt/lists/lock", "a+"))
for file in files: fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
print("locked", flush=True)
sys.stdin.read()
"""


@dataclass
class PackagesLocked(Fault):
    """Another package manager holds dpkg's and apt's locks for some seconds."""

    name = "package manager locked by another process"
    seconds: float = 15.0

    def strike(self, bench: Bench, run: Run) -> None:
        holder = subprocess.Popen(
            ["nsenter", "-t", str(bench.twin.machine.leader()), "-m", "-p", "--",
             "/usr/bin/python3", "-c", _HOLDER],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        timer = threading.Timer(self.seconds, bench.twin.mend)
        bench.twin.broken.append(lambda: (holder.communicate(), None)[1])
        timer.start()
        bench.twin.broken.append(timer.cancel)


def hold_installations(bench: Bench) -> None:
    """From now on an installation stands still in its middle until `mend`."""
    bench.twin.inside("touch", HOLD)
    bench.twin.broken.append(_Undo(bench, f"rm -f {HOLD}"))


def held(bench: Bench) -> bool:
    """Whether an installation stands still."""
    return (bench.twin.root / HELD.lstrip("/")).exists()
