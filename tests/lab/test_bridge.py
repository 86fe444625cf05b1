"""br0 on real hosts, from the card that carries us: made, spoiled, cut off; always a way in."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Protocol

import pytest
import yaml

from kubert_tui.base.errors import ExitCode
from kubert_tui.lab.load import load_lab
from kubert_tui.lab.machines import MachinesSpec, NetworkSpec
from kubert_tui.lab.model import Permission
from kubert_tui.lab.write import write_lab
from kubert_tui.practice.network import LabNetwork
from tests.support.headless import Headless, auto
from tests.support.playground import ANSIBLE, PLAYBOOKS
from tests.support.twins import Twins, wait_until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

_SPOILED = "/etc/systemd/network/00-kubert-br0.network.d/spoiled.conf"


def address(twins: Twins, name: str) -> str:
    return twins.machine(name).address


def gateway(twins: Twins, name: str) -> str:
    return f"{address(twins, name).rpartition('.')[0]}.2"


def put(twins: Twins, name: str, path: str, text: str) -> None:
    twins.inside(name, "mkdir", "-p", str(Path(path).parent))
    twins.inside(name, "tee", path, stdin=text)


def give_to_networkd(twins: Twins, name: str, *, dhcp: bool = False) -> None:
    """Have systemd-networkd look after the card, with what it is configured as already."""
    static = f"Address={address(twins, name)}/24\nGateway={gateway(twins, name)}\n"
    own = "DHCP=ipv4\n" if dhcp else static
    text = f"[Match]\nName=host0\n\n[Network]\n{own}LinkLocalAddressing=no\n"
    put(twins, name, "/etc/systemd/network/10-card.network", text)
    # With an address that it did not set itself, without broadcasts, systemd 252 never settles.
    twins.inside(name, "ip", "address", "flush", "dev", "host0")
    twins.inside(name, "systemctl", "start", "systemd-networkd")
    await_address(twins, name, "host0")


def on(twins: Twins, name: str, link: str) -> bool:
    """Whether the address and the way out are on this link, and nowhere else."""
    told = twins.inside(name, "ip", "-brief", "-4", "address", "show", "scope", "global")
    route = twins.inside(name, "ip", "route", "show", "default")
    links = [line.split()[0].partition("@")[0] for line in told.splitlines()]
    return links == [link] and f"{address(twins, name)}/24" in told and f"dev {link} " in route


def await_address(twins: Twins, name: str, link: str) -> None:
    wait_until(lambda: on(twins, name, link), f"{name} has its address on {link}", limit=120)


def phase(twins: Twins, name: str) -> str:
    return twins.inside(name, "cat", "/run/kubert-tui/bridge/br0/phase", check=False).strip()


def links(twins: Twins, name: str) -> str:
    return twins.inside(name, "ip", "-brief", "link")


def traces(twins: Twins, name: str) -> str:
    """What of ours would be heard of after a restart, or still waits."""
    return twins.inside(
        name, "sh", "-c", "ls -d /etc/systemd/network/00-kubert*; systemctl list-units --plain"
        " --no-legend 'kubert-br0*'", check=False,
    )  # fmt: skip


def start(
    twins: Twins, directory: Path, name: str, variables: Mapping[str, object]
) -> subprocess.Popen[str]:
    """Start plain ansible-playbook over ssh."""
    host = {
        "ansible_host": address(twins, name),
        "ansible_user": "root",
        "ansible_become": False,
        "ansible_ssh_private_key_file": str(twins.practice.directory.user_key),
        "ansible_ssh_common_args": "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null",
        "ansible_python_interpreter": "/usr/bin/python3",
        **variables,
    }
    inventory = directory / f"{name}.yml"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": {name: host}}}))
    return subprocess.Popen(
        [str(ANSIBLE), "-i", str(inventory), str(PLAYBOOKS / "bridge.yml")],
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def bridged_lab(twins: Twins, directory: Path) -> Path:
    """A lab of bull1 with a machine on its bridge."""
    lab = load_lab(twins.lab)
    host = lab.host("bull1").model_copy(update={"bridge_nic": "host0"})
    path = directory / "lab.yaml"
    changed = {
        "hosts": (host,),
        "allow": frozenset({Permission.NETWORK}),
        "network": NetworkSpec(kind="bridge"),
        "machines": MachinesSpec(preset="upstream", workers=0),
    }
    write_lab(lab.model_copy(update=changed), path)
    return path


def run(lab: Path, *more: str) -> tuple[int, Headless]:
    one = auto("--only", "bridge", *more, lab=lab)
    return one.finish(), one


@pytest.mark.long
def test_made_over_the_card_that_carries_us(twins: Twins, tmp_path: Path) -> None:
    for name in ("bull1", "bull2"):
        give_to_networkd(twins, name)
    lab = bridged_lab(twins, tmp_path)

    # Nobody agreed to it, and there is nobody to ask.
    code, refused = run(lab)
    assert code == ExitCode.NEEDS_CONFIRMATION
    assert refused.seen[-1]["states"]["bridge"] == "declined"
    (asked,) = refused.named("question")
    assert "the very card that goes into the bridge" in asked["confirm"]
    assert asked["typed"] == "host0"
    assert "br0" not in links(twins, "bull1")

    # On bull2 our side dies as soon as the bridge is there: nobody comes back.
    killed = start(
        twins, tmp_path, "bull2", {"kubert_bridge_nic": "host0", "kubert_bridge_seconds": 12}
    )
    wait_until(lambda: phase(twins, "bull2") in ("trying", "working"), "the trial began")
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()

    # On bull1 what the bridge gets is spoiled: it has no address, and we are cut off.
    put(twins, "bull1", _SPOILED, "[Link]\nUnmanaged=yes\n")
    code, spoiled = run(lab, "--yes")
    assert code == ExitCode.CHANGE_FAILED
    (failure,) = spoiled.named("failure")
    assert f"br0 has no address {address(twins, 'bull1')}/24" in failure["what"]
    await_address(twins, "bull1", "host0")
    assert "br0 " not in links(twins, "bull1")
    twins.inside("bull1", "rm", "-r", str(Path(_SPOILED).parent))
    assert traces(twins, "bull1").strip() == ""

    # Now it works; and once more there is nothing to do.
    code, made = run(lab, "--yes")
    assert code == ExitCode.OK, (made.named("failure"), made.errors())
    assert on(twins, "bull1", "br0")
    assert made.seen[-1]["states"]["bridge"] == "done"
    code, again = run(lab)
    assert code == ExitCode.OK
    assert again.seen[-1]["states"]["bridge"] == "satisfied"
    # It lasts.
    twins.inside("bull1", "sh", "-c", _NETWORKD)
    await_address(twins, "bull1", "br0")
    assert twins.answers("bull1")

    await_address(twins, "bull2", "host0")
    wait_until(lambda: phase(twins, "bull2").startswith("back"), "bull2 went back")
    assert phase(twins, "bull2") == "back nobody came back over the network in time"
    assert "br0 " not in links(twins, "bull2")
    wait_until(lambda: not traces(twins, "bull2").strip(), "nothing waits any more")


@pytest.mark.long
def test_a_change_that_hangs_and_a_bridge_without_a_card(twins: Twins, tmp_path: Path) -> None:
    give_to_networkd(twins, "bull2")
    # The change hangs in its middle, and the timer still has the last word.
    twins.inside("bull2", "sh", "-c", "mv /usr/bin/networkctl /usr/bin/networkctl.real")
    put(twins, "bull2", "/usr/bin/networkctl", "#!/bin/sh\nexec sleep 600\n")
    twins.inside("bull2", "chmod", "755", "/usr/bin/networkctl")
    hung = start(
        twins, tmp_path, "bull2", {"kubert_bridge_nic": "host0", "kubert_bridge_seconds": 8}
    )
    wait_until(
        lambda: "sleep 600" in twins.inside("bull2", "ps", "-e", "-o", "args="), "the change hangs"
    )
    twins.inside("bull2", "mv", "/usr/bin/networkctl.real", "/usr/bin/networkctl")
    told, _ = hung.communicate(timeout=200)
    assert hung.returncode
    assert "br0 was not kept" in told
    await_address(twins, "bull2", "host0")

    # For machines of this host alone, a bridge without a card, beside all that.
    alone = start(
        twins,
        tmp_path,
        "bull2",
        {"kubert_bridge_nic": "none", "kubert_bridge_address": "192.168.77.1/24"},
    )
    told, _ = alone.communicate(timeout=200)
    assert alone.returncode == 0, told
    assert "192.168.77.1/24" in twins.inside("bull2", "ip", "-brief", "address", "show", "br0")
    twins.inside("bull2", "ip", "link", "delete", "br0")
    twins.inside("bull2", "systemctl", "restart", "kubert-br0.service")
    assert "192.168.77.1/24" in twins.inside("bull2", "ip", "-brief", "address", "show", "br0")
    assert twins.answers("bull2")


def give_to_ifupdown(twins: Twins, name: str, *, dhcp: bool = False) -> None:
    static = f"static\n    address {address(twins, name)}/24\n    gateway {gateway(twins, name)}\n"
    text = (
        "auto lo\niface lo inet loopback\n\nauto host0\n"
        f"iface host0 inet {'dhcp' if dhcp else static}\n"
    )
    put(twins, name, "/etc/network/interfaces", text)
    twins.inside(name, "sh", "-ec", "ip address flush dev host0; ifup --force host0")


def give_to_network_manager(twins: Twins, name: str, *, dhcp: bool = False) -> None:
    text = "[keyfile]\nunmanaged-devices=none\n[device]\nmatch-device=*\nmanaged=1\n"
    put(twins, name, "/etc/NetworkManager/conf.d/00-all.conf", text)
    static = f"manual\naddress1={address(twins, name)}/24,{gateway(twins, name)}"
    text = (
        "[connection]\nid=card\nuuid=6b1d3a1e-0f5d-4c5e-9a63-2f3f6f0a7b11\ntype=ethernet\n"
        f"interface-name=host0\n[ipv4]\nmethod={'auto' if dhcp else static}\n"
        "[ipv6]\nmethod=disabled\n"
    )
    path = "/etc/NetworkManager/system-connections/card.nmconnection"
    put(twins, name, path, text)
    command = f"chmod 600 {path}; ip address flush dev host0; systemctl restart NetworkManager"
    twins.inside(name, "sh", "-ec", f"{command}; nmcli --wait 30 connection up card")


@contextmanager
def dhcp_server(twins: Twins, name: str) -> Iterator[None]:
    """A DHCP server in their network that has one address to give: this machine's.

    A bridge that it takes for somebody else gets none.
    """
    own, router = address(twins, name), LabNetwork(twins.practice.directory).namespace("router")
    argv = ["nsenter", f"--net={router}", "dnsmasq", "--keep-in-foreground", "--port=0",
            "--conf-file=/dev/null", "--no-hosts", "--no-resolv", "--pid-file=", "--leasefile-ro",
            "--user=root", "--interface=bridge0", "--no-ping",
            f"--dhcp-range={own},{own},255.255.255.0,10m",
            f"--dhcp-option=option:router,{gateway(twins, name)}"]  # fmt: skip
    with subprocess.Popen(argv, stderr=subprocess.DEVNULL) as server:
        try:
            yield
        finally:
            server.terminate()


class Give(Protocol):
    """Has a service look after a machine's card."""

    def __call__(self, twins: Twins, name: str, *, dhcp: bool = False) -> None: ...


_NETWORKD = (
    "systemctl stop systemd-networkd.socket systemd-networkd; ip link delete br0;"
    " rm -r /run/systemd/netif /run/systemd/network; systemctl start systemd-networkd"
)
"""All forgotten but what is on the disk."""
_MANAGERS: dict[str, tuple[Give, str]] = {
    "": (give_to_networkd, _NETWORKD),
    "ifupdown": (give_to_ifupdown, "ifdown br0; ifup br0"),
    "network-manager": (
        give_to_network_manager,
        "systemctl stop NetworkManager; ip link delete br0; systemctl start NetworkManager",
    ),
}


_FILES = (
    "cd /etc; for file in network/interfaces NetworkManager/system-connections/*; do"
    ' [ ! -e "$file" ] || { echo "$file"; cat "$file"; }; done'
)


@pytest.mark.long
@pytest.mark.network
@pytest.mark.parametrize(
    ("package", "dhcp"),
    [
        ("ifupdown", False),
        ("network-manager", False),
        ("", True),
        ("ifupdown", True),
        ("network-manager", True),
    ],
    ids=["ifupdown", "NetworkManager", "networkd dhcp", "ifupdown dhcp", "NetworkManager dhcp"],
)
def test_with_other_services_and_dhcp(
    own_twins: Twins, tmp_path: Path, package: str, dhcp: bool
) -> None:
    give, start_anew = _MANAGERS[package]
    packages = [package, "isc-dhcp-client"] if dhcp and package == "ifupdown" else [package]
    install = "apt-get update -qq; apt-get install -qq -y --no-install-recommends"
    if package:
        own_twins.inside("bull1", "sh", "-ec", f"{install} {' '.join(packages)}")
    with dhcp_server(own_twins, "bull1") if dhcp else nullcontext():
        give(own_twins, "bull1", dhcp=dhcp)
        await_address(own_twins, "bull1", "host0")
        before = own_twins.inside("bull1", "sh", "-c", _FILES)
        nobody_comes_back(own_twins, tmp_path)
        assert own_twins.inside("bull1", "sh", "-c", _FILES) == before

        made = start(own_twins, tmp_path, "bull1", {"kubert_bridge_nic": "host0"})
        told, _ = made.communicate(timeout=200)
        assert made.returncode == 0, told + own_twins.inside(
            "bull1", "cat", "/run/kubert-tui/bridge/br0/log", check=False
        )
        assert on(own_twins, "bull1", "br0")
        own_twins.inside("bull1", "sh", "-c", start_anew)
        await_address(own_twins, "bull1", "br0")
        assert own_twins.answers("bull1")
        again = start(own_twins, tmp_path, "bull1", {"kubert_bridge_nic": "host0"})
        told, _ = again.communicate(timeout=200)
        assert "changed=0" in told


def nobody_comes_back(twins: Twins, directory: Path) -> None:
    variables = {"kubert_bridge_nic": "host0", "kubert_bridge_seconds": 20}
    killed = start(twins, directory, "bull1", variables)
    wait_until(lambda: phase(twins, "bull1").startswith(("working", "back")), "it was made")
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    wait_until(lambda: phase(twins, "bull1").startswith("back"), "it went back")
    assert phase(twins, "bull1") == "back nobody came back over the network in time"
    await_address(twins, "bull1", "host0")
    assert "br0 " not in links(twins, "bull1")
