"""The practice lab on a computer whose process 1 is systemd: such a computer is a twin itself."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import kubert_tui
from tests.support.twins import CACHE, Twins

pytestmark = [
    pytest.mark.lab,
    pytest.mark.network,
    pytest.mark.long,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(
        sys.version_info[:2] != (3, 11), reason="the twins' Python is 3.11; ours has other modules"
    ),
]

_PACKAGES = ["systemd-container", "slirp4netns", "nftables", "mmdebstrap", "openssh-client"]
_SEEN = (
    "ls /sys/fs/cgroup/systemd/machine.slice; ls /run/systemd/nspawn/*; ip -brief link;"
    " cut -d ' ' -f 5 /proc/self/mountinfo"
)


def test_a_lab_within_a_twin(own_twins: Twins) -> None:
    _give(own_twins, modules=Path(sysconfig.get_path("purelib")), ours=Path(kubert_tui.__file__))
    own_twins.inside("bull1", "apt-get", "update", "-qq")
    own_twins.inside(
        "bull1", "apt-get", "install", "-qq", "--no-install-recommends", "-y", *_PACKAGES
    )
    # nspawn protects what belongs to the computer; here we play the computer.
    own_twins.inside("bull1", "mount", "-o", "remount,rw,bind", "/proc/sys")

    assert "waiting for the machines" in _kubert(own_twins, "up", "2>&1")
    units = own_twins.inside("bull1", "systemctl", "list-units", "--plain", "--no-legend", "k*-*")
    assert units.count(".service loaded active running") == 2
    # The session that started them is over; a restart is survived all the same.
    boot = "python3 -m kubert_tui practice ssh bull2 cat /proc/sys/kernel/random/boot_id"
    before = _shell(own_twins, boot).strip()
    _kubert(own_twins, "ssh bull2 systemctl reboot")
    _shell(own_twins, f'until now=$({boot}) && test "$now" != {before}; do sleep 0.2; done')
    assert "fifo" in _kubert(own_twins, "ssh bull1 'chrt --fifo 50 echo fifo'")

    _kubert(own_twins, "down")
    left = _shell(own_twins, _SEEN, check=False)
    assert "/state/kubert-tui/practice" not in left
    assert "-bull" not in left
    assert "-up@" not in left
    processes = own_twins.inside("bull1", "ps", "-e", "-o", "comm=")
    assert "systemd-nspawn" not in processes
    assert "slirp4netns" not in processes


def _give(twins: Twins, *, modules: Path, ours: Path) -> None:
    """Show our modules and images to bull1, and a disk on which overlays can be made."""
    computer = twins.container("bull1")
    computer.cut_power()
    shown = {
        "opt/modules": modules,
        "opt/ours": ours.parents[1],
        "root/.cache/kubert-tui": CACHE.parent,
        "root/.local/state": twins.practice.places.labs / "state of the lab within",
    }
    for inside, source in shown.items():
        source.mkdir(exist_ok=True)
        (computer.root / inside).mkdir(parents=True)
        subprocess.run(["mount", "--bind", source, computer.root / inside], check=True)
    computer.start()
    twins.await_answer("bull1")


def _kubert(twins: Twins, arguments: str, redirection: str = "") -> str:
    return _shell(twins, f"python3 -m kubert_tui practice {arguments} {redirection}")


def _shell(twins: Twins, line: str, *, check: bool = True) -> str:
    return twins.inside(
        "bull1",
        "env",
        "HOME=/root",
        "PYTHONPATH=/opt/ours:/opt/modules",
        "sh",
        "-c",
        line,
        check=check,
    )
