"""Watching the lab's cluster beside whatever is at work: own connections, nobody is asked."""

import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.resources import files
from queue import Empty, Queue
from threading import Event as Flag
from threading import Lock, Thread

from kubert_tui.base.errors import CancelledError, KubertError, UnreachableError
from kubert_tui.base.text import last_lines
from kubert_tui.checks.cluster import NO_CLUSTER
from kubert_tui.engine.connections import Connections
from kubert_tui.engine.given_watch import GivenWatch
from kubert_tui.engine.targets import about_guest
from kubert_tui.events.cluster import ClusterHeard, ClusterWatched
from kubert_tui.events.model import Event
from kubert_tui.facts.cluster_watcher import ABSENT
from kubert_tui.facts.live_cluster import GivenCpus, LiveCluster, Sign
from kubert_tui.facts.live_lines import Lines
from kubert_tui.hosts.interface import Completed, Host, Invocation
from kubert_tui.lab.model import Lab
from kubert_tui.lab.nodes import control_plane_of, node_of

STAGE = "cluster"
"""The stage whose events they are."""
SILENCE = 30.0
"""Seconds without a line from the control plane after which the connection counts as lost."""
AGAIN = 5.0
"""Seconds until what failed is tried again."""
LEAVE = 5.0
"""Seconds that who leaves waits for it: a host that hangs must not hold anybody."""
TURN = 0.2
"""Seconds; how soon it is seen that the watch is over."""
_MAKE = "the stage cluster-control-plane makes it"
_LOOK = "on the control plane: systemctl status kubelet, crictl ps -a; it is tried again by itself"
_COME = "it is tried again by itself"


@dataclass(slots=True)
class ClusterWatch:
    """Watches while it is switched on. Thread-safe; a failure is told, and tried again."""

    lab: Callable[[], Lab]
    connections: Connections
    emit: Callable[[Event], None]
    measuring: Callable[[], Collection[str]]
    """Hosts on which this run measures now: nobody looks at them."""
    clock: Callable[[], float] = time.time
    again: float = AGAIN
    _lock: Lock = field(default_factory=Lock)
    _over: Flag = field(default_factory=Flag)
    _thread: Thread | None = None
    _heard: ClusterHeard = field(default_factory=ClusterHeard)

    def switch(self, *, on: bool) -> None:
        """Begin, or end; what is so already stays. Returns at once."""
        with self._lock:
            if not on:
                self._over.set()
            elif self._thread is None or self._over.is_set():
                before, self._over = self._thread, Flag()
                self._thread = Thread(
                    target=self._work, args=(self._over, before), name="cluster-watch", daemon=True
                )
                self._thread.start()

    def close(self) -> None:
        """End, and wait until nothing is told any more (not for ever)."""
        self.switch(on=False)
        if (thread := self._thread) is not None:
            thread.join(LEAVE)

    def _work(self, over: Flag, before: Thread | None) -> None:
        if before is not None:
            before.join()
        self._heard = ClusterHeard(heard=self._heard.heard)
        while not over.is_set():
            try:
                self._follow(over)
            except CancelledError:
                pass
            except KubertError as error:
                fix = f"{error.fix}; {_COME}" if error.fix else _COME
                self._tell(ClusterHeard(trouble=error.what, fix=fix), error.host)
            over.wait(self.again)

    def _follow(self, over: Flag) -> None:
        """Tell what the control plane tells, until it is over; raises KubertError."""
        lab = self.lab()
        name = control_plane_of(lab)
        if not name:
            raise KubertError(NO_CLUSTER)
        with about_guest(lab, name):
            host = self.connections.beside(lab.host(name))
        given = GivenWatch(self.connections, self.lab, self.measuring, over)
        try:
            self._read(host, given, over)
        finally:
            given.close()
            host.close()

    def _read(self, host: Host, given: GivenWatch, over: Flag) -> None:
        queue: Queue[bytes | Completed | BaseException] = Queue()
        ended, complaints = Flag(), list[bytes]()
        node = node_of(self.lab(), host.name)
        ours = sorted(node.plan.housekeeping) if node is not None and node.plan is not None else ()
        invocation = Invocation(
            ("python3", "-I", "-", ",".join(map(str, ours))),
            stdin=files("kubert_tui.facts").joinpath("cluster_watcher.py").read_bytes(),
            timeout=None,
            sudo=True,
            on_stdout=queue.put,
            on_stderr=lambda data: complaints.append(data[:1000]) if len(complaints) < 50 else None,
            cancel=ended,
        )

        def work() -> None:
            try:
                queue.put(host.run(invocation))
            except BaseException as error:
                queue.put(error)

        thread = Thread(target=work, name=f"{host.name} watcher", daemon=True)
        thread.start()
        try:
            self._take(host, queue, complaints, given, over)
        finally:
            ended.set()
            thread.join(10)

    def _take(
        self,
        host: Host,
        queue: "Queue[bytes | Completed | BaseException]",
        complaints: list[bytes],
        given: GivenWatch,
        over: Flag,
    ) -> None:
        lines, newest = Lines(), time.monotonic()
        cluster: LiveCluster | None = None
        cpus: dict[str, GivenCpus] = {}
        while not over.is_set():
            item: bytes | Completed | BaseException = b""
            with suppress(Empty):
                item = queue.get(timeout=TURN)
            if isinstance(item, KubertError):
                raise item
            if isinstance(item, Completed | BaseException):
                said = last_lines(b"".join(complaints), 1) or f"it ended: {item}"
                if isinstance(item, Completed) and not complaints:
                    said = f"it ended with status {item.exit_status}"
                raise KubertError(
                    f"the cluster cannot be watched: {said}",
                    fix="python3 and kubectl have to be there",
                    host=host.name,
                )
            before = cluster
            for told in lines.feed(item, cluster or LiveCluster()):
                newest = time.monotonic()
                if isinstance(told, Sign):
                    self._sign(told, host.name)
                else:
                    cluster = told
            if cluster is not None:
                given.wanted(cluster)
            if cluster is not None and (cluster != before or given.known != cpus):
                cpus = given.known
                self._tell_state(cluster, cpus, host.name, answered=cluster != before)
            if time.monotonic() - newest > SILENCE:
                raise UnreachableError(
                    f"nothing was heard for {SILENCE:.0f} s", fix="check the host and the network",
                    host=host.name,
                )  # fmt: skip

    def _sign(self, sign: Sign, host: str) -> None:
        if sign.paused:
            self._tell(ClusterHeard(paused=sign.paused), host)
        elif sign.trouble:
            fix = _MAKE if sign.trouble == ABSENT else _LOOK
            self._tell(ClusterHeard(trouble=sign.trouble, fix=fix), host)
        else:
            self._tell(ClusterHeard(heard=self.clock()), host)

    def _tell_state(
        self, cluster: LiveCluster, cpus: dict[str, GivenCpus], host: str, *, answered: bool
    ) -> None:
        self.emit(ClusterWatched(stage=STAGE, host=host, cluster=cluster, cpus=cpus))
        if answered and not self._heard.trouble:
            self._tell(ClusterHeard(heard=self.clock()), host)

    def _tell(self, heard: ClusterHeard, host: str) -> None:
        known = heard.heard or self._heard.heard
        self._heard = ClusterHeard(
            stage=STAGE, host=host, heard=known, trouble=heard.trouble, fix=heard.fix,
            paused=heard.paused,
        )  # fmt: skip
        self.emit(self._heard)
