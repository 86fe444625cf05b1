"""A driver of practice machines that only plays: nothing of this computer is touched."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kubert_tui.practice.model import Kind, Machine
from kubert_tui.practice.pace import Pace, Step
from kubert_tui.practice.state import LabDirectory
from kubert_tui.practice.tools import Tool


@dataclass
class PlayedMachine:
    """A machine that answers once it runs."""

    name: str
    console: Path
    address: str = "10.213.7.11"
    port: int = 2201
    on: bool = False
    dies: bool = False
    starts: int = 0
    dropping: bool = False

    def running(self) -> bool:
        return self.on

    def start(self) -> None:
        self.starts += 1
        self.on = not self.dies

    def cut_power(self) -> None:
        self.on = False

    def reset(self) -> None:
        self.cut_power()
        self.start()

    def drop_packets(self, drop: bool) -> None:
        self.dropping = drop


@dataclass
class PlayedDriver:
    """Notes what it is asked to do."""

    kind: Kind = Kind.CONTAINERS
    text: str = "recipe 1"
    tools: list[Tool] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    made: dict[str, PlayedMachine] = field(default_factory=dict)
    on_build: Callable[[Path, Pace], None] = lambda target, pace: None
    build_steps: Sequence[Step] = (Step("fetching", 30), Step("unpacking", 10))
    dying: bool = False

    def missing(self) -> list[Tool]:
        return self.tools

    def recipe(self) -> str:
        return self.text

    def build(self, target: Path, pace: Pace) -> None:
        self.done.append("build")
        for step in self.build_steps:
            pace.begin(step.name)
            (target / step.name).write_text("done")
        self.on_build(target, pace)

    def discard(self, target: Path) -> None:
        self.done.append("discard")

    def create(self, lab: LabDirectory, image: Path) -> None:
        self.done.append(f"create from {image.name}")
        for name in lab.machines:
            lab.of(name).mkdir(exist_ok=True)
            console = lab.of(name) / "console"
            console.write_text("the last words\n")
            self.made.setdefault(name, PlayedMachine(name, console, dies=self.dying))

    def machines(self, lab: LabDirectory) -> tuple[Machine, ...]:
        return tuple(self.made.values())

    def destroy(self, lab: LabDirectory) -> None:
        self.done.append("destroy")
        self.made.clear()
