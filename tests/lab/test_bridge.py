"""br0 on a real host over the card that carries us: made, refused, killed; always a way in."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from tests.support.playground import ANSIBLE, PLAYBOOKS
from tests.support.twins import Twins, wait_until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

_SPOILED = "/etc/systemd/network/00-kubert-br0.network.d"


def give_to_networkd(twins: Twins, name: str) -> None:
    """Have systemd-networkd look after the card, with what it is configured as already."""
    machine = twins.machine(name)
    gateway = f"{machine.address.rpartition('.')[0]}.2"
    put(
        twins,
        name,
        "/etc/systemd/network/10-card.network",
        f"[Match]\nName=host0\n\n[Network]\nAddress={machine.address}/24\nGateway={gateway}\n"
        "LinkLocalAddressing=no\n",
    )
    # With an address that it did not set itself, without broadcasts, systemd 252 never settles.
    twins.inside(name, "ip", "address", "flush", "dev", "host0")
    twins.inside(name, "systemctl", "start", "systemd-networkd")
    wait_until(
        lambda: (
            " configured"
            in twins.inside(name, "networkctl", "--no-pager", "--no-legend", "list", "host0")
        ),
        "systemd-networkd has the card",
    )


def put(twins: Twins, name: str, path: str, text: str) -> None:
    twins.inside(name, "mkdir", "-p", os.path.dirname(path))
    twins.inside(name, "tee", path, stdin=text)


def start(
    twins: Twins, directory: Path, name: str, variables: Mapping[str, object]
) -> subprocess.Popen[str]:
    """Start plain ansible-playbook over ssh."""
    machine = twins.machine(name)
    host = {
        "ansible_host": machine.address,
        "ansible_user": "root",
        "ansible_become": False,
        "ansible_ssh_private_key_file": str(twins.practice.directory.user_key),
        "ansible_ssh_common_args": "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
        " -o ControlPath=none",
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


def phase(twins: Twins, name: str) -> str:
    return twins.inside(name, "cat", "/run/kubert-tui/bridge/br0/phase", check=False).strip()


def addresses(twins: Twins, name: str) -> str:
    return twins.inside(name, "ip", "-brief", "-4", "address", "show", "scope", "global")


def test_try(twins: Twins, tmp_path: Path) -> None:
    give_to_networkd(twins, "bull1")
    print(addresses(twins, "bull1"))
    p = start(twins, tmp_path, "bull1", {"kubert_bridge_nic": "host0"})
    out, _ = p.communicate(timeout=200)
    print(out)
    print(phase(twins, "bull1"))
    print(addresses(twins, "bull1"), twins.inside("bull1", "ip", "route"))
    print(
        twins.inside(
            "bull1",
            "sh",
            "-c",
            "cat /run/kubert-tui/bridge/br0/log; tail -n +1 /etc/systemd/network/*; systemctl list-timers --all; bridge link",
        )
    )
    assert 0
