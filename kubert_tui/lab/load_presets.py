"""Loads that can run beside a measurement, by name: what each does, and with which command.

A latency without load says little: what was not asked for cannot come in between. The presets
use what the field uses: stress-ng and hackbench, as rteval and OSADL's tests do.
"""

from dataclasses import dataclass

STRESS_NG = "stress-ng"
HACKBENCH = "hackbench"

_STRESSING = ("--quiet", "--timeout", "3600", "--temp-path", "load.tmp")
"""What has ended well is started again, so stress-ng's own end matters only when everything that
watches it was killed: then it is over within an hour. Its files are the run's own."""

_MANUAL = "stress-ng(1)"


@dataclass(frozen=True, slots=True)
class LoadPreset:
    """A load. In its arguments `{n}` is the number of CPUs, `{few}` that, but at most 4."""

    name: str
    what: str
    """What it does, in one line."""
    tool: str = ""
    """The program it needs on the host; empty when nothing is started."""
    arguments: tuple[str, ...] = ()
    source: str = ""

    def command(self, program: str, cpus: str, count: int) -> tuple[str, ...]:
        """Return the argv: `program` (the tool's path) on the `count` CPUs of the list `cpus`.

        taskset, because what is started by itself has only the CPUs that are not isolated.
        ValueError for a preset that starts nothing.
        """
        if not self.tool:
            raise ValueError(f"{self.name} starts nothing")
        numbers = {"n": count, "few": min(count, 4), "groups": min(max(count, 2), 20)}
        words = (word.format(**numbers) for word in self.arguments)
        return ("taskset", "-c", cpus, program, *words)


_CPU = ("--cpu", "{n}")
_MEMORY = ("--vm", "{n}", "--vm-bytes", "25%")
_DISK = ("--hdd", "{few}", "--hdd-bytes", "256M", "--hdd-opts", "fdatasync")
_NETWORK = ("--sock", "{n}", "--sock-port", "23000", "--udp", "{n}", "--udp-port", "24000")

LOAD_PRESETS: dict[str, LoadPreset] = {
    preset.name: preset
    for preset in (
        LoadPreset("none", "nothing beside cyclictest"),
        LoadPreset(
            "coffee",
            "the README's: nothing is started, you grab a coffee",
            source="kubert README: Real-time test",
        ),
        LoadPreset(
            "cpu",
            "computes on every CPU, with all of stress-ng's methods",
            STRESS_NG,
            (*_STRESSING, *_CPU),
            _MANUAL,
        ),
        LoadPreset(
            "memory",
            "maps, writes and checks a quarter of free memory",
            STRESS_NG,
            (*_STRESSING, *_MEMORY),
            _MANUAL,
        ),
        LoadPreset(
            "disk",
            "writes up to 256 MB to the run's disk, over and over",
            STRESS_NG,
            (*_STRESSING, *_DISK),
            _MANUAL,
        ),
        LoadPreset(
            "network",
            "TCP and UDP over loopback (ports 23000 and 24000 and up)",
            STRESS_NG,
            (*_STRESSING, *_NETWORK),
            _MANUAL,
        ),
        LoadPreset(
            "hackbench",
            "many processes that wake each other through sockets",
            HACKBENCH,
            ("-g", "{groups}", "-l", "10000"),
            "hackbench(8) of rt-tests; one of rteval's loads",
        ),
        LoadPreset(
            "all",
            "cpu, memory, disk and network at once",
            STRESS_NG,
            (*_STRESSING, *_CPU, *_MEMORY, *_DISK, *_NETWORK),
            _MANUAL,
        ),
    )
}


def starts_nothing(name: str) -> bool:
    """Whether a preset is no load at all."""
    return not LOAD_PRESETS[name].tool
