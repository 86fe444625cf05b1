"""Look at a node of the cluster in one round trip."""

from importlib.resources import files
from secrets import token_hex
from shlex import quote
from threading import Event as Flag

from kubert_tui.facts.cluster import ClusterSeen, NodeSeen
from kubert_tui.facts.fact import Fact
from kubert_tui.facts.live_cluster import GivenCpus
from kubert_tui.facts.parse_cluster import node, nodes, pods, server
from kubert_tui.facts.parse_given import given_cpus
from kubert_tui.facts.sections import Sections, split
from kubert_tui.hosts.interface import Host, Invocation

TIMEOUT = 240.0
"""Seconds the probe may take: kubectl is asked seven times, half a minute each at worst."""
_PARTS = ("probe_frame.sh", "probe_cluster.sh")


def look_at_node(
    host: Host, socket: str, *, lead: bool, sudo: bool, cancel: Flag | None = None
) -> ClusterSeen:
    """Return what `host` is as a node; as the control plane (`lead`), what its cluster is, too.

    `socket` is the runtime's. Raises what `Host.run` raises; what is printed raises nothing.
    """
    path = socket.removeprefix("unix://")
    return node(_probe(host, "lead" if lead else "node", sudo, cancel, socket=path))


def look_at_nodes(
    control_plane: Host, *, sudo: bool, cancel: Flag | None = None
) -> tuple[Fact[tuple[NodeSeen, ...]], Fact[str]]:
    """Return what the control plane says of all nodes, and its version. Raises as above."""
    sections = _probe(control_plane, "nodes", sudo, cancel)
    return nodes(sections), server(sections)


def look_at_pods(
    control_plane: Host, node: str, *, sudo: bool, cancel: Flag | None = None
) -> Fact[tuple[str, ...]]:
    """Return the pods (`NAMESPACE/NAME`) that a drain of `node` would move. Raises as above."""
    return pods(_probe(control_plane, "pods", sudo, cancel, node=node))


def look_at_cpus(host: Host, *, sudo: bool, cancel: Flag | None = None) -> GivenCpus:
    """Return who has which CPUs of a node; `paused` while cyclictest runs there.

    Raises as `look_at_node`.
    """
    return given_cpus(_probe(host, "cpus", sudo, cancel))


def _probe(host: Host, part: str, sudo: bool, cancel: Flag | None, **told: str) -> Sections:
    nonce = f"kubert-{token_hex(16)}"
    given = {"nonce": nonce, "part": part, **told}
    head = "".join(f"{key}={quote(value)}\n" for key, value in given.items()).encode()
    package = files("kubert_tui.facts")
    script = head + b"\n".join(package.joinpath(part).read_bytes() for part in _PARTS)
    done = host.run(
        Invocation(("sh", "-s"), stdin=script, timeout=TIMEOUT, cancel=cancel, sudo=sudo)
    )
    return split(done.stdout, nonce, why_none="the probe did not get that far")
