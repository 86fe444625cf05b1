"""From a host of the lab and the user's `~/.ssh/config` to where exactly we connect.

What the lab file says wins over ssh's configuration, as on ssh's own command line.
"""

import getpass
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import paramiko

from kubert_tui.base.errors import LabFileError, UsageError
from kubert_tui.base.text import clean_line
from kubert_tui.lab.model import HostSpec, Lab

_JUMP_LIMIT = 8
_INCLUDE_LIMIT = 16
_PLACE = re.compile(
    r"(?:\[(?P<bracketed>[^\[\]\s]+)\]|(?P<plain>[^\[\]:\s-][^\[\]:\s]*))(?::(?P<port>\d{1,5}))?"
    r"|(?P<bare>[\da-fA-F]*:[^\[\]\s]*:[^\[\]\s]*)"
)
_PLAIN = re.compile(r"\w[\w.:%\\@$+-]*|::[\w.:%]*")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and as whom to connect to one host."""

    name: str
    """The lab's name of the host; of a jump host outside the lab, its address."""
    address: str
    port: int = 22
    user: str = ""
    identity_file: Path | None = None
    """The key the lab file names for this host."""
    identity_files: tuple[Path, ...] = ()
    """The keys ssh's configuration names; empty: ssh's default names."""
    identities_only: bool = False
    """Use no other key of the agent than those named."""
    host_key_alias: str = ""
    jumps: tuple["Endpoint", ...] = field(default=())
    """The hosts the connection goes through, the nearest to us first."""
    proxy_command: str = ""
    """A command whose standard input and output lead to the host (ssh's ProxyCommand)."""

    @property
    def known_as(self) -> str:
        """The name its key has in known_hosts files: `host`, or `[host]:port`."""
        if self.host_key_alias:
            return self.host_key_alias
        return self.address if self.port == 22 else f"[{self.address}]:{self.port}"


def endpoint_of(spec: HostSpec, lab: Lab | Mapping[str, HostSpec]) -> Endpoint:
    """Return where `spec` leads; `lab` (or its hosts by name) is where jump hosts are found.

    Raises LabFileError for jumps in a circle or through nothing, UsageError when ssh's
    configuration cannot be read.
    """
    hosts = {host.name: host for host in lab.everyone} if isinstance(lab, Lab) else lab
    return _Resolver(hosts, _read_config()).lab_host(spec, ())


class _Config(paramiko.SSHConfig):
    """Leaves tokens of these two to us: the lab file may change port and user they stand for."""

    def __init__(self) -> None:
        super().__init__()
        self.TOKENS_BY_CONFIG_KEY = {
            **self.TOKENS_BY_CONFIG_KEY,
            "proxycommand": [],
            "proxyjump": [],
        }


class _Resolver:
    """Looks up hosts in the lab and in ssh's configuration."""

    def __init__(self, hosts: Mapping[str, HostSpec], config: paramiko.SSHConfig) -> None:
        self._hosts = hosts
        self._config = config

    def lab_host(self, spec: HostSpec, via: tuple[str, ...]) -> Endpoint:
        if spec.connection != "ssh":
            raise LabFileError(
                f"the host {spec.name} is local: there is nothing to connect to or jump through",
                fix="remove `jump`, or give the host an address",
                host=via[0] if via else spec.name,
            )
        self._refuse_circle(spec.name, via)
        alias = spec.address.strip("[]") or spec.name
        found = self._configured(alias)
        endpoint = replace(
            found,
            name=spec.name,
            port=spec.port or found.port,
            user=spec.user or found.user,
            identity_file=Path(spec.identity_file).expanduser() if spec.identity_file else None,
        )
        _refuse_odd(endpoint)
        if not spec.jump:
            return self._with_own_jumps(endpoint, alias, via)
        return replace(endpoint, proxy_command="", jumps=self._chain(spec.jump, (*via, spec.name)))

    def _chain(self, text: str, via: tuple[str, ...]) -> tuple[Endpoint, ...]:
        """Resolve `a,b,...`: the first as it would be reached itself, each next through it."""
        first, *others = (part.strip() for part in text.split(","))
        nearest = self._jump_host(first, via)
        rest = [replace(self._jump_host(other, via), jumps=()) for other in others]
        return (*nearest.jumps, replace(nearest, jumps=()), *rest)

    def _jump_host(self, text: str, via: tuple[str, ...]) -> Endpoint:
        if text in self._hosts:
            return self.lab_host(self._hosts[text], via)
        user, address, port = parse_destination(text, via[0])
        self._refuse_circle(text, via)
        found = self._configured(address)
        endpoint = replace(found, name=address, port=port or found.port, user=user or found.user)
        _refuse_odd(endpoint)
        return self._with_own_jumps(endpoint, address, (*via, text))

    def _with_own_jumps(self, endpoint: Endpoint, alias: str, via: tuple[str, ...]) -> Endpoint:
        """Add the ProxyJump that ssh's configuration has for `alias`."""
        jump = self._config.lookup(alias).get("proxyjump", "none")
        if jump.lower() == "none":
            command = _with_tokens(endpoint.proxy_command, endpoint, alias)
            return replace(endpoint, proxy_command=command)
        seen = via if alias in via else (*via, alias)
        chain = self._chain(_with_tokens(jump, endpoint, alias), seen)
        return replace(endpoint, proxy_command="", jumps=chain)

    def _configured(self, alias: str) -> Endpoint:
        try:
            found = self._config.lookup(alias)
            port = int(found.get("port", 22))
        except Exception as error:  # paramiko raises what it likes for `Match`
            raise _unreadable(error) from error
        files = [name for name in found.get("identityfile", []) if name.lower() != "none"]
        return Endpoint(
            name=alias,
            address=found.get("hostname", alias),
            port=port,
            user=found.get("user", getpass.getuser()),
            identity_files=tuple(Path(name).expanduser() for name in files),
            identities_only=found.get("identitiesonly", "no").lower() == "yes",
            host_key_alias=found.get("hostkeyalias", ""),
            proxy_command=found.get("proxycommand") or "",
        )

    def _refuse_circle(self, name: str, via: tuple[str, ...]) -> None:
        if name in via or len(via) > _JUMP_LIMIT:
            raise LabFileError(
                "the jump hosts lead in a circle: " + " -> ".join((*via, name)),
                fix="correct `jump` in the lab file (or ProxyJump in ~/.ssh/config)",
                host=via[0],
            )


def _refuse_odd(endpoint: Endpoint) -> None:
    """Names end up in known_hosts, in an inventory and in messages: no blanks, no options."""
    if not 0 < endpoint.port < 65536:
        raise LabFileError(
            f"{endpoint.port} is no port", fix="use one from 1 to 65535", host=endpoint.name
        )
    for what, value in (
        ("address", endpoint.address),
        ("user", endpoint.user),
        ("HostKeyAlias", endpoint.host_key_alias or "-"),
    ):
        if value != "-" and not _PLAIN.fullmatch(value):
            raise LabFileError(
                f"{clean_line(repr(value))} is no {what} of a host",
                fix="use letters, digits and . _ - : only",
                host=endpoint.name,
            )


def parse_destination(text: str, host: str = "") -> tuple[str, str, int]:
    """Split `[user@]host[:port]` (also as `ssh://` URI; IPv6 in brackets) into its parts.

    User and port are empty and 0 where not given. Raises LabFileError naming `host`.
    """
    rest = text.removeprefix("ssh://").rstrip("/")
    user, at, place = rest.rpartition("@")
    found = _PLACE.fullmatch(place)
    address = (found["bracketed"] or found["bare"] or found["plain"]) if found else ""
    number = int(found["port"] or 0) if found else 0
    if not found or (at and not user) or number > 65535 or found["port"] == "0":
        raise LabFileError(
            f"{clean_line(repr(text))} is no jump host",
            fix="write the name of a host of this lab, or [user@]host[:port]",
            host=host,
        )
    return user, address, number


def _with_tokens(text: str, endpoint: Endpoint, alias: str) -> str:
    """Replace the tokens of `ssh_config(5)` that ProxyCommand and ProxyJump know."""
    values = {
        "%%": "%",
        "%h": endpoint.address,
        "%n": alias,
        "%p": str(endpoint.port),
        "%r": endpoint.user,
    }
    return re.sub("%.", lambda found: values.get(found[0], found[0]), text)


def _read_config() -> paramiko.SSHConfig:
    path = Path.home() / ".ssh" / "config"
    try:
        lines = _with_includes(path, 0) if path.is_file() else []
        return _Config.from_text("\n".join(lines))
    except Exception as error:
        raise _unreadable(error) from error


def _with_includes(path: Path, depth: int) -> list[str]:
    """Return the lines of `path`, `Include`d files in their places (paramiko skips them)."""
    lines: list[str] = []
    block = "Host *"
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        word, _, rest = line.strip().replace("=", " ", 1).partition(" ")
        if word.lower() in ("host", "match"):
            block = line
        if word.lower() != "include":
            lines.append(line)
            continue
        for pattern in rest.split() if depth < _INCLUDE_LIMIT else ():
            wanted = Path.home() / ".ssh" / Path(pattern.strip('"')).expanduser()
            for file in sorted(wanted.parent.glob(wanted.name)):
                lines += _with_includes(file, depth + 1) if file.is_file() else []
        lines.append(block)
    return lines


def _unreadable(error: Exception) -> UsageError:
    return UsageError(
        f"~/.ssh/config cannot be used: {clean_line(str(error))}",
        fix="try `ssh -G HOST` and correct what it reports",
    )
