"""A guest that real cloud-init sets up from our seed: reached by ssh, with the key we gave it."""

import subprocess
import time
from pathlib import Path

import pytest

from kubert_tui.cpus.placement import Placement
from kubert_tui.hosts.known_hosts import our_file
from kubert_tui.machines import keys
from kubert_tui.machines.base_images import bring
from kubert_tui.machines.ensure import ensure
from kubert_tui.machines.guest import BASE
from kubert_tui.machines.hypervisor import open_hypervisor
from kubert_tui.machines.image_file import image_file
from kubert_tui.machines.lifecycle import destroy_all
from kubert_tui.machines.storage import Storage
from kubert_tui.practice.cloud_image import cloud_image
from kubert_tui.practice.virtual import Virtual
from tests.support.libvirt_here import PrivateLibvirt, private_libvirt
from tests.support.machine_cases import EMULATED, case
from tests.support.twins import CACHE, patient_order, skip_unless_possible

pytestmark = [
    pytest.mark.lab,
    pytest.mark.virtual,
    pytest.mark.long,
    pytest.mark.timeout(5400),
]
LIMIT = 1800.0
PLACED = Placement("one", vcpus=(0, 1), emulator=(0, 1), node=0, shares_cores=False)
ASK = (
    "uname -n; ip -4 -o address show scope global; ip route show default;"
    " sshd -T | grep passwordauthentication; grep ^root /etc/shadow; nproc;"
    " findmnt --noheadings --bytes --output SIZE /; getent passwd engineer;"
    " resolvectl dns eth0"
)


def test_a_guest_sets_itself_up_from_the_seed(tmp_path: Path) -> None:
    skip_unless_possible(Virtual.kind)
    disk = cloud_image(CACHE.parent / "images", patient_order())
    wanted = case("memory: 768MiB, disk: 10GiB", traits=EMULATED, placement=PLACED)
    keys.introduce("twins", (wanted.guest,))
    with private_libvirt(tmp_path) as libvirt, open_hypervisor("here", libvirt.uri) as hypervisor:
        base = f"{BASE}cloud"
        bring(Storage(hypervisor), base, image_file(disk, "built"), lambda _: None)
        ensure(hypervisor, wanted, base)
        said = ask_until_it_answers(libvirt, wanted.guest.spec.address)
        destroy_all(hypervisor, "twins")
    name, address, route, passwords, shadow, cpus, size, dns = said.splitlines()
    assert name == "one"
    assert "192.168.77.10/24" in address
    assert route.startswith("default via 192.168.77.1 ")
    assert passwords == "passwordauthentication no"
    assert shadow.split(":")[1].startswith("!")
    assert cpus == "2"
    assert int(size) > 9 << 30, "it has grown into its disk"
    assert dns.endswith(": 192.168.77.1")


def ask_until_it_answers(libvirt: PrivateLibvirt, address: str) -> str:
    """What the guest says over ssh; its host key has to be the one that our known_hosts has."""
    argv = ["nsenter", f"--net=/proc/{libvirt.process}/ns/net", "ssh", "-F", "none",
            "-i", str(keys.login_key_file("twins")), "-o", "IdentitiesOnly=yes",
            "-o", f"UserKnownHostsFile={our_file()}", "-o", "GlobalKnownHostsFile=none",
            "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-o", "ConnectTimeout=30",
            f"root@{address}", ASK]  # fmt: skip
    deadline = time.monotonic() + LIMIT
    while True:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=LIMIT)
        if done.returncode == 0:
            return done.stdout
        assert "Host key verification failed" not in done.stderr
        assert time.monotonic() < deadline, done.stderr
        time.sleep(2)
