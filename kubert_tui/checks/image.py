"""Checks of the image that virtual machines start from."""

from kubert_tui.checks.finding import Check
from kubert_tui.checks.judging import README, Verdict, failed, ok, unknown, warning
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.model import DiskSpace, Facts
from kubert_tui.lab.machines import NO_MACHINES
from kubert_tui.lab.model import Lab
from kubert_tui.lab.size import format_size, parse_size
from kubert_tui.machines.guest import POOL_PATH
from kubert_tui.machines.image_name import base_volume

_MIB = 1 << 20
_IMAGE_MIB = 2048
"""What an image may need: those of clouds have 300 to 700 MiB."""


def why_none(facts: Facts, lab: Lab) -> str:
    """Return why a host needs no image; `` when it does."""
    if not lab.guests:
        return NO_MACHINES
    if all(guest.host != facts.host for guest in lab.guests):
        return f"no machine of the lab is to run on {facts.host}"
    return ""


def _not_needed(why: str) -> Verdict:
    return ok(f"No image is needed: {why}.")


def _present(facts: Facts, lab: Lab) -> Verdict:
    if why := why_none(facts, lab):
        return _not_needed(why)
    name = base_volume(lab)
    bring = "Run the image stage: it brings it there."
    if isinstance(facts.libvirt, Unknown):
        return unknown(f"The image {name}", facts.libvirt, bring)
    if name in facts.libvirt.value.images:
        return ok(f"The image {name} is there.")
    return failed(f"The image {name} is not there.", bring)


PRESENT = Check(
    "image.present",
    "Image of the machines",
    "The disk of every machine is a copy-on-write copy of it: one image, the same on all hosts.",
    f"{README}: Vagrant image",
    _present,
)


def _room(facts: Facts, lab: Lab) -> Verdict:
    if why := why_none(facts, lab):
        return _not_needed(why)
    libvirt = facts.libvirt
    there = isinstance(libvirt, Known) and base_volume(lab) in libvirt.value.images
    room = libvirt.value.room if isinstance(libvirt, Known) else None
    if room is None:
        if isinstance(facts.disks, Unknown):
            return unknown("Room for images", facts.disks)
        beneath = [one for one in facts.disks.value if _holds(one)]
        if not beneath:
            return unknown("Room for images", Unknown(f"no file system holds {POOL_PATH}"))
        room = max(beneath, key=lambda one: len(one.mount)).available
    mib = room // _MIB
    free = f"{format_size(mib - mib % 1024) if mib >= 1024 else format_size(mib)} are free"
    fix = f"Make room in {POOL_PATH}, or mount a larger file system there."
    if not there and mib < _IMAGE_MIB:
        return failed(f"Too little room for an image: {free} for {POOL_PATH}.", fix)
    disks = sum(parse_size(one.disk) for one in lab.guests if one.host == facts.host)
    if mib < disks:
        return warning(
            f"{free} for {POOL_PATH}; the machines' disks may grow to {format_size(disks)}.", fix
        )
    return ok(f"{free} for {POOL_PATH}.")


def _holds(disk: DiskSpace) -> bool:
    return POOL_PATH.startswith(disk.mount.rstrip("/") + "/")


ROOM = Check(
    "image.room",
    "Room for image and disks",
    "Disks take only what was written to them, and stop their machine when the host's is full.",
    "libvirt: storage pools",
    _room,
)


def _architecture(facts: Facts, lab: Lab) -> Verdict:
    if why := why_none(facts, lab):
        return _not_needed(why)
    machine = facts.kernel.machine
    if isinstance(machine, Unknown):
        return unknown("The host's architecture", machine)
    wanted = lab.image.architecture
    if machine.value == wanted:
        return ok(f"Host and image are {wanted}.")
    return failed(
        f"The image is for {wanted}, the host is {machine.value}: KVM runs its own kind only.",
        "Name an image for it in the lab file: image.url, image.architecture.",
    )


ARCHITECTURE = Check(
    "image.architecture",
    "Image for this architecture",
    "A machine of another architecture is emulated: orders of magnitude too slow to measure.",
    "QEMU: accelerators",
    _architecture,
)
