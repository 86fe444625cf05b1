"""OpenSSH options for programs that run ssh (Ansible, libvirt), quoted for the readers they pass.

A value is read by ssh's own option parser (quotes, `%` tokens), inside a ProxyCommand also by
a shell and once more by `%` expansion, and Ansible splits the whole string like a shell does.
"""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from kubert_tui.hosts.ssh_config import Endpoint


def key_files(endpoint: Endpoint) -> tuple[str, ...]:
    """Return the private keys to try, best first."""
    first = (endpoint.identity_file,) if endpoint.identity_file else ()
    return tuple(str(file) for file in dict.fromkeys((*first, *endpoint.identity_files)))


def quoted_path(path: str | Path) -> str:
    """Return a path as ssh's option parser takes it: one word, taken literally."""
    return f'"{escaped_path(path)}"'


def escaped_path(path: str | Path) -> str:
    """Return a path for use between double quotes in an ssh option."""
    return str(path).replace("%", "%%").replace("\\", "\\\\").replace('"', '\\"')


def trust_options(known_hosts: Path) -> tuple[str, ...]:
    """Only keys in our known_hosts are believed, and nothing is ever added to it by ssh."""
    return _options(
        f"UserKnownHostsFile={quoted_path(known_hosts)}",
        "GlobalKnownHostsFile=/dev/null",
        "StrictHostKeyChecking=yes",
        "UpdateHostKeys=no",
    )


def connection_options(
    endpoint: Endpoint, known_hosts: Path, agents: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Options for the connection to `endpoint`, jump hosts included, as an argv.

    `agents`: by name of host (or jump host), the socket of the agent that holds its keys; the
    others use the user's (SSH_AUTH_SOCK). Address, port, user and key are the caller's.
    """
    agents = agents or {}
    return (*_common(endpoint, known_hosts, agents), *_way(endpoint, known_hosts, agents))


def _common(endpoint: Endpoint, known_hosts: Path, agents: Mapping[str, str]) -> tuple[str, ...]:
    options = [
        "ForwardAgent=no",
        "ForwardX11=no",
        "ClearAllForwardings=yes",
        "PermitLocalCommand=no",
        "ServerAliveInterval=15",
        "ServerAliveCountMax=4",
    ]
    if endpoint.host_key_alias:
        options.append(f"HostKeyAlias={quoted_path(endpoint.host_key_alias)}")
    if endpoint.identities_only:
        options.append("IdentitiesOnly=yes")
    if agent := agents.get(endpoint.name):
        options.append(f"IdentityAgent={quoted_path(agent)}")
    return (*trust_options(known_hosts), *_options(*options))


def _way(endpoint: Endpoint, known_hosts: Path, agents: Mapping[str, str]) -> tuple[str, ...]:
    if endpoint.jumps:
        return _options(f"ProxyCommand={_through(endpoint.jumps, known_hosts, agents)}")
    if endpoint.proxy_command:  # its own tokens are expanded already
        return _options(f"ProxyCommand={endpoint.proxy_command.replace('%', '%%')}")
    return ()


def _through(jumps: Sequence[Endpoint], known_hosts: Path, agents: Mapping[str, str]) -> str:
    """Return the ProxyCommand that reaches a host through `jumps` (nearest to us first).

    Each jump host is held to the same known_hosts, which ssh's own ProxyJump would not do.
    BatchMode: with Ansible's askpass in the environment, a jump host that asks for a
    password would be sent the target's.
    """
    *before, last = jumps
    argv = ["ssh", *_options("BatchMode=yes"), *_common(last, known_hosts, agents)]
    if before:
        argv += _options(f"ProxyCommand={_through(before, known_hosts, agents)}")
    else:
        argv += _way(last, known_hosts, agents)
    argv += ["-p", str(last.port)]
    if last.user:
        argv += ["-l", last.user]
    argv += _options(*(f"IdentityFile={quoted_path(file)}" for file in key_files(last)))
    # The outer ssh expands %-tokens of the whole line first: only the last two are for it.
    literal = shlex.join(argv).replace("%", "%%")
    return f"{literal} -W '[%h]:%p' {shlex.quote(last.address).replace('%', '%%')}"


def _options(*values: str) -> tuple[str, ...]:
    return tuple(word for value in values for word in ("-o", value))
