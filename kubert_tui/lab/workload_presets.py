"""Applications that can run in the cluster while it is measured, by name."""

from dataclasses import dataclass

_DPSIM = """\
import dpsimpy
node = dpsimpy.dp.SimNode("n1", dpsimpy.PhaseType.Single, [10])
source = dpsimpy.dp.ph1.VoltageSource("v1")
source.set_parameters(complex(10, 0))
load = dpsimpy.dp.ph1.Resistor("r1")
load.set_parameters(1)
source.connect([dpsimpy.dp.SimNode.gnd, node])
load.connect([node, dpsimpy.dp.SimNode.gnd])
simulation = dpsimpy.RealTimeSimulation("kubert")
simulation.set_system(dpsimpy.SystemTopology(50, [node], [source, load]))
simulation.set_time_step(0.001)
simulation.set_final_time(1e9)
simulation.run(1)
"""
"""A source and a resistor, solved every millisecond of real time, for thirty years."""


@dataclass(frozen=True, slots=True)
class WorkloadPreset:
    """An application. In its command `{n}` is the number of its CPUs."""

    what: str
    """What it does, in one line."""
    command: tuple[str, ...]
    image: str = ""
    """`` where nobody publishes one: the lab file names it."""
    source: str = ""

    def arguments(self, cpus: int) -> tuple[str, ...]:
        """Return the argv for so many CPUs."""
        return tuple(word.replace("{n}", str(cpus)) for word in self.command)


WORKLOAD_PRESETS: dict[str, WorkloadPreset] = {
    "stress-ng": WorkloadPreset(
        "computes on all of its CPUs, with all of stress-ng's methods",
        ("stress-ng", "--quiet", "--cpu", "{n}"),
        source="stress-ng(1)",
    ),
    # cyclictest is a periodic real-time task without a payload, and in an image for real time
    # anyway. It ranks below the one that measures, which has 90 or what the lab says.
    "control-loop": WorkloadPreset(
        "a thread on each of its CPUs that wakes every millisecond with SCHED_FIFO 50",
        ("cyclictest", "--quiet", "--mlockall", "--policy=fifo", "--priority=50",
         "--threads={n}", "--interval=1000", "--distance=0"),
        source="cyclictest(8)",
    ),
    "dpsim": WorkloadPreset(
        "DPsim solves a small circuit every millisecond, in real time",
        ("python3", "-c", _DPSIM),
        "docker.io/sogno/dpsim:latest",
        "https://github.com/sogno-platform/dpsim: its image, and dpsimpy's RealTimeSimulation",
    ),
}  # fmt: skip
