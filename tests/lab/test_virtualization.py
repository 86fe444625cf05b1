"""The virtualization stage for real: libvirt in a practice container, and a kernel that is booted."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kubert_tui.base.errors import ExitCode
from kubert_tui.machines import prove_kvm
from tests.support.emulated import kernel
from tests.support.headless import auto
from tests.support.twins import Twins

pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
]

QEMU = Path("/usr/bin/qemu-system-x86_64")


def only(lab: Path, *options: str) -> "tuple[int, list[dict[str, object]], str]":
    run = auto("--yes", "--only", "virtualization", *options, lab=lab)
    return run.finish(), run.seen, run.errors()


def test_a_host_gets_libvirt(twins: Twins, tmp_path: Path) -> None:
    # One of the twins is enough: the other costs as much again.
    lab = tmp_path / "lab.yaml"
    lab.write_text(
        f"""\
name: virt
hosts:
  - name: bull1
    address: {twins.machine("bull1").address}
    port: {twins.machine("bull1").port}
    user: root
    identity_file: {twins.spec("bull1").identity_file}
machines:
  - {{name: one, host: bull1}}
allow: [packages, services]
"""
    )
    print(only(lab))
    print(twins.inside("bull1", "virsh", "-c", "qemu:///system", "version"))
