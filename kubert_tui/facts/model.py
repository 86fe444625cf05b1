"""Typed facts of one host, as the probe reads them."""

from dataclasses import dataclass

from kubert_tui.cpus.topology import Cpu
from kubert_tui.facts.cluster import ClusterSeen
from kubert_tui.facts.fact import NOT_LOOKED_AT, Fact
from kubert_tui.facts.networking import Networking
from kubert_tui.facts.virtual import NOT_TRIED, KvmBoot, Libvirt, LibvirtService
from kubert_tui.hosts.host_lock import Holder


@dataclass(frozen=True, slots=True)
class Distribution:
    """From /etc/os-release."""

    id: str
    version: str
    pretty_name: str
    family: str
    """`fedora`, `debian` or `` when it is neither."""
    package_manager: str
    """`dnf`, `apt` or ``."""


@dataclass(frozen=True, slots=True)
class RealtimeEvidence:
    """Every sign of PREEMPT_RT in the running kernel, each as it was read."""

    sys_kernel_realtime: Fact[bool]
    """/sys/kernel/realtime is 1 (absent: False)."""
    uname_version: Fact[bool]
    """`uname -v` says PREEMPT_RT."""
    kernel_config: Fact[bool]
    """CONFIG_PREEMPT_RT=y in /boot/config or /proc/config.gz."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A kernel that is booted once before it may become the default (playbooks/kernel.yml)."""

    release: str
    armed_in: str
    """Id of the boot in which GRUB was told to boot it once."""
    unconfirmed: bool
    """It booted, and the host restarted by itself because nobody adopted it in time."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """The running kernel and what will boot next."""

    release: Fact[str]
    version: Fact[str]
    machine: Fact[str]
    uname: Fact[str]
    """`uname -a`, as the README asks."""
    realtime: RealtimeEvidence
    boot_id: Fact[str]
    command_line: Fact[str]
    default_entry: Fact[str]
    """Kernel path, release or entry id that boots by default."""
    default_release: Fact[str]
    """Release of the kernel that boots by default."""
    next_entry: Fact[str]
    """The entry that GRUB boots once, at the next restart; `` when none is set."""
    one_shot: Fact[str]
    """Why GRUB could not boot an entry just once; `` when it can."""
    trial: Fact[Trial | None]
    """None when no kernel is on trial."""
    rejected: Fact[str]
    """Release of the kernel whose last trial failed; `` when none did."""
    installed: Fact[tuple[str, ...]]
    """Releases with a /boot/vmlinuz-*."""
    installed_realtime: Fact[tuple[str, ...]]
    """Those of them that are PREEMPT_RT (by their config, else by name) and have an initramfs."""
    secure_boot: Fact[bool]


@dataclass(frozen=True, slots=True)
class Firmware:
    """DMI."""

    vendor: Fact[str]
    product: Fact[str]
    bios_version: Fact[str]
    bios_date: Fact[str]


@dataclass(frozen=True, slots=True)
class NumaNode:
    """One NUMA node."""

    number: int
    cpus: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Processors:
    """CPUs as the kernel sees them."""

    model: Fact[str]
    online: Fact[tuple[int, ...]]
    offline: Fact[tuple[int, ...]]
    """Present, but switched off: by hand, or as the second threads of their cores."""
    topology: Fact[tuple[Cpu, ...]]
    """Core, socket and NUMA node of every CPU that is online, by ascending number."""
    sockets: Fact[int]
    cores: Fact[int]
    smt_active: Fact[bool]
    smt_control: Fact[str]
    """/sys/devices/system/cpu/smt/control: on, off, forceoff, notsupported, ..."""
    numa: Fact[tuple[NumaNode, ...]]
    isolated: Fact[tuple[int, ...]]
    nohz_full: Fact[tuple[int, ...]]
    governor: Fact[tuple[str, ...]]
    """Distinct cpufreq governors in use; () when there is no cpufreq."""
    idle_states: Fact[tuple[str, ...]]
    """Names of enabled cpuidle states of CPU 0; () when there is no cpuidle."""
    microcode: Fact[str]


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes unless said otherwise."""

    total: Fact[int]
    available: Fact[int]
    hugepages: Fact[dict[str, int]]
    """Page size as in sysfs (`hugepages-2048kB`) to number of pages."""
    transparent_hugepages: Fact[str]
    """always, madvise or never."""
    ksm: Fact[int]
    """/sys/kernel/mm/ksm/run: 0 off, 1 on, 2 stopped and unmerged."""
    swap_total: Fact[int]


@dataclass(frozen=True, slots=True)
class Scheduling:
    """What may get between a real-time thread and its CPU."""

    rt_period_us: Fact[int]
    rt_runtime_us: Fact[int]
    """-1: throttling off."""
    rt_group_sched: Fact[bool]
    timer_migration: Fact[int]
    irqbalance: Fact[str]
    """absent, inactive or active (running)."""
    irqbalance_enabled: Fact[str]
    """absent, disabled, masked or enabled (at boot)."""
    tuned_profile: Fact[str]
    init: Fact[str]
    """`systemd` when it is process 1, else its name."""


@dataclass(frozen=True, slots=True)
class MemoryAccess:
    """Whether the memory of another process may be read."""

    scope: Fact[int]
    """/proc/sys/kernel/yama/ptrace_scope; 0 where there is no Yama."""
    capable: Fact[bool]
    """The probe (through sudo, where that works) has CAP_SYS_PTRACE."""


@dataclass(frozen=True, slots=True)
class Tracing:
    """What the kernel can trace, and whether somebody does."""

    place: str
    """Where tracefs is mounted; `` when it is not, but could be."""
    tracers: Fact[frozenset[str]]
    """Those that matter here: hwlat, timerlat."""
    used: str
    """What somebody traces; `` for nothing."""


@dataclass(frozen=True, slots=True)
class NetworkCard:
    """One physical (or virtual) interface that is not loopback."""

    name: str
    driver: str
    speed_mbit: int | None
    addresses: tuple[str, ...]
    mac: str
    node: int | None = None
    """The NUMA node it hangs on; None for a virtual one, and where the kernel knows none."""


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """Free space where we and package managers write."""

    mount: str
    total: int
    available: int


@dataclass(frozen=True, slots=True)
class Cyclictest:
    """A cyclictest that is installed."""

    path: str
    version: str


INCOMPLETE_PYTHON = "an incomplete Python 3"
"""What `Tools.python` says of an interpreter without its standard library."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Programs that later stages need: path or version text, `` when absent."""

    cyclictest: Fact[tuple[Cyclictest, ...]]
    """In the order we would use them."""
    python: Fact[str]
    libvirt: Fact[str]
    qemu: Fact[str]
    vagrant: Fact[str]
    ansible: Fact[str]
    stress_ng: Fact[str] = NOT_LOOKED_AT
    hackbench: Fact[str] = NOT_LOOKED_AT
    rtla: Fact[str] = NOT_LOOKED_AT


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything one round trip told about one host."""

    host: str
    hostname: Fact[str]
    machine_id: Fact[str]
    user: Fact[str]
    privileged: Fact[bool]
    """Whether the probe ran as root (itself or through sudo)."""
    operator: Fact[Holder | None]
    """Who else works on it with kubert-tui; None for nobody."""
    distribution: Fact[Distribution]
    kernel: Kernel
    firmware: Firmware
    processors: Processors
    memory: Memory
    scheduling: Scheduling
    memory_access: MemoryAccess
    kvm: Fact[str]
    """`usable`, or why it is not. That guests run on it, `kvm_boot` tells."""
    virtualization: Fact[str]
    """`none` on bare metal, else kvm, qemu, vmware, container, ..."""
    network: Fact[tuple[NetworkCard, ...]]
    disks: Fact[tuple[DiskSpace, ...]]
    clock_offset: Fact[float]
    """Host clock minus ours, seconds, from the middle of the round trip."""
    clock_uncertainty: Fact[float]
    """Half the round trip, seconds."""
    pending_updates: Fact[int]
    """Package updates the host's own cache knows of (no network)."""
    tools: Tools
    tracing: Fact[Tracing | None] = NOT_LOOKED_AT
    """None when the kernel has no tracefs."""
    networking: Fact[Networking] = NOT_LOOKED_AT
    libvirt: Fact[Libvirt] = NOT_LOOKED_AT
    """What libvirt says; looked at by the stages that are about it (`Stage.observe`)."""
    libvirt_service: Fact[LibvirtService] = NOT_LOOKED_AT
    kvm_boot: Fact[KvmBoot] = NOT_TRIED
    """Kept on the host; `machines.kvm_proof` tries it."""
    cluster: Fact[ClusterSeen] = NOT_LOOKED_AT
    """The node as it is, and as its cluster sees it; looked at by the stages that are about it."""
