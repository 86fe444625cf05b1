"""The headless face: submits the chosen stages, answers by flags, prints events."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Protocol

from kubert_tui.base.errors import ExitCode, UsageError
from kubert_tui.cli.answers import answers_of
from kubert_tui.cli.json_lines import JsonLines
from kubert_tui.cli.practice_command import bring_up
from kubert_tui.cli.text import TextReport
from kubert_tui.engine.interface import Engine
from kubert_tui.engine.session import Options, Session
from kubert_tui.events.model import Event, Finished
from kubert_tui.events.questions import Answer, Question
from kubert_tui.lab.find import find_lab
from kubert_tui.lab.overrides import override
from kubert_tui.stages.registry import all_stages

FLAGS = (
    "only",
    "from",
    "until",
    "dry_run",
    "yes",
    "json",
    "verbose",
    "accept_new_host_keys",
    "break_lock",
    "write_cpu_plan",
    "fresh",
)
"""Options that mean something with --auto only."""


class Printer(Protocol):
    """Shows events to people or programs."""

    def show(self, event: Event) -> None:
        """Show one event."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add `--auto` and the options that go with it."""
    group = parser.add_argument_group("headless")
    group.add_argument("--auto", action="store_true", help="work through the stages, no wizard")
    group.add_argument("--only", metavar="STAGE", action="append", help="this stage; repeatable")
    group.add_argument("--from", metavar="STAGE", help="begin with this stage")
    group.add_argument("--until", metavar="STAGE", help="end with this stage")
    group.add_argument("--dry-run", action="store_true", help="show the plan, change nothing")
    group.add_argument(
        "--yes", action="store_true", help="confirm what needs it: reboot, default kernel"
    )
    group.add_argument(
        "-v", "--verbose", action="store_true", help="print what virtual machines' consoles say"
    )
    group.add_argument("--json", action="store_true", help="one JSON object per line on stdout")
    group.add_argument(
        "--accept-new-host-keys", action="store_true", help="trust hosts seen for the first time"
    )
    group.add_argument(
        "--break-lock",
        action="store_true",
        help="take hosts from other operators' kubert-tui; without it they are left alone",
    )
    group.add_argument(
        "--write-cpu-plan",
        action="store_true",
        help="write a CPU plan that was proposed into the lab file; without it, it is the run's",
    )
    group.add_argument(
        "--fresh", action="store_true", help="begin a new run, do not resume an unfinished one"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run `kubert-tui --auto`; return the exit code."""
    names = tuple(stage.id for stage in all_stages())
    stages = choose(names, arguments.only or (), getattr(arguments, "from"), arguments.until)
    fresh = bring_up(arguments.lab) or arguments.fresh
    source = find_lab(arguments.lab)
    lab = override(source.lab, arguments.set)
    session = Session(
        lab,
        Options(lab_file=str(source.path or ""), dry_run=arguments.dry_run, fresh=fresh),
    )
    printer: Printer = (
        JsonLines(sys.stdout) if arguments.json else TextReport(verbose=arguments.verbose)
    )
    answers = answers_of(arguments, yes=arguments.yes)
    let_go_on_signals(session)
    for stage in stages:
        session.submit(stage)
    session.close()
    return consume(session, printer, answers.answer)


def consume(engine: Engine, printer: Printer, answer: Callable[[Question], Answer]) -> int:
    """Show every event, answer every question; return the run's exit code."""
    code = int(ExitCode.INTERNAL)
    reading = True
    for event in engine.events():
        try:
            if reading:
                printer.show(event)
        except OSError:
            # Who read us has gone (a pipe was closed): let go, and say nothing any more.
            reading = False
            engine.detach()
        if isinstance(event, Question):
            try:
                engine.answer(event.number, answer(event))
            except KeyboardInterrupt:
                engine.detach()
        if isinstance(event, Finished):
            code = event.exit_code
    return code


def choose(
    stages: tuple[str, ...], only: Sequence[str], first: str | None, last: str | None
) -> tuple[str, ...]:
    """Return the stages to work on, in order. UsageError for names that do not exist."""
    for name in (*only, *(name for name in (first, last) if name)):
        if name not in stages:
            raise UsageError(f"there is no stage {name!r}", fix=f"stages: {', '.join(stages)}")
    if only:
        if first or last:
            raise UsageError("--only does not go with --from or --until")
        return tuple(name for name in stages if name in only)
    begin = stages.index(first) if first else 0
    end = stages.index(last) if last else len(stages) - 1
    if end < begin:
        raise UsageError(f"--until {last} comes before --from {first}")
    return stages[begin : end + 1]


def let_go_on_signals(engine: Engine) -> None:
    """Ctrl-C and kill let go: journal and hosts stay such that the next start resumes."""

    def let_go(number: int, _frame: object) -> None:
        if number == signal.SIGHUP:
            # The terminal is gone; printing to it would fail and take the journal's end with it.
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(nowhere, stream)
        print(
            "\nkubert-tui: letting go; start again to resume (a running measurement goes on)",
            file=sys.stderr,
        )
        signal.signal(number, signal.SIG_DFL)
        engine.detach()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, let_go)
