"""Opens the wizard. Textual is imported here and only now: the headless face never pays for it."""

import argparse
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from kubert_tui.base.errors import ExitCode
from kubert_tui.engine.session import Options, Session
from kubert_tui.lab.find import LabSource, find_lab, known_labs, labs_directory
from kubert_tui.lab.load import load_lab
from kubert_tui.lab.model import Lab
from kubert_tui.lab.overrides import override
from kubert_tui.lab.write import write_lab


def run(arguments: argparse.Namespace) -> int:
    """Run the wizard on the lab that was named (else ask for one); return the exit code."""
    from kubert_tui.screens.app import KubertApp
    from kubert_tui.screens.glyphs import choose, output_encoding

    changes: list[str] = arguments.set
    source = find_lab(arguments.lab) if arguments.lab else None
    files = _Files(source)
    app = KubertApp(
        None if source is None else override(source.lab, changes),
        open_engine=lambda lab: files.open(override(lab, changes) if source is None else lab),
        save_lab=files.save,
        glyphs=choose(os.environ, output_encoding()),
        saved_labs=_saved_labs(files),
    )
    code = app.run()
    code = int(ExitCode.INTERRUPTED) if code is None else code
    if app.session is not None and not app.session.ended:
        # A host that hangs holds a thread, and Python would wait for it. The journal is written
        # as events happen, so there is nothing left to save.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


class _Files:
    """Remembers which file a lab came from: a run is resumed by lab and file."""

    def __init__(self, source: LabSource | None) -> None:
        self._paths: dict[str, Path] = {}
        if source is not None and source.path is not None:
            self._paths[source.lab.name] = source.path

    def open(self, lab: Lab) -> Session:
        """Open the engine of a lab."""
        return Session(lab, Options(lab_file=str(self._paths.get(lab.name, ""))))

    def save(self, lab: Lab) -> Path:
        """Write a lab among the user's own; UsageError if there is one of that name."""
        path = labs_directory() / f"{lab.name}.yaml"
        write_lab(lab, path)
        self._paths[lab.name] = path
        return path

    def load(self, path: Path) -> Lab:
        """Read a lab that was saved."""
        lab = load_lab(path)
        self._paths[lab.name] = path
        return lab


def _saved_labs(files: _Files) -> dict[str, Callable[[], Lab]]:
    return {name: partial(files.load, path) for name, path in known_labs().items()}
