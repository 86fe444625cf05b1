"""Write CPU plans into a lab file, leaving everything else in it as somebody wrote it."""

import os
from collections.abc import Mapping
from pathlib import Path

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from kubert_tui.base import paths
from kubert_tui.base.errors import LabFileError
from kubert_tui.base.text import clean_line
from kubert_tui.cpus.plan import CpuPlan
from kubert_tui.lab.cpus import CpusSpec
from kubert_tui.lab.load import parse_lab, read_text
from kubert_tui.lab.write import cpus_lines

_Edit = tuple[int, int, str]
"""From, to, and what stands there instead."""


def save_plans(path: Path, plans: Mapping[str, CpuPlan]) -> None:
    """Write the plans of hosts, by name, into the lab file; comments and the rest stay.

    Raises LabFileError when the file is not valid, is written too unusually to be edited, or
    cannot be written; nothing has changed then.
    """
    # A link stays one.
    file = Path(os.path.realpath(path))
    text = with_plans(read_text(file), plans, str(path))
    try:
        paths.rewrite(file, text)
    except OSError as error:
        reason = clean_line(error.strerror or str(error))
        shown = clean_line(str(path))
        raise LabFileError(f"{shown} cannot be written: {reason}", fix=by_hand(plans)) from None


def with_plans(text: str, plans: Mapping[str, CpuPlan], name: str) -> str:
    """Return a lab file's text with these plans in it; `name` is the file's, for errors."""
    wanted = parse_lab(text, name).with_plans(plans)
    newline = "\r\n" if "\r\n" in text else "\n"
    edits: list[_Edit] = []
    for host in _hosts(text):
        plan = plans.get(_text(_value(host, "name")))
        if plan is not None:
            edits += _edits(text, host, CpusSpec.of(plan), newline)
    edited = text
    for start, end, put in sorted(edits, reverse=True):
        edited = edited[:start] + put + edited[end:]
    try:
        same = parse_lab(edited, name) == wanted
    except LabFileError:
        same = False
    if not same:
        raise LabFileError(
            f"{clean_line(name)}: its hosts are written in a way that cannot be edited safely",
            fix=by_hand(plans),
        )
    return edited


def by_hand(plans: Mapping[str, CpuPlan]) -> str:
    """Say what belongs into a lab file, for a person to write it there."""
    told = "; ".join(f"{host}: {one_line(plan)}" for host, plan in plans.items())
    return f"Write it there yourself, under each host. {told}"


def one_line(plan: CpuPlan) -> str:
    """Return a plan as one line of YAML."""
    return f"cpus: {_in_braces(CpusSpec.of(plan))}"


def _hosts(text: str) -> list[MappingNode]:
    top = yaml.compose(text, Loader=yaml.SafeLoader)
    hosts = _value(top, "hosts") if isinstance(top, MappingNode) else None
    items = hosts.value if isinstance(hosts, SequenceNode) else []
    return [item for item in items if isinstance(item, MappingNode)]


def _edits(text: str, host: MappingNode, spec: CpusSpec, newline: str) -> list[_Edit]:
    there = _value(host, "cpus")
    if isinstance(there, MappingNode):
        parts = [_value(there, "housekeeping"), _value(there, "isolated")]
        if all(isinstance(part, ScalarNode) for part in parts):
            new = (f'"{spec.housekeeping}"', f'"{spec.isolated}"')
            return [(*_span(part), put) for part, put in zip(parts, new, strict=True) if part]
    if there is not None:
        start, end = _span(there)
        put = f" {_in_braces(spec)}" if start == end else _in_braces(spec)
        return [(start, end, put)]
    if host.flow_style:
        _, end = _span(_last(host))
        return [(end, end, f", cpus: {_in_braces(spec)}")]
    _, end = _span(host)
    # After what else is on the line, such as a comment.
    after = text.find("\n", end)
    after = len(text) if after < 0 else after - text[:after].endswith("\r")
    indent = " " * host.start_mark.column
    return [(after, after, "".join(f"{newline}{indent}{line}" for line in cpus_lines(spec)))]


def _in_braces(spec: CpusSpec) -> str:
    return f'{{housekeeping: "{spec.housekeeping}", isolated: "{spec.isolated}"}}'


def _value(node: Node, key: str) -> Node | None:
    pairs = node.value if isinstance(node, MappingNode) else []
    return next((value for name, value in pairs if _text(name) == key), None)


def _text(node: Node | None) -> str:
    return str(node.value) if isinstance(node, ScalarNode) else ""


def _span(node: Node) -> tuple[int, int]:
    """Return where a node stands; a block ends where its last value does, not at the next one."""
    last = node
    while isinstance(last, MappingNode | SequenceNode) and last.value and not last.flow_style:
        last = _last(last)
    return node.start_mark.index, last.end_mark.index


def _last(node: MappingNode | SequenceNode) -> Node:
    item = node.value[-1]
    found: Node = item[1] if isinstance(node, MappingNode) else item
    return found
