"""YAML from files that may be built to exhaust us: bounded, and without aliases."""

from typing import Any, ClassVar

import yaml
from yaml.nodes import Node


class BoundedLoader(yaml.SafeLoader):
    """Composes no more nodes, and none deeper, than its kind of file has; else MarkedYAMLError."""

    node_limit: ClassVar[int]
    depth_limit: ClassVar[int]

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.count = 0
        self.depth = 0

    def exhausted(self) -> str:
        """Return what is said of a file beyond the limits."""
        raise NotImplementedError

    def compose_node(self, parent: Node | None, index: object) -> Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        mark: Any = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="aliases are not supported", problem_mark=mark)
        self.count += 1
        self.depth += 1
        if self.count > self.node_limit or self.depth > self.depth_limit:
            raise yaml.MarkedYAMLError(problem=self.exhausted(), problem_mark=mark)
        try:
            node: Node | None = super().compose_node(parent, index)  # type: ignore[arg-type]
        finally:
            self.depth -= 1
        return node
