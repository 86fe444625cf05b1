"""For tests of changes: a `Work` that records its events, and an Ansible that answers as told."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag

from kubert_tui.ansible.request import (
    HostSecrets,
    OnLines,
    OnTask,
    PlaybookOutcome,
    PlaybookRequest,
    TaskResult,
)
from kubert_tui.base.secrets import Secret
from kubert_tui.events.model import Event, Note
from kubert_tui.facts.fact import Known
from kubert_tui.facts.model import Distribution, Facts
from kubert_tui.hosts.interface import Host
from kubert_tui.lab.model import Lab
from kubert_tui.machines.guest import Guest
from kubert_tui.machines.hypervisor import Hypervisor
from tests.support.blank import blank_facts

DEBIAN = Distribution("debian", "12", "Debian GNU/Linux 12", "debian", "apt")
FEDORA = Distribution("fedora", "45", "Fedora Linux 45", "fedora", "dnf")


def facts_of(host: str = "bull1", distribution: Distribution = DEBIAN) -> Facts:
    """Return the few facts that plans depend on."""
    return blank_facts(
        host,
        distribution=Known(distribution),
        kernel__machine=Known("x86_64"),
        scheduling__init=Known("systemd"),
    )


@dataclass
class RecordingWork:
    """Lends a lab, and keeps every event."""

    lab: Lab
    directory: Path
    distribution: Distribution = DEBIAN
    stage: str = "irqbalance"
    cancel: Flag = field(default_factory=Flag)
    detach: Flag = field(default_factory=Flag)
    dry_run: bool = False
    events: list[Event] = field(default_factory=list)

    def measurement(self, host: str, instrument: str = "") -> str:
        raise AssertionError("nothing is measured")

    def facts(self, host: str) -> Facts:
        return facts_of(host, self.distribution)

    def look_again(self, host: str) -> Facts:
        raise AssertionError("the engine looks again, not the change")

    def host(self, name: str) -> Host:
        raise AssertionError("Ansible connects by itself")

    def hypervisor(self, name: str) -> AbstractContextManager[Hypervisor]:
        raise AssertionError("nobody asks libvirt")

    def drop(self, name: str) -> None:
        raise AssertionError("nothing goes away")

    def guest(self, guest: Guest) -> Host:
        raise AssertionError(guest)

    def takes_loads(self, host: str, take: Callable[[str], None] | None) -> None:
        raise AssertionError("nothing is measured")

    def secrets(self, name: str) -> HostSecrets:
        return HostSecrets(sudo=Secret(f"hunter2-{name}"))

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def each(self, hosts: tuple[str, ...], do: Callable[[str], None]) -> None:
        for host in hosts:
            do(host)

    def notes(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Note)]


@dataclass
class Runs:
    """Stands for Ansible: remembers what it was asked, and answers as told."""

    results: tuple[TaskResult, ...] = ()
    outcome: PlaybookOutcome = field(
        default_factory=lambda: PlaybookOutcome(0, "successful", {"bull1": 1}, {})
    )
    requests: list[PlaybookRequest] = field(default_factory=list)

    def __call__(
        self,
        request: PlaybookRequest,
        *,
        lab: Lab,
        on_task: OnTask,
        on_lines: OnLines,
        cancel: Flag,
    ) -> PlaybookOutcome:
        self.requests.append(request)
        on_lines(("PLAY [all]",))
        for result in self.results:
            on_task(result)
        return self.outcome
