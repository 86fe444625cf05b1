"""Whether a host is a container: it has the kernel and the processors of another machine."""

from kubert_tui.facts.fact import Known
from kubert_tui.facts.model import Facts

CONTAINERS = frozenset(
    [
        "container",
        "container-other",
        "containerd",
        "docker",
        "kubernetes",
        "lxc",
        "lxc-libvirt",
        "openvz",
        "podman",
        "pouch",
        "proot",
        "rkt",
        "systemd-nspawn",
        "wsl",
    ]
)
"""Kinds of container: systemd-detect-virt(1), and what container runtimes call themselves."""


def container_kind(facts: Facts) -> str:
    """Return the kind of container the host is; `` when it is none, or that is unknown."""
    kind = facts.virtualization
    return kind.value if isinstance(kind, Known) and kind.value in CONTAINERS else ""
