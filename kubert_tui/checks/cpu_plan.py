"""Does the lab have a CPU plan for the host, and does it fit what the host is now?"""

from kubert_tui.checks.finding import Check
from kubert_tui.checks.judging import Verdict, failed, ok, unknown, warning
from kubert_tui.cpus.plan import problems
from kubert_tui.facts.fact import Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.facts.topology import topology_of
from kubert_tui.lab.model import Lab

FIX = "Run the stage cpu-plan: it proposes one from the topology."


def _plan(facts: Facts, lab: Lab) -> Verdict:
    topology = topology_of(facts)
    if isinstance(topology, Unknown):
        return unknown("The topology of the CPUs", topology)
    plan = lab.plan_of(facts.host)
    if plan is None:
        return failed("There is no CPU plan for this host.", FIX)
    if wrong := problems(plan, topology.value):
        return failed(
            f"The CPU plan does not fit: {' '.join(wrong)}",
            "Run the stage cpu-plan again, or change `cpus:` of the host in the lab file. Was "
            "hyperthreading switched, or a CPU taken offline?",
        )
    if not plan.isolated and len(topology.value.cores) > 1:
        return warning("The CPU plan isolates no CPU.", FIX)
    return ok(f"CPU plan: {plan.words}.")


PLAN = Check(
    "cpu.plan",
    "CPU plan",
    "Virtual machines, the kubelet, measurements and our own helpers all go by it; a plan for "
    "CPUs that are not there, or for half a core, puts them in each other's way.",
    "/sys/devices/system/cpu/cpu*/topology; libvirt kbase: kvm-realtime",
    _plan,
)
