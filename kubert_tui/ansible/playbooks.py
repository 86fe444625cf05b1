"""Our playbooks, read before they run: where they lie, their command, their tasks on a host."""

import json
import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import yaml

from kubert_tui.ansible.inventory import needs_sudo
from kubert_tui.ansible.request import PlaybookRequest
from kubert_tui.ansible.templates import Knowledge
from kubert_tui.base.errors import ToolMissingError

try:  # libyaml is many times faster; PyYAML can be built without it
    from yaml import CSafeLoader as _Safe
except ImportError:
    from yaml import SafeLoader as _Safe  # type: ignore[assignment]

_FAMILIES: dict[str, dict[str, object]] = {
    "debian": {"os_family": "Debian", "pkg_mgr": "apt"},
    "fedora": {"os_family": "RedHat"},
}
"""The facts that follow from the family. (`pkg_mgr` of Fedora is dnf or dnf5.)"""

_INCLUDES = ("include_tasks", "import_tasks")
_ROLES = ("include_role", "import_role")
_LISTS = ("pre_tasks", "tasks", "post_tasks")
_BLOCKS = ("block", "rescue", "always")
_COMMANDS = frozenset({"command", "shell", "raw", "script"})
_SILENT = frozenset({"assert", "debug", "set_fact", "fail", "meta"})
"""Modules that touch no host."""
_LOOKING = frozenset({"stat", "slurp"})
"""Modules that only look."""
_KEYWORDS = frozenset(
    {
        "any_errors_fatal", "args", "async", "become", "become_exe", "become_flags",
        "become_method", "become_user", "changed_when", "check_mode", "collections",
        "connection", "debugger", "delay", "delegate_facts", "delegate_to", "diff",
        "environment", "failed_when", "ignore_errors", "ignore_unreachable", "listen", "loop",
        "loop_control", "module_defaults", "name", "no_log", "notify", "poll", "port",
        "register", "remote_user", "retries", "run_once", "tags", "throttle", "timeout",
        "until", "vars", "when",
    }
)  # fmt: skip
_DEPTH = 10


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """A task that a playbook would run on a host."""

    name: str
    module: str
    """As the playbook names it, such as `ansible.builtin.apt`."""
    command: str
    """The command itself, or the module and its arguments; empty if it touches no host."""
    looks: bool = False
    """It is a command of which the playbook says that it never changes anything."""

    @property
    def changes(self) -> bool:
        """Whether the task can change the host (false for those that only look or speak)."""
        return not self.looks and self.module.rpartition(".")[2] not in _SILENT | _LOOKING


class _Loader(_Safe):
    """Reads Ansible's YAML; its tags (`!unsafe`, `!vault`) become plain values."""


def _untagged(loader: _Loader, _suffix: str, node: yaml.Node) -> object:
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None


_Loader.add_multi_constructor("!", _untagged)


def playbook_path(name: str) -> Path:
    """Return the file of one of our playbooks (an absolute path is returned as it is).

    ToolMissingError if it is not there.
    """
    given = Path(name)
    path = given if given.is_absolute() else Path(str(files("kubert_tui.playbooks"))) / name
    if not path.is_file() or (not given.is_absolute() and given.name != name):
        raise ToolMissingError(f"there is no playbook {name}", fix="install kubert-tui again")
    return path


def playbook_command(request: PlaybookRequest, inventory: str = "inventory.yml") -> tuple[str, ...]:
    """Return the plain ansible-playbook command that does the same, for people to read.

    `inventory`: file with what `inventory_yaml` gives.
    """
    given = [request.secrets.get(spec.name) for spec in request.hosts]
    command = ["ansible-playbook", "-i", inventory]
    if any(one and one.login for one in given):
        command.append("--ask-pass")
    if any(needs_sudo(spec) for spec in request.hosts) and any(one and one.sudo for one in given):
        command.append("--ask-become-pass")
    if request.check:
        command += ["--check", "--diff"]
    return (*command, str(playbook_path(request.playbook)))


def list_tasks(
    name: str,
    family: str,
    variables: Mapping[str, object] | None = None,
    facts: Mapping[str, object] | None = None,
) -> tuple[PlannedTask, ...]:
    """Return the tasks a playbook would run on a host, as far as can be told without it.

    `family` is `debian`, `fedora` or another; `variables` are the host's,
    `facts` those of Ansible's that are known already (`distribution`, `service_mgr`, ...).
    A task is left out only if its condition cannot hold; one whose condition depends on the
    run is listed.
    """
    path = playbook_path(name)
    plays = _read(path)
    sure = {**_FAMILIES.get(family, {"os_family": "Other", "pkg_mgr": "other"}), **(facts or {})}
    known = {"kubert_family": family, "ansible_check_mode": False, **(variables or {})}
    tasks: list[PlannedTask] = []
    for play in plays:
        all_tasks = [task for key in _LISTS for task in _tasks(play.get(key))]
        later = set(_assigned(all_tasks, path.parent, 0))
        knowledge = Knowledge(known, sure, later).with_variables(_mapping(play.get("vars")))
        tasks += _listed(all_tasks, path.parent, knowledge, 0)
    return tuple(tasks)


def _listed(
    tasks: list[dict[str, object]], directory: Path, knowledge: Knowledge, depth: int
) -> Iterator[PlannedTask]:
    for task in tasks:
        if knowledge.excludes(task.get("when")):
            continue
        inner = knowledge.with_variables(_mapping(task.get("vars")))
        if any(key in task for key in _BLOCKS):
            for key in _BLOCKS:
                yield from _listed(_tasks(task.get(key)), directory, inner, depth)
            continue
        module, arguments = _module(task)
        if depth < _DEPTH and (found := _included(module, arguments, directory, inner)):
            file, below, more = found
            yield from _listed(_read(file), below, inner.with_variables(more), depth + 1)
            continue
        name = inner.fill(task.get("name") or module)
        looks = module.rpartition(".")[2] in _COMMANDS and task.get("changed_when") is False
        yield PlannedTask(str(name), module, _command(module, arguments, inner), looks)


def _assigned(tasks: list[dict[str, object]], directory: Path, depth: int) -> Iterator[str]:
    """Yield the names that get their values while the playbook runs."""
    for task in tasks:
        for key in _BLOCKS:
            yield from _assigned(_tasks(task.get(key)), directory, depth)
        if isinstance(register := task.get("register"), str):
            yield register
        module, arguments = _module(task)
        short = module.rpartition(".")[2]
        if short == "set_fact":
            yield from (str(name) for name in _mapping(arguments))
        elif depth < _DEPTH:
            for file, below, _ in _all_included(module, arguments, directory):
                yield from _assigned(_read(file), below, depth + 1)


_Included = tuple[Path, Path, dict[str, object]]
"""A file of tasks, the directory its own includes are in, and variables that come with it."""


def _included(
    module: str, arguments: object, directory: Path, knowledge: Knowledge
) -> _Included | None:
    """Return what a task includes; None if it includes nothing, or nobody can tell what."""
    given = arguments if isinstance(arguments, dict) else {"file": arguments}
    filled = knowledge.fill({key: given.get(key) for key in ("file", "name", "tasks_from")})
    named = {key: str(value) for key, value in _mapping(filled).items() if value}
    if any("{{" in value for value in named.values()):
        return None
    file, below = directory / named.get("file", ""), directory
    variables: dict[str, object] = {}
    match module.rpartition(".")[2]:
        case short if short in _ROLES:
            # A role that includes another one: both lie beside each other.
            within = directory.name == "tasks" and directory.parent.parent.name == "roles"
            roles = directory.parent.parent if within else directory / "roles"
            role = roles / named.get("name", "")
            below = role / "tasks"
            file = below / f"{named.get('tasks_from', 'main')}.yml"
            for kind in ("defaults", "vars"):
                with suppress(FileNotFoundError):
                    variables |= _mapping(_load(role / kind / "main.yml"))
        case short if short not in _INCLUDES:
            return None
    return (file, below, variables) if file.is_file() else None


def _all_included(module: str, arguments: object, directory: Path) -> Iterator[_Included]:
    """Yield what a task may include: where its name depends on something, all that is there."""
    found = _included(module, arguments, directory, Knowledge({}, {}))
    if found:
        yield found
    elif module.rpartition(".")[2] in _INCLUDES and directory.name == "tasks":
        for file in sorted(directory.glob("*.yml")):
            if file.name != "main.yml":
                yield file, directory, {}


def _module(task: dict[str, object]) -> tuple[str, object]:
    for key, arguments in task.items():
        if key not in _KEYWORDS and not key.startswith("with_"):
            more = _mapping(task.get("args"))
            if more:
                free = arguments if isinstance(arguments, dict) else {"_raw_params": arguments}
                return key, {**free, **more}
            return key, arguments
    return "", None


def _command(module: str, arguments: object, knowledge: Knowledge) -> str:
    values = knowledge.fill(arguments)
    if module.rpartition(".")[2] in _SILENT:
        return ""
    if module.rpartition(".")[2] in _COMMANDS:
        if isinstance(values, str):
            return values
        line = _mapping(values).get("argv") or _mapping(values).get("cmd")
        if isinstance(line, list):
            return " ".join(_word(word) for word in line)
        raw = line or _mapping(values).get("_raw_params")
        if raw:
            return str(raw)
    if isinstance(values, dict):
        words = (f"{key}={_word(value)}" for key, value in values.items())
        return " ".join((module, *words))
    return f"{module} {values}" if values else module


def _word(value: object) -> str:
    if isinstance(value, str):
        # A template that stays is shown as it is written, for it is no shell word yet.
        return value if "{{" in value else shlex.quote(value)
    return shlex.quote(json.dumps(value)) if isinstance(value, (list, dict)) else str(value)


def _read(path: Path) -> list[dict[str, object]]:
    return _tasks(_load(path))


def _load(path: Path) -> object:
    return _loaded(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _loaded(path: Path, _changed: int) -> object:
    """Return what a file has, parsed once for all hosts and stages; nobody changes it."""
    with path.open(encoding="utf-8") as file:
        loaded: object = yaml.load(file, _Loader)  # noqa: S506 - a SafeLoader
    return loaded


def _tasks(value: object) -> list[dict[str, object]]:
    return [task for task in value if isinstance(task, dict)] if isinstance(value, list) else []


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
