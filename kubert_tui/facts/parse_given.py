"""From the sections of the cluster's probe to who has which CPUs of a node."""

import json
from typing import Any

from kubert_tui.base.text import clean_line
from kubert_tui.cpus.lists import cpu_list, cpus_of
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.live_cluster import GivenCpus
from kubert_tui.facts.sections import Sections, then


def given_cpus(sections: Sections) -> GivenCpus:
    """Return what the kubelet's CPU manager wrote down, and what the kubelet was told."""
    if sections.line("measured") == Known("yes"):
        return GivenCpus(paused=True)
    realtime = sections.line("realtime") == Known("1") or _realtime(sections.line("version"))
    state = sections.unless_absent("cpu-state", "{}", sections.line("cpu-state"))
    read = then(state, _state)
    if isinstance(read, Unknown):
        return GivenCpus(realtime=realtime, unknown=read.reason)
    policy, shared, given = read.value
    running = sections.lines("running")
    reserved = _reserved(running.value) if isinstance(running, Known) else ""
    return GivenCpus(policy, reserved, shared, given, realtime)


def _realtime(version: Fact[str]) -> bool:
    return isinstance(version, Known) and "PREEMPT_RT" in version.value


def _reserved(arguments: list[str]) -> str:
    told = [one.partition("=")[2] for one in arguments if one.startswith("--reserved-cpus=")]
    try:
        return cpu_list(cpus_of(told[-1])) if told else ""
    except ValueError:
        return ""


def _state(text: str) -> Fact[tuple[str, str, dict[str, str]]]:
    # {"policyName": "static", "defaultCpuSet": "0,3", "entries": {POD: {CONTAINER: "1-2"}}}
    try:
        data: Any = json.loads(text)
        entries = (data.get("entries") or {}).items()
        given = {
            clean_line(pod): cpu_list(frozenset().union(*map(cpus_of, containers.values())))
            for pod, containers in entries
        }
        policy = clean_line(data.get("policyName", ""), limit=40)
        return Known((policy, cpu_list(cpus_of(data.get("defaultCpuSet", ""))), given))
    except (ValueError, TypeError, AttributeError):
        return Unknown("cpu_manager_state is not what a kubelet writes")
