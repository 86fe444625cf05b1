"""The inventory of one playbook run: hosts, how to reach them, their variables. No secrets."""

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

import yaml

from kubert_tui.ansible.request import PlaybookRequest
from kubert_tui.base.errors import UsageError
from kubert_tui.hosts.openssh import (
    connection_options,
    escaped_path,
    key_files,
    quoted_path,
)
from kubert_tui.hosts.ssh_config import Endpoint, endpoint_of
from kubert_tui.lab.model import HostSpec, Lab

LOCAL_PYTHONS = ("/usr/bin/python3", "/usr/libexec/platform-python")
"""The system's Python first: only that one has the apt and dnf bindings."""

REMOTE_PYTHONS = (*LOCAL_PYTHONS, "python3", "python3.13", "python3.12", "python3.11", "python3.9")
"""The same order on hosts: Ansible alone would take the newest in PATH, such as pyenv's shims."""

_RESERVED = frozenset({"all", "ungrouped"})
_LITERAL = re.compile(r"[^{}#%]*")


def inventory(
    request: PlaybookRequest, known_hosts: Path, *, lab: Lab | None = None, agent_socket: str = ""
) -> dict[str, object]:
    """Return the inventory as plain data: `{"all": {"hosts": {name: variables}}}`.

    `lab` (beside the request's own hosts) is where jump hosts are looked up; `agent_socket`
    is the agent that will hold the keys whose passphrases the request carries. Raises
    UsageError and LabFileError for names and addresses that Ansible or ssh would take for
    something else.
    """
    hosts: dict[str, object] = {}
    for spec in request.hosts:
        if spec.name in _RESERVED:
            raise UsageError(
                f"a host cannot be called {spec.name}: Ansible has a group of that name",
                fix="rename it in the lab file",
                host=spec.name,
            )
        values = (
            _local_variables(spec)
            if spec.connection == "local"
            else _ssh_variables(spec, request, lab, known_hosts, agent_socket)
        )
        hosts[spec.name] = {**request.variables.get(spec.name, {}), **values}
    return {"all": {"hosts": hosts}}


def inventory_yaml(
    request: PlaybookRequest, known_hosts: Path, *, lab: Lab | None = None, agent_socket: str = ""
) -> str:
    """Return the same as YAML, for `ansible-playbook -i FILE`.

    Ansible evaluates templates in inventory values, and ours may come from a host: what
    could be one is tagged `!unsafe`, which makes it literal.
    """
    data = inventory(request, known_hosts, lab=lab, agent_socket=agent_socket)
    return yaml.dump(
        _literal(data), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000
    )


def endpoint(spec: HostSpec, request: PlaybookRequest, lab: Lab | None = None) -> Endpoint:
    """Return where Ansible connects to for `spec`; LabFileError for what ssh could misread."""
    known = {host.name: host for host in (*(lab.everyone if lab else ()), *request.hosts)}
    return endpoint_of(spec, {**known, **request.jump_hosts})


def needs_sudo(spec: HostSpec, user: str = "") -> bool:
    """Whether tasks on that host go through sudo. `user`: the login there, if it is known."""
    if spec.sudo == "auto":
        return os.geteuid() != 0 if spec.connection == "local" else (user or spec.user) != "root"
    return spec.sudo == "yes"


def local_python() -> str:
    """Return the Python that runs modules on this machine."""
    return next((path for path in LOCAL_PYTHONS if Path(path).exists()), "auto_silent")


def _local_variables(spec: HostSpec) -> dict[str, object]:
    return {
        "ansible_connection": "local",
        "ansible_python_interpreter": local_python(),
        **_become(needs_sudo(spec)),
    }


def _ssh_variables(
    spec: HostSpec, request: PlaybookRequest, lab: Lab | None, known_hosts: Path, agent_socket: str
) -> dict[str, object]:
    target = endpoint(spec, request, lab)
    hops = {hop.name: request.secrets.get(hop.name) for hop in (target, *target.jumps)}
    agents = {name: agent_socket for name, one in hops.items() if one and one.passphrases}
    first, *others = (*key_files(target), "")
    options = [*connection_options(target, known_hosts, agents)]
    for file in filter(None, others):
        options += ["-o", f"IdentityFile={quoted_path(file)}"]
    values: dict[str, object] = {
        "ansible_connection": "ssh",
        "ansible_host": target.address,
        "ansible_port": target.port,
        "ansible_user": target.user,
        "ansible_python_interpreter": "auto_silent",
        "ansible_interpreter_python_fallback": list(REMOTE_PYTHONS),
        "ansible_ssh_common_args": shlex.join(options),  # Ansible splits it the same way
        **_become(needs_sudo(spec, target.user)),
    }
    if first:
        # Ansible puts it between double quotes.
        values["ansible_ssh_private_key_file"] = escaped_path(first)
    return values


def _become(sudo: bool) -> dict[str, object]:
    return (
        {"ansible_become": True, "ansible_become_method": "sudo"}
        if sudo
        else {"ansible_become": False}
    )


class _Unsafe(str):
    """Text that Ansible must not evaluate."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """Writes `_Unsafe` with Ansible's tag, and everything where it belongs (no anchors)."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def _represent_unsafe(dumper: yaml.SafeDumper, text: _Unsafe) -> yaml.ScalarNode:
    return dumper.represent_scalar("!unsafe", str(text), style='"')


_Dumper.add_representer(_Unsafe, _represent_unsafe)


def _literal(value: object) -> object:
    if isinstance(value, str):
        plain = str(value)  # an enumeration's member is its value
        return plain if _LITERAL.fullmatch(plain) else _Unsafe(plain)
    if isinstance(value, Mapping):
        return {str(key): _literal(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_literal(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float)) else _literal(str(value))
