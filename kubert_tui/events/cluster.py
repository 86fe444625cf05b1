"""Events of a cluster that is watched. They are for who watches: the journal has none of them."""

from dataclasses import dataclass, field

from kubert_tui.events.model import Event
from kubert_tui.facts.live_cluster import GivenCpus, LiveCluster


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterWatched(Event):
    """How a cluster is now; told when anything of it changed. `host` is the control plane."""

    cluster: LiveCluster
    cpus: dict[str, GivenCpus] = field(default_factory=dict)
    """By node: who has which of its CPUs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterHeard(Event):
    """A sign of life of the watch, every ten seconds; or why there is none, and what to do."""

    heard: float = 0.0
    """When the API server answered last, in seconds since the epoch here; 0 for never."""
    trouble: str = ""
    fix: str = ""
    paused: str = ""
    """Why nothing is looked at just now."""
