"""Write a machine into a lab file, or take it out; all else in it stays as somebody wrote it."""

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
    return _write(path, file, text, with_machine(text, machine, str(path)), by_hand(machine))


def remove_machine(path: Path, name: str) -> bool:
    """Take a machine out of the lab file's list; False if it is not there. Raises as above."""
    file = Path(os.path.realpath(path))
    text = read_text(file)
    return _write(path, file, text, without_machine(text, name, str(path)), _remove_by_hand(name))


def _write(path: Path, file: Path, before: str, after: str, fix: str) -> bool:
    if before == after:
        return False
    try:
        paths.rewrite(file, after)
    except OSError as error:
        reason = clean_line(error.strerror or str(error))
        shown = clean_line(str(path))
        raise LabFileError(f"{shown} cannot be written: {reason}", fix=fix) from None
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


def without_machine(text: str, machine: str, name: str) -> str:
    """Return a lab file's text without the machine of this name; `name` is the file's."""
    lab = parse_lab(text, name)
    each = tuple(one for one in lab.machines.each if one.name != machine)
    if each == lab.machines.each:
        return text
    edited = _removed(text, machine, last=not each)
    wanted = tuple(one for one in lab.guests if one.name != machine)
    try:
        found = None if edited is None else parse_lab(edited, name)
    except LabFileError:
        found = None
    # Addresses may follow from the place in the list: those of the others stay what they are.
    if edited is None or found is None or found.guests != wanted:
        raise LabFileError(
            f"{clean_line(name)}: {machine} cannot be taken out of it safely",
            fix=_remove_by_hand(machine),
        )
    return edited


def _remove_by_hand(machine: str) -> str:
    return (
        f"Take {machine} out of it yourself. Machines after it whose address is not written get "
        "another one; and something else in the file may name it."
    )


def by_hand(machine: MachineSpec) -> str:
    """Say what belongs into a lab file, for a person to write it there."""
    return "Write it there yourself, under machines:\n" + "\n".join(machine_lines(machine))


def _removed(text: str, machine: str, *, last: bool) -> str | None:
    """The text without the lines of one item, or of all of `machines:` if it is the last one."""
    top = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(top, MappingNode) or top.flow_style:
        return None
    key, there = next(pair for pair in top.value if pair[0].value == "machines")
    if not isinstance(there, SequenceNode) or there.flow_style:
        return None
    for item in there.value:
        named = {one.value: value.value for one, value in item.value}
        if named.get("name") == machine:
            # From the line of its dash, to the end of the line where it ends.
            start = text.rfind("\n", 0, (key if last else item).start_mark.index) + 1
            end = text.find("\n", _end(item))
            return text[:start] + ("" if end < 0 else text[end + 1 :])
    return None


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
