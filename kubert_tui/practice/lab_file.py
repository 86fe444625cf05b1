"""The lab file of practice machines: ours to write and remove, the user's to edit meanwhile."""

from collections.abc import Sequence
from pathlib import Path

from kubert_tui.base import paths
from kubert_tui.base.errors import LabFileError, UsageError
from kubert_tui.base.text import clean_line
from kubert_tui.lab.load import load_lab
from kubert_tui.lab.model import CyclictestSpec, HostSpec, Lab, Permission
from kubert_tui.lab.write import dump_lab
from kubert_tui.practice.model import Machine

_SIGN = "# Practice machines: throw-away ones on this computer, made by `kubert-tui practice up`."
_COMMENT = f"{_SIGN}\n# `kubert-tui practice down` removes them, and this file.\n"


def is_ours(file: Path) -> bool:
    """Whether it is there and was written by us."""
    try:
        return _SIGN in file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def refuse_foreign(file: Path) -> None:
    """Raise UsageError if somebody else's lab file is where ours goes."""
    if file.exists() and not is_ours(file):
        raise UsageError(
            f"{clean_line(str(file))} is a lab of your own, and the practice lab's file goes there",
            fix="give it another name",
        )


def publish(file: Path, name: str, machines: Sequence[Machine], key: Path) -> None:
    """Write the file, unless one is there that leads to the same machines."""
    hosts = tuple(
        HostSpec(
            name=machine.name,
            address=machine.address,
            port=0 if machine.port == 22 else machine.port,
            user="root",
            identity_file=str(key),
        )
        for machine in machines
    )
    try:
        if load_lab(file).hosts == hosts:
            return
    except (LabFileError, OSError):
        pass  # not there, or not valid: written below
    lab = Lab(
        name=name,
        hosts=hosts,
        allow=frozenset(Permission),
        cyclictest=CyclictestSpec(preset="quick"),
    )
    paths.write_private(file, _COMMENT + dump_lab(lab))


def remove(file: Path) -> None:
    """Remove the file if it is ours, and what is left of it if we were killed while writing."""
    if is_ours(file):
        file.unlink()
    for left in file.parent.glob(f".{file.name}.*"):
        left.unlink()
