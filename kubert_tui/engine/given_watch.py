"""Looking at which CPUs pods have been given: on each node, when its pods with CPUs changed."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from threading import Event as Flag
from threading import Thread

from kubert_tui.base.errors import CancelledError, KubertError
from kubert_tui.engine.connections import Connections
from kubert_tui.engine.targets import about_guest
from kubert_tui.facts.live_cluster import GivenCpus, LiveCluster
from kubert_tui.facts.look_cluster import look_at_cpus
from kubert_tui.hosts.interface import Host
from kubert_tui.lab.model import Lab
from kubert_tui.lab.nodes import Node, nodes_of

OFTEN = 60.0
"""Seconds after which a node is looked at again, although nothing changed."""
SOON = 5.0
"""Seconds after which a node that this run measures, or that was not reached, is due again."""


_Pods = frozenset[tuple[str, str]]
"""Uid and phase of those that get CPUs of their own."""


@dataclass(slots=True)
class _Looked:
    pods: _Pods
    due: float


@dataclass(slots=True)
class GivenWatch:
    """One look a minute at most where nothing changes; none where something is measured."""

    connections: Connections
    lab: Callable[[], Lab]
    measuring: Callable[[], Collection[str]]
    over: Flag
    known: dict[str, GivenCpus] = field(default_factory=dict)
    """By node. It is replaced, not changed."""
    _cluster: LiveCluster | None = None
    _pods: dict[str, _Pods] = field(default_factory=dict)
    _looked: dict[str, _Looked] = field(default_factory=dict)
    _hosts: dict[str, Host] = field(default_factory=dict)
    _thread: Thread | None = None

    def wanted(self, cluster: LiveCluster) -> None:
        """Look at the nodes that are due, on a thread of its own. Returns at once."""
        if self._thread is not None and self._thread.is_alive():
            return
        due = self._due(cluster)
        if due:
            self._thread = Thread(target=self._look_at, args=(due,), name="given-cpus", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the connections, once the look under way has ended (it sees the flag)."""
        if self._thread is not None:
            self._thread.join(10)
        for host in self._hosts.values():
            host.close()

    def _due(self, cluster: LiveCluster) -> list[tuple[Node, _Pods]]:
        if cluster is not self._cluster:
            pods = {node.name: set[tuple[str, str]]() for node in cluster.nodes}
            for pod in cluster.pods:
                if pod.whole and pod.node in pods:
                    pods[pod.node].add((pod.uid, pod.phase))
            self._cluster, self._pods = cluster, {n: frozenset(own) for n, own in pods.items()}
        now, found = time.monotonic(), []
        for node in nodes_of(self.lab()) if self._pods else ():
            own, looked = self._pods.get(node.name), self._looked.get(node.name)
            if own is not None and (looked is None or looked.pods != own or now >= looked.due):
                found.append((node, own))
        return found

    def _look_at(self, due: list[tuple[Node, _Pods]]) -> None:
        for node, pods in due:
            if self.over.is_set():
                return
            before = self.known.get(node.name, GivenCpus())
            measured = node.host in self.measuring()
            try:
                found = GivenCpus(paused=True) if measured else self._look(node.host)
            except CancelledError:
                return
            except KubertError as error:
                self._drop(node.host)
                found = GivenCpus(unknown=error.what)
            # A look that finds somebody else's cyclictest is not repeated soon: it is a look, too.
            again = SOON if measured or found.unknown else OFTEN
            self._looked[node.name] = _Looked(pods, time.monotonic() + again)
            if found.paused:
                found = GivenCpus(
                    before.policy, before.reserved, before.shared, before.given, before.realtime,
                    before.unknown, paused=True,
                )  # fmt: skip
            if found != before:
                self.known = {**self.known, node.name: found}

    def _look(self, name: str) -> GivenCpus:
        if name not in self._hosts:
            lab = self.lab()
            with about_guest(lab, name):
                self._hosts[name] = self.connections.beside(lab.host(name))
        return look_at_cpus(self._hosts[name], sudo=True, cancel=self.over)

    def _drop(self, name: str) -> None:
        if (host := self._hosts.pop(name, None)) is not None:
            host.close()
