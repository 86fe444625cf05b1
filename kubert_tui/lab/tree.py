"""A lab file as plain data, with the line of every key.

Scalars stay the text that was written: YAML would make 2.1 of a version 2.10 and a truth
value of the login `no`. The model knows which keys are numbers.
"""

from dataclasses import dataclass, field

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from kubert_tui.base.text import clean_line
from kubert_tui.lab.bounded_yaml import BoundedLoader
from kubert_tui.lab.rules import Location

NODE_LIMIT = 5_000
DEPTH_LIMIT = 20

_PLAIN_TAGS = {
    f"tag:yaml.org,2002:{name}"
    for name in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value", "map", "seq")
}

Data = str | None | list["Data"] | dict[str, "Data"]


@dataclass(slots=True)
class Tree:
    """What a file says, where, and what was wrong with its YAML."""

    data: Data = None
    lines: dict[Location, int] = field(default_factory=dict)
    problems: list[tuple[int, str, str]] = field(default_factory=list)
    """Line, what, hint."""

    def line(self, location: Location) -> int:
        """Return the line of a place, or of the nearest place around it."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, 1)


class _Loader(BoundedLoader):
    """Composes nodes only; stops at files that are built to exhaust us."""

    node_limit = NODE_LIMIT
    depth_limit = DEPTH_LIMIT

    def exhausted(self) -> str:
        what = "too many values" if self.count > NODE_LIMIT else "nested too deeply"
        return f"{what} for a lab file"


def read_tree(text: str) -> Tree:
    """Return the data of `text`; YAML that cannot be read is in `problems`, nothing raised."""
    tree = Tree()
    loader: _Loader | None = None
    try:
        # Its constructor only composes: no tag is ever turned into an object.
        loader = _Loader(text)
        node = loader.get_single_node()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        tree.problems.append((line, "expected text, got a control character", "is it YAML?"))
    except yaml.MarkedYAMLError as error:
        tree.problems.append(_syntax_problem(error))
    except (ValueError, OverflowError):
        # PyYAML's scanner: a character beyond Unicode (`"\\UFFFFFFFF"`), a version of 5000 digits.
        what = "expected a character or number that exists"
        tree.problems.append((loader.line + 1 if loader else 1, what, "is it YAML?"))
    else:
        if node is not None:
            tree.lines[()] = node.start_mark.line + 1
            tree.data = _plain(node, (), tree)
    return tree


def _syntax_problem(error: yaml.MarkedYAMLError) -> tuple[int, str, str]:
    mark = error.problem_mark or error.context_mark
    what = clean_line(" ".join(filter(None, (error.context, error.problem))))
    hint = "check indentation, quotes and brackets"
    if "'\\t'" in what:
        hint = "indent with spaces, not tabs"
    elif "aliases" in what:
        hint = "write the value out"
    elif "single document" in what:
        hint = "one lab per file: remove the `---` in the middle"
    return (mark.line + 1 if mark else 1), what, hint


def _plain(node: Node, location: Location, tree: Tree) -> Data:
    line = node.start_mark.line + 1
    if node.tag not in _PLAIN_TAGS:
        what = f"expected a plain value, got the tag {clean_line(node.tag)}"
        tree.problems.append((line, what, "remove the tag"))
        return None
    if isinstance(node, SequenceNode):
        items: list[Data] = []
        for index, child in enumerate(node.value):
            tree.lines[*location, index] = child.start_mark.line + 1
            items.append(_plain(child, (*location, index), tree))
        return items
    if isinstance(node, MappingNode):
        return _mapping(node, location, tree)
    written = isinstance(node, ScalarNode) and not node.tag.endswith(":null")
    return str(node.value) if written else None


def _mapping(node: MappingNode, location: Location, tree: Tree) -> dict[str, Data]:
    result: dict[str, Data] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, ScalarNode):
            tree.problems.append((line, "expected a word as key", "quote it if it has brackets"))
            continue
        key = str(key_node.value)
        place = (*location, key)
        if key in result:
            first = tree.lines[place]
            what = f"{clean_line(key)}: given twice, first in line {first}"
            tree.problems.append((line, what, "keep one"))
            continue
        tree.lines[place] = line
        result[key] = _plain(value_node, place, tree)
    return result
