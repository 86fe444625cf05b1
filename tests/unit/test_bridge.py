"""The bridge: what is known of the network, what is judged of it, and when somebody is asked."""

from dataclasses import replace

import pytest

from kubert_tui.checks.bridge import BRIDGE, bridge_instead, choice_of
from kubert_tui.checks.finding import Level
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.facts.networking import Networking
from kubert_tui.lab.load import parse_lab
from kubert_tui.lab.model import Lab
from kubert_tui.stages.bridge_change import BridgeChange, bridge_playbook, consent, variables
from kubert_tui.stages.s12_bridge import not_for
from tests.support.fact_samples import HPE, changed, facts_of

LINKS = (
    r"1: lo: <LOOPBACK,UP> mtu 65536 qdisc noqueue \    link/loopback 00:00:00:00:00:00"
    "\n"
    r"2: eno1np0: <BROADCAST,UP> mtu 1500 master bond0 state UP \    link/ether 02:00:00:00:00:01"
    "\n"
    r"3: eno2np1: <BROADCAST,UP> mtu 1500 state UP \    link/ether 02:00:00:00:00:02"
    "\n"
    r"4: bond0: <BROADCAST,UP> mtu 1500 state UP \    link/ether 02:00:00:00:00:01 \    bond mode"
    "\n"
    r"5: bond0.7@bond0: <BROADCAST,UP> mtu 1500 \    link/ether 02:00:00:00:00:01 \    vlan id 7"
    "\n"
    r"6: host0@if4: <BROADCAST,UP> mtu 1500 \    link/ether 02:00:00:00:00:03 \    veth addrgenmode"
    "\n"
)
BRIDGED = (
    r"9: br0: <UP> mtu 1500 \    link/ether 02:00:00:00:00:02 promiscuity 0 \    bridge stp 0"
    "\n"
)
MANAGERS = "NetworkManager 3\nsystemd-networkd 3\nifupdown eno2np1\nifupdown bond0\n"


def facts(**sections: str) -> Facts:
    given = {
        "links": LINKS,
        "addresses": r"5: bond0.7    inet 10.0.0.5/24 brd 10.0.0.255 scope global bond0.7\  x" "\n",
        "routes": "default via 192.168.1.1 dev eno2np1 proto dhcp metric 100\n",
        "carrier": "ssh 10.0.0.9 5000 10.0.0.5 22\nback 10.0.0.9 dev bond0.7 src 10.0.0.5 uid 0\n",
        "network_managers": MANAGERS,
        **sections,
    }
    return facts_of(changed(HPE, **given))


def networking(**sections: str) -> Networking:
    fact = facts(**sections).networking
    assert isinstance(fact, Known)
    return fact.value


def lab(nic: str = "", kind: str = "bridge") -> Lab:
    return parse_lab(
        f"hosts: [{{name: alpha, bridge_nic: '{nic}'}}]\nmachines: [{{name: one}}]\n"
        f"network: {{kind: {kind}}}\n",
        "lab.yaml",
    )


def test_the_links_beneath_our_connection_carry_us() -> None:
    found = networking()
    assert found.carriers == {"bond0.7", "bond0", "eno1np0"}
    assert not found.assumed
    assert found.links["host0"].lower == ""
    assert {one.name: one.kind for one in found.links.values()} == {
        "eno1np0": "", "eno2np1": "", "bond0": "bond", "bond0.7": "vlan", "host0": "veth",
    }  # fmt: skip
    assert found.managers == {"eno2np1": "NetworkManager", "bond0": "ifupdown"}
    assert found.gateways == ("192.168.1.1",)


def test_where_nobody_tells_how_we_come_it_is_the_way_out() -> None:
    found = networking(carrier="")
    assert found.carriers == {"eno2np1"}
    assert found.assumed


@pytest.mark.parametrize("said", ["ssh", "ssh a b", "ssh ; rm -r 1 2 3", "back $(id)", "\x1b[31m"])
def test_what_a_host_says_of_our_connection_is_not_trusted(said: str) -> None:
    assert networking(carrier=f"{said}\n").carriers == {"eno2np1"}


def test_without_ip_nothing_is_known_and_everything_may_carry_us() -> None:
    blind = replace(facts(), networking=Unknown("command not found: ip"))
    assert BRIDGE(blind, lab("eno2np1")).level is Level.UNKNOWN
    assert consent(lab("eno2np1"), blind)


@pytest.mark.parametrize(
    ("nic", "sections", "level", "says"),
    [
        ("", {}, Level.FAILED, "nothing says which card"),
        ("eno7", {}, Level.FAILED, "no network card eno7"),
        ("eno2np1", {}, Level.FAILED, "There is no bridge br0 yet."),
        (
            "eno2np1",
            {"bridge_trials": "br0 back nobody came back over the network in time\n"},
            Level.FAILED,
            "The last trial ended: nobody came back",
        ),
        ("none", {}, Level.FAILED, "There is no bridge br0 yet."),
        ("none", {"links": LINKS + BRIDGED}, Level.OK, "br0 is there, with no card."),
        ("", {"links": LINKS + BRIDGED}, Level.OK, "br0 is there"),
        ("eno2np1", {"links": LINKS + BRIDGED}, Level.FAILED, "eno2np1 is no port of it"),
        (
            "eno2np1",
            {"links": LINKS.replace("1500 state UP", "1500 master br0 state UP", 1) + BRIDGED},
            Level.OK,
            "br0 is there, with eno2np1.",
        ),
        (
            "none",
            {"links": LINKS + BRIDGED, "bridge_trials": "br0 working\n"},
            Level.FAILED,
            "on trial only",
        ),
        ("none", {"links": LINKS + BRIDGED, "bridge_trials": "br0 kept\n"}, Level.OK, "is there"),
        (
            "none",
            {"links": LINKS + BRIDGED.replace("bridge stp", "dummy stp")},
            Level.FAILED,
            "br0 is a dummy, not a bridge",
        ),
    ],
)
def test_judged(nic: str, sections: dict[str, str], level: Level, says: str) -> None:
    found = BRIDGE(facts(**sections), lab(nic))
    assert found.level is level
    assert says in found.summary
    assert bool(found.fix) is (level is not Level.OK)


def test_who_has_to_choose_is_told_what_there_is() -> None:
    told = choice_of(facts())
    assert "eno2np1" in told
    assert "eno1np0" not in told, "a port of a bond is no choice"
    assert "carries this connection" in told
    assert choice_of(facts()) in BRIDGE(facts(), lab()).fix


def test_consent_is_asked_for_the_card_that_carries_us_only() -> None:
    assert "to alpha comes over bond0" in consent(lab("bond0"), facts())
    assert not consent(lab("eno2np1"), facts())
    assert "to alpha comes over eno2np1" in consent(lab("eno2np1"), facts(carrier=""))
    assert not consent(lab("none"), facts(carrier=""))
    change = BridgeChange(bridge_playbook())
    typed = {nic: change.plan(lab(nic), facts())[0].typed for nic in ("bond0", "eno2np1", "none")}
    assert typed == {"bond0": "bond0", "eno2np1": "", "none": ""}


def test_for_hosts_with_machines_on_a_bridge() -> None:
    assert not_for(facts(), lab()) == ""
    assert "no machine of this host" in not_for(facts(), lab(kind="nat"))
    empty = parse_lab("hosts: [{name: alpha}]\n", "lab.yaml")
    assert "names no machines" in not_for(facts(), empty)
    assert BRIDGE(facts(), lab(kind="nat")).level is Level.OK


def test_the_plan_says_what_happens_and_what_happens_else() -> None:
    change = BridgeChange(bridge_playbook())
    steps = [step.title for step in change.plan(lab("bond0"), facts())]
    assert steps[0].startswith("Make br0 from bond0, over which we come")
    assert "puts everything back by itself" in steps[-1]
    (only,) = change.plan(lab(), facts())
    assert "has to name the card" in only.title


def test_a_bridge_for_the_host_alone_has_the_networks_first_address() -> None:
    assert variables(lab("none"), facts())["kubert_bridge_address"] == "192.168.77.1/24"
    assert "kubert_bridge_address" not in variables(lab("bond0"), facts())


def test_what_to_write_for_machines_on_the_network_of_the_hosts() -> None:
    lab = parse_lab(
        "hosts: [{name: bull1}, {name: bull2}]\n"
        "machines: [{name: one}, {name: two, host: bull2}]\n",
        "lab.yaml",
    )
    both = (facts_of(HPE, host="bull1"), facts_of(HPE, host="bull2"))
    told = bridge_instead(both, lab)
    assert "network: {kind: bridge, prefix: 192.168.11.5, gateway: 192.168.11.1}" in told
    assert "bull1: eno1np0 (192.168.11.11" in told
    assert "eno2np1" in told.partition("bull2: ")[2]
    # Where the first ten are somebody's, others are told; where nothing is known, nothing.
    cards = Known(
        tuple(replace(one, addresses=("192.168.11.53",)) for one in both[1].network.value)  # type: ignore[union-attr]
    )
    assert "prefix: 192.168.11.6," in bridge_instead(
        (both[0], replace(both[1], network=cards)), lab
    )
    nothing = tuple(replace(one, network=Unknown("denied")) for one in both)
    assert "prefix: ..., gateway: ..." in bridge_instead(nothing, lab)
