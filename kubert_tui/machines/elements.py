"""What makes a virtual machine keep its deadlines, element by element of its definition.

Each says what it gives and what its absence costs, for a hypervisor may refuse it. Sources:
libvirt's "KVM Real Time Guest Config", tuned's realtime-virtual-host, SEAPATH's template.
"""

from collections.abc import Callable
from dataclasses import dataclass

from kubert_tui.cpus.placement import Placement
from kubert_tui.machines.guest import Guest
from kubert_tui.machines.traits import Traits
from kubert_tui.machines.xml import Element, add, within

FIFO_PRIORITY = 1
"""Of vCPUs: below the host's ksoftirqd (2) and rcuc (4), which must get the CPU before them."""
IOTHREAD = 1


@dataclass(frozen=True, slots=True)
class Case:
    """One machine on one host: what elements decide by."""

    guest: Guest
    traits: Traits
    placement: Placement | None
    """None when the host's plan has no isolated CPUs for it."""
    why_no_placement: str = ""


@dataclass(frozen=True, slots=True)
class RealtimeElement:
    """One part of the real-time definition."""

    name: str
    """As libvirt calls it."""
    gives: str
    cost: str
    """What its absence costs."""
    put: Callable[[Element, Case], None]
    """Put it into a domain."""
    lacks: Callable[[Case], str] = lambda _: ""
    """Why it cannot be in this case's definition; `` if it can be tried."""
    complaints: tuple[str, ...] = ()
    """What hypervisors say when they refuse it, lower case."""
    remedy: str = ""
    """What helps where a hypervisor refuses it."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An element that is not in a definition, and why."""

    name: str
    why: str
    cost: str
    remedy: str
    refused: bool
    """By the hypervisor, when it was tried; else what it needs is known to be missing."""


def _unplaced(case: Case) -> str:
    if case.placement is not None:
        return ""
    return case.why_no_placement or "the host's CPU plan has no isolated CPUs for it"


def _no_kvm(case: Case) -> str:
    return "" if case.traits.kvm else f"it needs KVM: {case.traits.why_no_kvm or 'not there'}"


def _cpu_set(cpus: tuple[int, ...]) -> str:
    return ",".join(map(str, cpus))


def _placement(case: Case) -> Placement:
    if case.placement is None:
        raise ValueError("no placement")
    return case.placement


def _vcpupin(domain: Element, case: Case) -> None:
    for number, cpu in enumerate(_placement(case).vcpus):
        add(within(domain, "cputune"), "vcpupin", vcpu=number, cpuset=cpu)


def _emulatorpin(domain: Element, case: Case) -> None:
    cpus = _cpu_set(_placement(case).emulator)
    add(within(domain, "cputune"), "emulatorpin", cpuset=cpus)


def _iothreadpin(domain: Element, case: Case) -> None:
    cpus = _cpu_set(_placement(case).emulator)
    add(within(domain, "cputune"), "iothreadpin", iothread=IOTHREAD, cpuset=cpus)


def _vcpusched(domain: Element, case: Case) -> None:
    last = case.guest.spec.vcpus - 1
    vcpus = f"0-{last}" if last else "0"
    tune = within(domain, "cputune")
    add(tune, "vcpusched", vcpus=vcpus, scheduler="fifo", priority=FIFO_PRIORITY)


def _scattered(case: Case) -> str:
    if case.placement is not None and case.placement.node is None:
        return "no NUMA node has room for all of its vCPUs"
    return _unplaced(case)


def _numatune(domain: Element, case: Case) -> None:
    nodes = str(_placement(case).node)
    add(within(domain, "numatune"), "memory", mode="strict", nodeset=nodes)


def page_size(case: Case) -> int:
    """Return the largest size of page (KiB) of which the host has enough reserved; 0 if none."""
    wanted = case.guest.memory_mib * 1024
    enough = [
        size
        for size, count in case.traits.hugepages.items()
        if size and wanted % size == 0 and count * size >= wanted
    ]
    return max(enough, default=0)


def _few_pages(case: Case) -> str:
    if page_size(case):
        return ""
    told = [f"{n} of {size} KiB" for size, n in case.traits.hugepages.items() if n]
    reserved = " and ".join(told) or "none"
    return f"the host has too few pages reserved for {case.guest.spec.memory} ({reserved})"


def _hugepages(domain: Element, case: Case) -> None:
    pages = add(within(domain, "memoryBacking"), "hugepages")
    add(pages, "page", size=page_size(case), unit="KiB")


def _nosharepages(domain: Element, _: Case) -> None:
    add(within(domain, "memoryBacking"), "nosharepages")


def _locked(domain: Element, _: Case) -> None:
    add(within(domain, "memoryBacking"), "locked")


def _passthrough(domain: Element, _: Case) -> None:
    within(domain, "cpu").set("mode", "host-passthrough")


def _topology(domain: Element, case: Case) -> None:
    topology = add(within(domain, "cpu"), "topology")
    for key, value in (("sockets", 1), ("dies", 1), ("cores", case.guest.spec.vcpus)):
        topology.set(key, str(value))
    topology.set("threads", "1")


def _tsc_deadline(domain: Element, _: Case) -> None:
    add(within(domain, "cpu"), "feature", policy="require", name="tsc-deadline")


def _pmu(domain: Element, _: Case) -> None:
    add(within(domain, "features"), "pmu", state="off")


def _timer(**attributes: str) -> Callable[[Element, Case], None]:
    return lambda domain, _: _put_timer(domain, attributes)


def _put_timer(domain: Element, attributes: dict[str, str]) -> None:
    add(within(domain, "clock"), "timer", **attributes)


def _no_usb(domain: Element, _: Case) -> None:
    add(within(domain, "devices"), "controller", type="usb", model="none")


def _no_balloon(domain: Element, _: Case) -> None:
    add(within(domain, "devices"), "memballoon", model="none")


_AFFINITY = ("cpu affinity", "cpuset.cpus")
_NO_SUCH_CPU = "give libvirt's processes the CPUs of the plan (cpuset.cpus of their group)"

ELEMENTS = (
    RealtimeElement(
        "vcpupin",
        "each vCPU has an isolated CPU to itself",
        "vCPUs move among CPUs that others use, too: latencies of milliseconds under load",
        _vcpupin, _unplaced, ("vcpupin", "pin vcpu", *_AFFINITY), _NO_SUCH_CPU,
    ),
    RealtimeElement(
        "emulatorpin",
        "QEMU's own threads stay on housekeeping CPUs",
        "QEMU's own threads may interrupt vCPUs",
        _emulatorpin, _unplaced, ("emulatorpin", *_AFFINITY), _NO_SUCH_CPU,
    ),
    RealtimeElement(
        "iothreadpin",
        "the disk's thread stays on housekeeping CPUs",
        "the disk's work may interrupt vCPUs",
        _iothreadpin, _unplaced, ("iothreadpin", "iothread", *_AFFINITY), _NO_SUCH_CPU,
    ),
    RealtimeElement(
        "vcpusched",
        f"vCPUs run first-in, first-out (priority {FIFO_PRIORITY}): no ordinary task gets between",
        "any task on a vCPU's CPU takes it away for milliseconds",
        _vcpusched, _unplaced, ("scheduler parameters", "sched_setscheduler", "vcpusched"),
        "give libvirt's group a budget (cpu.rt_runtime_us), or boot a kernel without"
        " RT_GROUP_SCHED",
    ),
    RealtimeElement(
        "numatune",
        "its memory is on the NUMA node of its vCPUs",
        "memory may be on another socket: every miss of the cache takes about twice as long",
        _numatune, _scattered, ("numa", "nodeset", "cpuset.mems"),
        "use a kernel with NUMA, and give libvirt's processes that node (cpuset.mems)",
    ),
    RealtimeElement(
        "hugepages",
        "memory in large pages: fewer and cheaper page-table walks",
        "more misses of the TLB: some microseconds, spread over everything",
        _hugepages, _few_pages, ("hugepage", "huge page", "hugetlb", "backing store for guest ram"),
        "reserve pages on the host's command line: default_hugepagesz=1G hugepagesz=1G"
        " hugepages=N",
    ),
    RealtimeElement(
        "nosharepages",
        "the host never merges the machine's pages (KSM)",
        "writing to a page that was merged waits for its copy",
        _nosharepages, complaints=("nosharepages", "mem-merge"),
    ),
    RealtimeElement(
        "locked",
        "all its memory is in RAM from the start and stays there",
        "under memory pressure the host may take pages away: a fault of milliseconds",
        _locked, complaints=("locked memory", "mlock", "memlock"),
        remedy="run libvirtd with CAP_SYS_RESOURCE, or raise its LimitMEMLOCK",
    ),
    RealtimeElement(
        "host-passthrough",
        "the guest sees the host's own CPU: its TSC, its idle instructions",
        "another model of CPU is imitated; timers and idle states are slower",
        _passthrough, _no_kvm, ("host-passthrough",),
    ),
    RealtimeElement(
        "topology",
        "every vCPU is a core: the guest shares none between two tasks",
        "the guest may take its vCPUs for threads or sockets and schedule accordingly",
        _topology, complaints=("topology",),
    ),
    RealtimeElement(
        "tsc-deadline",
        "timers are programmed with one write that KVM serves without leaving the kernel",
        "each timer costs an exit to the emulated APIC timer",
        _tsc_deadline, _no_kvm, ("tsc-deadline",),
        "use a host whose CPU has the feature (grep tsc_deadline_timer /proc/cpuinfo)",
    ),
    RealtimeElement(
        "pmu",
        "no virtual performance counters: entering and leaving the guest is cheaper",
        "each switch to and from the guest saves and restores counters",
        _pmu, complaints=("pmu",),
    ),
    RealtimeElement(
        "hpet",
        "no emulated HPET",
        "a guest that uses it leaves to QEMU for each reading of the clock",
        _timer(name="hpet", present="no"), complaints=("hpet",),
    ),
    RealtimeElement(
        "pit",
        "ticks of the old timer that were missed come later, one by one",
        "missed ticks come in a burst",
        _timer(name="pit", tickpolicy="delay"), complaints=("pit timer", "timer tickpolicy"),
    ),
    RealtimeElement(
        "rtc",
        "ticks of the real-time clock that were missed are caught up",
        "the guest's clock may fall behind",
        _timer(name="rtc", tickpolicy="catchup"), complaints=("rtc",),
    ),
    RealtimeElement(
        "usb",
        "no USB controller, which QEMU would poll for",
        "QEMU wakes up at regular intervals to serve it",
        _no_usb, complaints=("usb",),
    ),
    RealtimeElement(
        "memballoon",
        "no balloon: nobody takes memory from the guest",
        "memory may be taken away and has to be faulted in again",
        _no_balloon, complaints=("balloon",),
    ),
)  # fmt: skip
"""In the order in which they are looked for in a complaint."""


def lacking(element: RealtimeElement, case: Case) -> LeftOut | None:
    """Return why `element` cannot be in this case's definition; None if it can be tried."""
    why = element.lacks(case)
    if not why:
        return None
    remedy = element.remedy
    if element.lacks in (_unplaced, _scattered):
        remedy = "isolate more CPUs in the host's CPU plan"
    elif element.lacks is _no_kvm:
        remedy = "switch virtualization on in the host's firmware, or use another host"
    return LeftOut(element.name, why, element.cost, remedy, refused=False)


def refused(element: RealtimeElement, why: str) -> LeftOut:
    """Return what to tell about `element` that a hypervisor refused with the words `why`."""
    return LeftOut(element.name, why, element.cost, element.remedy, refused=True)


def refused_by(complaint: str, present: frozenset[str]) -> str:
    """Return which of the elements that were tried libvirt's words are about; `` if none."""
    words = complaint.lower()
    for element in ELEMENTS:
        if element.name in present and any(sign in words for sign in element.complaints):
            return element.name
    return ""
