"""All checks, in the order in which they are shown."""

from collections.abc import Iterable

from kubert_tui.checks import (
    bridge,
    cluster,
    cluster_up,
    cluster_upkeep,
    cpu_plan,
    cross,
    host,
    image,
    irq,
    kernel,
    machines,
    memory,
    network,
    packages,
    processors,
    scheduling,
    tools,
    trial,
    virtualization,
)
from kubert_tui.checks.finding import Check, CrossCheck, Finding
from kubert_tui.facts.model import Facts
from kubert_tui.lab.model import Lab

ALL: tuple[Check, ...] = (
    host.PRIVILEGED,
    host.OPERATOR,
    host.DISTRIBUTION,
    host.CLOCK,
    host.DISK,
    host.PYTHON,
    packages.UPDATED,
    kernel.REALTIME_INSTALLED,
    kernel.REALTIME_DEFAULT,
    kernel.REALTIME_RUNNING,
    trial.TRIAL,
    trial.ONE_SHOT,
    kernel.SECURE_BOOT,
    kernel.COMMAND_LINE,
    processors.SMT_OFF,
    cpu_plan.PLAN,
    processors.ISOLATED,
    processors.GOVERNOR,
    processors.IDLE_STATES,
    irq.IRQBALANCE_OFF,
    tools.CYCLICTEST,
    tools.LOAD,
    memory.THP,
    memory.KSM,
    memory.HUGEPAGES,
    memory.SWAP,
    scheduling.RT_THROTTLING,
    scheduling.RT_GROUP,
    virtualization.KVM,
    image.PRESENT,
    image.ROOM,
    image.ARCHITECTURE,
    *machines.ALL,
    virtualization.INSTALLED,
    virtualization.RUNNING,
    virtualization.USABLE,
    virtualization.BOOTS,
    network.CARDS,
    bridge.BRIDGE,
)

CLUSTER: tuple[Check, ...] = (
    cluster.PREPARED,
    cluster.SELINUX,
    cluster.RUNTIME,
    cluster.PACKAGES,
    cluster.KUBELET,
    cluster_up.CONTROL_PLANE,
    cluster.SERVER_CPUS,
    cluster_up.JOINED,
    cluster_up.READY,
    cluster_upkeep.VERSION,
    cluster_upkeep.CERTIFICATES,
)
"""Of the cluster's nodes; what they judge is looked at by the stages that are about it only."""

CROSS: tuple[CrossCheck, ...] = (
    cross.NAMES,
    cross.MACHINE_IDS,
    cross.ADDRESSES,
    cross.KERNELS,
    cross.PROCESSORS,
    cross.CPU_PLANS,
    cross.CLOCKS,
    cross.REALTIME,
    machines.NETWORK,
)


def judge_all(facts: Facts, lab: Lab, checks: Iterable[Check] = ALL) -> tuple[Finding, ...]:
    """Return one finding per check for one host."""
    return tuple(check(facts, lab) for check in checks)


def judge_across(
    all_facts: tuple[Facts, ...], lab: Lab, checks: Iterable[CrossCheck] = CROSS
) -> tuple[Finding, ...]:
    """Return one finding per cross check; none when there are fewer than two hosts."""
    if len(all_facts) < 2:
        return ()
    return tuple(check(all_facts, lab) for check in checks)
