"""Write a machine into a lab file, leaving everything else in it as somebody wrote it."""

import os
from pathlib import Path

import yaml
from yaml.nodes import MappingNode, Node, SequenceNode

from kubert_tui.base import paths
from kubert_tui.base.errors import LabFileError
from kubert_tui.base.text import clean_line
from kubert_tui.lab.load import parse_lab, read_text
from kubert_tui.lab.machines import MachineSpec, MachinesSpec
from kubert_tui.lab.write import machine_lines


def save_machine(path: Path, machine: MachineSpec) -> bool:
    """Add a machine to the lab file; False if it is there already, just like that.

    Raises LabFileError when the file is not valid, is written too unusually to be edited, or
    cannot be written; nothing has changed then, and the fix says what belongs there.
    """
    file = Path(os.path.realpath(path))
    text = read_text(file)
    edited = with_machine(text, machine, str(path))
    if edited == text:
        return False
    try:
        paths.rewrite(file, edited)
    except OSError as error:
        reason = clean_line(error.strerror or str(error))
        shown = clean_line(str(path))
        raise LabFileError(f"{shown} cannot be written: {reason}", fix=by_hand(machine)) from None
    return True


def with_machine(text: str, machine: MachineSpec, name: str) -> str:
    """Return a lab file's text with the machine in it; `name` is the file's, for errors."""
    lab = parse_lab(text, name)
    shown = clean_line(name)
    if machine in lab.machines.each:
        return text
    if lab.machines.preset:
        raise LabFileError(
            f"{shown}: its machines are those of a preset, to which none can be added",
            fix=f"write them one by one (machines: a list). {by_hand(machine)}",
        )
    if any(one.name == machine.name for one in lab.machines.each):
        raise LabFileError(
            f"{shown}: there is another machine {machine.name} in it", fix=by_hand(machine)
        )
    # It may not fit the rest: that is told as the lab file's problem.
    edited = _added(text, machine)
    each = (*lab.machines.each, machine)
    if edited is None or parse_lab(edited, name).machines != MachinesSpec(each=each):
        raise LabFileError(
            f"{shown}: its machines are written in a way that cannot be edited safely",
            fix=by_hand(machine),
        )
    return edited


def by_hand(machine: MachineSpec) -> str:
    """Say what belongs into a lab file, for a person to write it there."""
    return "Write it there yourself, under machines:\n" + "\n".join(machine_lines(machine))


def _added(text: str, machine: MachineSpec) -> str | None:
    newline = "\r\n" if "\r\n" in text else "\n"
    top = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(top, MappingNode) or top.flow_style:
        return None
    there = next((value for key, value in top.value if key.value == "machines"), None)
    if there is None:
        lines = ["", "machines:", *machine_lines(machine)]
        return text + ("" if text.endswith("\n") else newline) + newline.join([*lines, ""])
    if not isinstance(there, SequenceNode) or there.flow_style or not there.value:
        return None
    end = _end(there)
    # After what else is on the line, such as a comment.
    after = text.find("\n", end)
    after = len(text) if after < 0 else after - text[:after].endswith("\r")
    indent = " " * there.start_mark.column
    lines = [indent + line.removeprefix("  ") for line in machine_lines(machine)]
    return text[:after] + "".join(newline + line for line in lines) + text[after:]


def _end(node: Node) -> int:
    """Where a node ends; a block does where its last value does, not at the next one."""
    while isinstance(node, MappingNode | SequenceNode) and node.value and not node.flow_style:
        item = node.value[-1]
        node = item[1] if isinstance(node, MappingNode) else item
    return node.end_mark.index
