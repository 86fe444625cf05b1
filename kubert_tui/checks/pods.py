"""Checks of a pod of ours that runs on a node: whether its measurement can mean anything."""

from kubert_tui.checks.finding import Finding
from kubert_tui.checks.judging import Verdict, failed, numbers, ok, warning
from kubert_tui.facts.fact import Known
from kubert_tui.facts.model import Facts
from kubert_tui.facts.pod import PodSeen
from kubert_tui.lab.model import Lab
from kubert_tui.lab.nodes import node_of

REALTIME = "pods.realtime"
CPUS = "pods.cpus"
_WHY = {
    REALTIME: "Without SCHED_FIFO a pod waits behind everything else that runs on its CPU.",
    CPUS: "Only a Guaranteed pod that asks for whole CPUs has them for itself; on isolated ones "
    "the rest of the system leaves it alone.",
}
_SOURCE = {
    REALTIME: "chrt in the pod; sched(7); Documentation/scheduler/sched-rt-group",
    CPUS: "Kubernetes: control CPU management policies; cpu_manager_state of the kubelet",
}
_STAGE = "Run the stage cluster-nodes."


def pod_findings(facts: Facts, lab: Lab, pod: PodSeen) -> tuple[Finding, Finding]:
    """Return what is to be said of the pod `facts.host` before it is measured.

    One that failed says why its figures would mean nothing.
    """
    return (
        _finding(REALTIME, facts, _realtime(pod, facts, lab)),
        _finding(CPUS, facts, _cpus(pod, facts, lab)),
    )


def _finding(check: str, facts: Facts, verdict: Verdict) -> Finding:
    level, summary, fix = verdict
    return Finding(check, facts.host, level, summary, _WHY[check], fix, _SOURCE[check])


def _realtime(pod: PodSeen, facts: Facts, lab: Lab) -> Verdict:
    node, priority = lab.machine_of(facts.host), lab.cyclictest.priority
    if pod.granted.realtime:
        budget = f", up to {pod.groups[-1][1]} us of each period" if pod.groups else ""
        return ok(f"A pod on {node} gets SCHED_FIFO at priority {priority}{budget}.")
    refused = f"A pod on {node} is refused SCHED_FIFO at priority {priority}"
    if not pod.granted.nice:
        return failed(
            f"{refused}: it was started without the capability SYS_NICE.",
            "See which policy of the cluster takes capabilities from pods (an admission webhook, "
            "a PodSecurityPolicy), and let the namespace kubert-pods have it.",
        )
    if empty := next((path for path, budget in pod.groups if budget <= 0), ""):
        return failed(
            f"{refused}: its cgroup {empty} has no real-time budget (cpu.rt_runtime_us).",
            "Boot a kernel without CONFIG_RT_GROUP_SCHED, as PREEMPT_RT kernels are; or give "
            "kubepods.slice and each group below it cpu.rt_runtime_us, from the top.",
        )
    if not pod.groups and facts.scheduling.rt_group_sched == Known(value=True):
        return failed(
            f"{refused}: its kernel has CONFIG_RT_GROUP_SCHED, and cgroup v2 has no budgets.",
            "Boot a kernel without CONFIG_RT_GROUP_SCHED, as PREEMPT_RT kernels are.",
        )
    said = pod.granted.refusal or "chrt did not say why"
    return failed(
        f"{refused}: {said}.",
        "See which limit there is on the node: RLIMIT_RTPRIO of the runtime's unit, seccomp.",
    )


def _cpus(pod: PodSeen, facts: Facts, lab: Lab) -> Verdict:
    node = node_of(lab, facts.host)
    name = lab.machine_of(facts.host)
    plan = node.plan if node else None
    allowed = numbers(pod.granted.cpus)
    if pod.quality != "Guaranteed":
        return failed(
            f"The pod on {name} is {pod.quality or 'of no quality of service'}, not Guaranteed.",
            "See which policy of the cluster changes the resources of pods (a LimitRange, an "
            "admission webhook).",
        )
    if pod.policy != "static":
        return failed(
            f"The CPU manager's policy on {name} is {pod.policy}: no pod has CPUs of its own.",
            _STAGE,
        )
    if not pod.own or {*pod.own}.intersection(pod.shared) or {*pod.own} != {*pod.granted.cpus}:
        own = f"gave it CPUs {numbers(pod.own)}" if pod.own else "gave it none of its own"
        return failed(
            f"The pod on {name} may run on CPUs {allowed}, but the kubelet {own}.", _STAGE
        )
    if plan is not None and not plan.isolated.issuperset(pod.own):
        return failed(
            f"The pod on {name} has CPUs {allowed}, not only those that the CPU plan isolates "
            f"({numbers(plan.isolated)}).",
            _STAGE,
        )
    isolated = facts.processors.isolated
    kernel = frozenset(isolated.value if isinstance(isolated, Known) else ())
    if not kernel.issuperset(pod.own):
        return warning(
            f"The pod on {name} has CPUs {allowed} for itself, but the kernel does not isolate "
            "them: interrupts and other work of the system run there, too.",
            "Boot with the CPU plan; see the finding about isolated CPUs.",
        )
    return ok(f"The pod on {name} is Guaranteed, and has the isolated CPUs {allowed} for itself.")
