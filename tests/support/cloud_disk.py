"""A disk with Debian and cloud-init, for machines that set themselves up from a seed.

It is the practice machines' disk with other packages, and without what is particular to those.
Built once (minutes), and kept in the cache beside theirs.
"""

import hashlib
import shutil
from pathlib import Path

import pytest

from kubert_tui.practice import disk, mounts
from kubert_tui.practice.pace import Pace
from kubert_tui.practice.virtual import Virtual
from tests.support.twins import CACHE, patient_order, skip_unless_possible

_MORE = ("cloud-init", "eject")
_LESS = ("irqbalance", "python3-apt")
_HOOK = """
# Name, address and keys come from the seed only.
rm -f "$root/etc/systemd/network/wired.network" "$root/etc/ssh/sshd_config.d/practice.conf" \\
    "$root/etc/systemd/system/sysinit.target.wants/practice-seed.service" \\
    "$root/etc/systemd/system/ssh.service.d/practice.conf"
echo 'datasource_list: [ NoCloud, None ]' >"$root/etc/cloud/cloud.cfg.d/90_dpkg.cfg"
"""


def cloud_disk(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the disk (a raw image), built if it is not in the cache."""
    skip_unless_possible(Virtual.kind)
    recipe = "\n".join((disk.recipe(), *_MORE, *_LESS, _HOOK))
    target = CACHE / f"cloud-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}"
    if not target.is_dir():
        building = target.with_name(f".building-{target.name}")
        mounts.remove_tree(building)
        (building / "scripts").mkdir(parents=True)
        _build(building, monkeypatch)
        building.rename(target)
    return target / disk.DISK


def _build(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripts = directory / "scripts"
    packages = (*(one for one in disk._PACKAGES if one not in _LESS), *_MORE)
    for name in ("disk_root", "disk_boot"):
        shutil.copyfile(disk._script(name), scripts / f"{name}.sh")
    with (scripts / "disk_root.sh").open("a") as script:
        script.write(_HOOK)
    with monkeypatch.context() as patch:
        patch.setattr(disk, "_PACKAGES", packages)
        patch.setattr(disk, "_script", lambda name: scripts / f"{name}.sh")
        disk.build_disk(directory, Pace(patient_order(), disk.STEPS), f"build:{directory}")
