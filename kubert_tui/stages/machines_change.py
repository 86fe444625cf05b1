"""The lab's machines on their hosts: made, changed, started, and waited for."""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from kubert_tui.base.errors import CancelledError, KubertError, UnreachableError
from kubert_tui.events.model import Note, PlannedStep
from kubert_tui.facts.fact import Known
from kubert_tui.facts.model import Facts
from kubert_tui.facts.virtual import MachineSeen
from kubert_tui.lab.model import HostSpec, Lab, Permission
from kubert_tui.machines import keys
from kubert_tui.machines.cases import cases_for
from kubert_tui.machines.elements import Case
from kubert_tui.machines.ensure import Outcome, ensure
from kubert_tui.machines.guest import Guest, guests_of
from kubert_tui.machines.hypervisor import Hypervisor
from kubert_tui.machines.image_name import base_volume
from kubert_tui.machines.lifecycle import stop
from kubert_tui.machines.seen import MISSING
from kubert_tui.machines.traits import traits_of
from kubert_tui.stages.machines_boot import POLL, Boot
from kubert_tui.stages.model import Work

CONFIRM = "{} restarts: whatever runs in it ends."


@dataclass(frozen=True, slots=True)
class MachinesChange:
    """Has every machine of the lab there, as wanted and running. See `Change` for the methods.

    A machine that runs is restarted only where the lab allows `reboot` and somebody agreed; the
    plan says which.
    """

    confirm: str = ""
    previews: bool = False
    poll: float = POLL
    clock: Callable[[], float] = monotonic

    def needs(self, lab: Lab, host: HostSpec) -> frozenset[Permission]:  # noqa: ARG002
        return frozenset({Permission.MACHINES})

    def plan(self, lab: Lab, facts: Facts) -> tuple[PlannedStep, ...]:
        host, base = facts.host, base_volume(lab)
        if not isinstance(facts.libvirt, Known):
            title = f"Make what is missing; what is there is not known ({facts.libvirt.reason})"
            return (PlannedStep(host, title),)
        found = {one.name: one for one in facts.libvirt.value.machines if not one.stray}
        steps: list[PlannedStep] = []
        for case in cases_for(lab, facts, traits_of(facts)):
            machine = found.get(case.guest.name, MachineSeen(case.guest.name, MISSING))
            steps += _steps(lab, host, case, machine, base)
        return tuple(steps)

    def preview(self, work: Work, hosts: tuple[str, ...]) -> None:  # noqa: ARG002
        raise AssertionError("the plan says it all")

    def apply(self, work: Work, hosts: tuple[str, ...]) -> None:
        keys.introduce(work.lab.name, guests_of(work.lab))
        work.each(hosts, lambda host: self._converge(work, host))

    def _converge(self, work: Work, host: str) -> None:
        lab, facts = work.lab, work.facts(host)
        cases = cases_for(lab, facts, traits_of(facts))
        agreed = restarts(lab, facts)
        with work.hypervisor(host) as hypervisor:
            _stop(work, hypervisor, tuple(one for one in cases if one.guest.name in agreed))
            troubles, guests = list[KubertError](), list[Guest]()
            for case in cases:
                _unless_cancelled(work, host)
                try:
                    tell_outcome(work, host, ensure(hypervisor, case, base_volume(lab)))
                except UnreachableError:
                    raise
                except KubertError as error:
                    # The others are made all the same.
                    troubles.append(error)
                else:
                    guests.append(case.guest)
            limit = lab.restart_seconds
            try:
                Boot(work, hypervisor, tuple(guests), limit, self.poll, self.clock).wait()
            except CancelledError:
                raise
            except KubertError as error:
                troubles.append(error)
            if troubles:
                raise _all_of(troubles)


def restarts(lab: Lab, facts: Facts) -> frozenset[str]:
    """Return the names of the machines that the plan restarts, once somebody agreed."""
    if Permission.REBOOT not in lab.allow or not isinstance(facts.libvirt, Known):
        return frozenset()
    machines = facts.libvirt.value.machines
    return frozenset(one.name for one in machines if one.restart and not one.stray)


def _steps(lab: Lab, host: str, case: Case, machine: MachineSeen, base: str) -> list[PlannedStep]:
    name, spec = machine.name, case.guest.spec
    if machine.trouble:
        return [PlannedStep(host, f"{name}: {machine.trouble}")]
    cpus = f"CPUs {', '.join(map(str, case.placement.vcpus))}" if case.placement else "any CPU"
    if case.why_no_placement and spec.realtime:
        cpus += f" ({case.why_no_placement})"
    network = f"bridge {case.guest.net.bridge}" if spec.network == "bridge" else "NAT"
    if machine.state == MISSING and spec.adopted:
        return [PlannedStep(host, f"{name}: it was adopted, and is gone: nothing else is made")]
    if machine.state == MISSING:
        steps = [
            f"make a disk of {spec.disk}, a copy on write of {base}, and a seed for cloud-init",
            f"define it: vCPUs: {spec.vcpus} on {cpus}; {spec.memory}; {spec.address} ({network})",
            "start it, and wait until it answers by ssh",
        ]
        return [PlannedStep(host, f"{name}: {step}") for step in steps]
    waits = set(machine.restart)
    steps = [
        f"{change} (at its next start)" if change in waits else change for change in machine.changes
    ]
    steps += [
        f"{change} (defined already; at its next start)"
        for change in machine.restart
        if change not in machine.changes
    ]
    if machine.state != "running":
        steps.append(f"start it ({machine.state} now), and wait until it answers by ssh")
    elif machine.unreachable:
        steps.append(f"wait until it answers by ssh ({machine.unreachable})")
    planned = [PlannedStep(host, f"{name}: {step}") for step in steps]
    if machine.restart and Permission.REBOOT in lab.allow:
        restart = f"{name}: switch it off and start it again"
        planned.append(PlannedStep(host, restart, confirm=CONFIRM.format(name)))
    elif machine.restart:
        text = f"{name}: it needs a restart, and is left running (the lab does not allow reboot)"
        planned.append(PlannedStep(host, text))
    return planned


def _stop(work: Work, hypervisor: Hypervisor, cases: tuple[Case, ...]) -> None:
    """Switch machines off, all at once."""
    for case in cases:
        work.emit(Note(host=hypervisor.host, text=f"{case.guest.name} is switched off"))
        hypervisor.ask_to_stop(case.guest.domain)
    for case in cases:
        stop(hypervisor, case.guest, cancel=work.cancel)


def tell_outcome(work: Work, host: str, outcome: Outcome) -> None:
    """Tell what was done to a machine, and what it has to do without."""
    name = outcome.guest.name
    done = (
        [f"{name} is made" if outcome.created else f"{name} is started"] if outcome.started else []
    )
    lines = [*done, *(f"{name}: {change}" for change in outcome.changed)]
    lines += [f"{name}: at its next start: {change}" for change in outcome.restart]
    if outcome.started and outcome.left_out:
        left_out = ", ".join(one.name for one in outcome.left_out)
        lines.append(f"{name} does without {left_out}: findings say why, and what it costs")
    for line in lines:
        work.emit(Note(host=host, text=line))


def _all_of(troubles: list[KubertError]) -> KubertError:
    """The first of some errors, with what the others say."""
    first, *others = troubles
    first.details = "\n".join((first.details, *map(str, others))).strip()
    return first


def _unless_cancelled(work: Work, host: str) -> None:
    if work.cancel.is_set():
        raise CancelledError("cancelled", host=host)
