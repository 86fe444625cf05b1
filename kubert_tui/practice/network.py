"""The network of container machines: namespaces of the lab's own, and one cable to this computer.

    this computer  10.213.N.1  ──veth──┐
                                       bridge 10.213.N.2 in the router namespace ── slirp4netns
    bull1 (namespace)  10.213.N.11 ────┤                                              (internet)
    bull2 (namespace)  10.213.N.12 ────┘

Nothing of this computer's own firewall, forwarding or sysctls is touched. The namespaces are
bound to files in the lab's directory, so that unmounting what is below it is all it takes.
"""

import fcntl
import ipaddress
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kubert_tui.base.errors import KubertError
from kubert_tui.base.text import last_lines
from kubert_tui.practice import mounts, processes
from kubert_tui.practice.state import LabDirectory

RESOLVER = "10.0.2.3"
"""slirp4netns' own address that hands names on to this computer's resolver."""
_SLIRP_LIMIT = 30.0
_NAT = """\
table ip practice {
  chain out {
    type nat hook postrouting priority 100; policy accept;
    oifname "tap0" masquerade
  }
}
"""


class LabNetwork:
    """The network of one lab, found by the lab's directory."""

    def __init__(self, lab: LabDirectory) -> None:
        self._lab = lab
        self._mark = f"{lab.tag}/router"
        self._cable = f"{lab.tag}-up"
        self._file = lab.path / "network"
        self._directory = lab.path / "net"
        self._made = self._directory / "made"

    def namespace(self, name: str) -> Path:
        """The file that the namespace of a machine (or `router`) is bound to."""
        return self._directory / name

    @property
    def subnet(self) -> ipaddress.IPv4Network | None:
        """The lab's /24, once it has been chosen."""
        try:
            return ipaddress.IPv4Network(self._file.read_text(encoding="ascii").strip())
        except (OSError, ValueError):
            return None

    def address(self, machine: str) -> str:
        """The address of a machine; empty before there is a network."""
        subnet = self.subnet
        return str(subnet[11 + self._lab.machines.index(machine)]) if subnet else ""

    @property
    def log(self) -> Path:
        """What slirp4netns said."""
        return self._lab.path / "slirp4netns.log"

    def ensure(self) -> None:
        """Make the network unless it is there, and see to it that the internet is reached."""
        if not self.whole():
            self.remove()
            self._directory.mkdir(exist_ok=True)
            for name in ("router", *self._lab.machines):
                self._make_namespace(self.namespace(name))
            self._make_links()
        if not processes.marked(self._mark):
            self._start_slirp()

    def remove(self) -> None:
        """Remove all of it, whatever of it there is. Processes in it have to be gone."""
        self._made.unlink(missing_ok=True)
        processes.kill_marked(self._mark)
        # Deleted by name, the cable is gone when this returns; with its namespace some time later.
        processes.run(["ip", "link", "delete", self._cable], mark=self._mark, check=False)
        mounts.unmount_below(self._directory)

    def plug(self, machine: str, *, plugged: bool) -> None:
        """Connect a machine's cable to the bridge, or leave it hanging: all packets vanish.

        Both ends keep their carrier and know each other's hardware address for good, so nobody
        is told that the other cannot be reached.
        """
        port = ["master", "bridge0"] if plugged else ["nomaster"]
        self._in("router", "ip", "link", "set", machine, *port)

    def whole(self) -> bool:
        """Whether all namespaces and links are there."""
        names = ("router", *self._lab.machines)
        bound = all(mounts.is_mounted(self.namespace(name)) for name in names)
        return bound and self._made.exists()

    def _make_namespace(self, file: Path) -> None:
        file.touch()
        processes.run(["unshare", f"--net={file}", "true"], mark=self._mark)

    def _make_links(self) -> None:
        router = self.namespace("router")
        with _all_labs_wait():
            subnet = choose_subnet(self.subnet, taken())
            self._file.write_text(f"{subnet}\n", encoding="ascii")
            mac = "02:00:" + ":".join(f"{byte:02x}" for byte in subnet.network_address.packed[:3])
            self._here("link", "add", self._cable, "address", f"{mac}:01", "type", "veth", "peer",
                       "name", "up0", "netns", str(router))  # fmt: skip
            self._here("address", "add", f"{subnet[1]}/24", "dev", self._cable)
            self._here("link", "set", self._cable, "up")
        self._in("router", "ip", "link", "set", "lo", "up")
        self._in("router", "ip", "link", "add", "bridge0", "type", "bridge")
        self._in("router", "ip", "address", "add", f"{subnet[2]}/24", "dev", "bridge0")
        self._in("router", "ip", "link", "set", "up0", "master", "bridge0", "up")
        self._in("router", "ip", "link", "set", "bridge0", "up")
        for machine in self._lab.machines:
            self._make_machine_link(machine, subnet, mac)
        self._in("router", "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
        self._in("router", "nft", "-f", "-", stdin=_NAT)
        self._made.touch()

    def _make_machine_link(self, machine: str, subnet: ipaddress.IPv4Network, mac: str) -> None:
        address = self.address(machine)
        own = f"{mac}:{int(address.rpartition('.')[2]):02x}"
        self._in("router", "ip", "link", "add", machine, "type", "veth", "peer", "name", "host0",
                 "address", own, "netns", str(self.namespace(machine)))  # fmt: skip
        self._in("router", "ip", "link", "set", machine, "master", "bridge0", "up")
        self._in(machine, "ip", "link", "set", "lo", "up")
        self._in(machine, "ip", "address", "add", f"{address}/24", "dev", "host0")
        self._in(machine, "ip", "link", "set", "host0", "up")
        self._in(machine, "ip", "route", "add", "default", "via", str(subnet[2]))
        self._in(machine, "ip", "neighbour", "replace", str(subnet[1]), "lladdr", f"{mac}:01",
                 "nud", "permanent", "dev", "host0")  # fmt: skip
        self._here("neighbour", "replace", address, "lladdr", own, "nud", "permanent",
                   "dev", self._cable)  # fmt: skip

    def _start_slirp(self) -> None:
        router = str(self.namespace("router"))
        argv = ["slirp4netns", "--configure", "--mtu=65520", "--disable-host-loopback",
                "--netns-type=path", router, "tap0"]  # fmt: skip
        processes.start(argv, mark=self._mark, log=self.log)
        deadline = time.monotonic() + _SLIRP_LIMIT
        while "inet " not in self._in("router", "ip", "address", "show", "tap0", check=False):
            if not processes.marked(self._mark) or time.monotonic() > deadline:
                raise KubertError(
                    "slirp4netns, the practice machines' way to the internet, did not start",
                    details=last_lines(self.log.read_bytes()),
                )
            time.sleep(0.05)

    def _here(self, *arguments: str) -> None:
        processes.run(["ip", *arguments], mark=self._mark)

    def _in(self, name: str, *argv: str, stdin: str = "", check: bool = True) -> str:
        enter = ["nsenter", f"--net={self.namespace(name)}", "--"]
        return processes.run([*enter, *argv], mark=self._mark, stdin=stdin, check=check)


def choose_subnet(
    before: ipaddress.IPv4Network | None, used: Sequence[ipaddress.IPv4Network]
) -> ipaddress.IPv4Network:
    """Return a 10.213.N.0/24 that overlaps nothing of `used`: the one of `before` if it is free."""
    own = [before] if before is not None else []
    candidates = (ipaddress.IPv4Network(f"10.213.{number}.0/24") for number in range(1, 255))
    for subnet in (*own, *candidates):
        if not any(subnet.overlaps(other) for other in used):
            return subnet
    raise KubertError(
        "no address range is left for the practice machines: 10.213.0.0/16 is in use here",
        fix="take down practice labs that are not needed: kubert-tui practice down",
    )


def taken() -> list[ipaddress.IPv4Network]:
    """Return the IPv4 networks that this computer has addresses in or routes to."""
    routes = _json("ip", "-json", "-4", "route", "show", "table", "all")
    networks = [_network(str(route.get("dst", ""))) for route in routes]
    for link in _json("ip", "-json", "-4", "address", "show"):
        networks += [
            _network(f"{own.get('local')}/{own.get('prefixlen')}")
            for own in link.get("addr_info", ())
        ]
    # A default route leads everywhere, a multicast one to nobody's machines.
    return [network for network in networks if network is not None and network.prefixlen > 0]


def _json(*argv: str) -> list[dict[str, Any]]:
    try:
        data = json.loads(processes.run(argv, mark="") or "[]")
    except ValueError:
        return []
    return [entry for entry in data if isinstance(entry, dict)]


def _network(text: str) -> ipaddress.IPv4Network | None:
    try:
        return ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        return None


@contextmanager
def _all_labs_wait() -> Iterator[None]:
    """Two labs must not choose the same range: a lock on a directory leaves nothing behind."""
    descriptor = os.open("/run", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
