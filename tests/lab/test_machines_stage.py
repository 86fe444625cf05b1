"""The stage `machines` and `kubert-tui machines`, as users run them, on a host that is this one.

They run in the namespaces of a libvirtd of the test's own: what they call qemu:///system is that
one, and its networks are theirs.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pexpect  # type: ignore[import-untyped]
import pytest

from kubert_tui.lab.load import load_lab
from kubert_tui.machines.guest import POOL
from kubert_tui.machines.image_name import base_volume
from kubert_tui.practice.virtual import Virtual
from tests.lab.test_machines_libvirt import whole_state
from tests.support.headless import Headless
from tests.support.libvirt_here import PrivateLibvirt, private_libvirt
from tests.support.seeded_disk import seeded_disk
from tests.support.sshd import PROGRAM, start_sshd
from tests.support.twins import CACHE_HOME, skip_unless_possible

pytestmark = [pytest.mark.lab, pytest.mark.virtual, pytest.mark.timeout(3600)]
LAB = """\
name: twins
hosts: [{{name: here, {reached}, cpus: {{housekeeping: "0", isolated: "1-{last}"}}}}]
allow: [{allow}]
network: {{prefix: 192.168.77.1}}
machines:
{machines}
"""
MACHINE = "- {{name: {name}, vcpus: 1, memory: {memory}, disk: 8GiB}}"


@dataclass
class Bench:
    """A lab file, and a kubert-tui that works on it beside the libvirtd."""

    libvirt: PrivateLibvirt
    file: Path
    reached: str = "connection: local"

    def write(self, *names: str, memory: str = "256MiB", allow: str = "machines") -> None:
        """Write the lab file; `memory` is that of the first machine."""
        sizes = (memory, *("256MiB" for _ in names[1:]))
        machines = [
            MACHINE.format(name=name, memory=size) for name, size in zip(names, sizes, strict=True)
        ]
        last = (os.cpu_count() or 2) - 1
        text = LAB.format(
            last=last, allow=allow, machines="\n".join(machines), reached=self.reached
        )
        self.file.write_text(text)

    def command(self, *arguments: str) -> list[str]:
        return [*self.libvirt.enter, sys.executable, "-m", "kubert_tui", *arguments]

    def start(self, *arguments: str) -> Headless:
        """Start the stage."""
        argv = self.command("--lab", str(self.file), "--auto", "--only", "machines", "--json",
                            "--accept-new-host-keys")  # fmt: skip
        return Headless(
            subprocess.Popen(
                [*argv, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True, start_new_session=True,
            )
        )  # fmt: skip

    def stage(self, *arguments: str) -> Headless:
        """Run the stage; return it when it has ended."""
        run = self.start(*arguments)
        code = run.finish()
        assert code == 0, (code, run.named("failure"), run.errors())
        return run

    def machines(self, *arguments: str, code: int = 0) -> str:
        """Run `kubert-tui machines ...` on the lab; return what it prints."""
        action, *more = arguments
        argv = self.command("machines", action, "--lab", str(self.file), *more)
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=600
        )
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done.stdout

    def listed(self) -> dict[str, dict[str, Any]]:
        return {row["name"]: row for row in json.loads(self.machines("list", "--json"))}

    def ssh(self, line: str, *command: str) -> str:
        """Run the command that `list` shows, in the libvirtd's network."""
        argv = [*self.libvirt.enter, "sh", "-c", f'exec {line} -F none "$@"', "sh", *command]
        done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=120)
        return done.stdout.strip()


def over_ssh(libvirt: PrivateLibvirt, directory: Path) -> str:
    """Have an sshd in the libvirtd's namespaces; return how a lab file says it is reached."""
    with start_sshd(directory) as server:
        spec = server.spec("here")
    argv = [*libvirt.enter, str(PROGRAM), "-f", str(directory / "sshd_config")]
    subprocess.run([*argv, "-E", str(directory / "log")], check=True)
    known = {"address", "port", "user", "identity_file"}
    return ", ".join(f"{key}: {value}" for key, value in spec.model_dump().items() if key in known)


@pytest.fixture
def empty_bench(tmp_path: Path) -> Iterator[Bench]:
    """Whose libvirt has no image."""
    with private_libvirt(tmp_path) as libvirt:
        libvirt.hide_kvm()
        yield Bench(libvirt, tmp_path / "lab.yaml")


@pytest.fixture
def bench(empty_bench: Bench) -> Bench:
    """Whose libvirt has the image of the lab: one that starts in seconds."""
    empty_bench.write("one")
    image = empty_bench.libvirt.images / POOL / base_volume(load_lab(empty_bench.file))
    image.parent.mkdir(parents=True)
    disk = seeded_disk()
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", disk, image], check=True)
    return empty_bench


def watch_console(bench: Bench) -> None:
    """Watch the console of `one` on a terminal while it starts, and leave with Ctrl-]."""
    command, *arguments = bench.command("machines", "console", "one", "--lab", str(bench.file))
    with pexpect.spawn(command, arguments, timeout=900) as terminal:
        terminal.expect_exact("Ctrl-] leaves the console")
        terminal.expect_exact("seeded: reading the seed")
        terminal.send("\x1d")
        terminal.expect(pexpect.EOF)
    assert terminal.exitstatus == 0


def states(run: Headless) -> str:
    (ended,) = run.named("stage-finished")
    return str(ended["state"])


def steps(run: Headless) -> list[str]:
    return [step["title"] for plan in run.named("plan-made") for step in plan["steps"]]


def nothing_is_left(bench: Bench, before: dict[str, str]) -> None:
    """Of the machines, in libvirt and on this computer."""
    after = whole_state(bench.libvirt)
    # The image, which nobody uses any more, is gone, too; the images' directory was there before.
    assert [line for line in after["files"].splitlines() if POOL in line] == []
    assert {**after, "files": ""} == {**before, "files": ""}
    home = Path(os.environ["XDG_STATE_HOME"], "kubert-tui")
    assert not list(home.glob("machines/*"))
    assert "kubert-tui:machines" not in (home / "known_hosts").read_text()


def measure_inside(bench: Bench, names: tuple[str, ...]) -> None:
    """Real cyclictest on the host and in all machines at once; each stored, whole and judged."""
    argv = bench.command("ladder", "--lab", str(bench.file), "--json", "--accept-new-host-keys",
                         "--duration", "3s", "--interval", "10000")  # fmt: skip
    done = subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=900
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    failures = [one for one in told if one["event"] == "failure"]
    assert done.returncode == 0, (failures, done.stderr)
    rungs = {rung["host"]: rung for rung in told[-1]["rungs"]}
    assert rungs.keys() == {"here", *names}
    for name in names:
        assert rungs[name]["parent"] == "here"
        assert rungs[name]["samples"] == 300
        assert not rungs[name]["interrupted"]


@pytest.mark.parametrize(
    ("names", "ssh"),
    [
        (("one",), True),
        pytest.param(("one", "two"), True, marks=pytest.mark.long),
        pytest.param(("one", "two", "three"), True, marks=pytest.mark.long),
        pytest.param(("one", "two"), False, marks=pytest.mark.long),
    ],
    ids=["one over ssh", "two over ssh", "three over ssh", "two here"],
)
def test_from_the_lab_file_to_machines_and_to_nothing(
    bench: Bench, names: tuple[str, ...], ssh: bool, tmp_path: Path
) -> None:
    if ssh:
        bench.reached = over_ssh(bench.libvirt, tmp_path / "sshd")
    bench.write(*names)
    before = whole_state(bench.libvirt)
    planned = bench.stage("--dry-run")
    assert states(planned) == "would change"
    assert len(steps(planned)) == 3 * len(names)
    assert whole_state(bench.libvirt) == before

    made = bench.stage()
    assert states(made) == "done"
    consoles: dict[str, list[str]] = {}
    for said in made.named("console-said"):
        consoles.setdefault(said["machine"], []).extend(said["lines"])
    assert consoles.keys() == set(names)
    assert all("seeded: sshd listens" in lines for lines in consoles.values())
    assert any("to answer by ssh (" in one["what"] for one in made.named("waiting"))
    told = {one["finding"]["check"]: one["finding"] for one in made.named("finding-made")}
    assert told["machines.realtime"]["level"] == "warning"
    assert "host-passthrough: it needs KVM" in told["machines.realtime"]["summary"]
    rows = bench.listed()
    for name in names:
        assert rows[name]["state"] == "running"
        assert bench.ssh(rows[name]["ssh"], "uname", "-n") == name

    measure_inside(bench, names)

    again = bench.stage()
    assert states(again) == "satisfied"
    assert not again.named("console-said")

    if len(names) > 1:
        edited_and_made_anew(bench, names, rows["one"]["ssh"])
        handled_by_commands(bench)
    state = bench.listed()["one"]["state"]
    bench.machines("destroy", "--all", code=8)
    assert bench.listed()["one"]["state"] == state
    bench.machines("destroy", "--all", "--yes")
    assert {row["state"] for row in bench.listed().values()} == {"missing"}
    nothing_is_left(bench, before)


def edited_and_made_anew(bench: Bench, names: tuple[str, ...], ssh: str) -> None:
    """Other memory for `one`; then it is lost, and made anew by a run that was killed once."""
    # What takes a restart is defined and told; nothing is restarted that nobody agreed to.
    bench.write(*names, memory="272MiB")
    edited = bench.stage()
    assert states(edited) == "done"
    assert "one: memory: 262144 KiB -> 278528 KiB (at its next start)" in steps(edited)
    assert "262144 KiB" in bench.libvirt.virsh("dominfo", "twins-one")
    bench.write(*names, memory="272MiB", allow="machines, reboot")
    asked = bench.start()
    assert asked.finish() == 8
    assert "262144 KiB" in bench.libvirt.virsh("dominfo", "twins-one")
    agreed = bench.stage("--yes")
    assert states(agreed) == "done"
    assert "278528 KiB" in bench.libvirt.virsh("dominfo", "twins-one")

    # Destroyed by somebody else; and we are killed while it is made anew.
    bench.libvirt.virsh("destroy", "twins-one")
    bench.libvirt.virsh("undefine", "twins-one", "--remove-all-storage")
    killed = bench.start()
    killed.until("console-said")
    os.killpg(killed.process.pid, signal.SIGKILL)
    killed.process.wait(60)
    assert states(bench.stage()) == "done"
    assert bench.ssh(ssh, "uname", "-n") == "one"


def handled_by_commands(bench: Bench) -> None:
    """Stopped, kept, started, watched, put back."""
    bench.machines("stop", "one")
    assert bench.listed()["one"]["state"] == "off"
    bench.machines("snapshot", "one", "fresh")
    assert bench.listed()["one"]["snapshots"] == ["fresh"]
    bench.machines("start", "one")
    watch_console(bench)
    assert bench.listed()["one"]["state"] == "running"
    bench.machines("revert", "one", "fresh", "--yes")
    assert bench.listed()["one"]["state"] == "off"


ASK = (
    "grep -o 'errors.*' /run/cloud-init/result.json; uname -n;"
    " ip -4 -o address show scope global; ip route show default;"
    " sshd -T | grep passwordauthentication; grep ^root /etc/shadow; nproc;"
    " findmnt --noheadings --bytes --output SIZE /; getent passwd engineer;"
    " resolvectl dns eth0"
)


@pytest.mark.long
@pytest.mark.network
@pytest.mark.timeout(7200)
def test_real_cloud_init_sets_up_what_the_stages_make(
    empty_bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image built here (systemd, cloud-init), brought to the host and started from."""
    skip_unless_possible(Virtual.kind)
    bench = empty_bench
    monkeypatch.setenv("XDG_CACHE_HOME", str(CACHE_HOME))
    bench.reached = over_ssh(bench.libvirt, tmp_path / "sshd")
    bench.write("one", memory="768MiB")
    bench.file.write_text(f"{bench.file.read_text()}image: {{source: built}}\nrestart_wait: 60m\n")
    before = whole_state(bench.libvirt)

    made = bench.stage("--only", "image")
    ended = {one["stage"]: one["state"] for one in made.named("stage-finished")}
    assert ended == {"image": "done", "machines": "done"}
    result, name, address, route, passwords, shadow, cpus, size, dns = bench.ssh(
        bench.listed()["one"]["ssh"], ASK
    ).splitlines()
    assert result == 'errors": []', "it was waited for, and there is its result"
    assert name == "one"
    assert "192.168.77.10/24" in address
    assert route.startswith("default via 192.168.77.1 ")
    assert passwords == "passwordauthentication no"
    assert shadow.split(":")[1].startswith("!")
    assert cpus == "1"
    assert int(size) > 7 << 30, "it has grown into its disk"
    assert dns.endswith(": 192.168.77.1")

    again = bench.stage("--only", "image")
    ended = {one["stage"]: one["state"] for one in again.named("stage-finished")}
    assert ended == {"image": "satisfied", "machines": "satisfied"}
    bench.machines("destroy", "--all", "--yes")
    nothing_is_left(bench, before)
