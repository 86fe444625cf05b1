"""A disk image in a file on this computer: which format it has, and that it is all there is."""

import os
from dataclasses import dataclass
from pathlib import Path

from kubert_tui.base.errors import KubertError

_QCOW2 = b"QFI\xfb"
_OTHERS = {
    b"KDMV": "VMDK",
    b"vhdx": "VHDX",
    b"conectix": "VHD",
    b"<<< ": "VDI",
    b"\x1f\x8b": "gzip",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
    b"<!DOC": "HTML",
    b"<html": "HTML",
}
"""What a file that is no image for us begins with."""
_HEADER = 112
_SECTOR = 512
_EXTERNAL_DATA = 1 << 2


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An image that can be brought to hosts."""

    path: Path
    kind: str
    """qcow2 or raw."""
    size: int
    """Bytes of the file."""
    allocated: int
    """Bytes it takes on a disk: less than `size` where it has holes."""
    identity: str
    """Other for other content; part of a volume's name."""


def image_file(path: Path, identity: str) -> ImageFile:
    """Return what is in a file; KubertError if it is no image, or not all of one.

    A qcow2 file that names another one (a backing file, external data) is refused: on a host it
    would show guests whatever file has that name there.
    """
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER)
            status = os.fstat(file.fileno())
    except OSError as error:
        raise KubertError(
            f"the image {path} cannot be read: {error.strerror}",
            fix="image.path in the lab file names a file on this computer",
        ) from None
    kind = "qcow2" if header.startswith(_QCOW2) else "raw"
    if kind == "qcow2":
        _refuse_references(path, header)
    else:
        other = next((name for sign, name in _OTHERS.items() if header.startswith(sign)), "")
        if other or status.st_size < _SECTOR or status.st_size % _SECTOR:
            raise KubertError(
                f"{path} is no disk image: expected qcow2 or raw"
                + (f", got {other}" if other else f", got {status.st_size} bytes of something"),
                fix="unpack it, or convert it: qemu-img convert -O qcow2 FILE IMAGE",
            )
    allocated = min(status.st_size, status.st_blocks * _SECTOR)
    return ImageFile(path, kind, status.st_size, allocated, identity)


def _refuse_references(path: Path, header: bytes) -> None:
    version = int.from_bytes(header[4:8], "big")
    backing = int.from_bytes(header[8:16], "big")
    features = int.from_bytes(header[72:80], "big") if version >= 3 else 0
    what = "a backing file" if backing else ""
    if features & _EXTERNAL_DATA:
        what = "a file with its data"
    if what:
        raise KubertError(
            f"the image {path} names another file as {what}: refused",
            fix="make one file of it: qemu-img convert -O qcow2 FILE IMAGE",
        )
