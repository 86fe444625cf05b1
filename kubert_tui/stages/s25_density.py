"""Stage 25: how many applications a node bears."""

from dataclasses import replace

from kubert_tui.checks.cluster import NO_CLUSTER
from kubert_tui.facts.model import Facts
from kubert_tui.lab.model import Lab
from kubert_tui.lab.workload_objects import workload_nodes
from kubert_tui.lab.workloads import NO_WORKLOADS
from kubert_tui.stages.cluster_change import control_plane_helps
from kubert_tui.stages.density_change import DensityChange
from kubert_tui.stages.model import Guide, Where
from kubert_tui.stages.s08_cyclictest import STAGE as ON_HOSTS


def _not_for(facts: Facts, lab: Lab) -> str:
    if lab.cluster is None:
        return NO_CLUSTER
    chosen = [
        one
        for one in lab.workloads
        if not lab.density.workloads or one.name in lab.density.workloads
    ]
    if not chosen:
        return NO_WORKLOADS
    nodes = {host for one in chosen for host in workload_nodes(lab, one)}
    if facts.host in nodes | {lab.parent_of(node) for node in nodes}:
        return ""
    return f"no application runs on {facts.host}"


STAGE = replace(
    ON_HOSTS,
    id="density",
    title="Application density",
    guide=Guide(
        what="Measures every node that runs applications of the lab file (`workloads:`), and the "
        "host beneath it, while more and more of them run there: none, then one of each on each "
        "node, then two, up to `density: {max: 4}`. At each step it waits until all of them are "
        "ready. It ends early where the scheduler finds no room for another.\n\n"
        "The result is a curve for each of them, latency against applications, and the number at "
        "which the lab's limit breaks. Afterwards all of them are removed, whatever happens; a run "
        "that was cut off goes on where it was.",
        why="A latency that holds on an idle node says little about a node that earns its living: "
        "caches, memory and interrupts are shared by all that run there.",
        readme=ON_HOSTS.guide.readme,
        ours="Pods with whole CPUs (Guaranteed) in the namespace kubert-workloads, and the same "
        "cyclictest beside them at each step. `kubert-tui density` runs this stage and prints the "
        "curves; `kubert-tui report` draws them.",
        differs="The README measures once, and nothing runs beside it. " + ON_HOSTS.guide.differs,
    ),
    change=DensityChange(),
    helpers=control_plane_helps,
    where=Where.CLUSTER,
    not_for=_not_for,
)
