"""A cyclictest run on a host: its directory there, its detached start, its state, its end.

Everything a run needs lies in DIRECTORY/IDENTITY on the host (0700): what was ordered, the
scripts, cyclictest's outputs, and the record of its process. No pipe, terminal or signal
ties it to our connection; `run.sh` says which files there are.
"""

import json
import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib.resources import files
from io import BytesIO
from typing import Any
from zipfile import ZipFile

from kubert_tui.base.errors import KubertError, MeasurementError
from kubert_tui.base.text import clean_line, last_lines
from kubert_tui.cpus.lists import cpu_list
from kubert_tui.hosts.interface import Completed, Host, Invocation
from kubert_tui.latency.counters import UNKNOWN, Happened, told
from kubert_tui.latency.failures import OrderDiffersError
from kubert_tui.latency.measurement import MeasurementOrder
from kubert_tui.latency.recorded import Recorded, parse_recorded

_IDENTITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_PROCESS = re.compile(
    r"([0-9]{1,10}) ([0-9]{1,20}) ([0-9]{1,12}(?:\.[0-9]{1,9})?)\S* ([0-9a-f-]{36})"
)
_RECORD = "import sys\nfrom kubert_tui.latency.recorder import main\nsys.exit(main())\n"
_EXIT = re.compile(r"([0-9]{1,3}) ([0-9]{1,12}(?:\.[0-9]{1,9})?)")


class Stage(StrEnum):
    """How far a run is."""

    ABSENT = "absent"
    PREPARED = "prepared"
    """Its directory is there; nothing was started."""
    STARTING = "starting"
    """Somebody starts it; there is no process yet."""
    RUNNING = "running"
    ENDED = "ended"
    """The process is gone. `exit_status` may be missing for a moment, or for good."""


@dataclass(frozen=True, slots=True)
class Process:
    """The record of a run's process, written before cyclictest took its first sample."""

    pid: int
    start_ticks: int
    """Start time in clock ticks since boot: tells it from a later process with its number."""
    started: float
    """Seconds since the epoch, the host's clock."""
    boot_id: str


@dataclass(frozen=True, slots=True)
class RunState:
    """What one look at a run told."""

    stage: Stage
    process: Process | None = None
    boot_id: str = ""
    """The host's present boot id."""
    exit_status: int | None = None
    finished: float = 0.0
    """Seconds since the epoch, the host's clock; 0 as long as there is no exit status."""
    cancelled: bool = False
    """Somebody asked it to stop."""

    @property
    def rebooted(self) -> bool:
        """Whether the host was started anew since the run began."""
        return self.process is not None and self.process.boot_id != self.boot_id


@dataclass(frozen=True, slots=True)
class Outputs:
    """What cyclictest (and its launcher) left behind."""

    stdout: bytes
    stderr: bytes
    happened: Happened = UNKNOWN
    """What firmware and hardware did meanwhile."""


def script(name: str) -> str:
    """Return one of this package's own scripts."""
    return files("kubert_tui.latency").joinpath(name).read_text(encoding="utf-8")


def recorder() -> bytes:
    """Return the recorder as a file that Python runs without anything of ours installed."""
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr("kubert_tui/__init__.py", "")
        archive.writestr("kubert_tui/latency/__init__.py", "")
        for name in ("sampler.py", "recorder.py"):
            archive.writestr(f"kubert_tui/latency/{name}", script(name))
        archive.writestr("__main__.py", _RECORD)
    return packed.getvalue()


class Run:
    """One run on one host. Methods raise UnreachableError when the connection is lost."""

    def __init__(self, host: Host, directory: str, identity: str) -> None:
        """`directory` holds all runs there; a relative one begins at the login's home."""
        if not _IDENTITY.fullmatch(identity):
            raise ValueError(f"{identity!r} cannot name a measurement")
        self.host = host
        self.identity = identity
        if not directory.startswith("/"):
            directory = f"{self._home()}/{directory}"
        self.directory = f"{directory.rstrip('/')}/{identity}"

    def _home(self) -> str:
        # Commands begin in the login's home, under sudo too; a unit of systemd's does not.
        done = self._run("pwd")
        home = done.stdout.decode("utf-8", errors="replace").rstrip("\n").rstrip("/")
        if not done.ok or not home.isprintable() or not home.startswith("/"):
            raise self.error("the login's home directory is not known")
        return home

    def path(self, name: str) -> str:
        """The path of a file of the run on the host."""
        return f"{self.directory}/{name}"

    def prepare(self, order: MeasurementOrder) -> None:
        """Make the directory and put in what the run needs. Doing it twice does no harm."""
        made = self._shell('umask 077; mkdir -p -- "$1"', self.directory)
        self._demand(made, f"the directory {self.directory} cannot be made")
        self._put("order.json", json.dumps(asdict(order), indent=1))
        self._put("run.sh", script("run.sh"))
        self._put("counters.sh", script("counters.sh"))
        self.host.put(recorder(), self.path("recorder.pyz"), mode=0o600, sudo=True)

    def start(self, order: MeasurementOrder, *, systemd: bool) -> None:
        """Start it, free of us: as a transient unit, or in a session of its own.

        `run.sh` sees to it that a run is started once, however often this is called.
        """
        argv = ("sh", self.path("run.sh"), self.directory, cpu_list(order.cpus), *order.command)
        if systemd and self._run(*self._unit(argv)).ok:
            return
        # In containers systemd may be process 1 and yet not take units from us.
        done = self._run("setsid", "--fork", *argv)
        self._demand(done, "cyclictest cannot be started")

    def _unit(self, argv: tuple[str, ...]) -> tuple[str, ...]:
        # systemd puts variables into commands; $$ is a plain dollar sign.
        plain = tuple(part.replace("$", "$$") for part in argv)
        limits = ("--property=LimitMEMLOCK=infinity", "--property=LimitRTPRIO=99")
        unit = f"--unit=kubert-cyclictest-{self.identity}.service"
        return ("systemd-run", unit, "--collect", "--quiet", *limits, "--", *plain)

    def look(self) -> RunState:
        """Tell how the run stands, in one round trip."""
        done = self._shell(script("probe.sh"), self.directory)
        self._demand(done, "the state of the measurement cannot be read")
        return parse_state(done.stdout.decode("utf-8", errors="replace"))

    def check_order(self, order: MeasurementOrder) -> None:
        """Raise OrderDiffersError if the run there was ordered otherwise."""
        try:
            told = json.loads(self.host.get(self.path("order.json"), sudo=True))
            there = _order(told)
        except (ValueError, KeyError, TypeError) as error:
            raise self.error("the order of the measurement there cannot be read") from error
        if there.command != order.command:
            raise OrderDiffersError(
                "a measurement with other settings is under way", host=self.host.name, order=there
            )

    def stop(self) -> None:
        """Ask cyclictest to end; it still writes its whole histogram."""
        done = self._shell(script("stop.sh"), self.directory)
        self._demand(done, "cyclictest cannot be stopped")

    def outputs(self) -> Outputs:
        """Fetch what cyclictest wrote."""
        counted = told(self._get("counters.before"), self._get("counters.after"))
        return Outputs(self._get("stdout"), self._get("stderr"), counted)

    def recorded(self, order: MeasurementOrder) -> Recorded:
        """Fetch what the recorder on the host has kept."""
        return parse_recorded(self._get("past"), self._get("last"), order.cpus, order.histogram)

    def put_sampler(self) -> str:
        """Put the sampler there, of this version of ours; return its path."""
        self._put("sampler.py", script("sampler.py"))
        return self.path("sampler.py")

    def error(self, what: str, fix: str = "", details: str = "") -> MeasurementError:
        """An error about this run."""
        return MeasurementError(what, fix=fix, host=self.host.name, details=details)

    def _put(self, name: str, text: str) -> None:
        self.host.put(text.encode(), self.path(name), mode=0o600, sudo=True)

    def _get(self, name: str) -> bytes:
        try:
            return self.host.get(self.path(name), sudo=True)
        except KubertError as error:
            if self._run("test", "-e", self.path(name)).exit_status == 1:
                return b""
            raise error

    def _shell(self, text: str, *arguments: str) -> Completed:
        return self._run("sh", "-c", text, "sh", *arguments)

    def _run(self, *argv: str) -> Completed:
        return self.host.run(Invocation(argv, sudo=True))

    def _demand(self, done: Completed, what: str) -> None:
        if not done.ok:
            raise MeasurementError(
                what,
                host=self.host.name,
                command=done.argv[:1] if done.argv[:2] == ("sh", "-c") else done.argv,
                exit_status=done.exit_status,
                details=last_lines(done.stderr or done.stdout),
            )


def _order(told: dict[str, Any]) -> MeasurementOrder:
    """Return the order that `Run.prepare` wrote down."""
    return MeasurementOrder(
        identity=str(told["identity"]),
        command=tuple(map(str, told["command"])),
        version=str(told["version"]),
        interval=int(told["interval"]),
        loops=int(told["loops"]),
        histogram=int(told["histogram"]),
        cpus=tuple(map(int, told["cpus"])),
        housekeeping=tuple(map(int, told["housekeeping"])),
    )


def parse_state(text: str) -> RunState:
    """Read what `probe.sh` printed; MeasurementError when it is something else."""
    lines = text.splitlines()
    if lines in (["absent"], ["prepared"]):
        return RunState(Stage(lines[0]))
    told = {}
    for line in lines:
        word, _, rest = line.partition(" ")
        told[word] = rest
    known = {"launched", "boot", "process", "alive", "exit", "cancelled"}
    process = _PROCESS.fullmatch(told.get("process", ""))
    end = _EXIT.match(told.get("exit", ""))
    if "launched" not in told or not set(told) <= known or ("process" in told and not process):
        raise MeasurementError(
            "the host gave no sensible state of the measurement", details=clean_line(text)
        )
    stage = Stage.STARTING
    if "alive" in told:
        stage = Stage.RUNNING
    elif process or end:
        stage = Stage.ENDED
    return RunState(
        stage=stage,
        process=Process(int(process[1]), int(process[2]), float(process[3]), process[4])
        if process
        else None,
        boot_id=told.get("boot", ""),
        exit_status=int(end[1]) if end else None,
        finished=float(end[2]) if end else 0.0,
        cancelled="cancelled" in told,
    )


def forget(host: Host, identity: str, directory: str) -> None:
    """Remove a run's directory from the host; only after its result is safely stored here.

    A run that still measures is not touched: MeasurementError.
    """
    run = Run(host, directory, identity)
    state = run.look()
    # One without a process was cut off before it began: nobody starts it any more.
    if state.stage is Stage.RUNNING and not state.rebooted:
        raise run.error("the measurement still runs there", fix="wait for it, or cancel it")
    done = host.run(Invocation(("rm", "-rf", "--", run.directory), sudo=True))
    if not done.ok:
        raise run.error(f"{run.directory} cannot be removed", details=last_lines(done.stderr))
