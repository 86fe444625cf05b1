"""The twins of the suite: a practice lab of its own, made ready for its faults."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.packages import PLACE, make_packages
from tests.faults.twin import Twin
from tests.support.twins import Twins, start_twins, stop_twins

_PREFIX = "kubert-faults-rig-"
_PREPARE = f"""
set -e
dpkg -i {PLACE}/installed/*.deb
rm -rf /etc/apt/sources.list.d/*
cp {PLACE}/sources.list /etc/apt/sources.list
apt-get update
"""
_PASS_OFF = r"""
set -e
printf '#!/bin/sh\necho none\nexit 1\n' >/usr/bin/systemd-detect-virt.new
chmod 755 /usr/bin/systemd-detect-virt.new
mv /usr/bin/systemd-detect-virt.new /usr/bin/systemd-detect-virt
"""


@contextmanager
def rig() -> Iterator[tuple[Twins, list[Twin]]]:
    """Give the lab, and its twins with the states `fresh` and `ready` kept; both are off."""
    _remove_strays()
    directory = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    try:
        twins = start_twins(directory / "lab")
        identity = twins.practice.directory.user_key
        made = [
            Twin(twins.container(machine.name), identity, directory / "states" / machine.name)
            for machine in twins.practice.machines
        ]
        packages = make_packages(directory / "packages")
        for twin in made:
            _prepare(twin, packages)
        yield twins, made
    finally:
        _remove(directory)


def _prepare(twin: Twin, packages: Path) -> None:
    """Make the states that ways begin with.

    `fresh`: an update is due, irqbalance enabled, no rt-tests. `current`: nothing to update.
    `ready`: nothing to update or install.
    `bare`: like `fresh`, passed off as no container, so that it is for kubert-tui to restart.
    """
    twin.await_up()
    shutil.copytree(packages, twin.root / PLACE.lstrip("/"))
    twin.inside("sh", "-c", _PREPARE)
    twin.keep("fresh")
    twin.start()
    twin.inside("apt-get", "--yes", "upgrade")
    twin.keep("current")
    twin.start()
    twin.inside("apt-get", "--yes", "install", "rt-tests")
    twin.keep("ready")
    twin.restore("fresh")
    twin.inside("sh", "-c", _PASS_OFF)
    twin.keep("bare")


def _remove(directory: Path) -> None:
    if (directory / "lab").exists():
        stop_twins(directory / "lab")
    shutil.rmtree(directory)


def _remove_strays() -> None:
    """End what a session that was killed left."""
    for directory in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        owner = re.search(rf"{_PREFIX}(\d+)-", directory.name)
        if owner and not Path("/proc", owner[1]).exists():
            _remove(directory)
