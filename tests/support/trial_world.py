"""Machines that boot kernels: what GRUB, a restart and the playbooks of a trial do to them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Event as Flag
from threading import Lock

from kubert_tui.base.errors import HostKeyError, KubertError, UnreachableError
from kubert_tui.events.model import PlannedStep
from kubert_tui.facts.fact import Known
from kubert_tui.facts.model import Facts, RealtimeEvidence, Trial
from kubert_tui.hosts.interface import Asker, Completed, Host, Invocation
from kubert_tui.lab.model import HostSpec, Lab, Permission
from kubert_tui.stages.model import Stage, Work
from kubert_tui.stages.registry import stage
from kubert_tui.stages.trial_change import TrialChange
from tests.support.blank import blank_facts
from tests.support.stages import PretendedHost

OLD = "6.1.0-30-amd64"
RT = "6.1.0-28-rt-amd64"
EVIDENCE = "last kernel messages of that boot:\n[    9.1] Kernel panic - not syncing\x1b[31m"


@dataclass
class Machine:
    """One machine. `fate` is what its PREEMPT_RT kernel does when it is booted."""

    name: str
    fate: str = "good"
    """good, panics, unreachable (until the dead man's switch), gone, other key, ignored (GRUB)."""
    running: str = OLD
    default: str = OLD
    installed: tuple[str, ...] = ()
    boot: int = 1
    trial: Trial | None = None
    next_entry: str = ""
    rejected: str = ""
    error: KubertError | None = None
    """What connecting to it ends with."""
    kind: str = "none"
    silent: int = 0
    """So many looks go unanswered."""

    def restart(self) -> None:
        self.boot += 1
        self.running = self.default
        if not self.next_entry or self.fate == "ignored":
            return
        self.next_entry = ""
        match self.fate:
            case "good":
                self.running = RT
            case "panics":
                self.boot += 1
            case "unreachable":
                self.boot += 1
                assert self.trial
                self.trial = replace(self.trial, unconfirmed=True)
                self.silent = 3
            case "gone":
                self.error = UnreachableError("no route to host", host=self.name)
            case "other key":
                self.error = HostKeyError("the host key has changed", host=self.name)

    def facts(self) -> Facts:
        realtime = Known(self.running == RT)
        return blank_facts(
            self.name,
            kernel__release=Known(self.running),
            kernel__boot_id=Known(f"{self.name}-boot-{self.boot}"),
            kernel__uname=Known(f"Linux {self.name} {self.running}"),
            kernel__realtime=RealtimeEvidence(realtime, realtime, realtime),
            kernel__default_release=Known(self.default),
            kernel__installed_realtime=Known(self.installed),
            kernel__trial=Known(self.trial),
            kernel__next_entry=Known(self.next_entry),
            kernel__one_shot=Known(""),
            kernel__rejected=Known(self.rejected),
            kernel__secure_boot=Known(value=False),
            virtualization=Known(self.kind),
        )


@dataclass
class TrialWorld:
    """Some machines, what was done to them, and a clock that moves with every look."""

    machines: dict[str, Machine]
    done: list[str] = field(default_factory=list)
    now: float = 0.0
    killed_at: str = ""
    """The change that breaks off here: what it did before counts."""
    _lock: Lock = field(default_factory=Lock)

    def gather(self, host: Host, updates: bool, cancel: Flag) -> Facts:
        del updates, cancel
        machine = self.machines[host.name]
        if machine.error:
            raise machine.error
        if machine.silent:
            machine.silent -= 1
            raise UnreachableError("ssh does not answer", host=host.name)
        return machine.facts()

    def connect(self, spec: HostSpec, lab: Lab, asker: Asker) -> Host:
        del lab, asker
        machine = self.machines[spec.name]
        if machine.error:
            raise machine.error
        return TrialHost(spec.name, is_local=spec.connection == "local")

    def clock(self) -> float:
        with self._lock:
            self.now += 20.0
            return self.now

    def stage(self) -> Stage:
        """Return the kernel stage, with playbooks that work on these machines."""
        return replace(
            stage("kernel"),
            change=TrialChange(
                confirm="They restart.",
                install=Playbook(self, "install", _install),
                adopt=Playbook(self, "adopt", _adopt),
                disarm=Playbook(self, "disarm", _disarm),
                reboot=Playbook(self, "reboot", Machine.restart),
                poll=0.001,
                clock=self.clock,
            ),
        )


def _install(machine: Machine) -> None:
    machine.installed = (RT,)
    machine.default = machine.running
    machine.rejected = ""
    machine.trial = Trial(RT, f"{machine.name}-boot-{machine.boot}", unconfirmed=False)
    machine.next_entry = "kubert-trial"


def _adopt(machine: Machine) -> None:
    assert machine.running == RT, "nothing else may be adopted"
    machine.default = machine.running
    machine.trial, machine.rejected = None, ""


def _disarm(machine: Machine) -> None:
    assert machine.trial
    machine.rejected = machine.trial.release
    machine.trial, machine.next_entry = None, ""


@dataclass
class Playbook:
    """Stands for a playbook."""

    world: TrialWorld
    name: str
    do: Callable[[Machine], None]
    confirm: str = ""
    previews: bool = True

    def needs(self, lab: Lab, host: HostSpec) -> frozenset[Permission]:
        raise AssertionError("the trial says what it needs")

    def plan(self, lab: Lab, facts: Facts) -> tuple[PlannedStep, ...]:
        return (PlannedStep(facts.host, self.name, f"ansible-playbook {self.name}.yml"),)

    def preview(self, work: Work, hosts: tuple[str, ...]) -> None:
        self.world.done += [f"preview {self.name} {host}" for host in hosts]

    def apply(self, work: Work, hosts: tuple[str, ...]) -> None:
        for host in hosts:
            self.world.done.append(f"{self.name} {host}")
            self.do(self.world.machines[host])
        if self.world.killed_at == self.name:
            self.world.killed_at = ""
            raise KillError


class KillError(BaseException):
    """Stands for kill -9: nothing of ours runs after it."""


@dataclass
class TrialHost(PretendedHost):
    """A host that shows what a failed boot left."""

    def run(self, invocation: Invocation) -> Completed:
        if b"pstore" in invocation.stdin:
            return Completed(tuple(invocation.argv), 0, stdout=EVIDENCE.encode())
        return PretendedHost.run(self, invocation)
