"""What there is to decide of the CPUs: proposed from the facts, checked when it is answered."""

from kubert_tui.base.errors import UsageError
from kubert_tui.cpus.plan import CpuPlan, adapted, problems, propose
from kubert_tui.events.model import PlannedStep
from kubert_tui.events.questions import Answer, HostCpus, QuestionKind
from kubert_tui.facts.fact import Known
from kubert_tui.facts.model import Facts
from kubert_tui.facts.topology import cards_of, topology_of
from kubert_tui.lab.edit import one_line
from kubert_tui.lab.model import Lab
from kubert_tui.stages.model import Asking


class CpuPlanDecision:
    """One question for all hosts, so that a plan can be copied to a twin."""

    def steps(self, lab: Lab, facts: Facts) -> tuple[PlannedStep, ...]:
        """Return what is decided for a host if nobody changes it."""
        host = _host(lab, facts)
        if host is None:
            return ()
        return (PlannedStep(facts.host, f"Plan its CPUs: {host.plan.words}", one_line(host.plan)),)

    def asking(self, lab: Lab, facts: tuple[Facts, ...]) -> Asking:
        """Return the question."""
        hosts = tuple(host for one in facts if (host := _host(lab, one)) is not None)
        replaced = tuple(host.host for host in hosts if host.replaces)
        confirm = ""
        if replaced:
            names = ", ".join(replaced)
            confirm = f"The plan that the lab has for {names} does not fit, and is adapted."
        return Asking(
            kind=QuestionKind.CPU_PLAN,
            text="Which CPUs keep house, which are isolated for real time?",
            details="\n".join(f"{host.host}: {host.replaces}" for host in hosts if host.replaces),
            confirm=confirm,
            cpus=hosts,
        )

    def decided(self, lab: Lab, asking: Asking, answer: Answer) -> dict[str, CpuPlan]:
        """Return the plans that are new, by host; UsageError if one of them does not fit."""
        plans = {}
        for host in asking.cpus:
            plan = answer.plans.get(host.host, host.plan)
            if wrong := problems(plan, host.topology):
                raise UsageError(
                    f"the CPU plan does not fit: {' '.join(wrong)}",
                    fix="Start the stage again and change it.",
                    host=host.host,
                )
            if plan != lab.plan_of(host.host):
                plans[host.host] = plan
        return plans


def _host(lab: Lab, facts: Facts) -> HostCpus | None:
    topology = topology_of(facts)
    if not isinstance(topology, Known):
        return None
    own = lab.plan_of(facts.host)
    wrong = problems(own, topology.value) if own is not None else ()
    plan = propose(topology.value) if own is None else own
    offline, isolated = facts.processors.offline, facts.processors.isolated
    return HostCpus(
        host=facts.host,
        topology=topology.value,
        plan=adapted(plan, topology.value) if wrong else plan,
        replaces=" ".join(wrong),
        offline=offline.value if isinstance(offline, Known) else (),
        isolated=isolated.value if isinstance(isolated, Known) else None,
        cards=cards_of(facts),
    )
