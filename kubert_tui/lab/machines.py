"""The virtual machines of a lab, and the network they are on."""

from collections.abc import Mapping
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from kubert_tui.lab.part import HostName, Part
from kubert_tui.lab.rules_of_machines import NetworkOutline
from kubert_tui.lab.size import parse_size

NO_MACHINES = "the lab file names no machines; add `machines: {preset: upstream}`"
"""Why whatever is about virtual machines has nothing to do, and what to do about it."""
WORKERS_LIMIT = 9
"""Of the preset: one digit is appended to the prefix, as in the README's upstream."""


def _size(least: str, most: str) -> AfterValidator:
    def check(value: str) -> str:
        try:
            mib = parse_size(value)
        except ValueError as error:
            raise PydanticCustomError("size", "{what}", {"what": str(error)}) from None
        if not parse_size(least) <= mib <= parse_size(most):
            what = f"expected a size from {least} to {most}"
            raise PydanticCustomError("size", "{what}", {"what": what})
        return value

    return AfterValidator(check)


def _is_ipv4(value: str) -> str:
    if value:
        try:
            IPv4Address(value)
        except AddressValueError:
            what = "expected an IPv4 address such as 192.168.11.50"
            raise PydanticCustomError("ipv4", "{what}", {"what": what}) from None
    return value


def _is_ipv4_or_none(value: str) -> str:
    return value if value == "none" else _is_ipv4(value)


MachineName = Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$", max_length=63)]
"""Becomes host name and Kubernetes node name, so RFC 1123 has a word in it."""
Address = Annotated[str, Field(max_length=15), AfterValidator(_is_ipv4)]
NetworkKind = Literal["nat", "bridge"]
MachineRole = Literal["control-plane", "worker"]
Memory = Annotated[str, _size("64MiB", "16TiB")]
Disk = Annotated[str, _size("64MiB", "256TiB")]


class NetworkSpec(Part):
    """The network of the virtual machines; their addresses are PREFIX0, PREFIX1, ..."""

    kind: NetworkKind = Field(
        default="nat", description="nat: a network inside each host; bridge: one that is there."
    )
    bridge: str = Field(
        default="br0",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$",
        description="The host's bridge, for kind bridge.",
    )
    prefix: str = Field(
        default="192.168.77.1",
        pattern=r"^([0-9]{1,3}\.){3}[0-9]{0,2}$",
        description="An address without its last digit: 192.168.11.5 gives 192.168.11.50, ...",
    )
    length: int = Field(default=24, ge=8, le=30, description="Bits of the network's own part.")
    gateway: Annotated[str, Field(max_length=15), AfterValidator(_is_ipv4_or_none)] = Field(
        default="", description="Their way out: the network's first address if empty; or none."
    )
    dns: tuple[Address, ...] = Field(default=(), description="Name servers; the gateway if empty.")

    @field_validator("prefix", mode="after")
    @classmethod
    def _makes_addresses(cls, value: str) -> str:
        _is_ipv4(f"{value}0")
        return value

    @property
    def network(self) -> IPv4Network:
        """The whole network that the prefix is in."""
        return IPv4Network(f"{self.prefix}0/{self.length}", strict=False)

    @property
    def first(self) -> str:
        """The network's first address: a NAT network's host has it."""
        return str(self.network[1])

    @property
    def outline(self) -> NetworkOutline:
        """What the rules between machines need to know of it."""
        return NetworkOutline(self.prefix, self.length, self.way_out)

    @property
    def way_out(self) -> str:
        """The gateway, `` when there is to be none."""
        return "" if self.gateway == "none" else self.gateway or self.first


class MachineSpec(Part):
    """One virtual machine. Where it says nothing, `machines:` and `network:` do."""

    name: MachineName
    role: MachineRole = "worker"
    host: Annotated[str, Field(max_length=64)] = Field(
        default="", description="The host that runs it; the lab's first if empty."
    )
    vcpus: int = Field(default=2, ge=1, le=512)
    memory: Memory = "4GiB"
    disk: Disk = "20GiB"
    address: Address = Field(default="", description="PREFIX and its number in the list if empty.")
    network: Literal["", "nat", "bridge"] = Field(
        default="", description="The lab's kind of network if empty."
    )
    realtime: bool = Field(
        default=True, description="Pinned to isolated CPUs and scheduled first-in, first-out."
    )
    adopted: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9_][A-Za-z0-9_.+-]{0,250})?$",
        description="libvirt's name of a machine that somebody else made; the lab leaves its "
        "definition and its disks alone.",
    )
    user: str = Field(
        default="",
        max_length=32,
        pattern=r"^([A-Za-z0-9_][A-Za-z0-9_.-]*)?$",
        description="Login of an adopted machine, such as vagrant.",
    )
    identity_file: str = Field(default="", description="Private key of an adopted machine.")


class MachinesSpec(Part):
    """The virtual machines: written one by one, or those of a preset."""

    preset: Literal["", "upstream"] = Field(
        default="", description="upstream: a control plane called master, and workers."
    )
    workers: int = Field(default=2, ge=0, le=WORKERS_LIMIT, description="Of the preset.")
    hosts: tuple[HostName, ...] = Field(
        default=(),
        description="Hosts that the preset's machines take turns on; the first if empty.",
    )
    vcpus: int = Field(default=2, ge=1, le=512, description="Of each of the preset's machines.")
    memory: Memory = "4GiB"
    disk: Disk = "20GiB"
    each: tuple[MachineSpec, ...] = Field(
        default=(), description="One by one. `machines:` itself may be this list."
    )

    @model_validator(mode="before")
    @classmethod
    def _list_is_each(cls, data: Any) -> Any:
        return {"each": data} if isinstance(data, list | tuple) else data

    @model_validator(mode="after")
    def _preset_or_list(self) -> "MachinesSpec":
        fields = type(self).model_fields
        given = [key for key, value in self if value != fields[key].default]
        what = ""
        if self.preset and self.each:
            what = "expected a preset or a list of machines, not both"
        elif not self.preset and given not in ([], ["each"]):
            what = f"{given[0]} is for a preset: expected `preset: upstream`, too"
        if what:
            raise PydanticCustomError("machines", "{what}", {"what": what})
        return self

    @property
    def written(self) -> tuple[MachineSpec, ...]:
        """The machines one by one, those of the preset, too."""
        if self.preset != "upstream":
            return self.each
        common: Mapping[str, Any] = {"vcpus": self.vcpus, "memory": self.memory, "disk": self.disk}
        names = ("master", *(f"worker-{number}" for number in range(1, self.workers + 1)))
        hosts = self.hosts or ("",)
        return tuple(
            MachineSpec(
                name=name,
                role="worker" if number else "control-plane",
                host=hosts[number % len(hosts)],
                **common,
            )
            for number, name in enumerate(names)
        )


def settled(
    machines: MachinesSpec, network: NetworkSpec, first_host: str
) -> tuple[MachineSpec, ...]:
    """Return the machines with host, address and kind of network filled in."""
    return tuple(
        machine.model_copy(
            update={
                "host": machine.host or first_host,
                "address": machine.address or f"{network.prefix}{number}",
                "network": machine.network or network.kind,
            }
        )
        for number, machine in enumerate(machines.written)
    )
