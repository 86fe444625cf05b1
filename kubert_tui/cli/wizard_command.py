"""Opens the wizard. Textual is imported here and only now: the headless face never pays for it."""

import argparse
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kubert_tui.base.errors import BusyError, ExitCode
from kubert_tui.engine.interface import Engine
from kubert_tui.engine.session import Options, Session
from kubert_tui.lab.find import LabSource, find_lab, known_labs, labs_directory
from kubert_tui.lab.load import load_lab
from kubert_tui.lab.model import Lab
from kubert_tui.lab.overrides import override
from kubert_tui.lab.write import write_lab
from kubert_tui.practice.lab import Practice
from kubert_tui.practice.lab_file import is_ours
from kubert_tui.practice.model import Kind, Order, Places
from kubert_tui.practice.status import Standing, Status

if TYPE_CHECKING:
    from kubert_tui.screens.app import KubertApp


def run(arguments: argparse.Namespace) -> int:
    """Run the wizard on the lab that was named (else ask for one); return the exit code."""
    from kubert_tui.screens.practice_text import STAY

    app = make_app(arguments.lab, arguments.set)
    code = app.run()
    if code is None:
        # Textual has shown the traceback, if there was one, and says so by its own return code.
        code = int(ExitCode.INTERNAL if app.return_code else ExitCode.INTERRUPTED)
    if app.practising:
        print(*STAY, sep="\n", file=sys.stderr)
    if app.session is not None and not app.session.ended:
        # A host that hangs holds a thread, and Python would wait for it. The journal is written
        # as events happen, so there is nothing left to save.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def make_app(lab: str | None, changes: list[str]) -> "KubertApp":
    """Return the wizard on the real engine and real practice machines.

    `changes` are overrides (`cyclictest.duration=5s`) of whichever lab is opened.
    """
    from kubert_tui.screens.app import KubertApp
    from kubert_tui.screens.glyphs import choose, output_encoding

    source = find_lab(lab) if lab else None
    files = _Files(source)
    return KubertApp(
        None if source is None else override(source.lab, changes),
        open_engine=lambda lab: files.open(override(lab, changes) if source is None else lab),
        save_lab=files.save,
        practice=_PracticeLabs(files),
        practising=source is not None and source.path is not None and is_ours(source.path),
        glyphs=choose(os.environ, output_encoding()),
        saved_labs=_saved_labs(files),
    )


def make_watch(lab: Lab, open_engine: Callable[[Lab], Engine], stage: str) -> "KubertApp":
    """Return the screen that measures `stage` of a lab and shows it, without the wizard."""
    from kubert_tui.screens.app import KubertApp
    from kubert_tui.screens.glyphs import choose, output_encoding

    files = _Files(None)
    return KubertApp(
        lab,
        open_engine=open_engine,
        save_lab=files.save,
        practice=_PracticeLabs(files),
        glyphs=choose(os.environ, output_encoding()),
        watch=stage,
    )


class _Files:
    """Remembers which file a lab came from: a run is resumed by lab and file."""

    def __init__(self, source: LabSource | None) -> None:
        self._paths: dict[str, Path] = {}
        self._made: set[str] = set()
        if source is not None and source.path is not None:
            self._paths[source.lab.name] = source.path

    def open(self, lab: Lab) -> Session:
        """Open the engine of a lab."""
        file = str(self._paths.get(lab.name, ""))
        if lab.name in self._made:
            # What an earlier run did, it did to machines that are gone.
            self._made.remove(lab.name)
            with suppress(BusyError):
                return Session(lab, Options(lab_file=file, fresh=True))
        return Session(lab, Options(lab_file=file))

    def made(self, name: str) -> None:
        """Remember that the machines of this lab are new."""
        self._made.add(name)

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


class _PracticeLabs:
    """Practice labs as the wizard sees them (`screens.practice_labs.PracticeLabs`)."""

    def __init__(self, files: _Files) -> None:
        self._files = files

    def look(self, kind: Kind) -> Status:
        """Return how it stands."""
        return _practice(kind).status()

    def up(self, kind: Kind, order: Order) -> Lab:
        """Make it, or switch on what is off; return its lab."""
        practice = _practice(kind)
        if practice.status().standing is Standing.ABSENT:
            self._files.made(practice.name)
        return self._files.load(practice.up(order))

    def down(self, kind: Kind, order: Order) -> None:
        """Remove it."""
        _practice(kind).down(order)


def _practice(kind: Kind) -> Practice:
    return Practice(Places.of_user(), kind)


def _saved_labs(files: _Files) -> dict[str, Callable[[], Lab]]:
    """The user's own labs; practice machines have a choice of their own."""
    own = {name: path for name, path in known_labs().items() if not is_ours(path)}
    return {name: partial(files.load, path) for name, path in own.items()}
