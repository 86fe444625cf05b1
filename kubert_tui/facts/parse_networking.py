"""Links, routes, and who looks after them, from what `ip` and the services' files say."""

import re
from collections.abc import Iterable, Mapping

from kubert_tui.base.text import clean_line
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.networking import Link, Networking
from kubert_tui.facts.parse_network import addresses_of
from kubert_tui.facts.sections import Sections

_LINK = re.compile(r"^([0-9]{1,9}):\s+([^\s@:]{1,32})(?:@([^\s:]{1,32}))?:\s+<")
_MASTER = re.compile(r"\smaster\s(\S{1,32})")
_KIND = re.compile(
    r"\\\s+(bridge|bond|vlan|veth|macvlan|macvtap|ipvlan|tun|dummy|team|vrf|vxlan)\s"
)
_ROUTE = re.compile(r"^default\s(?:via\s([0-9A-Fa-f.:]{2,45})\s)?.*?\bdev\s(\S{1,32})")
_DEV = re.compile(r"\sdev\s(\S{1,32})")
_LINKS_LIMIT = 4096


def networking(sections: Sections) -> Fact[Networking]:
    """Return how the network is put together; unknown without `ip`."""
    lines = sections.lines("links")
    if isinstance(lines, Unknown):
        return lines
    links = {link.name: link for link in map(_link, lines.value[:_LINKS_LIMIT]) if link is not None}
    ways, gateways = _default_routes(_lines(sections, "routes"))
    carriers = {*_over_ssh(_lines(sections, "carrier"), addresses_of(sections))}
    return Known(
        Networking(
            links=links,
            carriers=_beneath(carriers or ways, links),
            assumed=not carriers,
            managers=_managers(links.values(), _lines(sections, "network-managers")),
            gateways=tuple(gateways),
            trials=_trials(_lines(sections, "bridge-trials")),
        )
    )


def _lines(sections: Sections, name: str) -> list[str]:
    lines = sections.lines(name)
    return [] if isinstance(lines, Unknown) else lines.value


def _link(line: str) -> Link | None:
    match = _LINK.match(line)
    if match is None or match[2] == "lo":
        return None
    master, kind = _MASTER.search(line), _KIND.search(line)
    return Link(
        name=match[2],
        index=int(match[1]),
        kind=kind[1] if kind else "",
        master=master[1] if master else "",
        # `@if4` is the other end of a cable that leads into another network.
        lower="" if (match[3] or "").startswith("if") else match[3] or "",
    )


def _default_routes(lines: Iterable[str]) -> tuple[set[str], list[str]]:
    found = [match for match in map(_ROUTE.match, lines) if match]
    return {match[2] for match in found}, [match[1] for match in found if match[1]]


def _over_ssh(lines: list[str], addresses: Mapping[str, list[str]]) -> set[str]:
    """The links with the address that sshd was reached at, and those that lead back."""
    carriers = set[str]()
    for line in lines:
        kind, _, rest = line.partition(" ")
        fields = rest.split()
        if kind == "ssh" and len(fields) == 4:
            carriers |= {name for name, own in addresses.items() if fields[2] in own}
        elif kind == "back" and (match := _DEV.search(f" {rest}")):
            carriers.add(match[1])
    return carriers - {"lo"}


def _beneath(carriers: set[str], links: Mapping[str, Link]) -> frozenset[str]:
    """`carriers` with all that they consist of: ports of a bridge, the card of a VLAN."""
    found = set[str]()
    todo = [*carriers]
    while todo:
        name = todo.pop()
        if name in found or name not in links:
            continue
        found.add(name)
        todo += [link.name for link in links.values() if link.master == name]
        todo += [links[name].lower]
    return frozenset(found)


def _managers(links: Iterable[Link], lines: list[str]) -> dict[str, str]:
    """NetworkManager and systemd-networkd tell by index, ifupdown by name."""
    said = [line.split() for line in lines]
    by_index = {(one[0], one[1]) for one in said if len(one) == 2}
    order = ("NetworkManager", "systemd-networkd", "ifupdown")
    return {
        link.name: manager
        for link in links
        for manager in reversed(order)
        if {(manager, str(link.index)), (manager, link.name)} & by_index
    }


def _trials(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition(" ") for line in lines)
    return {name: clean_line(said, limit=200) for name, _, said in pairs if said}
