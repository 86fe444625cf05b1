"""Practice machines on which kubeadm can make a cluster, with all that it would fetch."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from kubert_tui.practice.node_containers import NodeContainers
from kubert_tui.practice.pace import Pace, Step
from kubert_tui.practice.tools import Tool, missing
from tests.support.kubernetes import binaries, filling


class ClusterContainers(NodeContainers):
    """See `practice.driver.Driver`; `cache` is where the programs are kept."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache

    @property
    def build_steps(self) -> Sequence[Step]:
        return (*binaries.steps(self._cache), *super().build_steps, *filling.STEPS)

    def missing(self) -> list[Tool]:
        return [*super().missing(), *missing(binaries.TOOLS)]

    def recipe(self) -> str:
        return f"{super().recipe()}\n{filling.recipe()}"

    def build(self, target: Path, pace: Pace) -> None:
        built = binaries.ensure(self._cache, target / "build.log", pace)
        super().build(target, pace)
        root = target / "root"
        filling.fill(root, built, pace, f"build:{target}")
        # Our stand-in for runc: see `hosts.py`.
        wrapper = root / "usr/local/sbin/runc"
        shutil.copyfile(filling.FILES / "runc.py", wrapper)
        wrapper.chmod(0o755)
