"""A host that lies: escapes, markup, binary and megabytes in all that it says, in both faces."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubert_tui.base.errors import ExitCode
from kubert_tui.lab.model import Lab, Permission
from kubert_tui.lab.write import write_lab
from tests.support.canary import Typist
from tests.support.fuzzing import harmless
from tests.support.sshd import Sshd, start_sshd

pytestmark = [pytest.mark.lab, pytest.mark.skipif(os.geteuid() != 0, reason="logs in as root")]

ATTACKS = (
    b"\x1b]0;OWNED\x07",
    b"\x1b]52;c;T1dORUQ=\x07",
    b"\x1b]8;;http://owned\x1b\\",
    b"\x1b[7;77HOWNED",
    b"\x1b[?47hOWNED",
    b"\x1bP+q4f57\x1b\\",
    b"\x1b_OWNED\x1b\\",
    b"\xc2\x9b7;77HOWNED",
    "\u202eOWNED".encode(),
    b"OWNED\x08\x08\x08",
)
"""None of these may reach a terminal or a file of ours."""
MARKUP = (
    b"[@click=app.exit]OWNED[/] [red] [/nothing] [bold [/] \\[x] {{ 6*7 }} {% raw %} $(id) `id`"
)
KINDS = {
    "escapes": b" ".join(ATTACKS),
    "markup": MARKUP,
    "megabytes": b"x" * 1_500_000 + b"\x1b]0;OWNED\x07",
    "binary": bytes(range(256)) * 400 + b"\0" * 5000,
    "lines": (ATTACKS[0] + b"\n") * 20_000,
}
LIARS = (
    "uname", "hostname", "lscpu", "nproc", "systemctl", "systemd-detect-virt", "dpkg-query", "rpm",
    "apt-get", "lsmod", "ethtool", "ip", "grub-editenv", "tuned-adm", "sysctl", "dmesg", "findmnt",
)  # fmt: skip
"""What the probe or a playbook may ask on a host."""
PLAYBOOK = """\
- name: Repeat what the host says
  hosts: all
  gather_facts: false
  tasks:
    - name: Ask it
      ansible.builtin.command: uname -r
      register: told
      changed_when: true
    - name: Repeat it
      ansible.builtin.debug:
        var: told.stdout
    - name: Fail with it
      ansible.builtin.shell: uname -r >&2; uname -r; exit 3
"""
PROGRAM = (sys.executable, "-m", "tests.support.canary_run")
STAGES = ("--only", "connect", "--only", "playbook")


QUICK = ("escapes",)
"""In every run; the others in the long profile."""


@pytest.fixture(
    params=[
        pytest.param(kind, marks=() if kind in QUICK else pytest.mark.long)
        for kind in (*KINDS, "greeting")
    ]
)
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """The lab file of a host whose programs answer with something else."""
    kind = str(request.param)
    tools = tmp_path / "tools"
    tools.mkdir()
    payload = tools / "payload"
    payload.write_bytes(KINDS.get(kind, KINDS["escapes"]))
    for name in (*LIARS, "cyclictest"):
        lie = f'cat {payload}; echo; cat {payload} >&2; [ "$1" != --fail ] || exit 9\n'
        (tools / name).write_text(f"#!/bin/sh\n{lie}")
        (tools / name).chmod(0o755)
    banner = tmp_path / "banner"
    banner.write_bytes(KINDS["escapes"] + b"\n")
    greets = f"cat {payload}; " if kind == "greeting" else ""
    path = f'PATH={tools}:$PATH; eval "$SSH_ORIGINAL_COMMAND"'
    extra = (f"Banner {banner}", f"ForceCommand {greets}{path}")
    with start_sshd(tmp_path / "sshd", extra=extra) as server:
        yield _lab(tmp_path, server)


def _lab(directory: Path, server: Sshd) -> Path:
    path = directory / "lab.yaml"
    hosts = (server.spec("bull1"),)
    write_lab(Lab(name="hostile", hosts=hosts, allow=frozenset(Permission)), path)
    (directory / "playbook.yml").write_text(PLAYBOOK)
    return path


@pytest.fixture(autouse=True)
def told_of_the_playbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY_PLAYBOOK", str(tmp_path / "playbook.yml"))


def attacks_in(data: bytes) -> list[bytes]:
    return [attack for attack in ATTACKS if attack in data]


def assert_ended_well(code: int, told: str) -> None:
    assert code in {int(one) for one in ExitCode} - {ExitCode.INTERNAL, ExitCode.USAGE}, told[
        -3000:
    ]
    assert "Traceback" not in told


def assert_nothing_kept(home: Path) -> None:
    """Whatever was written here is text that a terminal may show."""
    written = [path for path in (home / "state").rglob("*") if path.is_file()]
    assert any(path.name == "journal.jsonl" for path in written)
    for path in written:
        data = path.read_bytes()
        assert not re.findall(rb"[\x00\x07\x08\x1b]", data), path
        assert not attacks_in(data), path


def test_to_read(lab: Path, own_directories: Path) -> None:
    typist = Typist(
        (*PROGRAM, "--auto", "--accept-new-host-keys", "--yes", "--lab", str(lab), *STAGES),
    )
    code = typist.finish()
    shown = typist.transcript.getvalue()
    text = re.sub(r"\x1b\[[0-9;]*m", "", shown.decode())
    assert_ended_well(code, text)
    assert "bull1" in text
    assert attacks_in(shown) == []
    strange = [line for line in text.split("\n") if not harmless(line.rstrip("\r"))]
    assert not strange, strange[:3]
    assert len(shown) < 1_000_000
    assert_nothing_kept(own_directories)


def test_for_programs(lab: Path, own_directories: Path) -> None:
    for arguments in (
        ("--auto", "--json", "--yes", "--accept-new-host-keys", "--lab", str(lab), *STAGES),
        ("--auto", "--json", "--accept-new-host-keys", "--lab", str(lab), "--dry-run"),
        (
            "--auto",
            "--json",
            "--accept-new-host-keys",
            "--lab",
            str(lab),
            "--only",
            "cyclictest",
            "--set",
            "cyclictest.duration=1s",
        ),
    ):
        done = subprocess.run(
            [*PROGRAM, *arguments], stdin=subprocess.DEVNULL,
            capture_output=True, check=False, timeout=250,
        )  # fmt: skip
        assert_ended_well(done.returncode, done.stderr.decode())
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert lines[-1]["event"] == "finished"
        assert lines[-1]["exit_code"] == done.returncode
        assert attacks_in(done.stdout + done.stderr) == []
        assert attacks_in("\n".join(map(str, texts_in(lines))).encode()) == []
        assert max(map(len, done.stdout.splitlines())) < 1_000_000
    assert_nothing_kept(own_directories)


def texts_in(value: object) -> Iterator[str]:
    """All strings in a decoded JSON value: JSON escapes what it quotes."""
    match value:
        case str():
            yield value
        case dict():
            for part in (*value, *value.values()):
                yield from texts_in(part)
        case list():
            for part in value:
                yield from texts_in(part)


def test_checked(lab: Path) -> None:
    for face in ((), ("--json",)):
        done = subprocess.run(
            [*PROGRAM, "check", "--lab", str(lab), "--accept-new-host-keys", "--all", *face],
            capture_output=True, check=False, timeout=250,
        )  # fmt: skip
        assert_ended_well(done.returncode, done.stderr.decode())
        assert attacks_in(done.stdout + done.stderr) == []
        assert all(harmless(line) for line in done.stdout.decode().splitlines())
        if face:
            assert attacks_in("\n".join(texts_in(json.loads(done.stdout))).encode()) == []


def test_the_wizard(lab: Path, own_directories: Path) -> None:
    known = own_directories / ".ssh"
    known.mkdir()
    port = lab.read_text().partition("port: ")[2].split()[0]
    public = (lab.parent / "sshd" / "host_ed25519.pub").read_text()
    (known / "known_hosts").write_text(f"[127.0.0.1]:{port} {public}")
    typist = Typist((*PROGRAM, "--lab", str(lab)))
    process = typist.process
    process.expect("Connect and inspect: (done|failed)")
    for key in ("h", "f", "l", "g"):
        process.send(key)
    process.send("q")
    code = typist.finish()
    shown = typist.transcript.getvalue()
    assert_ended_well(code, shown.decode(errors="replace"))
    assert attacks_in(shown) == []
    assert_nothing_kept(own_directories)
