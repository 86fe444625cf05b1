"""Measures down to the pod: hosts, machines, and a Guaranteed pod on every node."""

import shlex

from kubert_tui.base.errors import KubertError, MeasurementError
from kubert_tui.events.model import Note, PlannedStep
from kubert_tui.facts.model import Facts
from kubert_tui.lab.model import HostSpec, Lab, Permission
from kubert_tui.stages.ladder_change import LadderChange
from kubert_tui.stages.measure_change import ON_HOST, MeasureChange, measure_one
from kubert_tui.stages.model import Work
from kubert_tui.stages.pod_site import IN_POD, cluster_of, planned_order


class PodsChange(LadderChange):
    """`LadderChange`, and pods. What is made in the cluster for them is removed at the end."""

    __slots__ = ()

    def needs(self, lab: Lab, host: HostSpec) -> frozenset[Permission]:
        """A pod is something that the cluster is told to run."""
        return frozenset({Permission.CLUSTER} if lab.layer_of(host.name) == "pod" else ())

    def plan(self, lab: Lab, facts: Facts) -> tuple[PlannedStep, ...]:
        """The command, literally; before it, what makes the pod."""
        if lab.layer_of(facts.host) != "pod":
            return MeasureChange.plan(self, lab, facts)
        node = lab.machine_of(facts.host)
        try:
            order = planned_order(lab, facts, "plan")
        except MeasurementError as error:
            return (PlannedStep(facts.host, f"measure, once it can: {error.what}"),)
        image = lab.pods.image or f"{node}'s own {order.command[0]}"
        cpus = f"{lab.pods.cpus} whole CPUs" if lab.pods.cpus else "all whole CPUs that are free"
        seconds = order.loops * order.interval / 1e6
        steps = [
            PlannedStep(facts.host, f"make a Guaranteed pod with {cpus} of {node}, of {image}"),
            PlannedStep(facts.host, "prove that it gets SCHED_FIFO, and CPUs of its own"),
            PlannedStep(
                facts.host,
                f"measure them for {seconds:.0f} s with cyclictest {order.version}, remove the pod",
                shlex.join(order.command),
            ),
        ]
        if (load := order.load) is not None:
            beside = f"meanwhile load CPUs {load.cpus} of {node} ({load.preset})"
            steps.append(PlannedStep(facts.host, beside, shlex.join(load.command)))
        return tuple(steps)

    def measure(self, work: Work, hosts: tuple[str, ...]) -> None:
        """Measure on all of them at once; leave the cluster as it was."""
        pods = {name for name in hosts if work.lab.layer_of(name) == "pod"}
        work.each(hosts, lambda name: measure_one(work, name, IN_POD if name in pods else ON_HOST))
        if pods:
            leave_cluster(work)


def leave_cluster(work: Work) -> None:
    """Remove our namespace when nothing is measured in it any more; what stays is told."""
    try:
        cluster_of(work).leave()
    except KubertError as error:
        work.emit(Note(text=f"left in the cluster: the namespace of our pods: {error.what}"))
