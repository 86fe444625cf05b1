"""What a stage is: a guide, checks, and at most one change. And what a change may use."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from threading import Event as Flag
from typing import Protocol

from kubert_tui.ansible.request import HostSecrets
from kubert_tui.checks.finding import Check, CrossCheck
from kubert_tui.cpus.plan import CpuPlan
from kubert_tui.events.model import Event, PlannedStep
from kubert_tui.events.questions import Answer, HostCpus, QuestionKind
from kubert_tui.facts.model import Facts
from kubert_tui.hosts.interface import Host
from kubert_tui.lab.model import HostSpec, Lab, Permission
from kubert_tui.machines.guest import Guest
from kubert_tui.machines.hypervisor import Hypervisor


@dataclass(frozen=True, slots=True)
class Guide:
    """The text of a stage, plain text in paragraphs."""

    what: str
    why: str
    readme: str
    """The README's literal command(s)."""
    ours: str
    """What we run instead."""
    differs: str
    """Why that differs; empty when it does not."""


class Work(Protocol):
    """What the engine lends a change while it is applied."""

    @property
    def lab(self) -> Lab:
        """The lab."""

    @property
    def stage(self) -> str:
        """Id of the stage at work."""

    @property
    def directory(self) -> Path:
        """The run's own directory here (0700)."""

    @property
    def dry_run(self) -> bool:
        """Nothing may be done on any host, and nobody's lock is held."""

    @property
    def cancel(self) -> Flag:
        """Set when the user cancels: end what runs, on the hosts too."""

    @property
    def detach(self) -> Flag:
        """Set when we should let go: a measurement on a host goes on without us."""

    def measurement(self, host: str, instrument: str = "") -> str:
        """Identity of the measurement due on a host: the same again after an interruption.

        cyclictest's, or that of another instrument.
        """

    def facts(self, host: str) -> Facts:
        """The newest facts of a host."""

    def look_again(self, host: str) -> Facts:
        """Gather the facts of a host now (and emit them); raises if it cannot be reached."""

    def host(self, name: str) -> Host:
        """A working connection, made anew if it was lost."""

    def hypervisor(self, name: str) -> AbstractContextManager[Hypervisor]:
        """A connection to libvirt on a host while inside; raises as `open_hypervisor` does."""

    def guest(self, guest: Guest) -> Host:
        """Connect to a machine as `host` does to it, for one look; whoever asks for it closes it.

        Nobody is asked anything: its keys are the lab's, and known. A machine that just starts is
        asked again and again, beside what else goes on.
        """

    def drop(self, name: str) -> None:
        """Close the connection to a host, because it is about to go away."""

    def takes_loads(self, host: str, take: Callable[[str], None] | None) -> None:
        """Say who takes requests to load a host (by preset) from now on; None for nobody."""

    def secrets(self, name: str) -> HostSecrets:
        """The passwords given for a host so far, for Ansible."""

    def emit(self, event: Event) -> None:
        """Tell the faces and the journal; `stage` is filled in."""

    def each(self, hosts: tuple[str, ...], do: Callable[[str], None]) -> None:
        """Call `do` for every host at once; raises the first failure when all have ended."""


class Change(Protocol):
    """Something a stage does to hosts (or measures on them)."""

    @property
    def confirm(self) -> str:
        """Why a person has to confirm it; empty when the permission is enough."""

    @property
    def previews(self) -> bool:
        """Whether `preview` can show a diff (Ansible's check mode)."""

    def needs(self, lab: Lab, host: HostSpec) -> frozenset[Permission]:
        """The permissions it needs on a host."""

    def plan(self, lab: Lab, facts: Facts) -> tuple[PlannedStep, ...]:
        """Exactly what would run there. Pure."""

    def preview(self, work: Work, hosts: tuple[str, ...]) -> None:
        """Emit what would change, changing nothing."""

    def apply(self, work: Work, hosts: tuple[str, ...]) -> None:
        """Do it on all hosts at once; raises KubertError when it did not get through."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What a decision asks, for all hosts at once."""

    kind: QuestionKind
    text: str
    details: str = ""
    confirm: str = ""
    cpus: tuple[HostCpus, ...] = ()


class Decision(Protocol):
    """Something that a person decides, or agrees to as proposed. No host is changed by it. Pure."""

    def steps(self, lab: Lab, facts: Facts) -> tuple[PlannedStep, ...]:
        """What is decided for a host if nobody changes it."""

    def asking(self, lab: Lab, facts: tuple[Facts, ...]) -> Asking:
        """The question."""

    def decided(self, lab: Lab, asking: Asking, answer: Answer) -> dict[str, CpuPlan]:
        """The CPU plans that are new, by host; raises KubertError for one that cannot be."""


class Where(StrEnum):
    """Whom a stage is about."""

    HOSTS = "hosts"
    """The hosts of the lab."""
    GUESTS = "guests"
    """Its virtual machines, reached as hosts of their own through those that run them."""
    ALL = "all"
    """Both; without machines there is nothing to do."""
    NODES = "nodes"
    """The nodes of its cluster, whichever of the two they are."""
    PODS = "pods"
    """Hosts and machines, and a pod on each node; without a cluster there is nothing to do."""
    CLUSTER = "cluster"
    """The nodes of its cluster, and the hosts that run those of them that are machines."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the way."""

    id: str
    title: str
    guide: Guide
    checks: tuple[Check, ...] = ()
    goals: frozenset[str] = frozenset()
    """Ids of the checks that must be ok (or a warning) for the stage to be finished."""
    cross_checks: tuple[CrossCheck, ...] = ()
    change: Change | None = None
    decision: Decision | None = None
    """Instead of a change. Who starts such a stage by hand is asked even if it is finished."""
    helpers: Callable[[Lab], tuple[str, ...]] | None = None
    """Hosts that the change works on for others, such as the control plane; locked first."""
    where: Where = Where.HOSTS
    only: frozenset[str] = frozenset()
    """Of those that it is about, these only; all of them if empty."""
    measures: bool = False
    """It measures: finished once a result of this run is stored, whatever the facts say."""
    by_hand: bool = False
    """What is left after the change is for a person to do (NEEDS_YOU, not FAILED)."""
    not_for: Callable[[Facts, Lab], str] | None = None
    """Why the stage does not apply to a host, such as a container; `` when it does."""
    not_for_first: bool = False
    """It counts more than goals that are met: checks find nothing wrong where nothing is wanted."""
    observe: "Callable[[Work, Facts], Facts] | None" = None
    """Looks at more than the probe does, such as libvirt, each time facts are gathered.

    What cannot be looked at is `Unknown`; it raises UnreachableError only for a lost host.
    """
    pod_checks: tuple[Check, ...] = ()
    """Those of a pod, instead: what its node is like, `checks` have said of the node."""
    for_machines: bool = False
    """It is about hosts, and means something only where the lab has machines."""
    host_guide: Callable[[Facts], str] | None = None
    """Instructions for one host, chosen by its facts (BIOS menus)."""

    def lacks(self, lab: Lab) -> str:
        """Return what a lab has to name before the stage means anything; `` when it does.

        `machines` or `cluster`, as the lab file calls them.
        """
        if self.where is Where.HOSTS and not self.for_machines:
            return ""
        if self.where in (Where.HOSTS, Where.GUESTS, Where.ALL):
            return "" if lab.guests else "machines"
        return "" if lab.cluster is not None else "cluster"
