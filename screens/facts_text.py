"""The facts of a host as groups of short rows: label, value, and whether it is known."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from kubert_tui.cpus.lists import cpu_list
from kubert_tui.facts.fact import Fact, Known
from kubert_tui.facts.model import Facts, NetworkCard

_Value = TypeVar("_Value")
_GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Row:
    """One fact."""

    label: str
    value: str
    known: bool = True


@dataclass(frozen=True, slots=True)
class Group:
    """Facts that belong together."""

    title: str
    rows: tuple[Row, ...]


def fact_groups(facts: Facts) -> tuple[Group, ...]:
    """Return all facts of one host, grouped."""
    return (_system(facts), _kernel(facts), _processors(facts), _memory(facts), _machine(facts))


def _row(label: str, fact: Fact[_Value], show: Callable[[_Value], str] = str) -> Row:
    if isinstance(fact, Known):
        return Row(label, show(fact.value) or "none")
    return Row(label, f"unknown: {fact.reason}", known=False)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _gib(value: int) -> str:
    return f"{value / _GIB:.1f} GiB"


def _joined(value: tuple[str, ...]) -> str:
    return ", ".join(value)


def _system(facts: Facts) -> Group:
    return Group(
        "System",
        (
            _row("hostname", facts.hostname),
            _row("system", facts.distribution, lambda one: one.pretty_name),
            _row("hardware", facts.firmware.product),
            _row("vendor", facts.firmware.vendor),
            _row("BIOS", facts.firmware.bios_version),
            _row("virtual", facts.virtualization),
            _row("login", facts.user),
            _row("root", facts.privileged, _yes),
            _row("updates", facts.pending_updates, lambda count: f"{count} pending"),
            _row("clock", facts.clock_offset, lambda seconds: f"{seconds * 1000:+.0f} ms"),
        ),
    )


def _kernel(facts: Facts) -> Group:
    kernel, realtime = facts.kernel, facts.kernel.realtime
    return Group(
        "Kernel",
        (
            _row("running", kernel.release),
            _row("realtime", realtime.sys_kernel_realtime, _yes),
            _row("uname says RT", realtime.uname_version, _yes),
            _row("config says RT", realtime.kernel_config, _yes),
            _row("boots next", kernel.default_release),
            _row("RT installed", kernel.installed_realtime, _joined),
            _row("Secure Boot", kernel.secure_boot, _yes),
            _row("command line", kernel.command_line),
        ),
    )


def _processors(facts: Facts) -> Group:
    cpus = facts.processors
    return Group(
        "Processors",
        (
            _row("model", cpus.model),
            _row("CPUs", cpus.online, cpu_list),
            _row("offline", cpus.offline, cpu_list),
            _row("sockets", cpus.sockets),
            _row("cores", cpus.cores),
            _row("SMT active", cpus.smt_active, _yes),
            _row("SMT control", cpus.smt_control),
            _row(
                "NUMA nodes",
                cpus.numa,
                lambda nodes: "\n".join(f"{one.number}: {cpu_list(one.cpus)}" for one in nodes),
            ),
            _row("isolated", cpus.isolated, cpu_list),
            _row("governor", cpus.governor, _joined),
            _row("idle states", cpus.idle_states, _joined),
            _row("irqbalance", facts.scheduling.irqbalance),
            _row("at boot", facts.scheduling.irqbalance_enabled),
            _row("RT runtime", facts.scheduling.rt_runtime_us, lambda us: f"{us} us"),
            _row("KVM", facts.kvm),
        ),
    )


def _memory(facts: Facts) -> Group:
    return Group(
        "Memory and disks",
        (
            _row("total", facts.memory.total, _gib),
            _row("available", facts.memory.available, _gib),
            _row("hugepages", facts.memory.hugepages, _pages),
            _row("THP", facts.memory.transparent_hugepages),
            _row("KSM", facts.memory.ksm),
            _row("disks", facts.disks, _disks),
        ),
    )


def _pages(pages: dict[str, int]) -> str:
    return ", ".join(
        f"{count} x {size.removeprefix('hugepages-')}" for size, count in pages.items()
    )


def _disks(disks: tuple[Any, ...]) -> str:
    return ", ".join(f"{disk.mount} {_gib(disk.available)} free" for disk in disks)


def _machine(facts: Facts) -> Group:
    tools = facts.tools
    return Group(
        "Network and tools",
        (
            _row("network", facts.network, lambda cards: "\n".join(_card(card) for card in cards)),
            _row(
                "cyclictest",
                tools.cyclictest,
                lambda found: "\n".join(f"{one.version} {one.path}" for one in found),
            ),
            _row("libvirt", tools.libvirt),
            _row("QEMU", tools.qemu),
            _row("Vagrant", tools.vagrant),
            _row("Ansible", tools.ansible),
        ),
    )


def _card(card: NetworkCard) -> str:
    speed = f"{card.speed_mbit} Mbit/s" if card.speed_mbit else ""
    node = "" if card.node is None else f"node {card.node}"
    parts = (card.name, card.driver, speed, node, *card.addresses)
    return " ".join(part for part in parts if part)
