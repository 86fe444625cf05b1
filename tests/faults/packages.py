"""A package repository of a few small packages, made here: updates that take no network.

`kubert-faults-demo` is installed as 1.0 and offered as 1.1, so that there is something to update.
rt-tests is packed anew from what is installed on this machine. Demo and
rt-tests wait while they are configured for as long as `HOLD` exists: that is how a fault strikes
exactly in the middle of an installation.
"""

import gzip
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

DEMO = "kubert-faults-demo"
HOLD = "/run/kubert-faults-hold"
"""While it exists on a host, an installation there does not get on."""
HELD = "/run/kubert-faults-held"
"""Exists while an installation stands still."""
PLACE = "/srv/kubert-faults"
"""Where the repository lies on a host."""

_TAKEN_ALONG = ("rt-tests",)
_LEFT_OUT = ("Status", "Conffiles", "Config-Version")
_CONFIGURE = f"""\
#!/bin/sh
[ "$1" = configure ] || exit 0
[ -e {HOLD} ] && : > {HELD}
while [ -e {HOLD} ]; do sleep 0.1; done
rm -f {HELD}
exit 0
"""
_SOURCES = f"deb [trusted=yes] copy:{PLACE}/offered ./\n"


def make_packages(directory: Path) -> Path:
    """Make `installed` (to begin with) and `offered` (a repository) below `directory`."""
    for name in ("installed", "offered"):
        (directory / name).mkdir(parents=True)
    _demo(directory / "installed", "1.0")
    _demo(directory / "offered", "1.1")
    for name in _TAKEN_ALONG:
        _repack(name, directory / "offered")
    _index(directory / "offered")
    (directory / "sources.list").write_text(_SOURCES)
    return directory


def _demo(directory: Path, version: str) -> None:
    root = directory / "root"
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN" / "control").write_text(
        f"Package: {DEMO}\nVersion: {version}\nArchitecture: all\n"
        "Maintainer: nobody <nobody@localhost>\nDescription: something to update\n"
    )
    marker = root / "usr" / "local" / "share" / DEMO
    marker.parent.mkdir(parents=True)
    marker.write_text(f"{version}\n")
    _build(root, directory / f"{DEMO}_{version}_all.deb")


def _repack(name: str, directory: Path) -> None:
    """Make a package of an installed one's files."""
    listed = subprocess.run(["dpkg", "-L", name], capture_output=True, text=True, check=True)
    control = subprocess.run(["dpkg", "-s", name], capture_output=True, text=True, check=True)
    root = directory / "root"
    for line in listed.stdout.splitlines():
        source = Path(line)
        target = root / line.lstrip("/")
        if source.is_dir() and not source.is_symlink():
            target.mkdir(parents=True, exist_ok=True)
        elif source.is_symlink() or source.exists():  # documentation may be left out here
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN" / "control").write_text(_without(control.stdout, _LEFT_OUT))
    _build(root, directory / f"{name}.deb")


def _without(control: str, fields: tuple[str, ...]) -> str:
    kept, keep = [], True
    for line in control.splitlines():
        if not line.startswith(" "):
            keep = line.partition(":")[0] not in fields
        if keep:
            kept.append(line)
    return "\n".join(kept).strip() + "\n"


def _build(root: Path, package: Path) -> None:
    script = root / "DEBIAN" / "postinst"
    script.write_text(_CONFIGURE)
    script.chmod(0o755)
    for directory, _, _ in os.walk(root):
        Path(directory).chmod(0o755)
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(root), str(package)],
        check=True,
        capture_output=True,
    )
    shutil.rmtree(root)


def _index(directory: Path) -> None:
    stanzas = []
    for package in sorted(directory.glob("*.deb")):
        data = package.read_bytes()
        control = subprocess.run(
            ["dpkg-deb", "-f", str(package)], capture_output=True, text=True, check=True
        )
        stanzas.append(
            f"{control.stdout.strip()}\nFilename: ./{package.name}\nSize: {len(data)}\n"
            f"SHA256: {hashlib.sha256(data).hexdigest()}\n"
        )
    text = "\n".join(stanzas)
    (directory / "Packages").write_text(text)
    (directory / "Packages.gz").write_bytes(gzip.compress(text.encode()))
