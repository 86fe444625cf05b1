"""libvirt on a host, as far as it can be seen without asking it; and whether KVM boots a guest."""

import json
import re

from kubert_tui.base.text import clean_line
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.parse_tools import program
from kubert_tui.facts.sections import Section, Sections
from kubert_tui.facts.virtual import KvmBoot, LibvirtService, Unit

_VERSION = re.compile(r"\b([0-9]{1,4}(?:\.[0-9]{1,6}){1,3})\b", re.ASCII)


def service(sections: Sections) -> Fact[LibvirtService]:
    """Return what is installed, what runs, and who may use it."""
    lines = sections.lines("libvirt-service")
    if isinstance(lines, Unknown):
        return lines
    said: dict[str, list[str]] = {}
    for line in lines.value:
        key, _, value = clean_line(line, limit=400).partition(" ")
        said.setdefault(key, []).append(value.strip())
    if "groups" not in said:
        return Unknown("what the probe says of libvirt could not be understood")
    versions = [match[1] for text in said.get("version", []) if (match := _VERSION.search(text))]
    # The daemon may be there and refuse to say its version.
    version = versions[0] if versions else ("?" if "version" in said else "")
    return Known(
        LibvirtService(
            version=version,
            qemu_driver="driver" in said,
            processes=tuple(said.get("process", ())),
            units=tuple(_unit(text) for text in said.get("unit", ())),
            groups=tuple(said["groups"][0].split()),
            programs=frozenset(said.get("program", ())),
            nested=said.get("nested", [""])[0],
        )
    )


def _unit(text: str) -> Unit:
    name, active, enabled = (*text.split(" "), "", "")[:3]
    return Unit(name, active, enabled)


def kvm_boot(sections: Sections) -> Fact[KvmBoot]:
    """Return what is kept on the host of the last try, if it is of this boot and this QEMU."""
    section = sections["kvm-boot"]
    if isinstance(section, Section) and section.absent:
        return Unknown("not tried in this boot")
    good = sections.good("kvm-boot")
    if isinstance(good, Unknown):
        return good
    return boot_outcome(good.value.content, sections.line("boot-id"), program(sections, "qemu"))


def boot_outcome(content: bytes, boot_id: Fact[str], qemu: Fact[str]) -> Fact[KvmBoot]:
    """Return what `machines/prove_kvm.py` printed, if it is of this boot and this QEMU."""
    try:
        kept = json.loads(content)
        boot, version, boots = kept["boot"], kept["qemu"], kept["boots"]
        told, kernel = kept["told"], kept["kernel"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return Unknown("the outcome of booting a guest could not be understood")
    if not (boots is None or isinstance(boots, bool)) or not isinstance(told, str):
        return Unknown("the outcome of booting a guest could not be understood")
    if (Known(boot), Known(version)) != (boot_id, qemu):
        return Unknown("not tried in this boot with this QEMU")
    path = clean_line(kernel, limit=200) if isinstance(kernel, str) else ""
    return Known(KvmBoot(boots, clean_line(told, limit=200), path))
