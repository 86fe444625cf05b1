"""What a change gets to work with: the engine's side of `stages.model.Work`."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event as Flag
from typing import TypeVar

from kubert_tui.ansible.request import HostSecrets
from kubert_tui.base.errors import CancelledError, KubertError, LostError, UnreachableError
from kubert_tui.cpus.lists import cpu_list
from kubert_tui.cpus.plan import CpuPlan, propose
from kubert_tui.engine.asking import Ask
from kubert_tui.engine.connections import Connections
from kubert_tui.engine.host_locks import HostLocks
from kubert_tui.engine.hypervisors import hypervisor_of
from kubert_tui.engine.load_requests import LoadRequests, Take
from kubert_tui.engine.past import Past
from kubert_tui.engine.stream import Stream
from kubert_tui.engine.targets import about_guest
from kubert_tui.events.codec import encode, event_name
from kubert_tui.events.measuring import (
    CausesMeasured,
    CauseStored,
    ClusterProved,
    DensityMeasured,
    LatencyStarted,
    LatencyStored,
    MeasurementEnded,
)
from kubert_tui.events.model import (
    CommandStarted,
    CpuPlanMade,
    Event,
    FactsGathered,
    Failure,
    HostConnected,
    Restarting,
)
from kubert_tui.events.questions import Answer, Choice, QuestionKind
from kubert_tui.facts.fact import Fact, Known
from kubert_tui.facts.model import Facts
from kubert_tui.hosts.host_lock import Holder
from kubert_tui.hosts.interface import Host
from kubert_tui.lab.edit import save_plans
from kubert_tui.lab.model import Lab
from kubert_tui.machines.guest import Guest
from kubert_tui.machines.hypervisor import Hypervisor
from kubert_tui.stages.model import Asking, Work

_REMEMBERED = (
    CpuPlanMade,
    FactsGathered,
    LatencyStarted,
    LatencyStored,
    MeasurementEnded,
    CauseStored,
    CausesMeasured,
    ClusterProved,
    DensityMeasured,
    Restarting,
)

Result = TypeVar("Result")

Gather = Callable[[Host, bool, Flag], Facts]
"""Gathers the facts of a host, until the flag is set; with True, package updates, too."""
Observe = Callable[[Work, Facts], Facts]


def failure(error: KubertError) -> Failure:
    """Return the event that tells of an error."""
    return Failure(
        host=error.host,
        what=error.what,
        fix=error.fix,
        command=error.command,
        exit_status=error.exit_status,
        details=error.details,
        log=error.log,
        exit_code=int(error.exit_code),
    )


@dataclass(slots=True)
class StageWork:
    """One stage at work. Lives as long as that."""

    lab: Lab
    stage: str
    directory: Path
    past: Past
    stream: Stream
    connections: Connections
    cancel: Flag
    detach: Flag
    gather: Gather
    locks: HostLocks | None = None
    """None in a dry run: nothing is changed there."""
    loads: LoadRequests | None = None
    lab_file: str = ""
    """Where the lab file lies; empty for a built-in lab."""
    updates: bool = False
    """A check of this stage wants to know of package updates."""
    observe: Observe | None = None
    """What this stage looks at beside the probe."""
    helpers: tuple[str, ...] = ()
    """Hosts that the stage is not about and works on all the same; locked with its own."""
    newest: dict[str, Facts] = field(default_factory=dict)
    failure_code: int = 0
    """Exit code of the first failure told in this stage."""
    failed: set[str] = field(default_factory=set)
    """Hosts of which a failure was told in this stage."""
    lost: set[str] = field(default_factory=set)
    """Hosts that a change has lost, and says so."""

    @property
    def dry_run(self) -> bool:
        """Whether nothing may be done: no host is locked then."""
        return self.locks is None

    def measurement(self, host: str, instrument: str = "") -> str:
        """Return the identity of the measurement due on `host`, of cyclictest or an instrument."""
        if not instrument:
            return f"{self.past.run}-{host}-{self.past.attempts.get(host, 0) + 1}"
        attempt = self.past.attempts.get(f"{instrument} {host}", 0) + 1
        return f"{self.past.run}-{host}-{instrument}-{attempt}"

    def facts(self, host: str) -> Facts:
        """Return the newest facts of `host`."""
        return self.newest[host]

    def look_again(self, host: str) -> Facts:
        """Gather and emit the facts of `host`; a connection that broke meanwhile is made anew."""
        begun = time.monotonic()
        facts = self._on(host, lambda there: self.gather(there, self.updates, self.cancel))
        if self._is_ours(facts.operator):
            facts = replace(facts, operator=Known(None))
        if self.observe is not None:
            facts = self.observe(self, facts)
        self.newest[host] = facts
        self.emit(FactsGathered(host=host, facts=facts, seconds=time.monotonic() - begun))
        return facts

    def lock(self, host: str) -> bool:
        """Take the lock of `host`, as `HostLocks.take` says."""
        if self.locks is None:
            return False
        if host not in self.newest:
            # A helper; or a node that was looked at as its pod only.
            self.look_again(host)
        return self.locks.take(
            host,
            self.stage,
            lambda call: self._on(host, call),
            self._asker(),
            sudo=self.facts(host).privileged == Known(True),
            cancel=self.cancel,
        )

    def _is_ours(self, operator: Fact[Holder | None]) -> bool:
        holder = operator.value if isinstance(operator, Known) else None
        return holder is not None and self.locks is not None and self.locks.is_ours(holder)

    def settle_lock(self, host: str) -> None:
        """Raise BusyError, for the last time, if the lock of `host` is not ours any more."""
        if self.locks is not None:
            self.locks.check(host, forget=True)

    def _check_locks(self, locks: HostLocks, hosts: tuple[str, ...]) -> None:
        for error in self.all_of(hosts, locks.check).values():
            if error is not None:
                raise error

    def host(self, name: str) -> Host:
        """Return a connection to `name`."""

        def connected(address: str, user: str) -> None:
            self.emit(HostConnected(host=name, address=address, user=user))
            if self.locks is not None:
                self.locks.wake(name)

        with about_guest(self.lab, self.lab.machine_of(name)):
            return self.connections.host(name, self._asker(), connected)

    def hypervisor(self, name: str) -> AbstractContextManager[Hypervisor]:
        """Return a connection to libvirt on `name`; its host key was checked when we connected."""
        secrets = {one.name: self.secrets(one.name) for one in self.lab.everyone}
        return hypervisor_of(self.lab.host(name), self.lab, secrets)

    def guest(self, guest: Guest) -> Host:
        """Return a new connection to a machine of the lab; nobody is asked anything."""
        return self.connections.beside(self.lab.host(guest.name))

    def drop(self, name: str) -> None:
        """Close the connection to `name`."""
        self.connections.drop(name)

    def takes_loads(self, host: str, take: Take | None) -> None:
        """Tell who takes requests to load `host`."""
        if self.loads is not None:
            self.loads.taken_by(host, take)

    def secrets(self, name: str) -> HostSecrets:
        """Return the passwords given for `name`."""
        return self.connections.secrets.of(name)

    def emit(self, event: Event) -> None:
        """Emit an event of this stage, and remember what a resumed run has to know.

        BusyError for a command that is about to start when a host is not ours any more.
        """
        event = event if event.stage else replace(event, stage=self.stage)
        if isinstance(event, Failure):
            self.failure_code = self.failure_code or event.exit_code
            self.failed.add(event.host)
        elif isinstance(event, _REMEMBERED):
            self.past.took(event_name(type(event)), event.host, encode(event))
        if self.locks is not None:
            self.locks.told(event)
            if isinstance(event, CommandStarted):
                # The last moment to see that what it changes is still ours to change.
                everyone = tuple(host.name for host in self.lab.everyone)
                one = tuple(dict.fromkeys((event.host, *self.helpers)))
                self._check_locks(self.locks, one if event.host else everyone)
        self.stream.emit(event)

    def each(self, hosts: tuple[str, ...], do: Callable[[str], None]) -> None:
        """Call `do(host)` for all hosts side by side; the first failure is raised at the end."""
        failures = [error for error in self.all_of(hosts, do).values() if error is not None]
        # What was let go or cancelled decides how the stage stands; the rest is told here.
        failures.sort(key=lambda error: not isinstance(error, CancelledError))
        for error in failures[1:]:
            if not isinstance(error, CancelledError):
                self.emit(failure(error))
        if failures:
            raise failures[0]

    def all_of(
        self, hosts: tuple[str, ...], do: Callable[[str], object]
    ) -> dict[str, KubertError | None]:
        """Call `do(host)` for all hosts side by side; return what each failed with."""
        if not hosts:
            return {}
        with ThreadPoolExecutor(max_workers=len(hosts), thread_name_prefix="host") as pool:
            futures = {host: pool.submit(do, host) for host in hosts}
        outcome: dict[str, KubertError | None] = {}
        for host, future in futures.items():
            error = future.exception()
            if error is not None and not isinstance(error, KubertError):
                raise error
            if error is not None and not error.host:
                error.host = host
            if isinstance(error, LostError):
                self.lost.add(error.host)
            outcome[host] = error
        return outcome

    def decide(self, asking: Asking) -> Answer:
        """Ask what is to be decided; only a lab that has a file can be written."""
        save = (Choice.SAVE,) if self.lab_file else ()
        return self.stream.ask(
            self.cancel,
            stage=self.stage,
            kind=asking.kind,
            text=asking.text,
            details=asking.details,
            confirm=asking.confirm,
            cpus=asking.cpus,
            choices=(*save, Choice.APPLY, Choice.SKIP, Choice.NO),
        )

    def keep_plans(self, asking: Asking, plans: Mapping[str, CpuPlan], *, save: bool) -> None:
        """Keep the CPU plans of hosts: in the run, and with `save` in the lab file.

        Raises LabFileError when the file cannot be written: nothing is kept then.
        """
        if not plans:
            return
        if save:
            save_plans(Path(self.lab_file), plans)
        self.lab = self.lab.with_plans(plans)
        proposals = {host.host: propose(host.topology) for host in asking.cpus}
        for host, plan in plans.items():
            self.emit(
                CpuPlanMade(
                    host=host,
                    housekeeping=cpu_list(plan.housekeeping),
                    isolated=cpu_list(plan.isolated),
                    proposed=plan == proposals.get(host),
                    path=self.lab_file if save else "",
                )
            )

    def stop_if_cancelled(self) -> None:
        """Raise CancelledError once the user has cancelled."""
        if self.cancel.is_set():
            raise CancelledError("cancelled")

    def _on(self, host: str, call: Callable[[Host], Result]) -> Result:
        """Call `call` with the connected host; if it was lost meanwhile, once more.

        A connection that cannot be made is not tried twice: it may have taken long to see that.
        """
        there = self.host(host)
        try:
            return call(there)
        except UnreachableError:
            self.stop_if_cancelled()
            self.drop(host)
            return call(self.host(host))

    def _asker(self) -> Ask:
        def ask(
            *,
            host: str,
            kind: QuestionKind,
            text: str,
            details: str = "",
            confirm: str = "",
            choices: tuple[Choice, ...],
            secret: bool = False,
        ) -> Answer:
            return self.stream.ask(
                self.cancel,
                stage=self.stage,
                host=host,
                kind=kind,
                text=text,
                details=details,
                confirm=confirm,
                choices=choices,
                secret=secret,
            )

        return ask
