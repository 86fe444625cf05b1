"""What breaks on this computer: its disk, its clock, what it wrote; and a wrong password."""

import json
import subprocess
import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.faults.bench import Bench
from tests.faults.breaking import Fault, Kill
from tests.faults.command import Run

_JUMPING = """
import os, time
_real, _gmtime, _localtime = time.time, time.gmtime, time.localtime
_place = os.environ["KUBERT_FAULTS_CLOCK"]
def _jumped():
    try:
        with open(_place) as file:
            return _real() + float(file.read() or 0)
    except OSError:
        return _real()
time.time = _jumped
time.gmtime = lambda seconds=None: _gmtime(_jumped() if seconds is None else seconds)
time.localtime = lambda seconds=None: _localtime(_jumped() if seconds is None else seconds)
"""
DAY = 86400.0


@dataclass
class DiskFullHere(Fault):
    """The disk of kubert-tui's own state (or another place of its) is full on this computer."""

    variable: str = "XDG_STATE_HOME"
    before: bool = False
    """It is full already when kubert-tui starts, for the second time."""
    place: Path = field(default=Path())

    name = "disk full here"

    def prepare(self, bench: Bench) -> None:
        if self.variable == "XDG_STATE_HOME":
            self.place = bench.home.path / "state"
        else:
            # Short: sockets lie below it.
            self.place = Path(tempfile.mkdtemp(prefix="kf-", dir="/tmp"))
            bench.environment[self.variable] = str(self.place)
        self.place.mkdir(mode=0o700, exist_ok=True)
        argv = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "none", str(self.place)]
        subprocess.run(argv, check=True)
        bench.always.append(self._unmount)

    def strike(self, bench: Bench, run: Run) -> None:
        filler = self.place / "filler"
        with filler.open("wb", buffering=0) as file:
            size = 65536
            while size:
                try:
                    file.write(b"\0" * size)
                except OSError:
                    size //= 2
        bench.twin.broken.append(filler.unlink)

    def _unmount(self) -> None:
        # What it holds is looked at after a failure.
        kept = f"{self.place}.kept" if self.variable == "XDG_STATE_HOME" else "/dev/null"
        subprocess.run(["cp", "-a", f"{self.place}/.", kept], check=False, capture_output=True)
        subprocess.run(["umount", "-l", str(self.place)], check=True)
        self.place.rmdir()


@dataclass
class FullFromTheStart(DiskFullHere):
    """The disk here fills while kubert-tui is away: it is full when it is started again."""

    name = "disk full here before a start"
    kills = True

    def strike(self, bench: Bench, run: Run) -> None:
        run.kill(family=True)
        super().strike(bench, run)
        again = bench.start()
        code = again.finish()
        said = again.errors()
        assert code == 1, f"exit {code}\n{said}"
        assert "Traceback" not in said, said
        said += " ".join(f"{one['what']} {one['fix']}" for one in again.named("failure"))
        assert "disk" in said, f"no word of the disk: {said}"


@dataclass
class ClockJumps(Fault):
    """kubert-tui's own clock jumps while it runs."""

    by: float = DAY

    name = "clock jumping here"

    def prepare(self, bench: Bench) -> None:
        own = bench.home.path / "clock"
        own.mkdir()
        (own / "sitecustomize.py").write_text(_JUMPING)
        bench.environment["KUBERT_FAULTS_CLOCK"] = str(own / "offset")
        path = bench.environment.get("PYTHONPATH") or bench.home.environment().get("PYTHONPATH", "")
        bench.environment["PYTHONPATH"] = f"{own}:{path}".rstrip(":")

    def strike(self, bench: Bench, run: Run | None) -> None:
        offset = bench.home.path / "clock" / "offset"
        offset.with_suffix(".new").write_text(str(self.by))
        offset.with_suffix(".new").replace(offset)

    def mend(self, bench: Bench) -> None:
        super().mend(bench)
        (bench.home.path / "clock" / "offset").unlink(missing_ok=True)


@dataclass
class ClockJumpsBetween(ClockJumps):
    """kubert-tui is killed, and started again at another time than it was."""

    name = "clock jumping here between two starts"
    kills = True

    def strike(self, bench: Bench, run: Run | None) -> None:
        assert run is not None
        run.kill(family=True)
        super().strike(bench, run)

    def mend(self, bench: Bench) -> None:
        """It stays wrong until all is done: nobody notices."""
        bench.twin.mend()
        bench.before_looking.append(partial(super().mend, bench))


@dataclass
class RunOfTomorrow(ClockJumps):
    """An earlier run was made when the clock was a day ahead; then this one is killed."""

    name = "clock set back before the run"
    kills = True

    def prepare(self, bench: Bench) -> None:
        super().prepare(bench)
        super().strike(bench, None)
        assert bench.start("connect").finish() == 0
        super().mend(bench)

    def strike(self, bench: Bench, run: Run | None) -> None:
        assert run is not None
        run.kill(family=True)


@dataclass
class TornJournal(Kill):
    """Killed, and the last bytes of the journal did not reach the disk."""

    missing: float = 1
    """Bytes; below 1, that part of the last line."""

    name = "the journal's last line torn"
    family = True

    def strike(self, bench: Bench, run: Run) -> None:
        super().strike(bench, run)
        journal = _journal(bench)
        data = journal.read_bytes()
        last = data.rstrip(b"\n").rpartition(b"\n")[2] + b"\n"
        count = int(self.missing) if self.missing >= 1 else round(len(last) * self.missing)
        journal.write_bytes(data[: len(data) - min(count, len(last))])


@dataclass
class GarbageInJournal(Kill):
    """Killed, and the journal ends in bytes that nobody wrote."""

    garbage: bytes = b"\0" * 512

    name = "garbage at the journal's end"
    family = True

    def strike(self, bench: Bench, run: Run) -> None:
        super().strike(bench, run)
        with _journal(bench).open("ab") as file:
            file.write(self.garbage)


GARBAGE = {
    "NULs": b"\0" * 512,
    "binary": bytes(range(256)) * 4,
    "other JSON": b'[1, 2]\n{"event": 7}\n{"event": "latency-stored"}\nnull\n',
    "an event of the future": json.dumps({"event": "tea-brewed", "time": 4e9}).encode() + b"\n",
}


class SudoWrong(Fault):
    """The operator does not know the sudo password."""

    name = "sudo password wrong"

    def prepare(self, bench: Bench) -> None:
        right = bench.typed
        bench.typed = "not the password"
        bench.twin.broken.append(lambda: setattr(bench, "typed", right))

    def strike(self, bench: Bench, run: Run) -> None:
        """It is wrong from the start."""


def _journal(bench: Bench) -> Path:
    (journal,) = (bench.home.state / "runs").glob("*/journal.jsonl")
    return journal
