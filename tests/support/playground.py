"""A real ansible-playbook on this machine, kept away from its own system."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
ANSIBLE = Path(sys.executable).with_name("ansible-playbook")


@dataclass(frozen=True)
class Ended:
    """How a run of a playbook ended."""

    status: int
    text: str

    @property
    def changed(self) -> int:
        found = re.search(r"changed=(\d+)", self.text)
        assert found, self.text
        return int(found[1])


@dataclass(frozen=True)
class Playground:
    """A directory for one test: programs of ours, an inventory of this machine."""

    directory: Path

    @property
    def tools(self) -> Path:
        return self.directory / "bin"

    def tool(self, name: str, script: str) -> None:
        """Put a program of ours before the system's."""
        path = self.tools / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def play(
        self, playbook: Path, variables: Mapping[str, object] | None = None, *, check: bool = False
    ) -> Ended:
        inventory = {
            "all": {
                "hosts": {
                    "here": {
                        "ansible_connection": "local",
                        "ansible_become": False,
                        "ansible_python_interpreter": "/usr/bin/python3",
                        **(variables or {}),
                    }
                }
            }
        }
        path = self.directory / "inventory.yml"
        path.write_text(yaml.safe_dump(inventory))
        environment = {
            **os.environ,
            "PATH": f"{self.tools}:{os.environ['PATH']}",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCALHOST_WARNING": "False",
            "LC_ALL": "C.UTF-8",
        }
        flags = ["--check", "--diff"] if check else []
        result = subprocess.run(
            [str(ANSIBLE), "-i", str(path), str(playbook), *flags],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=240,
            check=False,
        )
        return Ended(result.returncode, result.stdout)


def make_playground(directory: Path) -> Playground:
    """Return a playground in an empty directory."""
    (directory / "bin").mkdir()
    return Playground(directory)


def plain(text: str) -> str:
    """Undo Ansible's folding."""
    return " ".join(text.split())
