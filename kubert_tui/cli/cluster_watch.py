"""`kubert-tui cluster status --watch`: the nodes as they are, until Ctrl-C; the wizard's stream."""

import argparse
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from kubert_tui.base.errors import ExitCode
from kubert_tui.cli.auto import Printer, consume
from kubert_tui.cli.json_lines import JsonLines
from kubert_tui.cli.text import plain_console
from kubert_tui.engine.interface import Engine
from kubert_tui.engine.session import Options, Session
from kubert_tui.events.cluster import ClusterHeard, ClusterWatched
from kubert_tui.events.model import Event, Failure, Finished
from kubert_tui.events.questions import Answer, Question
from kubert_tui.facts.live_cluster import GivenCpus, LiveCluster
from kubert_tui.facts.nodes_now import NodeNow, age, nodes_now
from kubert_tui.lab.model import Lab
from kubert_tui.stages.model import Guide, Stage, Where

CONNECT = Stage(
    id="cluster-connect",
    title="Connect to the nodes",
    guide=Guide(what="Connect to the nodes.", why="", readme="", ours="", differs=""),
    where=Where.NODES,
)


def add_option(status: argparse.ArgumentParser) -> None:
    """Add `--watch` to the parser of `cluster status`."""
    status.add_argument(
        "--watch", action="store_true", help="go on telling what changes, until Ctrl-C"
    )


def watch(lab: Lab, arguments: argparse.Namespace, answer: Callable[[Question], Answer]) -> int:
    """Connect (this may ask), then tell what changes until Ctrl-C."""
    session = Session(lab, Options(dry_run=True), stages=(CONNECT,))
    printer: Printer = JsonLines(sys.stdout)
    if not arguments.json:
        printer = Tables(session.lab, plain_console(stderr=False))
    ended = _end_on_signals(session)
    session.submit(CONNECT.id)
    session.watch_cluster(on=True)
    code = consume(session, printer, answer)
    return int(ExitCode.OK) if ended else code


def _end_on_signals(engine: Engine) -> list[int]:
    """Return what holds the signal that ended it, once one has: that is how a watch ends."""
    ended: list[int] = []

    def end(number: int, _frame: FrameType | None) -> None:
        ended.append(number)
        signal.signal(number, signal.SIG_DFL)
        engine.detach()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    return ended


@dataclass
class Tables:
    """On a terminal one table that changes; elsewhere a new one whenever something changed."""

    lab: Lab
    console: Console
    clock: Callable[[], float] = time.time
    watched: ClusterWatched | None = None
    heard: ClusterHeard = field(default_factory=ClusterHeard)
    live: Live | None = None
    told: str = ""

    def show(self, event: Event) -> None:
        """Take one event."""
        match event:
            case ClusterWatched():
                self.watched = event
            case ClusterHeard():
                self.heard = event
            case Failure():
                text = " ".join(filter(None, (event.host, event.what, event.fix)))
                self.console.print(Text(text), style="red")
                return
            case Finished():
                if self.live is not None:
                    self.live.stop()
                return
            case _:
                return
        rows = nodes_now(self.lab, *self._known())
        if self.console.is_terminal:
            if self.live is None:
                self.live = Live(
                    console=self.console, get_renderable=self._now, refresh_per_second=1
                )
                self.live.start()
            return
        if self.watched is None and not self.heard.trouble:
            return
        told = "\n".join((*map(_words, rows), self._line(self.heard)))
        if told != self.told:
            self.told = told
            stamp = time.strftime("%H:%M:%S", time.localtime(event.time))
            self.console.print(Text(f"{stamp} {self._line(self.heard)}"))
            self.console.print(shown(rows, self.clock()))

    def _known(self) -> tuple[LiveCluster | None, dict[str, GivenCpus]]:
        if self.watched is None:
            return None, {}
        return self.watched.cluster, self.watched.cpus

    def _now(self) -> Group:
        rows, now = nodes_now(self.lab, *self._known()), self.clock()
        since = f"heard {age(now - self.heard.heard)} ago" if self.heard.heard else "not heard yet"
        return Group(
            shown(rows, now), Text(f"{self._line(self.heard)} ({since}; Ctrl-C ends)", "dim")
        )

    @staticmethod
    def _line(heard: ClusterHeard) -> str:
        if heard.trouble:
            return f"{heard.host}: {heard.trouble}: {heard.fix}"
        if heard.paused:
            return f"{heard.host}: paused: {heard.paused}"
        return f"{heard.host}: the API server answers" if heard.heard else "connecting ..."


def shown(rows: tuple[NodeNow, ...], now: float) -> Group:
    """Return the nodes as a table, and below each what is wrong with it."""
    table = Table("NODE", "ROLE", "STATE", "KUBELET", "CPUS", "PODS", "AGE", box=None)
    for row in rows:
        style = "" if row.well else "yellow"
        table.add_row(*(Text(word, style) for word in (*_columns(row), _age(row, now))))
    return Group(table, *(Text(f"  {row.name}: {told}") for row in rows for told in row.advice))


def _columns(row: NodeNow) -> tuple[str, ...]:
    live = row.live
    cpus = f"{row.exclusive} of {live.allocatable:g} given" if live and live.allocatable else ""
    version = live.version if live else ""
    version += f" (lab: {row.wanted})" if row.other_version else ""
    return row.name, row.role, row.state, version, cpus, str(len(row.pods)) if live else ""


def _words(row: NodeNow) -> str:
    return " ".join((*_columns(row), *row.advice))


def _age(row: NodeNow, now: float) -> str:
    return age(now - row.live.created) if row.live and row.live.created else ""
