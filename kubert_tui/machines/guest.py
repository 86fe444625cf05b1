"""One virtual machine of the lab with everything about it settled, and the names that follow."""

import hashlib
import uuid
from dataclasses import dataclass

from kubert_tui.lab.model import Lab, MachineSpec, NetworkSpec
from kubert_tui.lab.size import parse_size

POOL = "kubert-tui"
"""libvirt's name for the directory of disks that labs of kubert-tui share on a host."""
POOL_PATH = "/var/lib/libvirt/images/kubert-tui"
BASE = "+base+"
"""What the names of base volumes begin with; those of a lab's own volumes begin with its name."""
IMAGE = "+image+"
"""What the names of the volumes below base volumes begin with: the images themselves."""


@dataclass(frozen=True, slots=True)
class Guest:
    """A machine as it is wanted. All names follow from the lab's and its own."""

    lab: str
    spec: MachineSpec
    """As in `Lab.guests`: with host, address and kind of network."""
    net: NetworkSpec

    @property
    def name(self) -> str:
        """Its name in the lab, which is its host name."""
        return self.spec.name

    @property
    def domain(self) -> str:
        """Its name in libvirt."""
        return self.spec.adopted or f"{self.lab}-{self.name}"

    @property
    def uuid(self) -> str:
        """The same whenever it is defined anew."""
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{self.name}.{self.lab}.machine.kubert-tui"))

    @property
    def mac(self) -> str:
        """An address of QEMU's range, the same whenever it is defined anew."""
        digest = hashlib.sha256(f"{self.lab}+{self.name}".encode()).digest()
        return f"52:54:00:{digest[:3].hex(':')}"

    @property
    def memory_mib(self) -> int:
        return parse_size(self.spec.memory)

    @property
    def disk_mib(self) -> int:
        return parse_size(self.spec.disk)

    @property
    def disk(self) -> str:
        """The name of its disk's volume."""
        return f"{volume_prefix(self.lab)}{self.name}.qcow2"

    @property
    def seed(self) -> str:
        """The name of its seed's volume."""
        return f"{volume_prefix(self.lab)}{self.name}.seed.iso"


def guests_of(lab: Lab, host: str = "") -> tuple[Guest, ...]:
    """Return the lab's machines, or those of one host."""
    return tuple(
        Guest(lab.name, spec, lab.network) for spec in lab.guests if host in ("", spec.host)
    )


def volume_prefix(lab: str) -> str:
    """What the names of a lab's volumes begin with; names of labs and machines have no `+`."""
    return f"{lab}+"


def network_name(lab: str) -> str:
    """The name of a lab's NAT network in libvirt."""
    return f"kubert-{lab}"


def network_uuid(lab: str) -> str:
    """Its identity: another network of that name has another, and is left alone."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{lab}.network.kubert-tui"))
