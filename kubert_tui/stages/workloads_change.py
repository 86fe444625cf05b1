"""A lab's applications in its cluster: applied, waited for, removed; whoever asks for it."""

import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass

from kubert_tui.base.errors import CancelledError, ChangeError, DetachedError
from kubert_tui.base.text import clean_line
from kubert_tui.events.model import CommandFinished, CommandStarted, PlannedStep, Waiting
from kubert_tui.facts.workloads import KUBECTL, PodSeen, kubectl_error, look_at_pods
from kubert_tui.hosts.interface import Invocation
from kubert_tui.lab.cluster_variables import cluster_variables
from kubert_tui.lab.model import Lab, Permission
from kubert_tui.lab.nodes import control_plane_of
from kubert_tui.lab.workload_objects import NAMESPACE, Application, workload_variables
from kubert_tui.stages.model import Work
from kubert_tui.stages.playbook_change import PlaybookChange

PLAYBOOK = "cluster-workloads.yml"
_PERIOD = 1.0
"""Seconds between two looks at the pods while they start."""
_TELL = 5.0
"""Seconds between two words about it."""
_REMOVAL = 300
"""Seconds that removing may take: pods get the time they ask for to end."""


@dataclass(frozen=True, slots=True)
class Workloads:
    """Some applications of a lab, on the way into its cluster and out of it."""

    work: Work
    found: tuple[Application, ...]

    @property
    def lead(self) -> str:
        """The control plane: kubectl is there, with its administrator's configuration."""
        return control_plane_of(self.work.lab)

    def run(self, copies: int) -> str:
        """Have so many of each run on each of its nodes; return why they find no room, or ``.

        Raises ChangeError when they would not run whatever room there is, DetachedError and
        CancelledError; all is left as it is then.
        """
        if copies == 0:
            self.remove()
            return ""
        work = self.work

        def helpers(lab: Lab) -> Mapping[str, Mapping[str, object]]:
            told = {
                **cluster_variables(lab, self.lead, helper=True),
                **workload_variables(self.found),
                "workloads_copies": copies,
                "workloads_wait": False,
            }
            return {self.lead: told}

        PlaybookChange(PLAYBOOK, frozenset({Permission.CLUSTER}), helpers=helpers).apply(work, ())
        return self._await(sum(one.pods for one in self.found) * copies)

    def pods(self) -> tuple[PodSeen, ...]:
        """Return the pods that there are."""
        return look_at_pods(self.work.host(self.lead), sudo=True)

    def remove(self) -> None:
        """Remove all of them, and wait until they are gone. It cannot be cancelled."""
        argv = (
            *KUBECTL, "delete", "namespaces", f"--timeout={_REMOVAL}s",
            # What somebody else made under this name is not ours to remove.
            "--selector=app.kubernetes.io/managed-by=kubert-tui",
            f"--field-selector=metadata.name={NAMESPACE}",
        )  # fmt: skip
        started = time.monotonic()
        self.work.emit(CommandStarted(host=self.lead, argv=argv))
        done = self.work.host(self.lead).run(Invocation(argv, sudo=True, timeout=_REMOVAL + 60.0))
        seconds = time.monotonic() - started
        self.work.emit(
            CommandFinished(
                host=self.lead, argv=argv, exit_status=done.exit_status, seconds=seconds
            )
        )
        if not done.ok:
            error = kubectl_error(done, "the applications cannot be removed")
            error.host = self.lead
            error.fix = f"kubectl delete namespace {NAMESPACE}, or start again"
            raise error

    def _await(self, wanted: int) -> str:
        begun = told = time.monotonic()
        cluster = self.work.lab.cluster
        limit = float(cluster.timeout_seconds if cluster else 0)
        while True:
            now = time.monotonic()
            try:
                pods = self.pods()
            except ChangeError:
                if now - begun > limit:
                    raise
                pods = ()  # an API server that has too much to do now may answer later
            ready = sum(one.ready for one in pods)
            if ready == len(pods) == wanted:
                return ""
            if stuck := next((one for one in pods if one.stuck), None):
                raise ChangeError(
                    f"the pod {stuck.name} of {stuck.workload} does not run: {stuck.stuck}",
                    fix="correct the workload in the lab file or its manifest; "
                    f"kubectl --namespace={NAMESPACE} describe pods",
                    host=stuck.node or self.lead,
                )
            if full := next((one for one in pods if one.no_room), None):
                return full.no_room
            if now - begun > limit:
                raise ChangeError(
                    f"of {wanted} pods {ready} were ready after {limit:.0f} s",
                    fix=f"kubectl --namespace={NAMESPACE} describe pods tells why; "
                    "`timeout` of the lab's cluster is how long they get",
                    host=self.lead,
                )
            if now - told > _TELL:
                told = now
                what = f"{wanted} pods to be ready ({ready} are)"
                self.work.emit(Waiting(host=self.lead, what=what, elapsed=now - begun, limit=limit))
            if self.work.cancel.wait(_PERIOD):
                self._let_go()

    def _let_go(self) -> None:
        if self.work.detach.is_set():
            raise DetachedError(
                "let go while applications start: start again, and it goes on", host=self.lead
            )
        raise CancelledError("cancelled while applications start", host=self.lead)


def steps_for(lab: Lab, host: str, found: tuple[Application, ...]) -> tuple[PlannedStep, ...]:
    """Return what a host's plan says of applications, as the lab file has them."""
    steps = []
    for one in found:
        spec = next(spec for spec in lab.workloads if spec.name == one.name)
        what, command = f"the manifest {spec.manifest}", ""
        if not spec.manifest:
            cpus = f"{spec.cpus} CPU{'' if spec.cpus == 1 else 's'}"
            what = f"{spec.settled_image}, {cpus} and {spec.memory} of its own"
            command = clean_line(shlex.join(spec.settled_command))
        copies = f", {spec.copies} pods each" if spec.copies > 1 else ""
        steps.append(
            PlannedStep(
                host, f"application {one.name} on {', '.join(one.nodes)}: {what}{copies}", command
            )
        )
    return tuple(steps)
