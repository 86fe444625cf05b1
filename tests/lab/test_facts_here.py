"""The facts of this very machine, compared with what its files say, under every shell here."""

import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from kubert_tui.base.secrets import Secret
from kubert_tui.cpus.lists import cpus_of
from kubert_tui.events.codec import Plain, to_plain
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.gather import gather, probe_script
from kubert_tui.facts.model import Facts
from kubert_tui.facts.parse import parse
from kubert_tui.facts.sections import Section, split
from kubert_tui.facts.topology import topology_of
from kubert_tui.hosts.interface import HostKeyOffer
from kubert_tui.hosts.local import LocalHost
from kubert_tui.lab.model import HostSpec

pytestmark = pytest.mark.lab

NONCE = "kubert-lab-test"
SHELLS = [
    argv
    for argv in (["dash"], ["bash"], ["busybox", "sh"], ["ksh"], ["mksh"])
    if shutil.which(argv[0])
]


class Nobody:
    """Answers no question: sudo must do without a password, or not at all."""

    def accept_host_key(self, offer: HostKeyOffer) -> bool:
        return False

    def password(self, host: str, prompt: str) -> Secret | None:
        return None

    def passphrase(self, host: str, key_file: str) -> Secret | None:
        return None

    def sudo_password(self, host: str, prompt: str) -> Secret | None:
        return None


@pytest.fixture(scope="module")
def here() -> Facts:
    return gather(LocalHost(HostSpec(name="here", connection="local"), Nobody()))


def content(path: str) -> str:
    return Path(path).read_text(encoding="utf-8").strip()


def test_identity(here: Facts) -> None:
    assert here.host == "here"
    assert here.hostname == Known(platform.node())
    assert here.kernel.release == Known(platform.release())
    assert here.kernel.version == Known(platform.version())
    assert here.kernel.machine == Known(platform.machine())
    assert here.kernel.boot_id == Known(content("/proc/sys/kernel/random/boot_id"))
    assert here.kernel.command_line == Known(content("/proc/cmdline"))
    assert isinstance(here.privileged, Known)
    assert here.privileged.value or os.geteuid() != 0


def test_distribution(here: Facts) -> None:
    assert isinstance(here.distribution, Known)
    release = platform.freedesktop_os_release()
    assert here.distribution.value.id == release["ID"]
    assert here.distribution.value.pretty_name == release["PRETTY_NAME"]


def test_realtime_evidence_agrees_with_the_kernel(here: Facts) -> None:
    evidence = here.kernel.realtime
    assert evidence.sys_kernel_realtime == Known(Path("/sys/kernel/realtime").exists())
    assert evidence.uname_version == Known("PREEMPT_RT" in platform.version())


def test_processors(here: Facts) -> None:
    assert isinstance(here.processors.online, Known)
    assert len(here.processors.online.value) == os.sysconf("SC_NPROCESSORS_ONLN")
    assert isinstance(here.processors.cores, Known)
    assert 1 <= here.processors.cores.value <= len(here.processors.online.value)


def test_where_the_cpus_sit(here: Facts) -> None:
    found = topology_of(here)
    assert isinstance(found, Known)
    online = cpus_of(content("/sys/devices/system/cpu/online"))
    assert found.value.numbers == online
    for cpu in found.value.cpus:
        place = f"/sys/devices/system/cpu/cpu{cpu.number}/topology"
        siblings = cpus_of(content(f"{place}/thread_siblings_list"))
        assert frozenset(found.value.cores[cpu.core]) == siblings & online
        assert cpu.socket == max(int(content(f"{place}/physical_package_id")), 0)


def test_memory_and_scheduling(here: Facts) -> None:
    meminfo = dict(line.split(":", 1) for line in content("/proc/meminfo").split("\n"))
    assert here.memory.total == Known(int(meminfo["MemTotal"].split()[0]) * 1024)
    assert here.memory.swap_total == Known(int(meminfo["SwapTotal"].split()[0]) * 1024)
    runtime = content("/proc/sys/kernel/sched_rt_runtime_us")
    assert here.scheduling.rt_runtime_us == Known(int(runtime))
    assert here.scheduling.init == Known(content("/proc/1/comm"))


def test_network_and_disks(here: Facts) -> None:
    assert isinstance(here.network, Known)
    names = {path.name for path in Path("/sys/class/net").iterdir() if (path / "address").exists()}
    assert {card.name for card in here.network.value} == names - {"lo"}
    assert isinstance(here.disks, Known)
    root = next(disk for disk in here.disks.value if disk.mount == "/")
    assert root.total == shutil.disk_usage("/").total


def test_our_clock_is_our_clock(here: Facts) -> None:
    assert isinstance(here.clock_offset, Known)
    assert isinstance(here.clock_uncertainty, Known)
    assert abs(here.clock_offset.value) <= here.clock_uncertainty.value + 0.001


def test_a_cyclictest_of_our_own_comes_first_and_each_comes_once(tmp_path: Path) -> None:
    own = tmp_path / "it's ours"
    own.mkdir()
    program = own / "cyclictest"
    program.write_text("#!/bin/sh\necho 'cyclictest V 1.00'\n")
    program.chmod(0o755)
    link = tmp_path / "cyclictest"
    link.symlink_to(program)
    host = LocalHost(HostSpec(name="here", connection="local"), Nobody())
    facts = gather(host, (str(program), str(link), "relative/cyclictest"))
    assert isinstance(facts.tools.cyclictest, Known)
    first, *others = facts.tools.cyclictest.value
    assert (first.path, first.version) == (str(program), "1.0")
    assert str(link) not in [one.path for one in others]


def probe(shell: list[str], environment: dict[str, str] | None = None) -> bytes:
    text = f"nonce={NONCE}\nupdates=yes\n".encode() + probe_script()
    program = shutil.which(shell[0])
    assert program is not None
    done = subprocess.run(
        [program, *shell[1:], "-s"],
        input=text,
        capture_output=True,
        timeout=100,
        check=True,
        env=environment or dict(os.environ),
    )
    assert done.stderr == b""
    return done.stdout


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_every_shell_gives_the_same_facts(shell: list[str], here: Facts) -> None:
    # Services, updates and interfaces may come and go on a shared machine; these do not.
    facts = parse("here", split(probe(shell), NONCE), 0.0, 0.0)
    assert facts.kernel == here.kernel
    assert facts.processors == here.processors
    assert facts.firmware == here.firmware
    assert facts.memory.total == here.memory.total
    assert facts.scheduling.rt_group_sched == here.scheduling.rt_group_sched
    assert facts.tools == here.tools
    assert (facts.kvm, facts.virtualization) == (here.kvm, here.virtualization)
    assert unknown_facts(facts) == unknown_facts(here)


def unknown_facts(facts: Facts) -> set[str]:
    """Return the paths of the facts that are unknown."""

    def walk(part: Plain, path: str) -> set[str]:
        if isinstance(part, dict):
            if "unknown" in part:
                return {path}
            return {one for key, item in part.items() for one in walk(item, f"{path}.{key}")}
        return set()

    return walk(to_plain(facts), "") - {".clock_offset", ".clock_uncertainty"}


def test_a_script_that_arrives_cut_off_prints_no_section() -> None:
    text = f"nonce={NONCE}\nupdates=yes\n".encode() + probe_script()
    body = text.rindex(b"\n{\n")
    done = subprocess.run(["sh", "-s"], input=text[: body + 60], capture_output=True, check=False)
    assert NONCE.encode() not in done.stdout


def test_a_path_without_any_program_still_gives_the_files() -> None:
    environment = {"PATH": "/nonexistent", "GREP_OPTIONS": "--bogus", "LANG": "C.UTF-8"}
    facts = parse("here", split(probe(["sh"], environment), NONCE), 0.0, 0.0)
    assert facts.kernel.release == Known(platform.release())


def test_a_file_that_may_not_be_read_is_denied_not_absent(tmp_path: Path) -> None:
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0 or setpriv is None:
        pytest.skip("needs root and setpriv to become somebody else")
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o700)
    (locked / "file").write_text("secret")
    secret = tmp_path / "secret"
    secret.write_text("secret")
    secret.chmod(0o600)
    (tmp_path / "dangling").symlink_to("/nonexistent/file")
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_mode & 0o001 == 0:
            parent.chmod(parent.stat().st_mode | 0o011)
    frame = probe_script().split(b"# Readers of the fact probe")[0]
    calls = "".join(f"show {name} {tmp_path}/{path}\n" for name, path in _SHOWN.items())
    done = subprocess.run(
        [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-s"],
        input=f"nonce={NONCE}\n".encode() + frame + b"\n" + calls.encode(),
        capture_output=True,
        check=True,
        cwd="/",
    )
    sections = split(done.stdout, NONCE)
    states = {
        name: section.status for name in _SHOWN if isinstance(section := sections[name], Section)
    }
    assert states == {
        "hidden": "denied",
        "secret": "denied",
        "nothing": "absent",
        "dangling": "absent",
    }
    assert sections.line("secret") == Unknown(f"permission denied reading {tmp_path}/secret")


_SHOWN = {
    "hidden": "locked/file",
    "secret": "secret",
    "nothing": "nothing/at/all",
    "dangling": "dangling",
}


OVERLAY = """
set -e
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
for place in proc sys dev; do mount --rbind "/$place" "$1/root/$place"; done
if chroot "$1/root" sh -s >"$1/output"; then echo ended; fi
grep -c ' begin ' "$1/output"
cd "$1/upper"
find . ! -type d
"""


def test_the_probe_leaves_nothing_behind(tmp_path: Path) -> None:
    """Run it as root on an overlay of this machine: whatever it writes lands in the upper layer."""
    overlay = "overlay" in content("/proc/filesystems")
    if os.geteuid() != 0 or not overlay or not shutil.which("unshare"):
        pytest.skip("needs root, unshare and overlayfs")
    done = subprocess.run(
        ["unshare", "-m", "--propagation", "private", "sh", "-c", OVERLAY, "sh", str(tmp_path)],
        input=f"nonce={NONCE}\nupdates=yes\n".encode() + probe_script(),
        capture_output=True,
        timeout=100,
        check=False,
    )
    if b"mount:" in done.stderr:
        pytest.skip(f"no overlay here: {done.stderr.decode(errors='replace')}")
    ended, sections, *changed = done.stdout.decode().split()
    assert ended == "ended"
    assert int(sections) > 60
    assert changed == []


def test_a_look_without_updates_asks_no_package_manager() -> None:
    facts = gather(LocalHost(HostSpec(name="here", connection="local"), Nobody()), updates=False)
    assert facts.pending_updates == Unknown("not asked for at this look")
    assert facts.kernel.release == Known(platform.release())
    assert isinstance(facts.clock_offset, Known)
