"""Checks across hosts: twins must differ where they must, and be equal where they should."""

from collections.abc import Callable, Hashable
from ipaddress import ip_address
from typing import TypeVar

from kubert_tui.checks.finding import CrossCheck, Level
from kubert_tui.checks.judging import (
    README,
    Verdict,
    failed,
    ok,
    realtime_running,
    warning,
)
from kubert_tui.cpus.plan import CpuPlan
from kubert_tui.cpus.topology import Cpu
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.model import Facts, NetworkCard
from kubert_tui.lab.model import Lab

K = TypeVar("K", bound=Hashable)

_LOCAL_BRIDGES = ("docker", "virbr", "br-", "cni", "flannel", "lxcbr", "podman", "veth")
_CLOCK_APART = 1.0
"""Seconds between two clocks that are worth a warning."""


def _groups(
    all_facts: tuple[Facts, ...], read: Callable[[Facts], Fact[K]]
) -> tuple[dict[K, list[str]], list[str]]:
    """Return host names by what was read, and the hosts for which it is unknown."""
    groups: dict[K, list[str]] = {}
    unknown: list[str] = []
    for facts in all_facts:
        fact = read(facts)
        if isinstance(fact, Unknown):
            unknown.append(facts.host)
        else:
            groups.setdefault(fact.value, []).append(facts.host)
    return groups, unknown


def _not_known(what: str, hosts: list[str]) -> Verdict:
    return Level.UNKNOWN, f"{what} unknown on {', '.join(hosts)}.", "See the findings per host."


def _must_differ(
    all_facts: tuple[Facts, ...], read: Callable[[Facts], Fact[K]], what: str, fix: str
) -> Verdict:
    groups, unknown = _groups(all_facts, read)
    equal = [f"{' and '.join(hosts)}: {key}" for key, hosts in groups.items() if len(hosts) > 1]
    if equal:
        return failed(f"Equal {what} on {'; '.join(equal)}.", fix)
    return _not_known(what, unknown) if unknown else ok(f"All {what} differ.")


def _should_agree(
    all_facts: tuple[Facts, ...], read: Callable[[Facts], Fact[K]], what: str, fix: str
) -> Verdict:
    groups, unknown = _groups(all_facts, read)
    if len(groups) > 1:
        said = "; ".join(f"{' and '.join(hosts)}: {key}" for key, hosts in groups.items())
        return warning(f"The {what} differ: {said}.", fix)
    return _not_known(what, unknown) if unknown else ok(f"The {what} are equal.")


def _names(all_facts: tuple[Facts, ...], lab: Lab) -> Verdict:
    del lab
    fix = "Give each host a name of its own: hostnamectl set-hostname NAME."
    return _must_differ(all_facts, lambda facts: facts.hostname, "hostnames", fix)


def _machine_ids(all_facts: tuple[Facts, ...], lab: Lab) -> Verdict:
    del lab
    fix = "On a cloned host: rm /etc/machine-id; systemd-machine-id-setup; reboot."
    return _must_differ(all_facts, lambda facts: facts.machine_id, "machine ids", fix)


def _addresses(all_facts: tuple[Facts, ...], lab: Lab) -> Verdict:
    del lab
    owners: dict[str, list[str]] = {}
    unknown: list[str] = []
    for facts in all_facts:
        if isinstance(facts.network, Unknown):
            unknown.append(facts.host)
            continue
        for address in sorted({a for card in facts.network.value for a in _reachable(card)}):
            owners.setdefault(address, []).append(facts.host)
    shared = [f"{a} on {' and '.join(hosts)}" for a, hosts in owners.items() if len(hosts) > 1]
    if shared:
        return failed(f"Shared addresses: {'; '.join(shared)}.", "Give each host its own address.")
    return _not_known("addresses", unknown) if unknown else ok("No address is shared.")


def _reachable(card: NetworkCard) -> list[str]:
    """Return the addresses that others could know the host by."""
    if card.name.startswith(_LOCAL_BRIDGES):
        return []
    result: list[str] = []
    for text in card.addresses:
        try:
            address = ip_address(text)
        except ValueError:
            continue
        if not (address.is_link_local or address.is_loopback or address.is_unspecified):
            result.append(str(address))
    return result


def _kernels(all_facts: tuple[Facts, ...], lab: Lab) -> Verdict:
    del lab
    fix = "Bring the hosts to the same kernel, or compare their results with care."
    return _should_agree(all_facts, lambda facts: facts.kernel.release, "running kernels", fix)


def _processors(all_facts: tuple[Facts, ...], lab: Lab) -> Verdict:
    del lab
    fix = "Compare results between these hosts with care."
    return _should_agree(all_facts, lambda facts: facts.processors.model, "CPU models", fix)


def _realtime(all_facts: tuple[Facts, ...], lab: Lab) -> Verdict:
    del lab
    fix = "Boot the PREEMPT_RT kernel on all of them."
    return _should_agree(all_facts, _realtime_state, "real-time states", fix)


def _realtime_state(facts: Facts) -> Fact[str]:
    evidence = facts.kernel.realtime
    if realtime_running(evidence):
        return Known("PREEMPT_RT")
    for sign in (evidence.uname_version, evidence.kernel_config):
        if isinstance(sign, Known):
            return Known("not real-time")
    return Unknown("no evidence could be read")


def _plans(all_facts: tuple[Facts, ...], lab: Lab) -> Verdict:
    # Only hosts whose CPUs sit alike should have the same plan.
    alike: dict[tuple[Cpu, ...], list[tuple[str, CpuPlan]]] = {}
    unknown: list[str] = []
    for facts in all_facts:
        topology, plan = facts.processors.topology, lab.plan_of(facts.host)
        if isinstance(topology, Unknown):
            unknown.append(facts.host)
        elif plan is not None:
            alike.setdefault(topology.value, []).append((facts.host, plan))
    different = [
        f"{host}: {plan.words}"
        for hosts in alike.values()
        if len({plan for _, plan in hosts}) > 1
        for host, plan in hosts
    ]
    if different:
        return warning(
            f"The CPU plans of equal hosts differ: {'; '.join(different)}.",
            "Copy one to its twin in the stage cpu-plan, unless it is meant to be so.",
        )
    return (
        _not_known("topologies", unknown) if unknown else ok("No equal hosts have different plans.")
    )


def _clocks(all_facts: tuple[Facts, ...], lab: Lab) -> Verdict:
    del lab
    known: list[tuple[float, float, str]] = []
    unknown: list[str] = []
    for facts in all_facts:
        offset, give = facts.clock_offset, facts.clock_uncertainty
        if isinstance(offset, Known) and isinstance(give, Known):
            known.append((offset.value, give.value, facts.host))
        else:
            unknown.append(facts.host)
    if len(known) > 1:
        (low, low_give, first), (high, high_give, last) = min(known), max(known)
        if high - low - low_give - high_give > _CLOCK_APART:
            return warning(
                f"The clocks of {first} and {last} are {high - low:.3f} s apart.",
                "Switch time synchronisation on everywhere: timedatectl set-ntp true.",
            )
    return _not_known("clocks", unknown) if unknown else ok("The clocks agree.")


_TWINS = f"{README}: two twin bare-metal machines"

NAMES = CrossCheck(
    "hosts.names",
    "Different hostnames",
    "Kubernetes knows its nodes by hostname: two equal ones replace each other.",
    "kubeadm: before you begin",
    _names,
)
MACHINE_IDS = CrossCheck(
    "hosts.machine-ids",
    "Different machine ids",
    "DHCP leases, journals and Kubernetes tell machines apart by it; clones share it.",
    "kubeadm: before you begin; machine-id(5)",
    _machine_ids,
)
ADDRESSES = CrossCheck(
    "hosts.addresses",
    "No shared addresses",
    "With one address on two hosts, packets and changes go to whoever answers first.",
    "ip addr",
    _addresses,
)
KERNELS = CrossCheck(
    "hosts.kernels",
    "Same kernel",
    "Latencies of different kernels cannot be compared.",
    _TWINS,
    _kernels,
)
PROCESSORS = CrossCheck(
    "hosts.processors",
    "Same CPU model",
    "Latencies of different CPUs cannot be compared.",
    _TWINS,
    _processors,
)
CLOCKS = CrossCheck(
    "hosts.clocks",
    "Clocks agree",
    "Events on hosts with different clocks cannot be put in order; certificates may not hold yet.",
    "clock read at both ends of one round trip",
    _clocks,
)
REALTIME = CrossCheck(
    "hosts.realtime",
    "Same real-time state",
    "A lab is as real-time as its worst host.",
    _TWINS,
    _realtime,
)
CPU_PLANS = CrossCheck(
    "hosts.cpu-plans",
    "Same CPU plan",
    "What is measured on one of two equal hosts should hold for the other.",
    _TWINS,
    _plans,
)
