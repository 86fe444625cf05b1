"""Manifests of a lab's own applications: read, and judged before anything reaches a cluster."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, SequenceNode

from kubert_tui.base.errors import LabFileError
from kubert_tui.base.text import clean_line
from kubert_tui.lab.bounded_yaml import BoundedLoader

SCALED = ("Deployment", "StatefulSet", "ReplicaSet")
"""Kinds that have replicas: so many more are another application."""
CARRIED = ("ConfigMap", "Service")
"""Kinds that stand beside them, once however many applications run."""
SIZE_LIMIT = 1024 * 1024
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_PLACES = ("nodeName", "nodeSelector", "affinity", "topologySpreadConstraints", "tolerations")
"""Of a pod's specification: where it runs is the lab file's to say."""


@dataclass(frozen=True, slots=True)
class Document:
    """One object of a manifest, as plain data."""

    data: Mapping[str, Any]
    replicas: int
    """As written, 1 if it does not say; 0 for a kind that has none."""

    @property
    def kind(self) -> str:
        """Such as Deployment."""
        return str(self.data["kind"])

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.data["metadata"]["name"])


class _Loader(BoundedLoader):
    """Plain data as kubectl reads it: a date stays the text it is. No aliases, no endless files."""

    node_limit = 20_000
    depth_limit = 40

    def exhausted(self) -> str:
        return "too much for a manifest"


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_manifest(path: Path) -> tuple[Document, ...]:
    """Return the objects in the file `path`.

    Raises LabFileError with one `file:line: what` per problem.
    """
    shown = clean_line(str(path))
    try:
        with path.open("rb") as file:
            content = file.read(SIZE_LIMIT + 1)
        text = content.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = clean_line(getattr(error, "strerror", None) or str(error))
        raise LabFileError(
            f"the manifest {shown} cannot be read: {reason}",
            fix="its path counts from where the lab file lies",
        ) from None
    if len(content) > SIZE_LIMIT:
        raise LabFileError(f"{shown}:1: larger than 1 MiB", fix="is it a manifest?")
    return parse_manifest(text, shown)


def parse_manifest(text: str, name: str) -> tuple[Document, ...]:
    """Return the objects in `text`; `name` is the file's, for errors. Raises LabFileError."""
    found, problems = [], []
    try:
        loader = _Loader(text)
        while loader.check_node():
            node = loader.get_node()
            if node is None or (not isinstance(node, MappingNode) and not node.value):
                continue  # `---` and nothing after it
            own = list(_problems(node))
            problems += own
            if not own:
                data = loader.construct_document(node)
                found.append(Document(data, _replicas(data)))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = clean_line(" ".join(filter(None, (error.context, error.problem))))
        problems.append(((mark.line + 1 if mark else 1), what))
    except (yaml.YAMLError, ValueError, OverflowError, TypeError) as error:
        problems.append((1, clean_line(str(error))))
    if not problems and not any(one.replicas for one in found):
        problems.append((1, f"expected a {', '.join(SCALED[:-1])} or {SCALED[-1]}"))
    if problems:
        told = (f"{clean_line(name)}:{line}: {what}" for line, what in sorted(problems)[:100])
        raise LabFileError("\n".join(told), fix="`kubert-tui lab check` looks at manifests, too")
    return tuple(found)


def _problems(node: Node) -> Iterator[tuple[int, str]]:
    """What is wrong with one document: line, and what."""
    line = node.start_mark.line + 1
    if not isinstance(node, MappingNode):
        yield line, "expected an object: apiVersion, kind, metadata"
        return
    kind = _text(node, "kind")
    if kind not in (*SCALED, *CARRIED):
        told = f"{clean_line(kind)} is" if kind else "something without a kind is"
        kinds = ", ".join((*SCALED, *CARRIED))
        yield _line(node, "kind"), f"{told} nothing that can be run in copies; expected {kinds}"
        return
    if not _text(node, "apiVersion"):
        yield line, "missing apiVersion"
    metadata = _child(node, "metadata")
    name = _text(metadata, "name")
    if not _NAME.fullmatch(name):
        what = f"got {clean_line(name)!r}" if name else "there is none"
        yield _line(node, "metadata"), f"expected metadata.name of a-z, 0-9 and dashes; {what}"
    if _text(metadata, "namespace"):
        where = _line(metadata, "namespace")
        yield where, "leave metadata.namespace out: kubert-tui gives it one of its own"
    if kind in SCALED:
        yield from _problems_of_scaled(node)


def _problems_of_scaled(node: MappingNode) -> Iterator[tuple[int, str]]:
    template = _child(_child(node, "spec"), "template")
    pod = _child(template, "spec")
    if not isinstance(_child(pod, "containers"), SequenceNode):
        yield _line(node, "spec"), "expected spec.template.spec.containers"
        return
    metadata = _child(template, "metadata")
    if not isinstance(_child(metadata, "labels"), MappingNode):
        yield _line(template, "metadata"), "expected labels in spec.template.metadata"
    for key in _PLACES:
        if _child(pod, key) is not None:
            what = f"leave {key} out: `nodes` of the workload says where its pods run"
            yield _line(pod, key), what
    replicas = _child(_child(node, "spec"), "replicas")
    if replicas is not None and not re.fullmatch(r"[1-9][0-9]{0,2}", str(replicas.value)):
        yield replicas.start_mark.line + 1, "expected replicas from 1 to 999"


def _child(node: Node | None, key: str) -> Node | None:
    if not isinstance(node, MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def _text(node: Node | None, key: str) -> str:
    child = _child(node, key)
    return child.value if child is not None and isinstance(child.value, str) else ""


def _line(node: Node | None, key: str) -> int:
    child = _child(node, key) or node
    return child.start_mark.line + 1 if child is not None else 1


def _replicas(data: Mapping[str, Any]) -> int:
    return int(data["spec"].get("replicas", 1)) if data["kind"] in SCALED else 0
