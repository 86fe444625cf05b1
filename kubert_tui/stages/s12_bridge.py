"""Stage 12: the bridge that virtual machines are on, where the lab file asks for one."""

from kubert_tui.checks import bridge, network
from kubert_tui.checks.bridge import needs_bridge
from kubert_tui.facts.model import Facts
from kubert_tui.lab.machines import NO_MACHINES
from kubert_tui.lab.model import Lab
from kubert_tui.stages.bridge_change import BridgeChange, bridge_playbook
from kubert_tui.stages.model import Guide, Stage


def not_for(facts: Facts, lab: Lab) -> str:
    """Return why a host needs no bridge; `` when it needs one."""
    if not lab.guests:
        return NO_MACHINES
    if not needs_bridge(lab, facts.host):
        return "no machine of this host is on a bridge (network: kind: bridge)"
    return ""


STAGE = Stage(
    id="bridge",
    title="Bridge for machines",
    guide=Guide(
        what="Makes a bridge (br0) from the network card that the lab file names "
        "(`bridge_nic:` under the host), so that virtual machines have addresses of the hosts' "
        "own network. The bridge takes the card's hardware address and its configuration. "
        "`bridge_nic: none` makes one that reaches no further than the host.\n\n"
        "It is made on trial first: nothing outlives a restart, and the host puts everything "
        "back by itself unless we come back over the network within 90 seconds, and its "
        "addresses, routes and gateway are as they were. Only then is it written down for good.",
        why="Machines on two hosts reach each other only through a network that both are on. And "
        "a mistake in the network of a server in another building is one that nobody can "
        "correct from here.",
        readme="(the README's upstream expects a bridge: `public_network`, `dev: br0`)",
        ours="NetworkManager: two profiles (nmcli connection add save no), kept by saving them\n"
        "systemd-networkd, netplan: three files in /run/systemd/network, kept in /etc\n"
        "ifupdown: another interfaces file for the trial, kept in place of the old one\n"
        "before that, a timer: `bridge.sh back` unless `bridge.sh keep` came first",
        differs="The README says nothing of how the bridge is made. The card is never chosen for "
        "you, and one that carries our own connection is touched only after you typed its name.",
    ),
    checks=(bridge.BRIDGE, network.CARDS),
    goals=frozenset({bridge.BRIDGE.id}),
    change=BridgeChange(bridge_playbook()),
    not_for=not_for,
    not_for_first=True,
    for_machines=True,
)
