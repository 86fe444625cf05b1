"""From what the command line names to a lab: built in, a file, or one of the user's own."""

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from kubert_tui.base import paths
from kubert_tui.base.errors import LabFileError
from kubert_tui.base.text import clean_line
from kubert_tui.lab.builtin import LOCAL, local_lab
from kubert_tui.lab.load import load_lab
from kubert_tui.lab.model import Lab

SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class LabSource:
    """A lab and where it came from."""

    lab: Lab
    path: Path | None
    """Its file; None when it is built in."""
    title: str
    """What to call it on screen: the lab's name, and its file."""


def labs_directory() -> Path:
    """Where the wizard keeps the user's labs, each as NAME.yaml."""
    return paths.config() / "labs"


def known_labs() -> dict[str, Path]:
    """Return the user's own labs, name to file, sorted by name."""
    files = (path for path in labs_directory().glob("*") if path.suffix in SUFFIXES)
    return {path.stem: path for path in sorted(files)}


def find_lab(name: str | None) -> LabSource:
    """Return the lab called `name`: `local` (or None), one of the user's, or a file.

    Raises LabFileError when there is none, or when its file is not valid.
    """
    if name is None or name == LOCAL:
        return LabSource(local_lab(), None, f"{LOCAL} (this machine, nothing allowed)")
    path = known_labs().get(name)
    if path is None:
        path = Path(name).expanduser()
        if "/" not in name and path.suffix not in SUFFIXES and not path.is_file():
            raise _unknown(name)
    lab = load_lab(path)
    return LabSource(lab, path, f"{lab.name} ({clean_line(str(path))})")


def _unknown(name: str) -> LabFileError:
    names = [LOCAL, *known_labs()]
    close = get_close_matches(name, names, n=1)
    meant = f"did you mean {close[0]}? " if close else ""
    return LabFileError(
        f"there is no lab {clean_line(name)!r}; there are: {', '.join(names)}",
        fix=f"{meant}a file is named by its path, such as ./{clean_line(name)}.yaml",
    )
