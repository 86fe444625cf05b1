"""What is known of libvirt on a host, and of the lab's virtual machines there."""

from dataclasses import dataclass

from kubert_tui.facts.fact import Unknown

NOT_TRIED = Unknown("not tried in this boot")
"""Nobody has tried to boot a guest on KVM there."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of systemd that is installed."""

    name: str
    active: str
    """active, inactive, failed, ..."""
    enabled: str
    """enabled, disabled, static, masked, ...; `` where systemd does not run."""


@dataclass(frozen=True, slots=True)
class LibvirtService:
    """What libvirt on a host is, before it is asked anything."""

    version: str
    """Of libvirtd, or of virtqemud; `` when neither is installed."""
    qemu_driver: bool
    """It has its driver for QEMU."""
    processes: tuple[str, ...]
    """Its daemons that run. One that is started by its socket need not."""
    units: tuple[Unit, ...]
    """Of libvirtd and of the modular daemons, services and sockets."""
    groups: tuple[str, ...]
    """Those that the login is in, as they are at its next login."""
    programs: frozenset[str]
    """Which of those that matter are installed: nc, virt-ssh-helper, qemu-img, dnsmasq, ..."""
    nested: str
    """The parameter `nested` of kvm_intel or kvm_amd: Y, N, 1, 0; `` when neither is loaded."""


@dataclass(frozen=True, slots=True)
class KvmBoot:
    """What came of booting a kernel on KVM, in this boot of the host and with its QEMU."""

    boots: bool | None
    """None: there was nothing to try it with."""
    told: str
    """What was seen."""
    kernel: str = ""
    """Path of the kernel that was tried."""


@dataclass(frozen=True, slots=True)
class MachineSeen:
    """One virtual machine of the lab: how it is, and what it takes to be as wanted."""

    name: str
    state: str
    """running, off, ...; missing when there is no such domain."""
    changes: tuple[str, ...] = ()
    """What differs from the lab file, a line each."""
    restart: tuple[str, ...] = ()
    """Which of it takes effect only when the machine starts anew."""
    left_out: tuple[str, ...] = ()
    """Real-time elements that it does without: which, why, and what that costs."""
    stray: bool = False
    """The lab made it once, and does not name it any more."""
    vcpus: int = 0
    """As it runs, else as it is defined; 0 when it is missing."""
    pins: tuple[str, ...] = ()
    """CPUs of the host for each vCPU, in that order; () when it is not pinned."""
    snapshots: tuple[str, ...] = ()
    unreachable: str = ""
    """Why it does not answer by ssh; `` when it does, or was not asked."""
    trouble: str = ""
    """What hinders us to make it what it should be: a foreign machine that has its name."""


@dataclass(frozen=True, slots=True)
class Libvirt:
    """What libvirt on a host says of this lab."""

    images: tuple[str, ...] = ()
    """Base volumes that are whole, by name."""
    room: int | None = None
    """Bytes that are free where they lie; None before there is a pool."""
    machines: tuple[MachineSeen, ...] = ()
    """The lab's machines on this host, wanted or found."""
