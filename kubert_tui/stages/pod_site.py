"""Where a pod measures: its image, the pod itself, the proof that it can, and its end."""

import time
from dataclasses import replace

from kubert_tui.base.errors import (
    CancelledError,
    DetachedError,
    KubertError,
    MeasurementError,
    UnreachableError,
)
from kubert_tui.checks.finding import Level
from kubert_tui.checks.pods import pod_findings
from kubert_tui.events.model import FindingMade, Note
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.facts.pod import Granted
from kubert_tui.lab.cluster import ClusterSpec
from kubert_tui.lab.model import Lab
from kubert_tui.lab.nodes import Node, control_plane_of, node_of
from kubert_tui.latency.command import order_in_pod
from kubert_tui.latency.launch import Stage
from kubert_tui.latency.measurement import MeasurementOrder
from kubert_tui.pods.kubectl import Cluster, PodStatus
from kubert_tui.pods.manifest import PodOrder, pod, pod_name
from kubert_tui.pods.place import PodRun, load_image
from kubert_tui.stages.measuring import directory_on
from kubert_tui.stages.model import Work

_TURN = 0.3
_LOOKS = 8
"""Of these looks at the node, one is at what the cluster says of the pod."""


def cluster_of(work: Work) -> Cluster:
    """Return who is asked about pods: the control plane, connected to anew if it was lost."""
    lead = control_plane_of(work.lab)
    return Cluster(lambda: work.host(lead), lambda: work.drop(lead))


def planned_order(lab: Lab, facts: Facts, identity: str) -> MeasurementOrder:
    """Return what would be measured if the kubelet gave the pod all isolated CPUs."""
    node = _node(lab, facts.host)
    cpus = tuple(sorted(node.plan.isolated)) if node.plan else ()
    if not cpus:
        raise MeasurementError(
            f"the CPU plan isolates none of {node.host}'s CPUs: its kubelet gives pods no CPUs of "
            "their own",
            fix="run the stage cpu-plan, then the stage cluster-nodes",
            host=facts.host,
        )
    return order_in_pod(lab, facts, identity, cpus)


class InPod:
    """`stages.measuring.Site` of a pod. Its node is the host that we are connected to."""

    def order(self, work: Work, host: str, identity: str) -> MeasurementOrder:
        """Make the pod if it is not there, prove that it can measure, and say what it measures."""
        try:
            try:
                return self._order(work, host, identity)
            except UnreachableError:
                # What was done until then is found again.
                work.drop(host)
                return self._order(work, host, identity)
        except (MeasurementError, CancelledError) as error:
            if not isinstance(error, DetachedError):
                self._give_up(work, host, identity)
            raise

    def leave(self, work: Work, host: str, identity: str) -> None:
        """Remove the pod; what it wrote is on its node."""
        del host
        cluster_of(work).delete(pod_name(identity))

    def _order(self, work: Work, host: str, identity: str) -> MeasurementOrder:
        run = PodRun(work.host(host), directory_on(work, host), identity)
        planned = planned_order(work.lab, work.facts(host), identity)
        if run.look().stage not in (Stage.ABSENT, Stage.PREPARED):
            # Its proof was made when it began.
            granted = run.granted()
            if not isinstance(granted, Known):
                raise run.error("the measurement there does not say which CPUs it was given")
            return _decided(work, run, planned, granted.value)
        status = self._made(work, run, planned)
        granted_now, status = self._awaited(work, run, status)
        self._prove(work, run, granted_now, status)
        return _decided(work, run, planned, granted_now)

    def _made(self, work: Work, run: PodRun, planned: MeasurementOrder) -> PodStatus:
        """Return the pod, made if it was not there, or has given up waiting for us."""
        cluster, name = cluster_of(work), pod_name(run.identity)
        status = cluster.status(name)
        if status is not None and status.ended:
            cluster.delete(name)
            status = None
        if status is None:
            order = self._pod_order(work, run, planned, cluster)
            run.make_room()
            cluster.create(pod(order))
            status = cluster.status(name)
        if status is None:
            raise run.error("the pod that was just made is gone", fix="start it again")
        return status

    def _pod_order(
        self, work: Work, run: PodRun, planned: MeasurementOrder, cluster: Cluster
    ) -> PodOrder:
        host, lab = run.host.name, work.lab
        node, spec = _node(lab, host), _cluster(lab)
        if work.facts(host).privileged != Known(value=True):
            raise run.error("a pod can be followed by root only", fix="log in as root, or use sudo")
        cpus = self._cpus(work, run, node, cluster)
        image, program = lab.pods.image, "cyclictest"
        if not image:
            program = planned.command[0]
            if spec.runtime == "preinstalled" and "containerd" not in spec.socket:
                raise run.error(
                    f"images can be put into containerd and docker only, not into {spec.socket}",
                    fix="name an image in `pods: {image: ...}` of the lab file",
                )
            image, loaded = load_image(run.host, spec.runtime, spec.socket, program)
            if loaded:
                text = f"{node.host}'s runtime has the image {image} now; it stays for the next"
                work.emit(Note(host=host, text=text))
        return PodOrder(
            identity=run.identity,
            node=node.name,
            image=image,
            ours=not lab.pods.image,
            cpus=cpus,
            directory=run.directory,
            program=program,
            priority=lab.cyclictest.priority,
        )

    def _cpus(self, work: Work, run: PodRun, node: Node, cluster: Cluster) -> int:
        """Return how many whole CPUs the pod asks for."""
        room = cluster.room(node.name)
        isolated = len(node.plan.isolated) if node.plan else 0
        free = min(room.whole, isolated)
        if work.facts(run.host.name).processors.smt_active == Known(value=True):
            # The kubelet gives whole cores only.
            free -= free % 2
        wanted = work.lab.pods.cpus or max(free, 1)
        if wanted <= free:
            return wanted
        raise run.error(
            f"{node.host} has {free} whole CPUs for pods, not {wanted}: its pods have asked for "
            f"{room.requested / 1000:g} of {room.allocatable / 1000:g}",
            fix="move pods off it (`kubectl describe node` lists them), ask for fewer in `pods: "
            "{cpus: ...}`, or isolate more",
        )

    def _awaited(self, work: Work, run: PodRun, status: PodStatus) -> tuple[Granted, PodStatus]:
        """Wait until the pod runs and has said what it was given."""
        limit = _cluster(work.lab).timeout_seconds
        deadline, looks = time.monotonic() + limit, 0
        while True:
            granted = run.granted()
            if isinstance(granted, Unknown):
                raise run.error(granted.reason)
            if granted is not None and status.uid and status.quality:
                return granted.value, status
            looks += 1
            if looks % _LOOKS == 0 or granted is not None:
                told = cluster_of(work).status(pod_name(run.identity))
                status = told or replace(status, phase="Failed", trouble="somebody removed it")
            if status.ended or (status.trouble and looks > 3 * _LOOKS):
                why = status.trouble or f"it has {status.phase.lower()}"
                raise run.error(
                    f"the pod does not run: {why}",
                    fix="`kubectl describe node` and `journalctl -u kubelet` on it tell more",
                )
            if time.monotonic() > deadline:
                raise run.error(
                    f"the pod did not start within {limit} s ({status.phase or 'not begun'})",
                    fix="see `journalctl -u kubelet` on its node",
                )
            if work.detach.is_set():
                raise DetachedError("let go before the measurement began", host=run.host.name)
            if work.cancel.wait(_TURN):
                raise CancelledError("cancelled before the measurement began", host=run.host.name)

    def _prove(self, work: Work, run: PodRun, granted: Granted, status: PodStatus) -> None:
        """Tell what the pod was given; raise when its figures would mean nothing."""
        host = run.host.name
        seen = run.look_at_pod(granted, status)
        if isinstance(seen, Unknown):
            raise run.error(f"what the pod was given is unknown: {seen.reason}")
        findings = pod_findings(work.facts(host), work.lab, seen.value)
        for finding in findings:
            work.emit(FindingMade(host=host, finding=finding))
        for finding in findings:
            if finding.level is Level.FAILED:
                raise run.error(finding.summary.rstrip("."), fix=finding.fix)

    def _give_up(self, work: Work, host: str, identity: str) -> None:
        """Remove a pod that was not told to measure, and its directory."""
        try:
            run = PodRun(work.host(host), directory_on(work, host), identity)
            if run.look().stage in (Stage.ABSENT, Stage.PREPARED):
                self.leave(work, host, identity)
                run.clear()
        except KubertError as error:
            work.emit(Note(host=host, text=f"left in the cluster: {identity}: {error.what}"))


IN_POD = InPod()


def _decided(
    work: Work, run: PodRun, planned: MeasurementOrder, granted: Granted
) -> MeasurementOrder:
    """Return the order for the CPUs that the pod has, and the cyclictest in its image."""
    version = planned.version
    if work.lab.pods.image:
        version = run.version()
        if not granted.program or not version:
            raise run.error(
                f"the image {work.lab.pods.image} has no cyclictest that runs",
                fix="name another image in `pods: {image: ...}` of the lab file, or none",
            )
    facts = work.facts(run.host.name)
    return order_in_pod(
        work.lab, facts, run.identity, granted.cpus, path=granted.program, version=version
    )


def _node(lab: Lab, host: str) -> Node:
    node = node_of(lab, host)
    if node is None:
        raise MeasurementError("it is on no node of the cluster", host=host)
    return node


def _cluster(lab: Lab) -> ClusterSpec:
    if lab.cluster is None:
        raise MeasurementError("the lab has no cluster")
    return lab.cluster
