"""Measures with cyclictest. It changes nothing on the host, so it needs no permission."""

import shlex
from dataclasses import dataclass

from kubert_tui.base.errors import MeasurementError
from kubert_tui.events.model import PlannedStep
from kubert_tui.facts.model import Facts
from kubert_tui.lab.model import HostSpec, Lab, Permission
from kubert_tui.latency.command import order_for, stream_for
from kubert_tui.stages.measuring import measure_one
from kubert_tui.stages.model import Work


@dataclass(frozen=True, slots=True)
class MeasureChange:
    """Runs cyclictest on the hosts, follows it, stores what it found."""

    confirm: str = ""
    previews: bool = False

    def needs(self, lab: Lab, host: HostSpec) -> frozenset[Permission]:
        """Nothing: a measurement leaves no trace."""
        del lab, host
        return frozenset()

    def plan(self, lab: Lab, facts: Facts) -> tuple[PlannedStep, ...]:
        """The command, literally."""
        try:
            order = order_for(lab, facts, "plan")
        except MeasurementError as error:
            return (PlannedStep(facts.host, f"measure, once it can: {error.what}"),)
        seconds = order.loops * order.interval / 1e6
        title = (
            f"measure {len(order.cpus)} CPUs for {seconds:.0f} s with cyclictest {order.version}"
        )
        steps = [PlannedStep(facts.host, title, shlex.join(order.command))]
        steps.append(PlannedStep(facts.host, str(stream_for(lab, facts))))
        if (load := order.load) is not None:
            beside = f"meanwhile load CPUs {load.cpus} ({load.preset})"
            steps.append(PlannedStep(facts.host, beside, shlex.join(load.command)))
        return tuple(steps)

    def preview(self, work: Work, hosts: tuple[str, ...]) -> None:
        """There is nothing to preview: the plan is the command."""

    def apply(self, work: Work, hosts: tuple[str, ...]) -> None:
        """Measure on all hosts at once."""
        work.each(hosts, lambda host: measure_one(work, host))
