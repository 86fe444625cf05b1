"""Look at a node of the cluster in one round trip."""

from importlib.resources import files
from secrets import token_hex
from threading import Event as Flag

from kubert_tui.facts.cluster import ClusterSeen, NodeSeen
from kubert_tui.facts.fact import Fact
from kubert_tui.facts.live_cluster import GivenCpus
from kubert_tui.facts.parse_cluster import node, nodes
from kubert_tui.facts.parse_given import given_cpus
from kubert_tui.facts.sections import Sections, split
from kubert_tui.hosts.interface import Host, Invocation

TIMEOUT = 120.0
"""Seconds the probe may take: kubectl is asked eight times, ten seconds each at worst."""
_PARTS = ("probe_frame.sh", "probe_cluster.sh")


def look_at_node(
    host: Host, socket: str, *, lead: bool, sudo: bool, cancel: Flag | None = None
) -> ClusterSeen:
    """Return what `host` is as a node; as the control plane (`lead`), what its cluster is, too.

    `socket` is the runtime's. Raises what `Host.run` raises; what is printed raises nothing.
    """
    return node(_probe(host, "lead" if lead else "node", sudo, cancel, socket))


def look_at_nodes(
    control_plane: Host, *, sudo: bool, cancel: Flag | None = None
) -> Fact[tuple[NodeSeen, ...]]:
    """Return what the control plane says of all nodes. Raises as `look_at_node`."""
    return nodes(_probe(control_plane, "nodes", sudo, cancel))


def look_at_cpus(host: Host, *, sudo: bool, cancel: Flag | None = None) -> GivenCpus:
    """Return who has which CPUs of a node; `paused` while cyclictest runs there.

    Raises as `look_at_node`.
    """
    return given_cpus(_probe(host, "cpus", sudo, cancel))


def _probe(host: Host, part: str, sudo: bool, cancel: Flag | None, socket: str = "") -> Sections:
    nonce = f"kubert-{token_hex(16)}"
    head = f"nonce={nonce}\nsocket={socket.removeprefix('unix://')}\npart={part}\n".encode()
    package = files("kubert_tui.facts")
    script = head + b"\n".join(package.joinpath(part).read_bytes() for part in _PARTS)
    done = host.run(
        Invocation(("sh", "-s"), stdin=script, timeout=TIMEOUT, cancel=cancel, sudo=sudo)
    )
    return split(done.stdout, nonce, why_none="the probe did not get that far")
