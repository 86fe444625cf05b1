"""Look at a node of the cluster in one round trip."""

from importlib.resources import files
from secrets import token_hex
from threading import Event as Flag

from kubert_tui.facts.model import ClusterSeen
from kubert_tui.facts.parse_cluster import node
from kubert_tui.facts.sections import split
from kubert_tui.hosts.interface import Host, Invocation

TIMEOUT = 120.0
"""Seconds the probe may take: kubectl is asked eight times, ten seconds each at worst."""
_PARTS = ("probe_frame.sh", "probe_cluster.sh")


def look_at_node(
    host: Host, socket: str, *, lead: bool, cancel: Flag | None = None, sudo: bool = True
) -> ClusterSeen:
    """Return what `host` is as a node; as the control plane (`lead`), what its cluster is, too.

    `socket` is the runtime's. Raises what `Host.run` raises; what is printed raises nothing.
    """
    nonce = f"kubert-{token_hex(16)}"
    path = socket.removeprefix("unix://")
    head = f"nonce={nonce}\nsocket={path}\nlead={'yes' if lead else ''}\n".encode()
    package = files("kubert_tui.facts")
    script = head + b"\n".join(package.joinpath(part).read_bytes() for part in _PARTS)
    done = host.run(
        Invocation(("sh", "-s"), stdin=script, timeout=TIMEOUT, cancel=cancel, sudo=sudo)
    )
    return node(split(done.stdout, nonce, why_none="the probe did not get that far"))
