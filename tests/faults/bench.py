"""A twin, an operator and a lab file for one case; and what has to be true at its end."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import Any

from kubert_tui.base.errors import ExitCode
from kubert_tui.engine.journal import FILE_NAME, read
from kubert_tui.lab.model import Lab, Permission
from kubert_tui.lab.write import write_lab
from tests.faults.command import Home, Run
from tests.faults.observe import HostState, leftovers, observe
from tests.faults.points import Entry
from tests.faults.stored import problems, results
from tests.faults.twin import Twin

INTERVAL = 1000
GOOD = (ExitCode.OK, ExitCode.NEEDS_CONFIRMATION)
"""How an uninterrupted run may end."""
_NOT_THE_HOSTS = ("host.disk",)
"""Containers tell this computer's free space, which is everybody's."""
_MOMENT = 130.0
"""Seconds. After silence, the last packet of a closing connection is repeated ever more seldom."""
_WANTED = ("satisfied", "done")


@dataclass(frozen=True)
class Way:
    """What a run is asked to do, and from which state of the host."""

    name: str
    state: str
    stages: tuple[str, ...] = ()
    """All of them, if none is named."""
    allow: frozenset[Permission] = frozenset({Permission.PACKAGES, Permission.SERVICES})
    seconds: float = 2.0
    """How long cyclictest measures."""
    ends_like: str = ""
    """Name of a way whose uninterrupted run ends alike, if there is one that is quicker."""

    @property
    def measures(self) -> bool:
        return not self.stages or "cyclictest" in self.stages

    @property
    def loops(self) -> int:
        return int(self.seconds * 1_000_000 / INTERVAL)


WHOLE = Way("whole", "fresh")
CONNECT = Way("connect", "fresh", ("connect",))
KERNEL = Way("kernel", "bare", ("connect", "kernel", "irqbalance"))
UPDATE = Way("update", "fresh", ("connect", "update"))
SERVICE = Way("irqbalance", "fresh", ("connect", "irqbalance"))
TOOLS = Way("rt-tests", "current", ("connect", "update", "rt-tests"))
MEASURE = Way("measure", "ready", ("connect", "cyclictest"))
RESTART = Way(
    "restart",
    "bare",
    ("connect", "hyperthreading", "irqbalance"),
    frozenset({Permission.PACKAGES, Permission.SERVICES, Permission.REBOOT}),
)
WAYS = (WHOLE, CONNECT, KERNEL, UPDATE, SERVICE, TOOLS, MEASURE, RESTART)


@dataclass(frozen=True)
class Ending:
    """How an uninterrupted run ends, and a run after it."""

    code: int
    states: dict[str, str]
    host: HostState
    findings: dict[tuple[str, str], str]
    """(Stage, check) to level, at the run after it."""
    boots: int
    """How often the host started since its pristine state was put back."""


@dataclass
class Bench:
    """One case at work."""

    twin: Twin
    way: Way
    home: Home
    lab: Path
    pristine: HostState
    user: str = "root"
    typed: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    always: list[Callable[[], object]] = field(default_factory=list)
    """Called when the case is over, however it went."""
    before_looking: list[Callable[[], object]] = field(default_factory=list)
    """Called when all is done, before the run that only looks."""
    second: "Bench | None" = None
    """The other host of a lab that has two."""

    def start(self, *stages: str, home: Home | None = None) -> Run:
        """Start kubert-tui as the case has it, or with these stages only."""
        arguments = self._arguments(stages or self.way.stages)
        return (home or self.home).start(*arguments, typed=self.typed, **self.environment)

    def start_again_without_measuring(self) -> Run:
        """Start it once more, for what can be looked at without measuring again."""
        stages = tuple(stage for stage in self.way.stages if stage != "cyclictest")
        until = () if stages else ("--until", "rt-tests")
        arguments = (*self._arguments(stages), *until)
        return self.home.start(*arguments, typed=self.typed, **self.environment)

    def journals(self) -> list[Entry]:
        """Every event of every run of this operator."""
        return [
            entry
            for directory in sorted((self.home.state / "runs").iterdir())
            for entry in read(directory / FILE_NAME)
        ]

    def ending(self, last: Run, code: int) -> Ending:
        """Look at everything once a run has ended; starts another one for its findings."""
        return self.ending_with(last, code, self.further_run())

    def further_run(self) -> Run:
        """Start it after all is done: it finds nothing left to do."""
        for call in self.before_looking:
            call()
        again = self.start_again_without_measuring()
        again.finish()
        _nothing_changes(again)
        return again

    def ending_with(self, last: Run, code: int, again: Run) -> Ending:
        """Look at everything once a run has ended, and another one after it."""
        state = observe(self.twin).since(self.pristine)
        findings = _findings(again, self.twin.name)
        return Ending(code, _states(last), state, findings, self.twin.boots())

    def assert_good(self, ending: Ending) -> None:
        """An uninterrupted run is worth comparing with."""
        assert ending.code in GOOD
        assert_results(self)
        assert_nothing_left(self.twin)

    def after(self, seconds: float, do: Callable[[], object]) -> None:
        """Do something in a while; it is not waited for."""
        timer = Timer(seconds, do)
        timer.start()
        self.always.append(timer.cancel)

    def _arguments(self, stages: tuple[str, ...]) -> tuple[str, ...]:
        only = tuple(word for stage in stages for word in ("--only", stage))
        return ("--lab", str(self.lab), "--accept-new-host-keys", "--yes", *only)


def write_lab_file(path: Path, way: Way, twins: Sequence[Twin], user: str) -> Path:
    """Write the lab file of a case."""
    measurement: Mapping[str, Any] = {"duration": f"{way.seconds:g}s", "interval": INTERVAL}
    lab = Lab.model_validate(
        {
            "name": "twins",
            "hosts": tuple(twin.spec(user=user) for twin in twins),
            "allow": way.allow,
            "rt_tests": {"source": "distribution"},
            "cyclictest": measurement,
            "causes": {"hwlat": "5s", "timerlat": "5s"},
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_lab(lab, path)
    return path


def assert_same_ending(bench: Bench, ending: Ending, wanted: Ending, more_boots: int) -> None:
    """The end state, the findings and the results are those of an uninterrupted run.

    The fault itself may have restarted the host `more_boots` times.
    """
    _same("exit code", {"": ending.code}, {"": wanted.code})
    _same("stages", ending.states, wanted.states)
    _same("packages", ending.host.packages, wanted.host.packages)
    _same("services", ending.host.services, wanted.host.services)
    _same("files", ending.host.files, wanted.host.files)
    _same("findings", ending.findings, wanted.findings)
    most = wanted.boots + more_boots
    assert wanted.boots <= ending.boots <= most, f"{ending.boots} boots, not {most}: twice?"
    assert_results(bench)
    assert_nothing_left(bench.twin)


def assert_nothing_left(twin: Twin) -> None:
    """No process, file or unit of ours is there; what is about to end gets a moment."""
    deadline = time.monotonic() + _MOMENT
    while left := leftovers(twin):
        assert time.monotonic() < deadline, f"left on the host: {left}"
        time.sleep(0.1)


def _same(what: str, found: Mapping[Any, Any], wanted: Mapping[Any, Any]) -> None:
    differing = {
        key: f"{found.get(key)} instead of {wanted.get(key)}"
        for key in {*found, *wanted}
        if found.get(key) != wanted.get(key)
    }
    assert not differing, f"{what}: {differing}"


def assert_results(bench: Bench) -> None:
    """There is one result, stored once, and exact to the sample; what was cut off is labelled."""
    name = bench.twin.name
    found = results(bench.home.state, name)
    told = [
        entry
        for entry in bench.journals()
        if entry["event"] == "latency-stored" and entry.get("host") == name
    ]
    if not bench.way.measures:
        assert not found
        return
    cut_off = results(bench.home.state, name, interrupted=True)
    labelled = [entry["path"] for entry in told if entry["interrupted"]]
    assert labelled == [str(path) for path in cut_off], "cut off, and told otherwise"
    told = [entry for entry in told if not entry["interrupted"]]
    assert len(found) == 1, f"{len(found)} results: {found}"
    wrong = problems(found[0], bench.way.loops)
    assert not wrong, wrong
    assert [entry["path"] for entry in told] == [str(found[0])], "stored twice, or told wrongly"
    assert told[0]["exact"]


def _states(run: Run) -> dict[str, str]:
    """How the stages stand at the end; satisfied and done are both as wanted."""
    states: dict[str, str] = run.seen[-1]["states"]
    return {stage: "as wanted" if state in _WANTED else state for stage, state in states.items()}


def _findings(run: Run, host: str) -> dict[tuple[str, str], str]:
    return {
        (entry["stage"], entry["finding"]["check"]): entry["finding"]["level"]
        for entry in run.named("finding-made")
        if entry["finding"]["check"] not in _NOT_THE_HOSTS and entry.get("host") == host
    }


def _nothing_changes(run: Run) -> None:
    """A run after all is done finds nothing left to do."""
    changed = [e for e in run.named("task-finished") if e["outcome"] == "changed"]
    assert not changed, f"changed once more: {changed}"
    assert not run.named("restarting"), "restarted once more"
    assert not run.named("failure"), run.tail()
