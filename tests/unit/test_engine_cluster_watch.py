"""Watching a cluster: what is told, that it goes on after a loss, and that it ends."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from threading import Event as Flag

import pytest

from kubert_tui.base.errors import CancelledError, KubertError, UnreachableError
from kubert_tui.engine import cluster_watch
from kubert_tui.engine.cluster_watch import ClusterWatch
from kubert_tui.engine.connections import Connections
from kubert_tui.engine.journal import Journal, read
from kubert_tui.events.cluster import ClusterHeard, ClusterWatched
from kubert_tui.events.model import Event, Note
from kubert_tui.facts.cluster_watcher import ABSENT, TOLD
from kubert_tui.facts.live_cluster import GivenCpus
from kubert_tui.hosts.interface import Asker, Completed, Host, Invocation
from kubert_tui.lab.load import parse_lab
from kubert_tui.lab.model import HostSpec, Lab
from tests.support import cluster_objects as objects

LAB = parse_lab(
    "name: bulls\nhosts:\n- {name: bull1, address: 10.0.0.1, cpus: {housekeeping: 0-1,"
    " isolated: 2-3}}\n- {name: bull2, address: 10.0.0.2}\n"
    "cluster: {kubernetes: 1.36, nodes: [{name: bull1, role: control-plane}, {name: bull2}]}\n",
    "lab.yaml",
)
NODES = {"type": "nodes", "items": [TOLD["nodes"](objects.node(n)) for n in ("bull1", "bull2")]}
PODS = {
    "type": "pods",
    "items": [TOLD["pods"](objects.pod("loop", "bull2", cpus=("1",), qos="Guaranteed"))],
}
ALIVE = {"type": "alive", "trouble": "", "paused": ""}
STATE = '{"policyName":"static","defaultCpuSet":"0","entries":{"pod-loop":{"a":"1"}}}'


@dataclass
class World:
    """Hosts of a cluster; `watches` are what the watcher says each time that it is started."""

    watches: Iterator[list[object]] = field(default_factory=lambda: iter(()))
    argv: list[tuple[str, ...]] = field(default_factory=list)
    looked: list[str] = field(default_factory=list)
    measured: set[str] = field(default_factory=set)
    ended: Flag = field(default_factory=Flag)
    unreachable: bool = False

    def connect(self, spec: HostSpec, lab: Lab, asker: Asker) -> Host:
        del lab, asker
        if self.unreachable:
            raise UnreachableError("no route to host", fix="plug it in", host=spec.name)
        return WatchedHost(spec.name, self)


@dataclass
class WatchedHost:
    name: str
    world: World
    is_local: bool = False

    def run(self, invocation: Invocation) -> Completed:
        argv = tuple(invocation.argv)
        assert invocation.cancel is not None
        if argv[0] != "python3":
            self.world.looked.append(self.name)
            nonce = invocation.stdin.decode().split("nonce=")[1].split("\n")[0]
            text = "".join(
                f"\n{nonce} begin {name} x\n{content}\n{nonce} end 0\n"
                for name, content in (("measured", "no"), ("cpu-state", STATE))
            )
            return Completed(argv, 0, text.encode())
        self.world.argv.append(argv)
        assert invocation.on_stdout is not None
        for line in next(self.world.watches, []):
            if isinstance(line, KubertError):
                raise line
            if isinstance(line, Completed):
                assert invocation.on_stderr is not None
                invocation.on_stderr(line.stderr)
                return line
            invocation.on_stdout(json.dumps(line).encode() + b"\n")
        assert invocation.cancel.wait(60)
        self.world.ended.set()
        raise CancelledError("cancelled")

    def put(self, data: object, path: str, *, mode: int = 0o600, sudo: bool = False) -> None:
        raise AssertionError("nothing is left on a host")

    def get(self, path: str, *, sudo: bool = False) -> bytes:
        raise AssertionError("nothing is read as a file")

    def close(self) -> None:
        pass


class Watched:
    """A watch that runs, and what it has told."""

    def __init__(self, world: World) -> None:
        self.told: list[Event] = []
        self._queue: Queue[Event] = Queue()
        self.watch = ClusterWatch(
            lambda: LAB, Connections(LAB, world.connect), self._queue.put,
            lambda: tuple(world.measured), clock=lambda: 1000.0, again=0.01,
        )  # fmt: skip

    def until(self, wanted: Callable[[Event], object]) -> Event:
        while True:
            try:
                event = self._queue.get(timeout=30)
            except Empty:
                raise AssertionError(self.told) from None
            self.told.append(event)
            if wanted(event):
                return event

    def heard(self, wanted: Callable[[ClusterHeard], object]) -> ClusterHeard:
        event = self.until(lambda one: isinstance(one, ClusterHeard) and wanted(one))
        assert isinstance(event, ClusterHeard)
        return event

    def state(self, wanted: Callable[[ClusterWatched], object]) -> ClusterWatched:
        event = self.until(lambda one: isinstance(one, ClusterWatched) and wanted(one))
        assert isinstance(event, ClusterWatched)
        return event


@pytest.fixture
def world() -> World:
    return World()


def test_what_is_told_and_where_it_runs(world: World) -> None:
    world.watches = iter([[NODES, PODS, ALIVE]])
    watched = Watched(world)
    watched.watch.switch(on=True)
    watched.watch.switch(on=True)
    found = watched.state(lambda one: one.cpus.get("bull2"))
    assert (found.stage, found.host) == ("cluster", "bull1")
    assert [node.name for node in found.cluster.nodes] == ["bull1", "bull2"]
    assert found.cpus["bull2"] == GivenCpus("static", "", "0", {"pod-loop": "1"})
    # Which of the two is told first is for threads to decide.
    earlier = (one for one in watched.told if isinstance(one, ClusterHeard))
    heard = next(earlier, None) or watched.heard(lambda one: True)
    assert (heard.host, heard.heard, heard.trouble) == ("bull1", 1000.0, "")
    # On the housekeeping CPUs, once; and it is over when nobody watches.
    assert world.argv == [("python3", "-I", "-", "0,1")]
    watched.watch.close()
    assert world.ended.is_set()
    # The same again when somebody watches again.
    world.watches = iter([[NODES]])
    watched.watch.switch(on=True)
    watched.state(lambda one: not one.cluster.pods)
    watched.watch.close()
    assert len(world.argv) == 2


def test_a_connection_that_is_lost_is_told_and_made_anew(world: World) -> None:
    lost = UnreachableError("the connection was lost", fix="check power and network", host="bull1")
    world.watches = iter([[NODES, ALIVE, lost], [NODES, PODS, ALIVE]])
    watched = Watched(world)
    watched.watch.switch(on=True)
    told = watched.heard(lambda one: one.trouble)
    assert told.trouble == "the connection was lost"
    assert told.fix == "check power and network; it is tried again by itself"
    assert told.heard == 1000.0
    watched.heard(lambda one: not one.trouble)
    watched.watch.close()


def test_a_host_that_cannot_be_reached(world: World) -> None:
    world.unreachable = True
    watched = Watched(world)
    watched.watch.switch(on=True)
    assert watched.heard(lambda one: one.trouble).trouble == "no route to host"
    world.watches = iter([[NODES, ALIVE]])
    world.unreachable = False
    assert watched.heard(lambda one: not one.trouble).heard == 1000.0
    watched.watch.close()


@pytest.mark.parametrize(
    ("trouble", "fix"), [(ABSENT, "the stage cluster-control-plane"), ("refused", "crictl ps -a")]
)
def test_trouble_of_the_api_server_says_what_to_do(world: World, trouble: str, fix: str) -> None:
    world.watches = iter([[{"type": "alive", "trouble": trouble, "paused": ""}]])
    watched = Watched(world)
    watched.watch.switch(on=True)
    told = watched.heard(lambda one: one.trouble)
    assert told.trouble == trouble
    assert fix in told.fix
    watched.watch.close()


def test_a_watcher_that_cannot_be_run(world: World) -> None:
    missing = Completed(("python3",), 127, stderr=b"sh: python3: not \x1b[1mfound\n")
    world.watches = iter([[missing], [NODES, ALIVE]])
    watched = Watched(world)
    watched.watch.switch(on=True)
    told = watched.heard(lambda one: one.trouble)
    assert told.trouble == "the cluster cannot be watched: sh: python3: not found"
    watched.heard(lambda one: not one.trouble)
    watched.watch.close()


def test_silence_counts_as_a_loss(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_watch, "SILENCE", 0.1)
    world.watches = iter([[], [NODES, ALIVE]])
    watched = Watched(world)
    watched.watch.switch(on=True)
    assert "nothing was heard" in watched.heard(lambda one: one.trouble).trouble
    assert world.ended.wait(30)
    watched.watch.close()


def test_nobody_looks_at_a_node_that_this_run_measures(world: World) -> None:
    world.measured = {"bull2"}
    world.watches = iter([[NODES, PODS, ALIVE]])
    watched = Watched(world)
    watched.watch.switch(on=True)
    found = watched.state(lambda one: {"bull1", "bull2"} <= one.cpus.keys())
    assert found.cpus["bull2"].paused
    assert world.looked == ["bull1"]
    watched.watch.close()


def test_it_says_that_it_is_paused(world: World) -> None:
    paused = {"type": "alive", "trouble": "", "paused": "cyclictest measures on this host"}
    world.watches = iter([[NODES, ALIVE, paused]])
    watched = Watched(world)
    watched.watch.switch(on=True)
    told = watched.heard(lambda one: one.paused)
    assert (told.paused, told.heard) == ("cyclictest measures on this host", 1000.0)
    watched.watch.close()


def test_the_journal_has_none_of_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run")
    journal.append(Note(text="kept"))
    journal.append(ClusterHeard(heard=1.0))
    journal.close()
    assert [entry["event"] for entry in read(journal.path)] == ["note"]
