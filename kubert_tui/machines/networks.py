"""The NAT network of a lab on a host."""

from typing import Any

import libvirt

from kubert_tui.base.errors import KubertError
from kubert_tui.machines.calls import told
from kubert_tui.machines.definition import network_xml
from kubert_tui.machines.difference import Change
from kubert_tui.machines.guest import Guest, network_name, network_uuid
from kubert_tui.machines.hypervisor import Hypervisor
from kubert_tui.machines.xml import parse


def ensure_network(hypervisor: Hypervisor, guest: Guest) -> tuple[Change, ...]:
    """Have the network of the guest's lab defined and active.

    Returns what differs and takes effect only when the network starts anew, for it would cut
    off the machines that are on it now. KubertError if another network has its name.
    """
    name, uuid = network_name(guest.lab), network_uuid(guest.lab)
    with told(hypervisor.host, f"making the network {name}"):
        network = _lookup(hypervisor, name)
        if network is not None and network.UUIDString() != uuid:
            raise KubertError(
                f"there is a network {name} that this lab did not make",
                fix="rename the lab, or that network",
                host=hypervisor.host,
            )
        present = "" if network is None else network.XMLDesc(_inactive(network))
        wanted = network_xml(guest, uuid, _bridge(present))
        if network is None or _settings(present) != _settings(wanted):
            network = hypervisor.connection.networkDefineXML(wanted)
        network.setAutostart(True)
        if not network.isActive():
            network.create()
        return _pending(network, wanted)


def restart_network(hypervisor: Hypervisor, lab: str) -> None:
    """Stop and start the lab's network. Only while no machine is on it."""
    name = network_name(lab)
    with told(hypervisor.host, f"starting the network {name} anew"):
        network = _ours(hypervisor, lab)
        if network is not None:
            if network.isActive():
                network.destroy()
            network.create()


def remove_network(hypervisor: Hypervisor, lab: str) -> None:
    """Remove the lab's network. Nothing happens if it is not there, or is not the lab's."""
    with told(hypervisor.host, f"removing the network {network_name(lab)}"):
        network = _ours(hypervisor, lab)
        if network is None:
            return
        if network.isActive():
            network.destroy()
        if network.isPersistent():
            network.undefine()


def has_network(hypervisor: Hypervisor, lab: str) -> bool:
    """Whether the lab's network is there."""
    with told(hypervisor.host, f"looking for the network {network_name(lab)}"):
        return _ours(hypervisor, lab) is not None


def _ours(hypervisor: Hypervisor, lab: str) -> Any:
    network = _lookup(hypervisor, network_name(lab))
    ours = network is not None and network.UUIDString() == network_uuid(lab)
    return network if ours else None


def _lookup(hypervisor: Hypervisor, name: str) -> Any:
    try:
        return hypervisor.connection.networkLookupByName(name)
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_NETWORK:
            return None
        raise


def _bridge(xml: str) -> str:
    bridge = parse(xml).find("bridge") if xml else None
    return "" if bridge is None else bridge.get("name", "")


def _inactive(network: Any) -> int:
    """The flag that asks for the definition; it is refused while there is nothing else."""
    both = network.isActive() and network.isPersistent()
    return int(libvirt.VIR_NETWORK_XML_INACTIVE) if both else 0


def _pending(network: Any, wanted: str) -> tuple[Change, ...]:
    live, after = _settings(network.XMLDesc(0)), _settings(wanted)
    return tuple(
        Change(f"network {name}", live.get(name, ""), after[name])
        for name in after
        if live.get(name, "") != after[name]
    )


def _settings(xml: str) -> dict[str, str]:
    network = parse(xml)
    forward, ip = network.find("forward"), network.find("ip")
    return {
        "forward": "" if forward is None else forward.get("mode", ""),
        "address": "" if ip is None else f"{ip.get('address')}/{ip.get('prefix')}",
    }
