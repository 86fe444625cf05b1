"""`kubert-tui check`: look at every host once, judge, print. Changes nothing."""

import argparse
import json
from typing import Any

from rich.console import Console
from rich.text import Text

from kubert_tui.base.errors import ExitCode
from kubert_tui.checks.catalogue import ALL, CROSS
from kubert_tui.checks.finding import Finding, Level
from kubert_tui.cli.answers import answers_of
from kubert_tui.cli.auto import consume
from kubert_tui.cli.text import plain_console
from kubert_tui.cli.words import LEVEL_STYLE
from kubert_tui.engine.session import Options, Session
from kubert_tui.events.codec import to_plain
from kubert_tui.events.model import Event, FactsGathered, Failure, FindingMade
from kubert_tui.facts.model import Facts
from kubert_tui.lab.find import find_lab
from kubert_tui.lab.overrides import override
from kubert_tui.stages import image_change, machines_observe
from kubert_tui.stages.model import Guide, Stage, Work

_NOTHING = Guide(what="Look at every host.", why="", readme="", ours="", differs="")


def _observe(work: Work, facts: Facts) -> Facts:
    """What libvirt says of all that checks judge."""
    return machines_observe.observe(work, image_change.observe(work, facts))


CHECK = Stage(
    id="check",
    title="Check every host",
    guide=_NOTHING,
    checks=ALL,
    cross_checks=CROSS,
    observe=_observe,
)


def add_parser(commands: Any) -> None:
    """Add the command to the parser's sub-commands."""
    parser = commands.add_parser("check", help="judge every host of the lab, change nothing")
    parser.add_argument("--lab", metavar="LAB", default=argparse.SUPPRESS, help="as above")
    parser.add_argument("--json", action="store_true", help="facts and findings as one object")
    parser.add_argument("--all", action="store_true", help="show findings that are ok, too")
    parser.add_argument("--accept-new-host-keys", action="store_true")
    parser.set_defaults(handler=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command; exit code 1 when a finding failed."""
    lab = override(find_lab(arguments.lab).lab, arguments.set)
    session = Session(lab, Options(dry_run=True), stages=(CHECK,))
    collected = Collected()
    session.submit(CHECK.id)
    session.close()
    code = consume(session, collected, answers_of(arguments).answer)
    if arguments.json:
        print(json.dumps(collected.as_plain(), indent=2))
    else:
        collected.print(plain_console(stderr=False), everything=arguments.all)
    if code == ExitCode.OK and any(one.level is Level.FAILED for one in collected.findings):
        return int(ExitCode.FAILED)
    return code


class Collected:
    """What the events told."""

    def __init__(self) -> None:
        self.facts: dict[str, Facts] = {}
        self.findings: list[Finding] = []
        self.failures: list[Failure] = []

    def show(self, event: Event) -> None:
        match event:
            case FactsGathered():
                self.facts[event.host] = event.facts
            case FindingMade():
                self.findings.append(event.finding)
            case Failure():
                self.failures.append(event)

    def as_plain(self) -> dict[str, object]:
        return {
            "facts": {host: to_plain(facts) for host, facts in self.facts.items()},
            "findings": [to_plain(finding) for finding in self.findings],
            "failures": [to_plain(failure) for failure in self.failures],
        }

    def print(self, console: Console, *, everything: bool) -> None:
        for host in dict.fromkeys(one.host for one in self.findings):
            console.print(Text(host, "bold"))
            mine = [one for one in self.findings if one.host == host]
            for finding in mine:
                if finding.level is Level.OK and not everything:
                    continue
                style = LEVEL_STYLE[finding.level]
                console.print(Text(f"  {finding.level:<8}", style), end="")
                console.print(Text(f"{finding.check:<28} {finding.summary}"))
                if finding.fix:
                    console.print(Text(f"           → {finding.fix}", "dim"))
            counts = {level: sum(one.level is level for one in mine) for level in Level}
            told = ", ".join(f"{count} {level}" for level, count in counts.items() if count)
            console.print(Text(f"  {told}", "dim"))
        for failure in self.failures:
            console.print(Text(f"{failure.host}: {failure.what}", "bold red"))
            if failure.fix:
                console.print(Text(f"           → {failure.fix}", "dim"))
