"""The practice lab as a fixture: two real machines, from the cache that users have, too.

Usage, in a lab test (`pytestmark = pytest.mark.lab`)::

    def test_x(twins: Twins) -> None:          # shared by the session, pristine at each test
        assert twins.inside("bull1", "uname", "-n") == "bull1\n"
        with auto("--only", "connect", lab=twins.lab) as run: ...

    def test_y(own_twins: Twins) -> None:      # a lab of this test only

Both are container twins; `start_twins` makes those of any kind. The test's own known_hosts has
their keys. State lies outside HOME, images in the real user's cache: $KUBERT_TUI_TEST_CACHE, else
$XDG_CACHE_HOME, else ~/.cache, as they were when this module was first imported.
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag

import pytest

from kubert_tui.base import paths
from kubert_tui.base.errors import KubertError
from kubert_tui.hosts.known_hosts import replace_marked
from kubert_tui.lab.model import HostSpec
from kubert_tui.practice import mounts
from kubert_tui.practice.answering import answers
from kubert_tui.practice.container import Container
from kubert_tui.practice.drivers import driver_of
from kubert_tui.practice.keys import public_key
from kubert_tui.practice.lab import Practice
from kubert_tui.practice.model import MACHINES, NAMES, Kind, Machine, Order, Places

CACHE_HOME = Path(
    os.environ.get("KUBERT_TUI_TEST_CACHE")
    or os.environ.get("XDG_CACHE_HOME")
    or Path.home() / ".cache"
)
"""What XDG_CACHE_HOME is to be for a kubert-tui that shall find the images."""
CACHE = CACHE_HOME / "kubert-tui" / "practice"
_PREFIX = "kubert-twins-"
_LIMIT = 300.0


def run_inside(command: list[str], stdin: str, limit: float = _LIMIT) -> tuple[int, str, str]:
    """Run nsenter to its end; return its status and what it wrote.

    A container that shuts down stops all that runs in it before it is killed. nsenter stops
    with its command then, and would be waited for by a kernel that waits for nsenter.
    """
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        deadline = time.monotonic() + limit
        given: str | None = stdin
        while True:
            try:
                told, errors = process.communicate(given, timeout=5)
                return process.returncode, told, errors
            except subprocess.TimeoutExpired:
                given = None
                if time.monotonic() > deadline:
                    process.kill()
                    raise
                process.send_signal(signal.SIGCONT)


def patient_order() -> Order:
    """An order that nobody watches or calls off."""
    return Order(lambda progress: None, Flag())


@dataclass
class Twins:
    """A practice lab that is up."""

    practice: Practice
    used: bool = False
    """Whether a test had them, so that they are not pristine any more."""

    @property
    def lab(self) -> Path:
        """The lab file."""
        return self.practice.lab_file

    def machine(self, name: str) -> Machine:
        return self.practice.machine(name)

    def container(self, name: str) -> Container:
        machine = self.practice.machine(name)
        assert isinstance(machine, Container)
        return machine

    def spec(self, name: str, *, user: str = "root") -> HostSpec:
        """How a lab file names it."""
        machine = self.machine(name)
        return HostSpec(
            name=name,
            address=machine.address,
            port=machine.port,
            user=user,
            identity_file=str(self.practice.directory.user_key),
        )

    @property
    def password(self) -> str:
        """What `engineer` gives sudo."""
        return self.practice.directory.password.read_text()

    def inside(self, name: str, *argv: str, stdin: str = "", check: bool = True) -> str:
        """Run a command in a container as root, past its network; return what it printed."""
        command = [
            "nsenter", "--all", f"--target={self.container(name).leader()}", "--", "env", "-i",
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", *argv,
        ]  # fmt: skip
        code, told, errors = run_inside(command, stdin)
        if check and code:
            raise AssertionError(f"{name}: {argv}: {code}\n{told}{errors}")
        return told

    def root(self, name: str) -> Path:
        """The file system of a container, seen from here; its /run and /tmp are not in it."""
        return self.container(name).root

    def boot_id(self, name: str) -> str:
        return self.inside(name, "cat", "/proc/sys/kernel/random/boot_id").strip()

    def answers(self, name: str) -> bool:
        """Whether root gets in with the lab's key."""
        return answers(self.practice.directory, self.machine(name), limit=10)

    def await_answer(self, *names: str) -> None:
        """Wait until these machines (all, if none is named) answer."""
        for name in names or MACHINES:
            wait_until(lambda name=name: self.answers(name), f"{name} answers")  # type: ignore[misc]

    def renew(self, *names: str) -> None:
        """Put these machines (all, if none is named) back to how they were first, and start them.

        Keys, password and addresses stay.
        """
        for name in names or MACHINES:
            self.machine(name).cut_power()
            directory = self.practice.directory.of(name)
            mounts.unmount_below(directory)
            shutil.rmtree(directory)
        for name in names or MACHINES:
            self.machine(name).drop_packets(drop=False)
        self.practice.up(patient_order())

    def introduce(self) -> None:
        """Tell the kubert-tui of this test (its HOME) the machines' host keys."""
        keys = [
            (machine.address, *public_key(self.practice.directory.host_key(machine.name)))
            if machine.port == 22
            else (f"[{machine.address}]:{machine.port}",
                  *public_key(self.practice.directory.host_key(machine.name)))
            for machine in self.practice.machines
        ]  # fmt: skip
        replace_marked("twins", keys, paths.known_hosts())


def wait_until(true: Callable[[], object], what: str, limit: float = _LIMIT) -> None:
    """Wait until `true()`; fails after `limit` seconds."""
    deadline = time.monotonic() + limit
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {limit:.0f} s: {what}")
        time.sleep(0.02)


def skip_unless_possible(kind: Kind = Kind.CONTAINERS) -> None:
    """Skip the test where there cannot be practice machines."""
    if os.geteuid() != 0:
        pytest.skip("needs root: namespaces, mounts")
    if lacking := driver_of(kind).missing():
        pytest.skip(f"needs {', '.join(tool.debian for tool in lacking)} installed")


def places_in(directory: Path) -> Places:
    """Places in a directory of the test, with the user's warm cache."""
    return Places(CACHE, directory / "state", directory / "labs", directory / "known_hosts")


def start_twins(directory: Path, kind: Kind = Kind.CONTAINERS) -> Twins:
    """Start a lab that keeps its state in `directory`; skips where that is impossible."""
    skip_unless_possible(kind)
    practice = Practice(places_in(directory), kind)
    practice.up(patient_order())
    return Twins(practice)


def stop_twins(directory: Path) -> None:
    """Remove the labs in `directory`, and the directory."""
    for kind in Kind:
        if (directory / "state" / NAMES[kind]).exists():
            Practice(places_in(directory), kind).down(patient_order())
    shutil.rmtree(directory)


def remove_strays(prefix: str, stop: Callable[[Path], None]) -> None:
    """End the hosts of killed test sessions; their directories are called PREFIX...-PID-..."""
    for directory in Path(tempfile.gettempdir()).glob(f"{prefix}*-*"):
        owner = re.search(r"-(\d+)-[^-]*$", directory.name)
        if owner and not Path("/proc", owner[1]).exists():
            try:
                stop(directory)
            except (KubertError, OSError) as error:
                print(f"{directory}: {error}")


def _own_directory() -> Path:
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))


@pytest.fixture(scope="session")
def session_twins() -> Iterator[Twins]:
    """The one pair of the session; use `twins`."""
    skip_unless_possible()
    remove_strays(_PREFIX, stop_twins)
    directory = _own_directory()
    try:
        yield start_twins(directory)
    finally:
        stop_twins(directory)


@pytest.fixture
def twins(session_twins: Twins, own_directories: Path) -> Twins:
    """The session's container twins, as new, running, known to this test's HOME."""
    if session_twins.used:
        session_twins.renew()
    session_twins.used = True
    session_twins.introduce()
    return session_twins


@pytest.fixture
def own_twins(own_directories: Path) -> Iterator[Twins]:
    """Container twins of this test only."""
    directory = _own_directory()
    try:
        own = start_twins(directory)
        own.introduce()
        yield own
    finally:
        stop_twins(directory)
