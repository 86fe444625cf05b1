"""Checks of KVM and libvirt."""

from kubert_tui.checks.finding import Check
from kubert_tui.checks.judging import (
    README,
    Verdict,
    failed,
    machine_kind,
    ok,
    unknown,
    warning,
)
from kubert_tui.facts.containers import container_kind
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.facts.virtual import LibvirtService
from kubert_tui.lab.model import Lab


def _kvm(facts: Facts, lab: Lab) -> Verdict:
    del lab
    fact = facts.kvm
    if isinstance(fact, Unknown):
        return unknown("KVM", fact)
    if fact.value == "usable":
        return ok("/dev/kvm opens. That guests boot is proved only by booting one.")
    return failed(f"KVM is not usable: {fact.value}.", _remedy(facts, fact.value))


def _remedy(facts: Facts, why: str) -> str:
    if kind := container_kind(facts):
        return f"Give this container ({kind}) the device /dev/kvm."
    if kind := machine_kind(facts):
        return (
            f"Enable nested virtualization on the hypervisor ({kind}) beneath: nested=1 for its "
            "kvm_intel or kvm_amd, and the CPU passed through to this machine."
        )
    if "may not be opened" in why:
        return "Add this login to the group kvm, or use sudo."
    return "Enable Intel VT-x or AMD-V in the firmware; load kvm_intel or kvm_amd."


KVM = Check(
    "virtualization.kvm",
    "KVM usable",
    "KVM is the real-time hypervisor of this lab; emulation is slower by orders of magnitude.",
    "/dev/kvm; kubert README: KVM as real-time hypervisor",
    _kvm,
)

_INSTALL = "Run the virtualization stage: it installs and starts it."


def _installed(facts: Facts, lab: Lab) -> Verdict:
    del lab
    fact, qemu = facts.libvirt_service, facts.tools.qemu
    if isinstance(fact, Unknown):
        return unknown("libvirt", fact)
    if isinstance(qemu, Unknown):
        return unknown("QEMU", qemu)
    service = fact.value
    lacking = [
        *([] if service.version else ["libvirt's daemon"]),
        *([] if service.qemu_driver else ["its driver for QEMU"]),
        *([] if qemu.value else ["QEMU"]),
        *([] if "qemu-img" in service.programs else ["qemu-img"]),
        *([] if "dnsmasq" in service.programs else ["dnsmasq"]),
    ]
    if lacking:
        return failed(f"Not installed: {', '.join(lacking)}.", _INSTALL)
    return ok(f"libvirt {service.version}, {qemu.value.partition(' (')[0]}.")


INSTALLED = Check(
    "virtualization.installed",
    "libvirt and QEMU installed",
    "libvirt defines and runs the lab's virtual machines; QEMU is what it runs.",
    f"{README}: Dependencies",
    _installed,
)


def _running(facts: Facts, lab: Lab) -> Verdict:
    del lab
    fact = facts.libvirt_service
    if isinstance(fact, Unknown):
        return unknown("libvirt's daemon", fact)
    service = fact.value
    if not service.version:
        return failed("libvirt's daemon is not installed.", _INSTALL)
    answering = _answering(service)
    if not answering:
        if facts.scheduling.init == Known("systemd"):
            return failed("libvirt's daemon does not run.", _INSTALL)
        return failed(
            "libvirt's daemon does not run, and no systemd is there that would start it.",
            "Start libvirtd and virtlogd by hand, or use a host that systemd starts.",
        )
    if not any(unit.enabled == "enabled" for unit in service.units if _main(unit.name)):
        return warning(
            f"{answering} runs, but will not after a restart: it is not enabled.",
            "systemctl enable it; where there is no systemd, start it at boot by hand.",
        )
    return ok(f"{answering} runs, and does after a restart.")


def _main(unit: str) -> bool:
    return unit.startswith(("libvirtd.", "virtqemud."))


def _answering(service: LibvirtService) -> str:
    """The daemon that runs, or the socket by which it starts; `` for none."""
    running = [name for name in service.processes if name in ("libvirtd", "virtqemud")]
    active = [unit.name for unit in service.units if unit.active == "active" and _main(unit.name)]
    return next(iter(running + active), "")


RUNNING = Check(
    "virtualization.libvirt",
    "libvirt running",
    "Without its daemon no virtual machine can be defined, started or looked at.",
    "libvirt: daemons, https://libvirt.org/daemons.html",
    _running,
)


def _usable(facts: Facts, lab: Lab) -> Verdict:
    fact, user = facts.libvirt_service, facts.user
    if isinstance(fact, Unknown):
        return unknown("Whether this login may use libvirt", fact)
    if isinstance(user, Unknown):
        return unknown("Whether this login may use libvirt", user)
    service = fact.value
    if user.value != "root" and "libvirt" not in service.groups:
        return failed(
            f"{user.value} may not use libvirt: the login is not in the group libvirt.",
            "Run the virtualization stage: it adds the login to the group.",
        )
    here = any(host.name == facts.host and host.connection == "local" for host in lab.hosts)
    if not here and not service.programs & {"nc", "virt-ssh-helper"}:
        return failed(
            "libvirt cannot be reached over ssh: neither virt-ssh-helper nor nc is there.",
            _INSTALL,
        )
    return ok(f"{user.value} may use libvirt.")


USABLE = Check(
    "virtualization.access",
    "libvirt usable by this login",
    "We speak with libvirt over ssh, as the login that the lab file names.",
    "libvirt: remote support, https://libvirt.org/uri.html#ssh-transport",
    _usable,
)

_SLOW = (
    "Machines run under software emulation: the lab can be practised with, its latencies mean "
    "nothing"
)


def _boots(facts: Facts, lab: Lab) -> Verdict:
    del lab
    kvm, boot = facts.kvm, facts.kvm_boot
    if isinstance(kvm, Unknown):
        return unknown("KVM", kvm)
    if kvm.value != "usable":
        return warning(f"{_SLOW}: {kvm.value}.", _remedy(facts, kvm.value))
    if isinstance(boot, Unknown):
        return unknown(
            "Whether a guest boots on KVM",
            boot,
            "Run the virtualization stage in a lab with machines: it boots one, once QEMU is "
            "there.",
        )
    if boot.value.boots is None:
        return warning(
            f"Not proved that a guest boots on KVM: {boot.value.told}.",
            "Install a kernel package there; until then /dev/kvm is believed.",
        )
    if boot.value.boots:
        return ok(f"KVM boots a guest: the kernel {boot.value.kernel} came up.")
    return warning(f"{_SLOW}: no guest boots on KVM ({boot.value.told}).", _nested(facts))


def _nested(facts: Facts) -> str:
    if kind := machine_kind(facts):
        return (
            f"The hypervisor beneath ({kind}) answers for KVM, but does not run guests of guests: "
            "enable nested virtualization there (nested=1, the CPU passed through), or use bare "
            "metal."
        )
    if container_kind(facts):
        return "Try it on the machine that runs this container: it has the same KVM."
    return "Look at dmesg for kvm; update firmware and microcode; or use another host."


BOOTS = Check(
    "virtualization.kvm-boots",
    "KVM boots a guest",
    "That /dev/kvm answers proves little: inside some virtual machines no kernel gets past its "
    "decompression. Under emulation everything is some twenty times slower, at random.",
    "QEMU with -accel kvm and the host's own kernel, started there",
    _boots,
)
