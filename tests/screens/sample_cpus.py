"""Hosts whose CPUs are planned."""

from kubert_tui.cpus.plan import propose
from kubert_tui.cpus.topology import Cpu, Topology
from kubert_tui.events.questions import Choice, HostCpus, Question, QuestionKind


def topology(cores: int, *, threads: int = 1, sockets: int = 1, nodes: int = 1) -> Topology:
    """A host numbered as Intel's firmware does it: first threads first."""
    return Topology(
        tuple(
            sorted(
                Cpu(thread * cores + core, core, core * sockets // cores, core * nodes // cores)
                for core in range(cores)
                for thread in range(threads)
            )
        )
    )


TWIN = topology(40, threads=2, sockets=2, nodes=2)
"""The README's machines before hyperthreading is off: 80 CPUs."""
LARGE = topology(128, threads=2, sockets=2, nodes=8)
"""256 CPUs on eight nodes."""


def host(name: str, of: Topology, replaces: str = "") -> HostCpus:
    """A host of a question, with what is proposed for it."""
    return HostCpus(
        host=name,
        topology=of,
        plan=propose(of),
        replaces=replaces,
        isolated=(),
        cards={0: ("eno1np0", "eno2np1")},
    )


def question(*hosts: HostCpus, number: int = 9, saves: bool = True) -> Question:
    """The question for some hosts."""
    save = (Choice.SAVE,) if saves else ()
    return Question(
        number=number,
        kind=QuestionKind.CPU_PLAN,
        text="Which CPUs keep house, which are isolated for real time?",
        choices=(*save, Choice.APPLY, Choice.SKIP, Choice.NO),
        cpus=hosts,
    )
