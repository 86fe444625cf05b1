"""The disk of a container machine: an overlay over the image, or a copy of it where that fails."""

from pathlib import Path

from kubert_tui.base.errors import KubertError
from kubert_tui.practice import mounts, processes
from kubert_tui.practice.state import LabDirectory

ROOT = "root"
"""Where the file system is seen from here."""
UPPER = "upper"
"""What the machine wrote."""
_LOWER = "lower"
"""A file: the path of the image's file system."""


def make_disk(lab: LabDirectory, directory: Path, image: Path) -> None:
    """Make the disk of a new machine, from the file system in `image`; it is mounted then."""
    for name in (ROOT, UPPER, "work"):
        (directory / name).mkdir()
    (directory / _LOWER).write_text(str(image), encoding="utf-8", errors="surrogateescape")
    if not _mount(lab, directory):
        copy = ["cp", "-a", "--reflink=auto", f"{image}/.", str(directory / ROOT)]
        processes.run(copy, mark=lab.tag, timeout=600)
        (directory / _LOWER).unlink()


def mount_disk(lab: LabDirectory, directory: Path) -> None:
    """Bring it about that the file system of a machine that was made is there."""
    if is_overlay(directory) and not mounts.is_mounted(directory / ROOT):
        if _mount(lab, directory):
            return
        raise KubertError(
            "the disks of the practice machines are overlays, and cannot be mounted any more",
            fix="take the lab down and up again: kubert-tui practice down",
        )


def is_overlay(directory: Path) -> bool:
    """Whether the disk is an overlay, not a copy."""
    return (directory / _LOWER).exists()


def _mount(lab: LabDirectory, directory: Path) -> bool:
    """Whether the overlay could be mounted."""
    image = (directory / _LOWER).read_text(encoding="utf-8", errors="surrogateescape")
    upper, work = directory / UPPER, directory / "work"
    options = f"lowerdir={image},upperdir={upper},workdir={work}"
    mount = ["mount", "-t", "overlay", "overlay", "-o", options, str(directory / ROOT)]
    processes.run(mount, mark=lab.tag, check=False)
    return mounts.is_mounted(directory / ROOT)
