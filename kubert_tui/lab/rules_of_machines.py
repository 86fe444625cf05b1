"""What must hold between the virtual machines of a lab, its hosts and its network."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError

from kubert_tui.lab.rules import GUESS_LIMIT, Location, Problem


@dataclass(frozen=True, slots=True)
class MachineOutline:
    """What the rules look at; texts are empty where the file has nothing usable."""

    name: str
    host: str = ""
    address: str = ""
    adopted: str = ""
    """Not empty: somebody else made it, in a network of theirs."""


@dataclass(frozen=True, slots=True)
class NetworkOutline:
    """The machines' network, as it is written."""

    prefix: str
    length: int
    gateway: str = ""


def machine_problems(
    machines: Sequence[MachineOutline],
    hosts: Sequence[str],
    network: NetworkOutline | None,
    place: Location = ("machines",),
) -> list[Problem]:
    """Return names and addresses that are given twice or do not fit, and hosts that are not there.

    `network` is None where the file has none that could be used; `place` is where the list is.
    """
    found = list(_twice(machines, hosts, place))
    for index, machine in enumerate(machines):
        if machine.host and machine.host not in hosts:
            few = hosts if len(hosts) <= GUESS_LIMIT else ()
            close = get_close_matches(machine.host, few, n=1)
            hint = f"did you mean {close[0]}?" if close else f"one of {', '.join(hosts[:20])}"
            what = f"this lab has no host {machine.host}"
            found.append(Problem((*place, index, "host"), what, hint))
    if network is not None:
        found += _addresses(machines, network, place)
    return found


def _twice(
    machines: Sequence[MachineOutline], hosts: Sequence[str], place: Location
) -> Iterator[Problem]:
    known = dict.fromkeys(hosts, "host")
    for index, machine in enumerate(machines):
        if machine.name in known:
            what = f"another {known[machine.name]} is called {machine.name} already"
            yield Problem((*place, index, "name"), what, "give every machine a name of its own")
        elif machine.name:
            known[machine.name] = "machine"


def _addresses(
    machines: Sequence[MachineOutline], network: NetworkOutline, place: Location
) -> Iterator[Problem]:
    try:
        inside = IPv4Network(f"{network.prefix}0/{network.length}", strict=False)
    except (AddressValueError, NetmaskValueError):
        return  # told where the network is
    taken = {str(inside[0]): "the network itself", str(inside[-1]): "its broadcasts"}
    if network.gateway:
        taken[network.gateway] = "the gateway"
    for index, machine in enumerate(machines):
        text = machine.address or f"{network.prefix}{index}"
        where = (*place, index, "address")
        hint = "give it an address" if not machine.address else ""
        try:
            address = IPv4Address(text)
        except AddressValueError:
            if not machine.address:
                yield Problem(where, f"its number makes {text}, which is no address", hint)
            continue
        if address not in inside and machine.adopted:
            continue
        if address not in inside:
            yield Problem(where, f"{text} is not in the network {inside}", hint)
        elif text in taken:
            yield Problem(where, f"{text} is taken by {taken[text]}", hint)
        taken[text] = machine.name or "another machine"
