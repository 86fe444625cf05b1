"""Stages for engine tests: a host is a dictionary, a change sets a key in it."""

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event as Flag

from kubert_tui.base.errors import CancelledError, DetachedError, KubertError, UnreachableError
from kubert_tui.checks.finding import Check, Level
from kubert_tui.events.measuring import LatencyStarted, LatencyStored
from kubert_tui.events.model import Note, PlannedStep, Restarting
from kubert_tui.facts.fact import Known
from kubert_tui.facts.model import Facts
from kubert_tui.hosts import host_lock
from kubert_tui.hosts.interface import Asker, Completed, Host, Invocation
from kubert_tui.lab.model import HostSpec, Lab, Permission
from kubert_tui.stages.model import Guide, Stage, Work
from tests.support.blank import blank_facts

GUIDE = Guide(what="what", why="why", readme="readme", ours="ours", differs="")


@dataclass
class World:
    """What is true of the pretended hosts, and what was done to them."""

    kernel: dict[str, str] = field(default_factory=dict)
    boots: dict[str, int] = field(default_factory=dict)
    unreachable: set[str] = field(default_factory=set)
    applied: list[str] = field(default_factory=list)
    previewed: list[str] = field(default_factory=list)
    connected: list[str] = field(default_factory=list)

    def gather(self, host: Host, updates: bool, cancel: Flag) -> Facts:
        del updates, cancel
        release = self.kernel.get(host.name, "old")
        boot = f"boot-{self.boots.get(host.name, 0)}"
        return blank_facts(host.name, kernel__release=Known(release), kernel__boot_id=Known(boot))

    def connect(self, spec: HostSpec, lab: Lab, asker: Asker) -> Host:
        del lab, asker
        if spec.name in self.unreachable:
            raise UnreachableError("no route to host", fix="plug it in", host=spec.name)
        self.connected.append(spec.name)
        return PretendedHost(spec.name)


@dataclass
class PretendedHost:
    """A host that runs nothing, but keeps its lock as a real one does."""

    name: str
    is_local: bool = False

    def run(self, invocation: Invocation) -> Completed:
        argv = tuple(invocation.argv)
        if host_lock.script() not in argv:
            return Completed(argv, 0)
        directory = f"{os.environ['KUBERT_TUI_LOCK_DIRECTORY']}/{self.name}"
        environment = {**os.environ, "KUBERT_TUI_LOCK_DIRECTORY": directory}
        done = subprocess.run(argv, env=environment, capture_output=True, check=False, timeout=60)
        return Completed(argv, done.returncode, done.stdout, done.stderr)

    def put(self, data: object, path: str, *, mode: int = 0o600, sudo: bool = False) -> None:
        raise AssertionError("a pretended host takes no files")

    def get(self, path: str, *, sudo: bool = False) -> bytes:
        raise AssertionError("a pretended host has no files")

    def close(self) -> None:
        pass


def _judge(facts: Facts, lab: Lab) -> tuple[Level, str, str]:
    del lab
    if facts.kernel.release == Known("new"):
        return Level.OK, "the kernel is new", ""
    return Level.FAILED, "the kernel is old", "install the new one"


NEW_KERNEL = Check("kernel.new", "new kernel", "old ones are late", "the test", _judge)


@dataclass
class Upgrade:
    """Sets the kernel to `new`, unless told to fail or to do nothing."""

    world: World
    confirm: str = ""
    previews: bool = True
    permissions: frozenset[Permission] = frozenset({Permission.KERNEL})
    failing: bool = False
    idle: bool = False
    breaks_off: str = ""
    """This host is lost when it has the new kernel already."""
    hold: Flag | None = None
    """Wait for a cancel instead of working; set when waiting has begun."""

    def needs(self, lab: Lab, host: HostSpec) -> frozenset[Permission]:
        del lab, host
        return self.permissions

    def plan(self, lab: Lab, facts: Facts) -> tuple[PlannedStep, ...]:
        del lab
        return (PlannedStep(facts.host, "install the new kernel", "apt install new"),)

    def preview(self, work: Work, hosts: tuple[str, ...]) -> None:
        self.world.previewed.extend(hosts)
        work.emit(Note(text="preview"))

    def apply(self, work: Work, hosts: tuple[str, ...]) -> None:
        if self.hold is not None:
            self.hold.set()
            work.cancel.wait()
            raise CancelledError("cancelled by the user")
        if self.failing:
            raise KubertError("the disk is full", fix="make room", host=hosts[0])
        self.world.applied.extend(hosts)
        if not self.idle:
            self.world.kernel.update(dict.fromkeys(hosts, "new"))
        if self.breaks_off:
            raise KubertError("the connection was lost", host=self.breaks_off)


@dataclass
class Measure:
    """Stores a measurement at once, or waits until it is told to let go."""

    confirm: str = ""
    previews: bool = False
    hold: Flag | None = None
    failing: bool = False
    identities: list[str] = field(default_factory=list)

    def needs(self, lab: Lab, host: HostSpec) -> frozenset[Permission]:
        del lab, host
        return frozenset()

    def plan(self, lab: Lab, facts: Facts) -> tuple[PlannedStep, ...]:
        del lab
        return (PlannedStep(facts.host, "measure", "cyclictest"),)

    def preview(self, work: Work, hosts: tuple[str, ...]) -> None:
        raise AssertionError("there is no preview of a measurement")

    def apply(self, work: Work, hosts: tuple[str, ...]) -> None:
        def one(host: str) -> None:
            self.identities.append(work.measurement(host))
            if self.failing:
                raise KubertError("killed", host=host)
            if self.hold is not None:
                work.emit(_started(host))
                self.hold.set()
                work.cancel.wait()
                raise DetachedError("it goes on there")
            work.emit(LatencyStored(host=host, path="r.json", samples=1, maximum=1, exact=True))

        work.each(hosts, one)


def _started(host: str) -> LatencyStarted:
    return LatencyStarted(
        host=host, command=("cyclictest",), version="", interval=200, loops=1, cpus=(0,), started=0
    )


@dataclass
class Restart(Upgrade):
    """Restarts hosts: their boot id changes, their kernel stays as it is."""

    def apply(self, work: Work, hosts: tuple[str, ...]) -> None:
        for host in hosts:
            boot = work.facts(host).kernel.boot_id
            work.emit(Restarting(host=host, boot_id=boot.value if isinstance(boot, Known) else ""))
            self.world.boots[host] = self.world.boots.get(host, 0) + 1
        self.world.applied.extend(hosts)


def stage(name: str, change: object = None, **more: object) -> Stage:
    """Return a stage whose goal is the new kernel."""
    make: Callable[..., Stage] = Stage
    return make(
        id=name,
        title=name.title(),
        guide=GUIDE,
        checks=(NEW_KERNEL,),
        goals=frozenset({NEW_KERNEL.id}),
        change=change,
        **more,
    )
