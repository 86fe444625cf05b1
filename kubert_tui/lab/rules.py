"""What must hold between the hosts of a lab; no single value is wrong by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

Location = tuple[str | int, ...]
"""Keys and indices from the top of the lab file, as pydantic writes them."""

GUESS_LIMIT = 50
"""Hosts among which a misspelt jump is looked for: every pair of names is compared."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong at one place of a lab file."""

    location: Location
    what: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class HostOutline:
    """What the rules look at; texts are empty where the file has nothing usable."""

    name: str
    jump: str = ""
    connection: str = "ssh"


def host_problems(hosts: Sequence[HostOutline]) -> list[Problem]:
    """Return duplicate names, and jumps that lead nowhere or back."""
    problems: list[Problem] = []
    by_name: dict[str, HostOutline] = {}
    for index, host in enumerate(hosts):
        if host.name and host.name in by_name:
            problems.append(
                Problem(
                    ("hosts", index, "name"),
                    f"another host is called {host.name} already",
                    "give every host a name of its own",
                )
            )
        by_name.setdefault(host.name, host)
    for index, host in enumerate(hosts):
        problem = _jump_problem(host, by_name)
        if problem is not None:
            problems.append(Problem(("hosts", index, "jump"), *problem))
    return problems


def _jump_problem(host: HostOutline, by_name: dict[str, HostOutline]) -> tuple[str, str] | None:
    leave_out = "leave `jump` out"
    if not host.jump:
        found = None
    elif host.jump == host.name:
        found = (f"{host.name} cannot be reached through itself", "name another host")
    elif host.connection == "local":
        found = ("this machine is reached without a jump host", leave_out)
    elif host.jump not in by_name:
        found = _misspelt(host.jump, [name for name in by_name if name != host.name])
    elif by_name[host.jump].connection == "local":
        found = (f"{host.jump} is this machine itself", leave_out)
    else:
        found = _circle(host, by_name)
    return found


def _circle(host: HostOutline, by_name: dict[str, HostOutline]) -> tuple[str, str] | None:
    way = {host.name: None}
    step = host.jump
    while step in by_name and step not in way:
        way[step] = None
        step = by_name[step].jump
    if step != host.name:
        return None
    return f"the jumps go round in a circle: {' -> '.join([*way, step])}", "break it somewhere"


def _misspelt(jump: str, names: list[str]) -> tuple[str, str] | None:
    """A jump host outside the lab is fine, unless it looks like a host of the lab."""
    if any(mark in jump for mark in "@:.") or len(names) > GUESS_LIMIT:
        return None
    close = get_close_matches(jump, names, n=1, cutoff=0.8)
    if not close:
        return None
    return (
        f"no host of this lab is called {jump}",
        f"did you mean {close[0]}? for a machine outside the lab write {jump}:22",
    )
