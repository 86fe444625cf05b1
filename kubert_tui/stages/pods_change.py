"""Measures down to the pod: hosts, machines, and a Guaranteed pod on every node."""

import shlex
from collections.abc import Iterable
from threading import Event as Flag
from threading import Lock

from kubert_tui.base.errors import KubertError, MeasurementError
from kubert_tui.events.model import Note, PlannedStep
from kubert_tui.facts.model import Facts
from kubert_tui.lab.model import HostSpec, Lab, Permission
from kubert_tui.latency.measurement import MeasurementOrder
from kubert_tui.stages.ladder_change import LadderChange
from kubert_tui.stages.measure_change import MeasureChange
from kubert_tui.stages.measuring import ON_HOST, Site, measure_one
from kubert_tui.stages.model import Work
from kubert_tui.stages.pod_site import IN_POD, cluster_of, planned_order

_TURN = 0.1


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
        pods = [name for name in hosts if work.lab.layer_of(name) == "pod"]
        start = Start(pods)

        def measure(name: str) -> None:
            try:
                measure_one(work, name, start)
            finally:
                start.ready(name)

        try:
            work.each(hosts, measure)
        finally:
            # Who lets go leaves everything to whoever comes back.
            if pods and not work.detach.is_set():
                leave_cluster(work)


class Start:
    """Has all begin when the last pod is ready (or will not be): pods take a while to be made."""

    def __init__(self, pods: Iterable[str]) -> None:
        self._awaited = {*pods}
        self._lock = Lock()
        self._begin = Flag()
        if not self._awaited:
            self._begin.set()

    def ready(self, name: str) -> None:
        """Say that nobody has to wait for this one any more."""
        with self._lock:
            self._awaited.discard(name)
            if not self._awaited:
                self._begin.set()

    def order(self, work: Work, host: str, identity: str) -> MeasurementOrder:
        """Decide the measurement, and return when it may begin."""
        order = self._site(work, host).order(work, host, identity)
        self.ready(host)
        while not self._begin.wait(_TURN):
            # Whoever measures heeds them next.
            if work.cancel.is_set() or work.detach.is_set():
                break
        return order

    def leave(self, work: Work, host: str, identity: str) -> None:
        """Remove what was made for it."""
        self._site(work, host).leave(work, host, identity)

    def _site(self, work: Work, host: str) -> Site:
        return IN_POD if work.lab.layer_of(host) == "pod" else ON_HOST


def leave_cluster(work: Work) -> None:
    """Remove our namespace when nothing is measured in it any more; what stays is told."""
    try:
        cluster_of(work).leave()
    except KubertError as error:
        work.emit(Note(text=f"left in the cluster: the namespace of our pods: {error.what}"))
