"""Twins of the Fedora family under test: what is looked at in them, and the lab they are in.

`files()`, `installed()` and so on look past the network, with the host's own rpm, grubby and
grub2-editenv.
"""

import hashlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import yaml

from kubert_tui.lab.model import KernelSpec, Lab, Permission, RpmPackage, RtTestsSpec
from kubert_tui.lab.write import write_lab
from kubert_tui.practice.lab import Practice
from kubert_tui.practice.model import MACHINES
from tests.support.playground import ANSIBLE, PLAYBOOKS, Ended
from tests.support.rpm_host.driver import RpmContainers
from tests.support.rpm_host.image import repository
from tests.support.twins import Twins, patient_order, places_in

_LOOKED_AT = ("boot", "etc", "usr/lib/modules", "usr/lib/systemd", "srv", "var/cache/kubert-tui")


@dataclass(frozen=True)
class RpmHost:
    """One of them."""

    twins: Twins
    name: str

    def run(self, script: str) -> str:
        """Run a shell script in it as root; return what it printed."""
        return self.twins.inside(self.name, "sh", "-euc", script)

    @property
    def root(self) -> Path:
        """Its file system, seen from here."""
        return self.twins.root(self.name)

    def installed(self) -> set[str]:
        """The packages that rpm calls installed, as NAME-VERSION-RELEASE.ARCH."""
        return set(self.run("rpm --query --all").split())

    def grub(self) -> dict[str, str]:
        """What GRUB's environment block holds."""
        lines = self.run("grub2-editenv list").splitlines()
        return dict(line.split("=", 1) for line in lines)

    def entry(self, release: str) -> dict[str, str]:
        """The boot entry of a kernel as grubby tells of it, without the quotes."""
        lines = self.run(f"grubby --info=/boot/vmlinuz-{release}").splitlines()
        return {key: value.strip('"') for key, _, value in (line.partition("=") for line in lines)}

    def arguments(self, release: str) -> list[str]:
        """The arguments that a kernel is booted with."""
        return self.entry(release)["args"].split()

    def default(self) -> str:
        """The release that boots by default."""
        return self.run("grubby --default-kernel").strip().removeprefix("/boot/vmlinuz-")

    def files(self) -> dict[str, str]:
        """Everything that a change of ours may touch, by its digest; and rpm's packages."""
        found = {"packages": " ".join(sorted(self.installed()))}
        for path in (path for top in _LOOKED_AT for path in (self.root / top).rglob("*")):
            name = str(path.relative_to(self.root))
            if path.is_symlink():
                found[name] = str(path.readlink())
            elif path.is_file():
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found


@dataclass(frozen=True)
class RpmTwins:
    """Both."""

    twins: Twins

    @property
    def hosts(self) -> tuple[RpmHost, ...]:
        """In the order of the lab file."""
        return tuple(RpmHost(self.twins, name) for name in MACHINES)

    def lab(self, file: Path, packages: tuple[RpmPackage, ...] = ()) -> Path:
        """Write a lab file that allows everything; return its path."""
        lab = Lab(
            name="fedora",
            hosts=tuple(self.twins.spec(name) for name in MACHINES),
            allow=frozenset(Permission),
            kernel=KernelSpec(source="packages", packages=packages) if packages else KernelSpec(),
            rt_tests=RtTestsSpec(source="distribution"),
        )
        write_lab(lab, file)
        return file

    def play(
        self, playbook: str, variables: Mapping[str, object] | None = None, *, check: bool = False
    ) -> Ended:
        """Run one of our playbooks on both with plain ansible-playbook."""
        practice = self.twins.practice
        common = {
            "ansible_user": "root",
            "ansible_become": False,
            "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_ssh_private_key_file": str(practice.directory.user_key),
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={practice.places.known_hosts}",
        }
        hosts = {name: {"ansible_host": self.twins.machine(name).address} for name in MACHINES}
        inventory = practice.places.state / "inventory.yml"
        inventory.write_text(
            yaml.safe_dump({"all": {"hosts": hosts, "vars": {**common, **(variables or {})}}})
        )
        done = subprocess.run(
            [str(ANSIBLE), "-i", str(inventory), str(PLAYBOOKS / playbook),
             *(["--check", "--diff"] if check else [])],
            env={**os.environ, "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=600, check=False,
        )  # fmt: skip
        return Ended(done.returncode, done.stdout)

    def serving(self, name: str) -> AbstractContextManager[tuple[RpmPackage, ...]]:
        """Serve a repository's packages by http from this computer: their addresses and sums."""
        ours = self.twins.machine(MACHINES[0]).address.rpartition(".")[0] + ".1"
        return served(repository(self.hosts[0].root, name), ours, seen_as=ours)


@contextmanager
def served(directory: Path, address: str, *, seen_as: str) -> Iterator[tuple[RpmPackage, ...]]:
    """Serve the packages in a directory at our `address`, which hosts know as `seen_as`."""
    handler = partial(_Quiet, directory=str(directory))
    with ThreadingHTTPServer((address, 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield tuple(
            RpmPackage(
                url=f"http://{seen_as}:{server.server_port}/{path.name}",
                sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            )
            for path in sorted(directory.glob("*.rpm"))
        )
        server.shutdown()


@contextmanager
def rpm_twins(directory: Path) -> Iterator[RpmTwins]:
    """Bring both up; remove them at the end. Their state is in `directory`, the image cached."""
    practice = Practice(places_in(directory), name="fedora", driver=RpmContainers())
    try:
        practice.up(patient_order())
        yield RpmTwins(Twins(practice))
    finally:
        practice.down(patient_order())


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass
