"""What a practice lab has on this computer outside its files: to see that nothing is left."""

import os
import subprocess
from contextlib import suppress
from pathlib import Path

from kubert_tui.practice.lab import Practice
from kubert_tui.practice.processes import VARIABLE
from kubert_tui.practice.state import LabDirectory
from tests.support.sshd import is_alive
from tests.support.twins import wait_until


def traces(lab: LabDirectory, *directories: Path) -> set[str]:
    """Return all that this computer has of the lab, or below `directories`, each in words."""
    words = (lab.tag, str(lab.path), *map(str, directories))
    return {
        *_processes(words),
        *_mounts(words),
        *_links(lab.tag),
        *_directories(lab.tag),
        *(f"file {path}" for one in (lab.path, *directories) for path in sorted(one.rglob("*"))),
    }


def inhabitants(leader: int) -> set[int]:
    """Return the processes here that are in a container, `leader` its first."""
    own = Path(f"/proc/{leader}/ns/pid").readlink()
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "ns/pid").readlink() == own:
                found.add(int(process.name))
    return found


def assert_gone(practice: Practice, inside: set[int]) -> None:
    """Fail unless all of a lab is gone, the processes that were `inside` its machines, too."""
    wait_until(lambda: not any(map(is_alive, inside)), "all machines' processes end", limit=10)
    places = practice.places
    left = traces(practice.directory, places.state, places.labs)
    assert not left
    assert not places.known_hosts.exists() or not places.known_hosts.read_text()


def _processes(words: tuple[str, ...]) -> set[str]:
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            marks = [
                entry
                for entry in (process / "environ").read_bytes().decode().split("\0")
                if entry.startswith(f"{VARIABLE}=")
            ]
            told = " ".join((command, *marks))
            if any(word in told for word in words) and is_alive(int(process.name)):
                found.add(f"process {process.name} {told}")
    return found


def _mounts(words: tuple[str, ...]) -> set[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return {f"mount {line}" for line in lines if any(word in line for word in words)}


def _links(tag: str) -> set[str]:
    argv = ["ip", "-oneline", "link", "show"]
    told = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    return {f"link {line}" for line in told.splitlines() if tag in line}


def _directories(tag: str) -> set[str]:
    tops = (Path("/sys/fs/cgroup"), Path("/run/systemd/nspawn"), Path("/run/netns"))
    # Directories of other labs come and go meanwhile, which Path.glob does not bear.
    return {
        f"entry {place}/{name}"
        for top in tops
        for place, directories, files in os.walk(top)
        for name in (*directories, *files)
        if tag in name
    }
