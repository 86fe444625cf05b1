"""The mounts of this computer, and how those of ours go away whatever state they are in."""

import re
import shutil
from pathlib import Path

from kubert_tui.base.errors import KubertError
from kubert_tui.practice import processes

_OCTAL = re.compile(r"\\([0-7]{3})")


def below(directory: Path) -> list[Path]:
    """Return the mount points at or below `directory`, the deepest first."""
    root = directory.resolve()
    points = [point for point in _points() if point == root or root in point.parents]
    # Mounted later is unmounted earlier: what lies on top of something comes first.
    return points[::-1]


def is_mounted(directory: Path) -> bool:
    """Whether something is mounted exactly there."""
    return directory.resolve() in _points()


def mentions(directory: Path) -> bool:
    """Whether any mount is made from what is at or below `directory`, such as an overlay."""
    text = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    plain = re.escape(str(directory.resolve()))
    return re.search(rf"{plain}([/,: \n]|$)", _unescape(text)) is not None


def unmount_below(directory: Path) -> None:
    """Unmount everything at or below `directory`; what is busy goes as soon as it is not."""
    for point in below(directory):
        processes.run(["umount", str(point)], mark="", check=False)
        if is_mounted(point):
            processes.run(["umount", "-l", str(point)], mark="", check=False)


def remove_tree(directory: Path) -> None:
    """Remove a directory of ours with all that is in it, and nothing that is mounted there."""
    unmount_below(directory)
    if left := below(directory):
        raise KubertError(
            f"{left[0]} cannot be unmounted, so {directory} stays",
            fix="see what uses it: fuser -vm",
        )
    if directory.exists():
        shutil.rmtree(directory)


def _points() -> list[Path]:
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    return [Path(_unescape(line.split(" ")[4])) for line in lines.splitlines()]


def _unescape(text: str) -> str:
    """Mount tables write blanks and backslashes in octal."""
    return _OCTAL.sub(lambda found: chr(int(found[1], 8)), text)
