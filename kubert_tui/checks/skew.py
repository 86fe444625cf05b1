"""Which versions of Kubernetes go together, and which one may follow which: its skew policy.

https://kubernetes.io/releases/version-skew-policy/ and kubeadm's own rules. Texts say what is
wrong; `` is for nothing.
"""

import re
from collections.abc import Mapping

_NUMBERS = re.compile(r"v?([0-9]{1,4})[.]([0-9]{1,4})(?:[.]([0-9]{1,4}))?(?![0-9.])", re.ASCII)
_THREE_FROM = 25
"""From this minor release on a kubelet may be three of them older than the API server, not two."""

Version = tuple[int, ...]
"""(1, 36, 4), or (1, 36) where any patch is meant."""


def version_of(text: str) -> Version | None:
    """Return the numbers of `v1.36.4`, `1.36.4` or `1.36`; None if it is no version."""
    found = _NUMBERS.match(text)
    return tuple(int(one) for one in found.groups() if one is not None) if found else None


def is_version(told: str, wanted: str) -> bool:
    """Whether v1.36.4 is 1.36.4, or one of 1.36."""
    return re.match(rf"v?{re.escape(wanted)}(?![0-9])", told) is not None


def step(running: str, wanted: str) -> int | None:
    """Return how many minor releases `wanted` is ahead of `running`; negative for behind.

    0 within one minor release; None if one of them is no version.
    """
    old, new = version_of(running), version_of(wanted)
    if old is None or new is None:
        return None
    return new[1] - old[1] if old[0] == new[0] else 100 * (new[0] - old[0])


def older(wanted: str, running: str) -> bool:
    """Whether `wanted` is older than what runs; 1.36 is not older than any 1.36.4."""
    old, new = version_of(running), version_of(wanted)
    return old is not None and new is not None and new < old[: len(new)]


def kubelet_problem(node: str, kubelet: str, server: str) -> str:
    """Return why a node's kubelet does not go with an API server."""
    ahead = step(server, kubelet)
    if ahead is None:
        return f"{node} runs {kubelet or 'an unknown version'}, the API server {server}"
    if ahead > 0:
        return f"{node} runs {kubelet}, newer than the API server, {server}"
    numbers = version_of(kubelet) or (1, 0)
    allowed = 3 if numbers[1] >= _THREE_FROM else 2
    if -ahead > allowed:
        return (
            f"{node} runs {kubelet}; with an API server {server} it may be {allowed} minor "
            "releases older at most"
        )
    return ""


def upgrade_problem(server: str, wanted: str, kubelets: Mapping[str, str]) -> tuple[str, str]:
    """Return why a cluster may not be upgraded to `wanted`, and what to do; (``, ``) if it may.

    `kubelets` are the versions of all nodes by name.
    """
    ahead = step(server, wanted)
    if ahead is None:
        return f"the API server says that it is {server or 'nothing'}", "see what runs there"
    told = f"the cluster runs {server}, the lab file says {wanted}"
    if older(wanted, server):
        told = f"{told}, which is older: Kubernetes cannot go back"
        return told, f"set cluster.kubernetes to {server.removeprefix('v')} in the lab file"
    if ahead > 1:
        major, minor = (version_of(server) or (1, 0))[:2]
        told = f"{told}: that is {ahead} minor releases at once, and only one is allowed"
        return told, f"set cluster.kubernetes to {major}.{minor + 1} first, upgrade, then go on"
    for node, version in kubelets.items():
        for api in (server, wanted):
            if problem := kubelet_problem(node, version, api):
                return problem, f"bring {node} to {server} first: drain it, and upgrade its kubelet"
    return "", ""
