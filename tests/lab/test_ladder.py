"""Host and guest for real: bull2 plays a machine inside bull1, with what its seed would give it.

It lets only bull1 in, so whatever is done to it went through its host.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kubert_tui.base.errors import ExitCode
from kubert_tui.lab.load import load_lab
from kubert_tui.latency.store import load
from kubert_tui.machines import keys
from kubert_tui.machines.guest import Guest, guests_of
from tests.support.headless import Headless, auto
from tests.support.twins import Twins

CYCLICTEST = Path("/usr/bin/cyclictest")
LIBNUMA = Path("/usr/lib/x86_64-linux-gnu/libnuma.so.1")

pytestmark = [
    pytest.mark.lab,
    pytest.mark.long,
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
    pytest.mark.skipif(
        not (CYCLICTEST.exists() and LIBNUMA.exists()), reason="rt-tests is not installed"
    ),
]


def write_lab(directory: Path, twins: Twins) -> Path:
    """bull1, and bull2 as its machine `inside`."""
    host, guest = twins.spec("bull1"), twins.machine("bull2").address
    path = directory / "ladder.yaml"
    path.write_text(
        f"name: ladder\n"
        f"hosts: [{{name: bull1, address: {host.address}, port: {host.port}, user: root,"
        f" identity_file: {host.identity_file}}}]\n"
        f"allow: [services]\n"
        f"network: {{prefix: {guest.rpartition('.')[0]}., length: 24, gateway: none}}\n"
        f"machines: [{{name: inside, address: {guest}}}]\n"
    )
    return path


def seed(twins: Twins, guest: Guest) -> None:
    """Do what the seed of a machine does: its host key, and who may log in."""
    root = twins.root("bull2")
    key = root / "etc/ssh/ssh_host_ed25519_key"
    key.write_text(keys.host_key(guest).private)
    key.with_suffix(".pub").write_text(f"{keys.host_key(guest).public}\n")
    by = twins.machine("bull1").address
    allowed = f'from="{by}" {keys.login_key(guest.lab).public}\n'
    (root / "root/.ssh/authorized_keys").write_text(allowed)
    twins.inside("bull2", "systemctl", "restart", "ssh")
    for name in ("bull1", "bull2"):
        shutil.copy(CYCLICTEST, twins.root(name) / "usr/bin")
        shutil.copy(LIBNUMA, twins.root(name) / "usr/lib/x86_64-linux-gnu")


def ladder(*arguments: str) -> Headless:
    return Headless(
        subprocess.Popen(
            [sys.executable, "-m", "kubert_tui", "ladder", *arguments], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
    )  # fmt: skip


def test_a_guest_is_changed_and_measured_through_its_host(twins: Twins, tmp_path: Path) -> None:
    lab = write_lab(tmp_path, twins)
    early = auto("--only", "guest-irqbalance", lab=lab)
    assert early.finish() == ExitCode.UNREACHABLE
    assert "run the stage machines first" in early.named("failure")[0]["fix"]

    (guest,) = guests_of(load_lab(lab))
    seed(twins, guest)
    # A playbook, over ansible's ssh. Nobody is asked about a key, on no way.
    run = auto("--only", "guest-irqbalance", "--only", "guest-update", lab=lab)
    assert run.finish() == ExitCode.OK, run.errors()
    states = {entry["stage"]: entry["hosts"] for entry in run.named("stage-finished")}
    assert states["guest-irqbalance"] == {"inside": "done"}
    assert states["guest-update"] in ({"inside": "not allowed"}, {"inside": "satisfied"})
    assert (
        twins.inside("bull2", "systemctl", "is-enabled", "irqbalance", check=False) != "enabled\n"
    )
    assert twins.inside("bull1", "systemctl", "is-enabled", "irqbalance") == "enabled\n"

    where = ("--lab", str(lab), "--duration", "4s", "--json")
    run = ladder(*where)
    assert run.finish() == ExitCode.OK, run.errors()
    host, inside = run.seen[-1]["rungs"]
    assert (host["host"], host["layer"], host["deltas"]) == ("bull1", "host", None)
    assert (inside["host"], inside["layer"], inside["parent"]) == ("inside", "guest", "bull1")
    assert inside["deltas"]["max"] == int(inside["figures"]["max"]) - int(host["figures"]["max"])
    stored = {entry["host"]: load(Path(entry["path"])) for entry in run.named("latency-stored")}
    assert stored["inside"].parent == "bull1"
    assert stored["inside"].lab == stored["bull1"].lab == "ladder"
    # At the same time: each began before the other ended.
    begun = [entry["time"] for entry in run.named("latency-started")]
    assert max(begun) < min(entry["time"] for entry in run.named("latency-stored"))
    assert {entry["parent"] for entry in run.named("latency-started")} == {"", "bull1"}
    for name in ("bull1", "inside"):
        told = [entry for entry in run.named("latency-snapshot") if entry["host"] == name]
        assert told[-1]["snapshot"]["final"]

    # A layer after the other; killed meanwhile, it goes on, and the host is not measured again.
    in_turn = (*where, "--one-by-one")
    run = ladder(*in_turn)
    run.until("latency-started", host="inside")
    assert [entry["host"] for entry in run.named("latency-stored")] == ["bull1"]
    run.process.kill()
    run.finish()
    again = ladder(*in_turn)
    assert again.finish() == ExitCode.OK, again.errors()
    assert again.seen[0]["resumed"]
    (started,) = again.named("latency-started")
    assert (started["host"], started["attached"]) == ("inside", True)
    assert [rung["host"] for rung in again.seen[-1]["rungs"]] == ["bull1", "inside"]
    assert again.seen[-1]["rungs"][1]["deltas"]

    alone = subprocess.run(
        [
            *(sys.executable, "-m", "kubert_tui", "monitor", "inside", "--json"),
            *("--lab", str(lab), "--duration", "1s"),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert {
        entry["host"] for entry in map(json.loads, alone.splitlines()) if entry.get("host")
    } == {"inside"}
