"""What the commands that measure are told (whom, how long, under which load), and their run."""

import argparse
import sys
from pathlib import Path

from kubert_tui.base.errors import UsageError
from kubert_tui.base.text import clean_line
from kubert_tui.cli.answers import answers_of
from kubert_tui.cli.auto import Printer, consume, let_go_on_signals
from kubert_tui.cli.json_lines import JsonLines
from kubert_tui.cli.text import TextReport
from kubert_tui.engine.session import Options, Session
from kubert_tui.events.model import Event, Finished
from kubert_tui.lab.find import find_lab
from kubert_tui.lab.load_presets import LOAD_PRESETS
from kubert_tui.lab.model import Lab
from kubert_tui.lab.overrides import override
from kubert_tui.latency.store import load
from kubert_tui.latency.stored import StoredMeasurement

_SETTINGS = ("interval", "duration", "loops", "load", "load_cpus", "breaktrace")


def add_order(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "hosts", nargs="*", metavar="HOST",
        help="of the lab, or one of its machines; all hosts if none is named",
    )  # fmt: skip
    parser.add_argument("--lab", metavar="LAB", default=argparse.SUPPRESS, help="as above")
    parser.add_argument(
        "--set", metavar="KEY=VALUE", action="append", dest="settings", default=[], help="as above"
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--duration", metavar="TIME", help="10m, 2h, 90s")
    length.add_argument("--loops", metavar="N", help="cycles of each CPU")
    parser.add_argument("--interval", metavar="US", help="between two wake-ups")
    parser.add_argument(
        "--load", metavar="PRESET", help=f"what runs beside it: {', '.join(LOAD_PRESETS)}"
    )
    parser.add_argument("--load-cpus", metavar="LIST", help="CPUs that may be loaded: 0-3,8")
    parser.add_argument(
        "--breaktrace", metavar="US", help="trace, and stop at the first latency above it"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per line on stdout")
    parser.add_argument("--accept-new-host-keys", action="store_true")
    parser.add_argument("--break-lock", action="store_true", help="take hosts from other operators")


def ordered(arguments: argparse.Namespace, *, kind: str) -> tuple[Lab, Options]:
    """Return the lab, measuring as was asked for, and which of its hosts and machines."""
    source = find_lab(arguments.lab)
    settings = [
        f"cyclictest.{key}={value}"
        for key in _SETTINGS
        if (value := getattr(arguments, key)) is not None
    ]
    lab = override(source.lab, [*arguments.set, *arguments.settings, *settings])
    names = [*(host.name for host in lab.hosts), *(guest.name for guest in lab.guests)]
    if unknown := [host for host in arguments.hosts if host not in names]:
        raise UsageError(
            f"lab {lab.name} has no host {clean_line(unknown[0])!r}",
            fix=f"its hosts: {', '.join(names)}",
        )
    chosen = tuple(name for name in names if name in arguments.hosts)
    # A run of its own kind: it neither ends the wizard's run of this lab nor is ended by it.
    return lab, Options(lab_file=str(source.path or ""), hosts=chosen, kind=kind)


def carry_out(
    session: Session, stage: str, arguments: argparse.Namespace
) -> tuple[int, list[StoredMeasurement]]:
    """Run the stage, shown as was asked for; return the exit code and what the run has stored.

    A run that was cut off goes on: what it has measured is not measured again.
    """
    seen = _Seen(JsonLines(sys.stdout) if arguments.json else TextReport())
    let_go_on_signals(session)
    session.submit(stage)
    session.close()
    code = consume(session, seen, answers_of(arguments).answer)
    return code, [load(Path(path)) for path in seen.paths]


class _Seen:
    """Shows events as another printer does, and remembers where the run has stored results."""

    def __init__(self, printer: Printer) -> None:
        self._printer = printer
        self.paths: tuple[str, ...] = ()

    def show(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, Finished):
            self.paths = event.results
        self._printer.show(event)
