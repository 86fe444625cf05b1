"""Stage 5: which CPUs do everything else, and which are kept for real time. Changes nothing."""

from kubert_tui.checks import cpu_plan, cross, kernel, processors
from kubert_tui.facts.fact import Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.facts.topology import topology_of
from kubert_tui.lab.model import Lab
from kubert_tui.stages.cpu_plan_decision import CpuPlanDecision
from kubert_tui.stages.model import Guide, Stage


def not_for(facts: Facts, _: Lab) -> str:
    """Return why no plan can be made for a host; `` when one can."""
    topology = topology_of(facts)
    if isinstance(topology, Unknown):
        return f"the topology of its CPUs is unknown: {topology.reason}"
    return ""


STAGE = Stage(
    id="cpu-plan",
    title="CPU plan",
    guide=Guide(
        what="Decides for every host which CPUs keep house (interrupts, the system's services, "
        "QEMU's own threads, our helpers while something is measured) and which are isolated for "
        "real-time work. A plan is proposed from the topology: whole cores, some in every NUMA "
        "node, more where network cards hang. You see it as a picture of sockets and cores, and "
        "change it there.\n\n"
        "The plan is kept in the lab file. Nothing is changed on any host: where a host isolates "
        "other CPUs than the plan, a finding says so, and how to boot it.",
        why="Virtual machines, the kubelet and measurements all have to agree on it. A real-time "
        "thread that shares its core with the host's work waits for that work.",
        readme="Let's isolate the interrupt requests (IRQ) in a range of CPUs.",
        ours="`cpus:` under each host of the lab file, housekeeping and isolated, as CPU lists",
        differs="The README says that there should be a range, not which. Everything later needs "
        "to know, so it is decided once, now that hyperthreading is settled and CPUs keep their "
        "numbers.",
    ),
    checks=(
        cpu_plan.PLAN,
        processors.SMT_OFF,
        processors.ISOLATED,
        kernel.COMMAND_LINE,
    ),
    goals=frozenset({cpu_plan.PLAN.id}),
    cross_checks=(cross.CPU_PLANS,),
    decision=CpuPlanDecision(),
    not_for=not_for,
)
