"""From the sections of the cluster's probe to what a node is."""

import json
import re
import shlex
from collections.abc import Iterable

import yaml

from kubert_tui.base.text import clean_line
from kubert_tui.facts.cluster import ClusterSeen, Kubelet, NodeSeen
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.parse_certificates import certificates
from kubert_tui.facts.sections import Section, Sections, cpu_list, keyed, then

NODES_LIMIT = 5000
"""Nodes that a cluster may have, by Kubernetes' own limits."""


def node(sections: Sections) -> ClusterSeen:
    """Return what a node told of itself; on the control plane, of its cluster, too."""
    unit = then(sections.lines("unit"), lambda lines: Known(keyed(lines, "=")))
    return ClusterSeen(
        kubeadm=_version(sections, "kubeadm"),
        kubelet_version=_version(sections, "kubelet"),
        unit=then(unit, _unit),
        at_boot=then(unit, lambda told: Known(told.get("UnitFileState") == "enabled")),
        runtime=then(sections.line("runtime"), lambda text: Known(text == "there")),
        swaps=then(sections.lines("swaps"), lambda lines: Known(max(0, len(lines) - 1))),
        forwarding=then(sections.line("forwarding"), lambda text: Known(text == "1")),
        selinux=sections.unless_absent("selinux", "", then(sections.line("selinux"), _selinux)),
        routes=then(sections.lines("routes"), _routes),
        files=then(sections.lines("made"), lambda lines: Known(frozenset(lines))),
        kubelet=_kubelet(sections),
        server_cpus=then(sections.lines("server-cpus"), _server_cpus),
        api=_ready(sections),
        complete=then(sections.lines("last-made"), _missing),
        certificates=then(sections.lines("certificates"), certificates),
        made_of=then(sections.lines("made-of"), _made_of),
        server=server(sections),
        nodes=nodes(sections),
    )


def server(sections: Sections) -> Fact[str]:
    """Return the API server's version; `` where there is no control plane yet."""
    read: Fact[str] = then(sections.good("server"), _server)
    return sections.unless_absent("server", "", read)


def pods(sections: Sections) -> Fact[tuple[str, ...]]:
    """Return those that are neither a DaemonSet's nor the kubelet's own."""
    return then(sections.lines("pods"), _movable)


def nodes(sections: Sections) -> Fact[tuple[NodeSeen, ...]]:
    """Return the nodes that the API server knows; () where there is no control plane yet."""
    read = then(sections.lines("nodes"), _nodes)
    return sections.unless_absent("nodes", (), read)


def _nodes(lines: list[str]) -> Fact[tuple[NodeSeen, ...]]:
    found = []
    for line in lines[:NODES_LIMIT]:
        words = clean_line(line, limit=4000).split("|")
        if len(words) != 7:
            return Unknown(f"kubectl get nodes told what is no node: {clean_line(line, limit=60)}")
        name, version, address, cidr, unschedulable, kept_off, told = words
        states = dict(word.split("=", 1) for word in told.split() if "=" in word)
        ready = states.pop("Ready", "Unknown") == "True"
        wrong = tuple(kind for kind, state in states.items() if state != "False")
        free = unschedulable != "true"
        found.append(NodeSeen(name, version, address, ready, wrong, cidr, free, kept_off))
    return Known(tuple(found))


def _server(section: Section) -> Fact[str]:
    try:
        data = json.loads(section.content)
    except ValueError:
        data = None
    version = data.get("gitVersion") if isinstance(data, dict) else None
    if not isinstance(version, str):
        return Unknown("the API server did not tell its version")
    return Known(clean_line(version, limit=40))


def _movable(lines: list[str]) -> Fact[tuple[str, ...]]:
    found = []
    for line in lines:
        name, *more = clean_line(line, limit=600).split("|")
        if len(more) != 2:
            return Unknown(f"kubectl get pods told what is no pod: {clean_line(line, limit=60)}")
        if more[0] != "DaemonSet" and not more[1]:
            found.append(name)
    return Known(tuple(found))


def _version(sections: Sections, name: str) -> Fact[str]:
    section = sections[name]
    if isinstance(section, Section) and section.missing:
        return Known("")
    return then(sections.line(name), lambda text: Known(text.split()[-1]))


def _routes(lines: list[str]) -> Fact[frozenset[str]]:
    words = [line.split() for line in lines]
    return Known(frozenset(" ".join(one[:3]) for one in words if one[1:2] == ["via"]))


def _selinux(text: str) -> Fact[str]:
    return Known("permissive" if text == "0" else "enforcing")


def _unit(told: dict[str, str]) -> Fact[str]:
    if told.get("LoadState") == "not-found":
        return Known("absent")
    state = told.get("ActiveState", "")
    return Known(state) if state else Unknown("systemctl gave no state of kubelet.service")


def _kubelet(sections: Sections) -> Kubelet:
    settings: Fact[dict[str, str]] = then(sections.good("settings"), _settings)
    policy: Fact[str] = then(sections.line("cpu-state"), _policy)
    configured: Fact[tuple[str, ...]] = then(sections.lines("configured"), _configured)
    return Kubelet(
        configured=sections.unless_absent("configured", (), configured),
        running=then(sections.lines("running"), lambda lines: Known(tuple(lines))),
        settings=sections.unless_absent("settings", {}, settings),
        cpu_policy=sections.unless_absent("cpu-state", "", policy),
    )


def _configured(lines: list[str]) -> Fact[tuple[str, ...]]:
    value = ""
    for line in lines:
        key, _, rest = line.strip().partition("=")
        if key == "KUBELET_EXTRA_ARGS":
            value = rest
    try:
        words = shlex.split(value)
        # The whole value may be between quotation marks, as systemd takes it.
        return Known(tuple(word for text in words for word in text.split()))
    except ValueError:
        return Unknown("KUBELET_EXTRA_ARGS has a quotation mark that is not closed")


def _settings(section: Section) -> Fact[dict[str, str]]:
    try:
        data = yaml.safe_load("\n".join(section.lines))
    except yaml.YAMLError:
        return Unknown(f"{section.subject} is not YAML")
    if not isinstance(data, dict):
        return Unknown(f"{section.subject} has no keys")
    plain = (str, int, float, bool)
    return Known(
        {
            str(key): clean_line(str(value))
            for key, value in data.items()
            if isinstance(value, plain)
        }
    )


def _policy(text: str) -> Fact[str]:
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    policy = data.get("policyName") if isinstance(data, dict) else None
    if not isinstance(policy, str):
        return Unknown("cpu_manager_state has no policyName")
    return Known(clean_line(policy, limit=40))


def _server_cpus(lines: Iterable[str]) -> Fact[tuple[int, ...]]:
    told = next((line.partition(":")[2] for line in lines), "")
    return cpu_list(told, "Cpus_allowed_list")


def _ready(sections: Sections) -> Fact[bool]:
    section = sections["api"]
    if isinstance(section, Unknown):
        return section
    return Known(section.status == "0" and section.content.strip() == b"ok")


_RELEASE = re.compile(r"v[0-9.]+")
_LAST = {
    "configmap/kubeadm-config": "kubeadm-config",
    "configmap/cluster-info": "cluster-info",
    "rolebinding.rbac.authorization.k8s.io/kubeadm:bootstrap-signer-clusterinfo": (
        "bootstrap-signer-clusterinfo"
    ),
    "daemonset.apps/kube-proxy": "kube-proxy",
    "service/kube-dns": "coredns",
}


def _no_answer(line: str) -> Unknown:
    return Unknown(f"the API server did not answer: {clean_line(line, limit=120)}")


def _made_of(lines: list[str]) -> Fact[tuple[str, ...]]:
    refused = [line for line in lines if not _RELEASE.fullmatch(line)]
    if refused:
        return _no_answer(refused[0])
    return Known(tuple(lines))


def _missing(lines: list[str]) -> Fact[tuple[str, ...]]:
    refused = [line for line in lines if line not in _LAST and "NotFound" not in line]
    if refused:
        return _no_answer(refused[0])
    return Known(tuple(name for line, name in _LAST.items() if line not in lines))
