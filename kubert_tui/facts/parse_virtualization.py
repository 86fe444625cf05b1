"""Whether the host is itself virtual, and whether it can run virtual machines with KVM."""

import re

from kubert_tui.base.text import clean_line
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.parse_processors import flags
from kubert_tui.facts.sections import Sections

_DMI_NAMES = (
    ("kvm", "kvm"),
    ("qemu", "qemu"),
    ("vmware", "vmware"),
    ("virtualbox", "oracle"),
    ("innotek", "oracle"),
    ("xen", "xen"),
    ("amazon ec2", "amazon"),
    ("google compute", "google"),
    ("virtual machine", "microsoft"),
)


def kvm(sections: Sections) -> Fact[str]:
    """Return `usable`, or why KVM is not.

    `usable` means that /dev/kvm opens for reading and writing. Only booting a guest proves
    that guests run: nested KVM may answer and still get no kernel past its decompression.
    """
    lines = sections.lines("kvm")
    if isinstance(lines, Unknown):
        return lines
    said = {line.strip() for line in lines.value}
    if "device opens" in said:
        return Known("usable")
    if "device refused" in said:
        return Known("/dev/kvm exists but may not be opened by this user")
    if "device absent" not in said:
        return Unknown("the state of /dev/kvm could not be understood")
    return Known(_why_no_device(sections, said))


def _why_no_device(sections: Sections, said: set[str]) -> str:
    features = flags(sections)
    if isinstance(features, Known) and _is_x86(sections) and not features.value & {"vmx", "svm"}:
        return "no /dev/kvm, and the CPU shows no vmx or svm: virtualization is off"
    if said & {"module kvm_intel", "module kvm_amd"}:
        return "no /dev/kvm although its module is loaded"
    return "no /dev/kvm: the kvm module is not loaded"


def _is_x86(sections: Sections) -> bool:
    machine = sections.line("uname-machine")
    return isinstance(machine, Known) and bool(re.fullmatch(r"x86_64|i[3-6]86", machine.value))


def virtualization(sections: Sections) -> Fact[str]:
    """Return `none` on bare metal, else the hypervisor or kind of container."""
    told = _detected(sections) or _container(sections) or _by_dmi(sections)
    if told:
        return Known(told)
    features = flags(sections)
    if isinstance(features, Unknown):
        return features
    if "hypervisor" in features.value:
        return Known("vm")
    if _is_x86(sections):
        return Known("none")
    return Unknown("systemd-detect-virt is missing, and only x86 CPUs show a hypervisor")


def _detected(sections: Sections) -> str:
    section = sections["detect-virt"]
    if isinstance(section, Unknown) or section.missing:
        return ""
    # It says `none` with status 1.
    word = clean_line(section.content, limit=40)
    return word if re.fullmatch(r"[a-z0-9-]{2,30}", word) else ""


def _container(sections: Sections) -> str:
    lines = sections.lines("containers")
    if isinstance(lines, Unknown) or not lines.value:
        return ""
    return clean_line(lines.value[0], limit=40)


def _by_dmi(sections: Sections) -> str:
    facts = (sections.line("dmi-vendor"), sections.line("dmi-product"))
    text = " ".join(fact.value for fact in facts if isinstance(fact, Known)).lower()
    return next((kind for name, kind in _DMI_NAMES if name in text), "")
