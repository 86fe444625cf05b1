"""Measures while more and more applications run in the cluster: 0, 1, ... on each node."""

import shlex
from dataclasses import dataclass

from kubert_tui.ansible.playbooks import playbook_command
from kubert_tui.ansible.request import PlaybookRequest
from kubert_tui.base.errors import DetachedError
from kubert_tui.events.measuring import DensityMeasured, DensityPoint
from kubert_tui.events.model import PlannedStep
from kubert_tui.facts.model import Facts
from kubert_tui.lab.model import HostSpec, Lab, Permission
from kubert_tui.lab.nodes import control_plane_of
from kubert_tui.lab.workload_objects import chosen_applications, fingerprint_of
from kubert_tui.latency.applications import end_of, save_end
from kubert_tui.results.density import Curve, curves
from kubert_tui.stages.density_steps import DensitySteps
from kubert_tui.stages.measure_change import MeasureChange
from kubert_tui.stages.model import Work
from kubert_tui.stages.workloads_change import PLAYBOOK, Workloads, steps_for


@dataclass(frozen=True, slots=True)
class DensityChange:
    """Steps the density of applications and measures at each step. See `Change`."""

    confirm: str = ""
    previews: bool = False

    def needs(self, lab: Lab, host: HostSpec) -> frozenset[Permission]:
        """Pods come and go."""
        del lab, host
        return frozenset({Permission.CLUSTER})

    def plan(self, lab: Lab, facts: Facts) -> tuple[PlannedStep, ...]:
        """The applications, the steps, and what is measured at each of them."""
        if lab.cluster is None:
            return ()
        found, most = chosen_applications(lab), lab.density.max
        lead = lab.host(control_plane_of(lab))
        request = PlaybookRequest(
            PLAYBOOK, hosts=(lead,), jump_hosts={one.name: one for one in lab.everyone}
        )
        # Other applications or more of them are another plan: what was measured is not it.
        about = f"workloads_copies=1..{most} workloads_fingerprint={fingerprint_of(found)}"
        host = facts.host
        return (
            *steps_for(lab, host, found),
            PlannedStep(
                host,
                f"measure without any of them, then with 1 to {most} of each on each of its nodes, "
                "once all of them are ready; then remove them",
                f"{shlex.join(playbook_command(request))} # {about}",
            ),
            *MeasureChange().plan(lab, facts),
        )

    def preview(self, work: Work, hosts: tuple[str, ...]) -> None:
        """There is nothing to preview: the plan says it."""

    def apply(self, work: Work, hosts: tuple[str, ...]) -> None:
        """Go through the steps that are not measured yet; leave nothing behind."""
        found = chosen_applications(work.lab)
        before = end_of(work.directory.name)
        stepping = DensitySteps(
            work, hosts, found, Workloads(work, found), fingerprint_of(found),
            frozenset(before.results if before else ()),
        )  # fmt: skip
        try:
            end = stepping.go_through()
        except DetachedError:
            raise  # what is measured goes on there, and needs them
        except BaseException as error:
            if not stepping.goes_on:
                stepping.remove_after(error)
            raise
        stepping.workloads.remove()
        save_end(work.directory, end)
        for curve in curves(stepping.results(), ends={work.directory.name: end}):
            work.emit(self._measured(work, curve))
        # From now on it is told: whoever asks again wants it measured again.
        done = tuple(path.name for path in work.directory.glob("latency-*.json"))
        save_end(work.directory, end.model_copy(update={"results": done}))

    def _measured(self, work: Work, curve: Curve) -> DensityMeasured:
        steps = self.plan(work.lab, work.facts(curve.host))
        return DensityMeasured(
            host=curve.host,
            commands=tuple(step.command for step in steps if step.command),
            names=curve.names,
            limit=curve.limit.microseconds if curve.limit else 0,
            points=tuple(
                DensityPoint(
                    applications=one.applications,
                    figures=one.told(),
                    below=one.below(curve.limit),
                )
                for one in curve.points
            ),
            statement=curve.statement,
        )
