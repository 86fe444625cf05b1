"""Container machines: Debian by mmdebstrap, started by systemd-nspawn from overlays of it."""

import platform
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

from kubert_tui.practice import mounts, processes
from kubert_tui.practice.container import Container
from kubert_tui.practice.container_disk import make_disk, mount_disk
from kubert_tui.practice.driver import ENGINEER
from kubert_tui.practice.model import Kind, Machine
from kubert_tui.practice.network import RESOLVER, LabNetwork
from kubert_tui.practice.pace import Pace, Step
from kubert_tui.practice.state import LabDirectory
from kubert_tui.practice.tools import Tool, missing

SUITE = "bookworm"
PACKAGES = (
    "systemd", "systemd-sysv", "dbus", "udev", "openssh-server", "sudo", "python3", "python3-apt",
    "iproute2", "iputils-ping", "ca-certificates", "irqbalance", "procps", "kmod",
)  # fmt: skip
_HOOKS = (
    f'chroot "$1" useradd --create-home --shell /bin/bash --groups sudo {ENGINEER}',
    # Each machine gets its own; and this computer's name and resolver are none of theirs.
    'rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/hostname "$1"/etc/resolv.conf "$1"/etc/machine-id',
    # Whoever practises an update is not to find the package manager locked.
    'chroot "$1" systemctl mask apt-daily.timer apt-daily-upgrade.timer',
)
_STEPS = {
    "running apt-get update": Step("fetching package lists", 8),
    "downloading packages": Step("fetching packages", 8),
    "extracting archives": Step("unpacking the base system", 6),
    "installing essential": Step("installing the base system", 8),
    "installing remaining": Step("installing packages", 20),
    "cleaning package": Step("tidying up", 2),
}
"""What mmdebstrap says when it begins something, and how we call it."""

_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_TOOLS = (
    Tool("mmdebstrap", "mmdebstrap", "mmdebstrap"),
    Tool(_KEYRING, "debian-archive-keyring", "debian-keyring"),
    Tool("systemd-nspawn", "systemd-container", "systemd-container"),
    Tool("slirp4netns", "slirp4netns", "slirp4netns"),
    Tool("nft", "nftables", "nftables"),
    Tool("ip", "iproute2", "iproute"),
    Tool("nsenter", "util-linux", "util-linux"),
    Tool("setsid", "util-linux", "util-linux-core"),
)


class Containers:
    """The driver of container machines; see `practice.driver.Driver`."""

    kind = Kind.CONTAINERS
    packages: tuple[str, ...] = PACKAGES
    machine_type: type[Container] = Container

    @property
    def build_steps(self) -> Sequence[Step]:
        return tuple(_STEPS.values())

    def missing(self) -> list[Tool]:
        return missing(_TOOLS)

    def recipe(self) -> str:
        return "\n".join((SUITE, platform.machine(), *self.packages, *_HOOKS))

    def build(self, target: Path, pace: Pace) -> None:
        log = target / "build.log"
        argv = ["mmdebstrap", "--variant=minbase", f"--include={','.join(self.packages)}",
                *(f"--customize-hook={hook}" for hook in _HOOKS),
                SUITE, str(target / "root")]  # fmt: skip
        begun = set()

        def watch() -> None:
            text = log.read_text(encoding="utf-8", errors="replace")
            for sign, step in _STEPS.items():
                if sign not in begun and f"I: {sign}" in text:
                    begun.add(sign)
                    pace.begin(step.name)

        processes.run_long(argv, mark=_build_mark(target), log=log, pace=pace, watch=watch)

    def discard(self, target: Path) -> None:
        processes.kill_marked(_build_mark(target))
        mounts.unmount_below(target)

    def create(self, lab: LabDirectory, image: Path) -> None:
        network = LabNetwork(lab)
        if not network.whole():
            for name in lab.machines:
                self.machine_type(lab, name).cut_power()
        network.ensure()
        for name in lab.machines:
            directory = lab.of(name)
            if not (directory / "made").exists():
                mounts.remove_tree(directory)
                directory.mkdir(mode=0o700)
                make_disk(lab, directory, image / "root")
                self.personalise(lab, name, image)
                (directory / "made").touch()
            mount_disk(lab, directory)

    def personalise(self, lab: LabDirectory, name: str, image: Path) -> None:  # noqa: ARG002
        """Give a fresh copy what is its own. It has never run: its paths are ours."""
        _personalise(lab, name, LabNetwork(lab))

    def machines(self, lab: LabDirectory) -> tuple[Machine, ...]:
        if LabNetwork(lab).subnet is None:
            return ()
        return tuple(self.machine_type(lab, name) for name in lab.machines)

    def destroy(self, lab: LabDirectory) -> None:
        for name in lab.machines:
            self.machine_type(lab, name).cut_power()
        processes.kill_marked(lab.tag)
        LabNetwork(lab).remove()
        mounts.unmount_below(lab.path)


def _build_mark(target: Path) -> str:
    return f"build:{target}"


def _personalise(lab: LabDirectory, name: str, network: LabNetwork) -> None:
    """Give a fresh copy its name, keys and password. It has never run: its paths are ours."""
    root = lab.of(name) / "root"
    etc = root / "etc"
    (etc / "hostname").write_text(f"{name}\n")
    (etc / "machine-id").write_text(f"{secrets.token_hex(16)}\n")
    (etc / "resolv.conf").write_text(f"nameserver {RESOLVER}\n")
    twins = "".join(f"{network.address(one)}\t{one}\n" for one in lab.machines)
    (etc / "hosts").write_text(f"127.0.0.1\tlocalhost\n::1\tlocalhost\n{twins}")
    key = lab.host_key(name)
    for suffix, mode in (("", 0o600), (".pub", 0o644)):
        target = etc / "ssh" / f"ssh_host_ed25519_key{suffix}"
        target.touch(mode=mode)
        target.write_bytes(key.with_name(key.name + suffix).read_bytes())
    public = lab.user_key.with_name(lab.user_key.name + ".pub").read_text()
    for home in (root / "root", root / "home" / ENGINEER):
        owner = home.stat()
        ssh, keys = home / ".ssh", home / ".ssh" / "authorized_keys"
        ssh.mkdir(mode=0o700, exist_ok=True)
        keys.write_text(public)
        keys.chmod(0o600)
        for path in (ssh, keys):
            shutil.chown(path, owner.st_uid, owner.st_gid)
    password = lab.password.read_text(encoding="ascii")
    processes.run(
        ["chroot", str(root), "chpasswd", "--crypt-method", "SHA512"],
        mark=lab.tag,
        stdin=f"{ENGINEER}:{password}\n",
    )
