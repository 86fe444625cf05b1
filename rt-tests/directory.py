"""The user's own source tree, packed so that the rest need not know where it came from."""

import gzip
import re
import tarfile
from pathlib import Path

from kubert_tui.base.errors import KubertError

_VERSION = re.compile(r"^VERSION\s*:?=\s*([0-9][0-9.]*)\s*$", re.MULTILINE)
_LEFT_OUT = {".git", "bld", "__pycache__"}


def pack(tree: Path, target: Path) -> str:
    """Write the tree to `target` (tar.gz, the same bytes for the same files); return its version.

    KubertError if it is not an rt-tests tree. Objects and hidden directories stay out.
    """
    makefile = tree / "Makefile"
    if not makefile.is_file() or not (tree / "src" / "cyclictest").is_dir():
        raise KubertError(
            f"{tree} is not an rt-tests source tree",
            fix="name the directory that holds Makefile and src/cyclictest",
        )
    found = _VERSION.search(makefile.read_text(encoding="utf-8", errors="replace"))
    version = found[1] if found else "unknown"
    top = f"rt-tests-{version}"
    with (
        target.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in sorted(tree.rglob("*")):
            inside = path.relative_to(tree)
            if _LEFT_OUT.isdisjoint(inside.parts) and path.suffix not in (".o", ".a", ".d"):
                archive.add(path, f"{top}/{inside}", recursive=False, filter=_anonymous)
    return version


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if not (member.isfile() or member.isdir() or member.issym()):
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    return member
