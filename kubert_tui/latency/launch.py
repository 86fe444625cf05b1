"""A cyclictest run on a host: its directory there, its detached start, its state, its end.

Everything a run needs lies in DIRECTORY/IDENTITY on the host (0700): what was ordered, the
scripts, cyclictest's outputs, and the record of its process. No pipe, terminal or signal
ties it to our connection; `run.sh` says which files there are.
"""

import json
import re
import shlex
import time
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib.resources import files
from io import BytesIO
from typing import Any
from zipfile import ZipFile

from kubert_tui.base.errors import MeasurementError
from kubert_tui.base.text import clean_line
from kubert_tui.cpus.lists import cpu_list
from kubert_tui.hosts.interface import Host
from kubert_tui.latency.breaktrace import MARK, unpacked
from kubert_tui.latency.counters import UNKNOWN, Happened, told
from kubert_tui.latency.failures import OrderDiffersError
from kubert_tui.latency.loads import Load, LoadOrder, parse_loads
from kubert_tui.latency.measurement import MeasurementOrder
from kubert_tui.latency.place import Place
from kubert_tui.latency.recorded import Recorded, parse_recorded

SETTLE_LIMIT = 180.0
"""Seconds a slow host may take to write a trace down and put its tracing back."""
_PROCESS = re.compile(
    r"([0-9]{1,10}) ([0-9]{1,20}) ([0-9]{1,12}(?:\.[0-9]{1,9})?)\S* ([0-9a-f-]{36})"
)
_MAIN = "import sys\nfrom kubert_tui.latency.{} import main\nsys.exit(main())\n"
_POLICIES = re.compile(r"[a-z0-9]{1,8} [0-9]{1,3}(, [a-z0-9]{1,8} [0-9]{1,3}){0,20}")
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
    held: bool = False
    """Idle states were kept off for it, by its node."""
    tracing: bool = False
    """Tracing is on for it, or is being put back."""

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
    policy: str = ""
    """How the measuring threads were scheduled, `fifo 90`; empty if that was not read."""
    loads: bytes = b""
    """The record of what loaded the host."""
    load_alive: bytes = b""
    """When the last of them was last seen."""


def script(name: str) -> str:
    """Return one of this package's own scripts."""
    return files("kubert_tui.latency").joinpath(name).read_text(encoding="utf-8")


def program(name: str) -> bytes:
    """Return `recorder`, `streamer` or `told` as a file that Python runs by itself there."""
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr("kubert_tui/__init__.py", "")
        archive.writestr("kubert_tui/latency/__init__.py", "")
        for part in ("sampler.py", "recorder.py", "tally.py", "streamer.py", "told.py"):
            archive.writestr(f"kubert_tui/latency/{part}", script(part))
        archive.writestr("__main__.py", _MAIN.format(name))
    return packed.getvalue()


class Run(Place):
    """One run on one host. Methods raise UnreachableError when the connection is lost."""

    def prepare(self, order: MeasurementOrder) -> None:
        """Make the directory and put in what the run needs. Doing it twice does no harm."""
        made = self._shell('umask 077; mkdir -p -- "$1"', self.directory)
        self._demand(made, f"the directory {self.directory} cannot be made")
        self._put("order.json", json.dumps(asdict(order), indent=1))
        self._put("run.sh", script("run.sh"))
        self._put("counters.sh", script("counters.sh"))
        self._put("load.sh", script("load.sh"))
        if order.load is not None:
            self._put("load.first", shlex.join(self._load(order.load, order.housekeeping)) + "\n")
        if order.stream == "verbose":
            self._put_program("streamer", "stream.pyz")
        else:
            self._put_program("recorder", "recorder.pyz")
        if MARK in order.command:
            self._put("undo.sh", script("undo.sh"))
            self._put("breaktrace.sh", script("breaktrace.sh"))

    def start(self, order: MeasurementOrder, *, systemd: bool) -> None:
        """Start it, free of us: as a transient unit, or in a session of its own.

        `run.sh` sees to it that a run is started once, however often this is called.
        """
        argv = ("sh", self.path("run.sh"), self.directory, cpu_list(order.cpus), *order.command)
        self._detach(argv, f"kubert-cyclictest-{self.identity}", systemd=systemd)

    def look(self) -> RunState:
        """Tell how the run stands, in one round trip."""
        done = self._shell(script("probe.sh"), self.directory)
        self._demand(done, "the state of the measurement cannot be read")
        return parse_state(done.stdout.decode("utf-8", errors="replace"))

    def clear(self) -> None:
        """Remove its directory; nothing runs in it."""
        done = self._shell(script("forget.sh"), self.directory)
        self._demand(done, f"{self.directory} cannot be removed")

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

    def start_load(self, load: LoadOrder, housekeeping: tuple[int, ...]) -> None:
        """Load the host until cyclictest ends, or another load is started, or it is stopped."""
        self._put("load.sh", script("load.sh"))
        self._demand(self._run(*self._load(load, housekeeping)), "the load cannot be started")

    def stop_load(self) -> None:
        """End the load, if there is one; return when it has ended."""
        self._put("load.sh", script("load.sh"))
        done = self._run("sh", self.path("load.sh"), "stop", self.directory)
        self._demand(done, "the load cannot be stopped")

    def loads(self, process: Process) -> tuple[Load, ...]:
        """Return what ran beside it until now."""
        return parse_loads(self._get("loads"), process.start_ticks)

    def _load(self, load: LoadOrder, housekeeping: tuple[int, ...]) -> tuple[str, ...]:
        told = (load.preset, load.cpus, shlex.join(load.command))
        where = (self.directory, cpu_list(housekeeping), " ".join(map(str, load.spread)))
        return ("sh", self.path("load.sh"), "start", *where, *told, *load.command)

    def counters_before(self) -> bytes:
        """Fetch what firmware and hardware had counted when it began."""
        return self._get("counters.before")

    def outputs(self) -> Outputs:
        """Fetch what cyclictest wrote."""
        counted = told(self._get("counters.before"), self._get("counters.after"))
        policy = self._get("policy").decode("utf-8", errors="replace")
        known = policy if _POLICIES.fullmatch(policy) else ""
        loads = self._get("loads")
        alive = self._get("load.alive") if loads else b""
        return Outputs(self._get("stdout"), self._get("stderr"), counted, known, loads, alive)

    def settled(self) -> RunState:
        """Return how it stands once the host has put its tracing back, if it ended."""
        deadline = time.monotonic() + SETTLE_LIMIT
        while (state := self.look()).tracing and state.stage is not Stage.RUNNING:
            if time.monotonic() > deadline:
                raise self.error("the host does not put its tracing back")
            time.sleep(0.1)
        return state

    def trace(self) -> str:
        """Fetch the trace of what made --breaktrace stop it, as clean text; may be empty."""
        return unpacked(self._get("trace.gz"))

    def recorded(self, order: MeasurementOrder) -> Recorded:
        """Fetch what the recorder on the host has kept."""
        return parse_recorded(self._get("past"), self._get("last"), order.cpus, order.histogram)

    def put_sampler(self, order: MeasurementOrder) -> str:
        """Put the sampler there, of this version of ours; return its path."""
        if order.stream == "verbose":
            return self._put_program("told", "sampler.pyz")
        self._put("sampler.py", script("sampler.py"))
        return self.path("sampler.py")

    def _put_program(self, name: str, file: str) -> str:
        self.host.put(program(name), self.path(file), mode=0o600, sudo=True)
        return self.path(file)


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
        # Earlier versions of ours knew nothing else.
        stream="verbose" if told.get("stream") == "verbose" else "memory",
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
    known = {"launched", "boot", "process", "alive", "exit", "cancelled", "tracing"}
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
        held=told.get("exit", "").endswith(" held"),
        cancelled="cancelled" in told,
        tracing="tracing" in told,
    )


def forget(host: Host, identity: str, directory: str) -> None:
    """Remove a run's directory from the host; only after its result is safely stored here.

    A run that still measures is not touched: MeasurementError.
    """
    run = Run(host, directory, identity)
    state = run.settled()
    # One without a process was cut off before it began: nobody starts it any more.
    if state.stage is Stage.RUNNING and not state.rebooted:
        raise run.error("the measurement still runs there", fix="wait for it, or cancel it")
    run.clear()
