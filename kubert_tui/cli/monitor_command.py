"""`kubert-tui monitor`: measure now, watch it live; or watch a run that is over."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kubert_tui.base.errors import ExitCode, UsageError
from kubert_tui.base.text import clean_line
from kubert_tui.cli.answers import answers_of
from kubert_tui.cli.auto import Printer, consume, let_go_on_signals
from kubert_tui.cli.chosen_results import of_file
from kubert_tui.cli.json_lines import JsonLines
from kubert_tui.cli.measuring_order import add_order, ordered
from kubert_tui.cli.text import TextReport
from kubert_tui.engine.interface import Engine
from kubert_tui.engine.journal import FILE_NAME
from kubert_tui.engine.past import run_directory
from kubert_tui.engine.replay import LENGTH, STAGE, Replay, events_of_journal, events_of_stored
from kubert_tui.engine.session import Options, Session
from kubert_tui.lab.model import Lab
from kubert_tui.stages.s18_ladder import STAGE as LADDER_STAGE

_EPILOG = """\
Measures at once, with the README's cyclictest command, and changes nothing on the host. Leave with
q: the measurement goes on by itself, and the same command attaches to it again. With --json (or
without a terminal) the events are printed; the last line says "exact": true, or why not.
"""


def add_parser(commands: Any) -> None:
    """Add the command to the parser's sub-commands."""
    parser = commands.add_parser(
        "monitor",
        help="measure now and watch the histogram live",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_order(parser)
    parser.add_argument(
        "--replay",
        metavar="RUN",
        help="play back a run (its id, or a file: ours or cyclictest's) instead of measuring",
    )
    parser.set_defaults(handler=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    headless = arguments.json or not (sys.stdin.isatty() and sys.stdout.isatty())
    if arguments.replay:
        settings = ("hosts", "duration", "loops", "load", "load_cpus", "breaktrace")
        if any(getattr(arguments, name) for name in settings):
            raise UsageError("--replay measures nothing", fix="leave hosts and settings out")
        length = 0.0 if headless else LENGTH
        engine = replay_of(arguments.replay, length=length, interval=_number(arguments.interval))
        return _headless(engine, arguments) if headless else _watched(engine.lab, lambda _: engine)
    lab, stage, options = _order(arguments)
    if not headless:
        return _watched(lab, lambda lab: Session(lab, options), stage)
    session = Session(lab, options)
    let_go_on_signals(session)
    session.submit(stage, again=True)
    session.close()
    return _headless(session, arguments)


def replay_of(name: str, *, length: float, interval: int = 0) -> Replay:
    """Return what plays back a run, a journal or a result (ours, or others').

    `interval` in us is that of others' results that do not tell it. UsageError if it is none.
    """
    path = Path(name)
    journal = run_directory(name) / FILE_NAME if path.name == name else path
    if not journal.is_file():
        journal = path
    told = clean_line(name)
    if journal.is_file() and journal.suffix == ".jsonl":
        return Replay(told, events_of_journal(journal), length=length)
    return Replay(told, events_of_stored(of_file(name, interval), name), length=length)


def _number(told: str | None) -> int:
    if told is None:
        return 0
    if not (told.isascii() and told.isdigit()):
        raise UsageError("--interval is a number of us")
    return int(told[:9])


def _order(arguments: argparse.Namespace) -> tuple[Lab, str, Options]:
    """Return the lab, measuring as was asked for, the stage that measures, and whom."""
    lab, options = ordered(arguments, kind="monitor")
    # A machine is measured by the stage that is about hosts and machines.
    inside = any(map(lab.parent_of, options.hosts))
    return lab, LADDER_STAGE.id if inside else STAGE, options


def _headless(engine: Engine, arguments: argparse.Namespace) -> int:
    printer: Printer = JsonLines(sys.stdout) if arguments.json else TextReport()
    return consume(engine, printer, answers_of(arguments).answer)


def _watched(lab: Lab, open_engine: Callable[[Lab], Engine], stage: str = STAGE) -> int:
    """Watch it on this terminal; say afterwards what was measured, or how to come back."""
    from kubert_tui.cli.wizard_command import make_watch

    app = make_watch(lab, open_engine, stage)
    code = app.run()
    if code is None:
        code = int(ExitCode.INTERNAL if app.return_code else ExitCode.INTERRUPTED)
    session = app.session
    if session is None:
        return code
    view = session.view
    for host, stored in view.stored.items():
        seen = f"the worst of {stored.samples} samples took {stored.maximum} us"
        print(clean_line(f"{host}: {seen}: {stored.path}", limit=4096))
        for told in dict.fromkeys((stored.verdict, *stored.reasons)):
            if told and f"no verdict: {told}" != stored.verdict:
                print(f"  {clean_line(told)}")
    for host in view.measuring:
        told = f"{host}: cyclictest goes on; the same command attaches to it again"
        print(clean_line(told, limit=4096), file=sys.stderr)
    if not session.ended:
        # A host that hangs holds a thread, and Python would wait for it.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code
