"""Does the lab have a CPU plan for the host, and does it fit what the host is now?"""

from kubert_tui.checks.finding import Check
from kubert_tui.checks.judging import Verdict, failed, ok, unknown, warning
from kubert_tui.cpus.lists import cpu_list
from kubert_tui.cpus.plan import CpuPlan, problems
from kubert_tui.facts.model import Facts, Unknown
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
    if not plan.isolated:
        return ok("The one core keeps house; there is none to isolate.") if (
            len(topology.value.cores) == 1
        ) else warning("The CPU plan isolates no CPU.", FIX)
    return ok(f"CPU plan: {plan.words}.")


def wanted_arguments(plan: CpuPlan) -> str:
    """Return the kernel arguments that make a plan true."""
    cpus = cpu_list(plan.isolated)
    return (
        f"isolcpus=managed_irq,domain,{cpus} nohz_full={cpus} rcu_nocbs={cpus} "
        f"irqaffinity={cpu_list(plan.housekeeping)}"
    )


PLAN = Check(
    "cpu.plan",
    "CPU plan",
    "Virtual machines, the kubelet, measurements and our own helpers all go by it; a plan for "
    "CPUs that are not there, or for half a core, puts them in each other's way.",
    "/sys/devices/system/cpu/cpu*/topology; libvirt kbase: kvm-realtime",
    _plan,
)
