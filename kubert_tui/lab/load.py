"""Read a lab file. Everything wrong with it is told at once, each with file, line and key."""

import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kubert_tui.base.errors import LabFileError
from kubert_tui.base.text import clean_line
from kubert_tui.lab.explain import explain
from kubert_tui.lab.manifests import read_manifest
from kubert_tui.lab.model import Lab, MachinesSpec, NetworkSpec
from kubert_tui.lab.presets import CHECKSUM_COMMAND
from kubert_tui.lab.rules import HostOutline, Location, Problem, host_problems
from kubert_tui.lab.rules_of_machines import MachineOutline, NetworkOutline, machine_problems
from kubert_tui.lab.tree import Tree, read_tree

SIZE_LIMIT = 1024 * 1024
"""Bytes of the largest lab file that is read."""

PROBLEM_LIMIT = 100
"""Problems of one file that are told."""

_LINE_LIMIT = 1000
"""Characters: a circle of jumps could name every host."""

_START = "`kubert-tui lab init` writes one to start from"


def load_lab(path: Path) -> Lab:
    """Return the lab in the file `path`, called like the file if it gives no name.

    Raises LabFileError; its `what` has one `file:line: key: expected (hint)` per problem.
    """
    return _with_manifests(parse_lab(read_text(path), str(path)), path)


def _with_manifests(lab: Lab, path: Path) -> Lab:
    """Return the lab with the manifests' paths made whole, once all of them could be read."""
    workloads = tuple(
        one.model_copy(
            update={"manifest": str(path.absolute().parent / Path(one.manifest).expanduser())}
        )
        if one.manifest
        else one
        for one in lab.workloads
    )
    wrong = []
    for one in workloads:
        try:
            if one.manifest:
                read_manifest(Path(one.manifest))
        except LabFileError as error:
            wrong.append(error)
    if wrong:
        raise LabFileError("\n".join(error.what for error in wrong), fix=wrong[0].fix)
    return lab.model_copy(update={"workloads": workloads}) if workloads else lab


def parse_lab(text: str, name: str) -> Lab:
    """Return the lab in `text`; `name` is the file's, for errors and the lab's default name."""
    if len(text) > SIZE_LIMIT:
        raise _too_large(name)
    tree = read_tree(text)
    if not tree.problems and tree.data is None:
        raise LabFileError(f"{clean_line(name)}:1: the file is empty", fix=_START)
    if not tree.problems and not isinstance(tree.data, dict):
        tree.problems.append((tree.line(()), "expected keys and values at the top", _START))
    found = list(tree.problems)
    lab: Lab | None = None
    if isinstance(tree.data, dict):
        data = {**_default_name(name, tree.data), **tree.data}
        if "cluster" in data and data["cluster"] is None:
            # It is enabled by being there.
            data["cluster"] = {}
        try:
            lab = Lab.model_validate(data)
        except ValidationError as error:
            found += _located(_of_model(error, data), tree)
        found += _located(_of_file(data), tree)
    if found or lab is None:
        told = sorted(set(found))
        if (more := len(told) - PROBLEM_LIMIT) > 0:
            told[PROBLEM_LIMIT:] = [(told[PROBLEM_LIMIT][0], f"{more} more problems", "")]
        raise LabFileError("\n".join(_line(name, *problem) for problem in told))
    return lab


def read_text(path: Path) -> str:
    """Return what a lab file says; LabFileError when it is no file of ours to read."""
    shown = clean_line(str(path))
    try:
        # Ask before opening: a FIFO would block, a device never end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise LabFileError(f"{shown} is not a file", fix="name a lab file")
        with path.open("rb") as file:
            content = file.read(SIZE_LIMIT + 1)
    except FileNotFoundError:
        raise LabFileError(f"there is no lab file {shown}", fix=_START) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise LabFileError(f"{shown} cannot be read: {clean_line(reason)}") from None
    if len(content) > SIZE_LIMIT:
        raise _too_large(str(path))
    if b"\0" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise LabFileError(f"{shown}:1: expected text, got binary data", fix=_START)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise LabFileError(f"{shown}:{line}: expected UTF-8 text", fix="save it as UTF-8") from None


def _too_large(name: str) -> LabFileError:
    return LabFileError(f"{clean_line(name)}:1: larger than 1 MiB", fix="is it a lab file?")


def _default_name(name: str, data: dict[str, Any]) -> dict[str, Any]:
    stem = Path(name).stem
    given = data.get("name") is not None
    if given or not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?", stem):
        return {}
    return {"name": stem}


def _of_model(error: ValidationError, data: dict[str, Any]) -> Iterable[Problem]:
    """What single values have wrong (the rules between hosts follow from the file itself)."""
    listed = isinstance(data.get("machines"), list)
    for detail in error.errors(include_url=False):
        location, kind = detail["loc"], detail["type"]
        # pydantic counts only the valid items: the others have told already.
        told = kind == "too_short" and detail["input"]
        if kind in ("hosts", "guests") or told:
            continue
        if kind == "loops" and not isinstance(detail["input"], str):
            location = (*location[:-1], "duration")
        if kind == "nodes":
            yield Problem(("cluster", "nodes"), detail["msg"].removeprefix("cluster.nodes: "))
            continue
        if kind == "workloads":
            place, _, what = detail["msg"].partition(": ")
            yield Problem(tuple(place.split(".")), what)
            continue
        if listed and location[:2] == ("machines", "each"):
            location = ("machines", *location[2:])
        yield Problem(location, *explain(detail))


def _of_file(data: dict[str, Any]) -> Iterable[Problem]:
    """What a file must hold to, found even while single values are wrong."""
    hosts = data.get("hosts")
    if isinstance(hosts, list):
        yield from host_problems([_outline(host) for host in hosts])
        yield from _of_machines(data, [_outline(host).name for host in hosts])
    measure = data.get("cyclictest")
    if isinstance(measure, dict) and measure.get("loops") and measure.get("duration"):
        yield Problem(("cyclictest", "loops"), "expected loops or duration, not both")
    kernel = data.get("kernel")
    packages = kernel.get("packages") if isinstance(kernel, dict) else None
    for index, package in enumerate(packages if isinstance(packages, list) else ()):
        if isinstance(package, dict) and not package.get("sha256"):
            command = CHECKSUM_COMMAND.format(url=clean_line(str(package.get("url") or "URL")))
            place = ("kernel", "packages", index, "sha256")
            yield Problem(place, "missing, but required", f"compute it: {command}")


def _of_machines(data: dict[str, Any], hosts: list[str]) -> Iterable[Problem]:
    written = data.get("machines")
    place: Location = ("machines",)
    if isinstance(written, dict):
        place = ("machines", "preset" if written.get("preset") else "each")
        with suppress(ValidationError):
            written = [dict(one) for one in MachinesSpec.model_validate(written).written]
    machines = [
        MachineOutline(*(text.get(key, "") for key in ("name", "host", "address", "adopted")))
        for text in map(_texts, written if isinstance(written, list) else ())
    ]
    network: NetworkOutline | None = None
    with suppress(ValidationError):
        network = NetworkSpec.model_validate(data.get("network") or {}).outline
    yield from machine_problems(machines, hosts, network, place)


def _outline(host: object) -> HostOutline:
    text = _texts(host)
    return HostOutline(text.get("name", ""), text.get("jump", ""), text.get("connection", ""))


def _texts(part: object) -> dict[str, str]:
    keys = part if isinstance(part, dict) else {}
    # Stripped, as the model does it.
    return {k: value.strip() if isinstance(value, str) else "" for k, value in keys.items()}


def _located(problems: Iterable[Problem], tree: Tree) -> Iterable[tuple[int, str, str]]:
    for problem in problems:
        key = _key(problem.location, tree.data)
        what = f"{key}: {problem.what}" if key else problem.what
        yield tree.line(problem.location), what, problem.hint


def _key(location: Location, data: Any) -> str:
    """`hosts.bull1.port` where the host has a name, `kernel.packages[0].url` otherwise."""
    text = ""
    for step in location:
        inside = isinstance(data, list) and isinstance(step, int) and step < len(data)
        data = data[step] if inside else data.get(step) if isinstance(data, dict) else None
        name = data.get("name") if isinstance(data, dict) else None
        if not isinstance(step, int):
            text = f"{text}.{step}" if text else str(step)
        elif isinstance(name, str) and name:
            text = f"{text}.{name}"
        else:
            text = f"{text}[{step}]"
    return clean_line(text)


def _line(name: str, line: int, what: str, hint: str) -> str:
    told = clean_line(f"{what} ({hint})" if hint else what, limit=_LINE_LIMIT)
    return f"{clean_line(name)}:{line}: {told}"
