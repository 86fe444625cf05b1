"""The virtualization stage for real: libvirt in a practice container, a kernel that is booted."""

import json
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kubert_tui.base.errors import ExitCode
from kubert_tui.machines import prove_kvm
from tests.support.emulated import kernel
from tests.support.headless import Headless, auto
from tests.support.playground import PLAYBOOKS, make_playground, plain
from tests.support.twins import Twins, wait_until

pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
]

needs_qemu = pytest.mark.skipif(
    platform.machine() != "x86_64" or not Path(prove_kvm.PROGRAMS[0]).exists(),
    reason="needs QEMU for x86-64",
)


def prove(kept: Path, **order: object) -> "subprocess.Popen[str]":
    whole = {"kept": str(kept), "qemu": "this one", "limit": 240, **order}
    return subprocess.Popen(
        [sys.executable, prove_kvm.__file__, json.dumps(whole)], stdout=subprocess.PIPE, text=True
    )


def outcome(process: "subprocess.Popen[str]") -> "dict[str, Any]":
    told, _ = process.communicate(timeout=400)
    assert process.returncode == 0
    return dict(json.loads(told))


@needs_qemu
@pytest.mark.virtual
def test_a_kernel_that_comes_up_proves_it_and_one_that_does_not_disproves_it(
    tmp_path: Path,
) -> None:
    image, kept = str(kernel(tmp_path)), tmp_path / "kept"

    # /dev/kvm here may answer, or work, or not be there: what is said has to fit.
    on_kvm = outcome(prove(tmp_path / "kvm", kernel=image, limit=30))
    assert on_kvm["boots"] in (True, False)
    assert (on_kvm["told"] == "the kernel came up") is on_kvm["boots"]

    late = outcome(prove(kept, kernel=image, accel="tcg", limit=0.2))
    assert (late["boots"], late["told"]) == (False, "the kernel said not a word within 0 s")
    # It is remembered for a while; another QEMU is tried at once.
    assert outcome(prove(kept, kernel=image, accel="tcg")) == late

    killed = prove(tmp_path / "killed", kernel=image, accel="tcg")
    children = Path(f"/proc/{killed.pid}/task/{killed.pid}/children")
    wait_until(lambda: children.read_text().split(), "QEMU is started")
    machine = Path("/proc", children.read_text().split()[0])
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    wait_until(lambda: not machine.exists() or " Z " in (machine / "stat").read_text(), "it died")

    whole = outcome(prove(kept, kernel=image, accel="tcg", qemu="another"))
    assert (whole["boots"], whole["told"]) == (True, "the kernel came up")
    assert outcome(prove(kept, kernel="/nowhere", qemu="another")) == whole
    assert {path.name for path in tmp_path.iterdir()} == {"vmlinuz", "kvm", "kept"}


def test_where_no_systemd_runs_it_says_so(tmp_path: Path) -> None:
    """In check mode: nothing is installed on this machine."""
    if Path("/run/systemd/system").exists():
        pytest.skip("systemd runs here")
    known = subprocess.run(
        ["apt-cache", "show", "libvirt-daemon-system"], capture_output=True, check=False
    )
    if known.returncode:
        pytest.skip("this machine's apt has no package lists")
    variables = {"kubert_libvirt_user": "nobody"}
    playground = make_playground(tmp_path)
    played = playground.play(PLAYBOOKS / "virtualization.yml", variables, check=True)
    assert played.status == 0, played.text
    assert "systemd does not run on this host, so libvirt was not started" in plain(played.text)


def only(lab: Path) -> Headless:
    run = auto("--yes", "--only", "virtualization", lab=lab)
    assert run.finish() == ExitCode.OK, run.errors()
    return run


@pytest.mark.long
def test_a_host_gets_libvirt(twins: Twins, tmp_path: Path) -> None:
    # One of the twins is enough: each loads 100 MB of packages.
    spec = twins.spec("bull1")
    lab = tmp_path / "lab.yaml"
    lab.write_text(
        f"name: virt\nhosts:\n  - {{name: bull1, address: {spec.address}, port: {spec.port},"
        f" user: root, identity_file: {spec.identity_file}}}\n"
        "machines: [{name: one}]\nallow: [packages, services]\n"
    )
    first = only(lab)
    assert first.seen[-1]["states"]["virtualization"] == "done"
    assert "QEMU" in twins.inside("bull1", "virsh", "-c", "qemu:///system", "version")
    assert twins.inside("bull1", "systemctl", "is-enabled", "libvirtd.service") == "enabled\n"

    # A container without /dev/kvm: what that means is said, and does not stop anybody.
    found = {entry["finding"]["check"]: entry["finding"] for entry in first.named("finding-made")}
    assert found["virtualization.kvm-boots"]["level"] == "warning"
    assert "latencies mean nothing" in found["virtualization.kvm-boots"]["summary"]

    second = only(lab)
    assert second.seen[-1]["states"]["virtualization"] == "satisfied"
    assert not second.named("task-finished")

    # A login of its own is let in, by hand with Ansible alone; and nothing changes the second time.
    inventory = tmp_path / "inventory"
    known = tmp_path / "known_hosts"
    inventory.write_text(
        f"bull1 ansible_host={spec.address} ansible_port={spec.port} ansible_user=root"
        f" ansible_become=false ansible_ssh_private_key_file={spec.identity_file}"
        f" ansible_ssh_common_args='-o StrictHostKeyChecking=no -o UserKnownHostsFile={known}'\n"
    )
    program = Path(sys.executable).with_name("ansible-playbook")
    words = ("-i", inventory, "-e", "kubert_libvirt_user=engineer")
    argv = [str(word) for word in (program, *words, PLAYBOOKS / "virtualization.yml")]
    runs = [
        subprocess.run(argv, capture_output=True, text=True, check=False, timeout=400)
        for _ in range(2)
    ]
    assert [run.returncode for run in runs] == [0, 0], runs[0].stdout + runs[1].stdout
    assert "changed=1 " in runs[0].stdout, runs[0].stdout
    assert "changed=0 " in runs[1].stdout, runs[1].stdout
    assert "libvirt" in twins.inside("bull1", "id", "-nG", "engineer").split()
